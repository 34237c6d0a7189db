"""`steelyard judge`: speak the judge protocol, version 1, on standard input and output."""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import click

from steelyard.cli.message import Malformed, checked
from steelyard.cli.place import Unusable
from steelyard.rollout.judge import Judge


@click.command()
def judge() -> None:
    """
    Judge rollouts by the judge protocol, version 1: messages on stdin, verdicts on stdout.

    Each message is one line of JSON. A start begins a rollout, or begins it anew; each tick of a
    rollout that was started is answered by one line, at once. Rollouts may be interleaved. Exit
    code 0 at the end of the input, 2 at the first line that is no message.
    """
    for answer in answers(sys.stdin.buffer):
        click.echo(answer)  # and flush: who drives this waits for it


def answers(lines: Iterable[bytes]) -> Iterator[str]:
    """
    Yield the verdict of each tick among the lines of a conversation, as JSON without line end.

    Raises Unusable at the first line that is no message.
    """
    judges: dict[str, Judge] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            message = checked(line, judges)
        except Malformed as malformed:
            raise Unusable(
                [f"line {number}: {problem}" for problem in malformed.problems]
            ) from None
        verdict = _judged(number, message, judges)
        if verdict is not None:
            yield json.dumps({"id": message["id"], **verdict}, separators=(",", ":"))


def _judged(
    number: int, message: dict[str, Any], judges: dict[str, Judge]
) -> dict[str, Any] | None:
    """Return the verdict on a tick; keep the judge of a start, which has none."""
    name = message["id"]
    try:
        if message["type"] == "tick":
            return judges[name].tick(message)
        judges[name] = Judge(message)
    except ValueError as error:  # histograms of another length, a stage out of turn
        raise Unusable([f"line {number}: {name}: {error}: send what the start announced"]) from None
    return None
