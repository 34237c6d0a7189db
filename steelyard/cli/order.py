"""What the operator's orders have in common: options, events, and the wait until home."""

import getpass
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.markup import escape

from steelyard.cli.deployment import Deployment, Refused
from steelyard.cli.place import Unusable
from steelyard.rollout.ledger import Lock, Phase
from steelyard.rollout.live import Live, serves_alone

POLL_SECONDS = 5.0
"""How long the wait for home pauses before it asks, and drives, again."""


def orders(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that every order has: why, for which rollout, by whom."""
    for option in (
        click.option(
            "--as", "actor", metavar="NAME", help="by whom; this machine's user if not given"
        ),
        click.option("--rollout", metavar="ID", help="only if it is the newest rollout"),
        click.option("--reason", required=True, metavar="TEXT", help="why, for the ledger"),
    ):
        command = option(command)
    return command


waits = click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="how long to wait until all weight is the champion's",
)


def person(actor: str | None) -> str:
    """Return who gives the order."""
    return actor or getpass.getuser()


def checked(deployment: Deployment, order: str, rollout: str | None, *phases: Phase) -> Lock:
    """Return the lock; raises Unusable where its phase leaves nothing to order."""
    lock = deployment.lock(rollout)
    if lock.phase not in phases:
        raise Unusable(
            [
                f"ENDPOINT: rollout {lock.rollout} of {lock.endpoint} is {lock.phase}, allowed for "
                f"{order} is {' or '.join(phases)}: there is nothing to {order}, see "
                f"`steelyard status`"
            ]
        )
    return lock


def give(deployment: Deployment, lock: Lock, order: str, reason: str, actor: str | None) -> None:
    """Hand an order to the operator's function, and print what became of it; exit code 1 if not."""
    event = {"order": order, "rollout": lock.rollout, "actor": person(actor), "reason": reason}
    try:
        answer = deployment.tell("operate", event)
    except Refused as refused:
        _stop(f"{order} failed: {refused}")
    if not answer["done"]:
        _stop(f"refused: {answer['said']}")
    click.echo(f"rollout {lock.rollout} of {lock.endpoint}: {answer['said']}")


def bring_home(deployment: Deployment, lock: Lock, event: dict[str, Any], wait: float) -> None:
    """
    Have the rollback Lambda bring all weight home, again and again until it is there.

    Exit code 0 when it is, 1 when not within `wait` seconds: the watchdog goes on without us.
    """
    console, before = Console(), ""
    with console.status("all weight goes home") as status:
        for line, is_home in _rounds(deployment, {"rollout": lock.rollout, **event}, wait):
            status.update(escape(line))
            if line != before:
                console.print(line, highlight=False, markup=False, soft_wrap=True)
                before = line
            if is_home:
                return
    _stop(
        f"{deployment.name} is not home after {wait:g} s; the watchdog tries each minute: see "
        f"`steelyard status`, and the runbooks for moving weights by hand"
    )


def _rounds(
    deployment: Deployment, event: dict[str, Any], wait: float
) -> Iterator[tuple[str, bool]]:
    """Yield, after each sending of the event, what is seen, and whether all weight is home."""
    end = time.monotonic() + wait
    while True:
        trouble = _driven(deployment, event)
        lock, live = deployment.lock(), deployment.live()
        hindered = f" ({trouble})" if trouble else ""
        yield f"{lock.phase}: {spelt(live)}{hindered}", _is_home(lock, live)
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(POLL_SECONDS, left))


def spelt(live: Live | None) -> str:
    """Return the weights in force and the endpoint's status, as people read them."""
    if live is None:
        return "there is no endpoint"
    weights = ", ".join(f"{name} {weight:g}" for name, weight in sorted(live.weights.items()))
    return f"{weights or 'no weights'}, {live.status}"


def _driven(deployment: Deployment, event: dict[str, Any]) -> str:
    """Send the event; return what the function could not do now, empty when it did."""
    try:
        answer = deployment.tell("rollback", event)
    except Refused as refused:
        if refused.kind == "NotReverted":
            _stop(str(refused))
        return str(refused)
    if "ignored" in answer:
        _stop(f"nothing was moved: {answer['ignored']}")
    return ""


def _stop(why: str) -> NoReturn:
    click.echo(why, err=True)
    raise SystemExit(1)


def _is_home(lock: Lock, live: Live | None) -> bool:
    if live is None or lock.step < 0:
        return lock.phase in ("aborting", "aborted")
    at_home = live.is_still and serves_alone(live.weights, lock.champion)
    return at_home and lock.phase in ("aborting", "aborted")
