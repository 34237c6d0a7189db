"""`steelyard backtest`: replay recorded measurements, and show when the judge would have acted."""

import json
import sys
from pathlib import Path

import click

from steelyard.backtest.reading import read
from steelyard.backtest.recording import Recording, Unreadable
from steelyard.backtest.replay import Replay, replay
from steelyard.cli.backtest_drawing import as_dict, tables
from steelyard.cli.options import console, on_trial
from steelyard.cli.place import Unusable
from steelyard.rollout.policy import Policy
from steelyard.spec import Endpoint


@click.command()
@click.argument("endpoint", metavar="POLICY")
@click.argument("metrics", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--challenger", metavar="VERSION", help="another version on trial, such as v1-2-0")
@click.option("--rollout", metavar="NAME", help="which one, where the records are of several")
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of tables")
def backtest(
    endpoint: str, metrics: Path, challenger: str | None, rollout: str | None, as_json: bool
) -> None:
    """
    Replay the measurements of METRICS under the policy of POLICY, the endpoint of a folder.

    POLICY is a path, or the name of a folder in endpoints/. METRICS is a file, or - for the
    standard input: records of a ledger, CSV, or what `aws cloudwatch get-metric-data` prints.
    Exit code 0 if the judge would have promoted, 1 if it would have aborted or never decided, 2 for
    input that cannot be used.
    """
    found = on_trial(endpoint, challenger, "backtested")
    policy = found.policy()
    try:
        recording = read(_text(metrics), _roles(found), rollout)
        recording.check(len(policy.latency_edges) + 1)
        made = replay(policy, recording)
    except Unreadable as error:
        raise Unusable(error.problems, f"{metrics} cannot be replayed") from None
    _show(policy, recording, made, as_json)
    raise SystemExit(0 if made.outcome == "promote" else 1)


def _show(policy: Policy, recording: Recording, made: Replay, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(as_dict(policy, recording, made), indent=2, allow_nan=False))
        return
    for table in tables(policy, recording, made):
        console().print(table, highlight=False)


def _text(metrics: Path) -> str:
    try:
        content = sys.stdin.buffer.read() if str(metrics) == "-" else metrics.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise Unreadable(
            [f"METRICS: {error.strerror}, allowed is a file that can be read: name another"]
        ) from None
    except UnicodeDecodeError:
        raise Unreadable(["METRICS: is no text, allowed is UTF-8: write it anew"]) from None


def _roles(endpoint: Endpoint) -> dict[str, str]:
    return {
        endpoint.champion.version: "champion",
        endpoint.challenger.version: "challenger",
        "champion": "champion",
        "challenger": "challenger",
    }
