"""`steelyard repair`: mend a ledger that is stuck, when what drove the rollout is gone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import click
from botocore.exceptions import ClientError

from lambdas.aws import LedgerConflict
from steelyard.cli.deployment import Deployment, deployed
from steelyard.cli.options import console
from steelyard.cli.order import person, spelt
from steelyard.cli.place import Unusable
from steelyard.cli.standing import Standing, look, table
from steelyard.rollout.ledger import UNDER_WAY, Lock, Record
from steelyard.rollout.live import Live, serves_alone

# What a rollout that has ended waits for no more.
_NOTHING: dict[str, Any] = dict.fromkeys(("token", "lease_until", "gate", "pause_until"))


@dataclass(frozen=True)
class Repair:
    """What is to be mended: the phase that the ledger should say (None: as it is), the claim."""

    to: str | None
    free_claim: bool
    reason: str
    by: str


@click.command()
@deployed
@click.option("--to", type=click.Choice(["aborted", "promoted"]), help="what the endpoint shows")
@click.option("--free-claim", is_flag=True, help="end the deploy claim that holds rollouts off")
@click.option("--reason", required=True, metavar="TEXT", help="why, for the ledger")
@click.option("--as", "by", metavar="NAME", help="by whom; this machine's user if not given")
@click.option("--yes", is_flag=True, help="do it; without this nothing is written")
def repair(
    deployment: Deployment, to: str | None, free_claim: bool, reason: str, by: str | None, yes: bool
) -> None:
    """
    Mend the ledger of ENDPOINT: say that its rollout has ended, or free it of a deploy claim.

    No weight is moved: the ledger is made to say what the endpoint shows, and only while nobody
    drives the rollout. ENDPOINT is a folder, or the deployed name. Exit code 0 when done, or when
    it could be done and --yes is missing; 1 when refused; 2 for input that cannot be used.
    """
    if to is None and not free_claim:
        raise Unusable(["--to, --free-claim: given neither, allowed is one or both: choose"])
    wish, lock, found = (
        Repair(to, free_claim, reason, person(by)),
        deployment.lock(),
        look(deployment),
    )
    console().print(table(found), highlight=False)
    problems = [*_phase_obstacles(deployment, lock, found, wish), *_claim_obstacles(found, wish)]
    if problems:
        click.echo("\n".join(["refused:", *(f"  - {it}" for it in problems)]), err=True)
        raise SystemExit(1)
    if yes:
        _write(deployment, lock, found, wish)
    for said in _deeds(lock, found, wish):
        click.echo(f"{'done' if yes else 'with --yes'}: {said}")


def _phase_obstacles(
    deployment: Deployment, lock: Lock, found: Standing, wish: Repair
) -> Iterator[str]:
    """Yield a sentence for each reason why the ledger may not be made to say the phase."""
    if wish.to is None:
        return
    if lock.phase == wish.to:
        yield f"rollout {lock.rollout} is {wish.to} already: there is nothing to mend"
    is_alive = lock.lease_until is None or found.now <= lock.lease_until
    if lock.phase in UNDER_WAY and is_alive and deployment.is_running(lock.rollout):
        yield (
            f"rollout {lock.rollout} is {lock.phase}, its execution runs and its lease lives: "
            f"`steelyard abort {lock.endpoint}` ends it"
        )
    serves = lock.challenger if wish.to == "promoted" else lock.champion
    # A rollout that asked for no weight may be called aborted whoever serves.
    if not _shows(found.live, serves) and (wish.to == "promoted" or lock.step >= 0):
        yield (
            f"{serves} does not serve everything ({spelt(found.live)}), which {wish.to} would "
            f"say: `steelyard abort {lock.endpoint}`, or move the weights as the runbooks say"
        )


def _shows(live: Live | None, serves: str) -> bool:
    return live is not None and live.is_still and serves_alone(live.weights, serves)


def _claim_obstacles(found: Standing, wish: Repair) -> Iterator[str]:
    """Yield why a claim may not be freed: there is none, or its deploy runs."""
    if not wish.free_claim:
        return
    if found.claim is None:
        yield "no deploy holds rollouts off: there is no claim to free"
        return
    stack = f"{found.endpoint}-{found.claim.stack}"
    try:
        answer = boto3.client("cloudformation").describe_stacks(StackName=stack)
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        return
    status = answer["Stacks"][0]["StackStatus"]
    if status.endswith("_IN_PROGRESS"):
        yield f"{stack} is {status}: wait, its own end gives the claim back"


def _deeds(lock: Lock, found: Standing, wish: Repair) -> Iterator[str]:
    if wish.to is not None:
        yield f"rollout {lock.rollout} of {lock.endpoint}: {lock.phase} → {wish.to}"
    if wish.free_claim and found.claim is not None:
        yield f"the deploy claim of {found.claim.stack} ends"


def _write(deployment: Deployment, lock: Lock, found: Standing, wish: Repair) -> None:
    """Write the record, and with it the phase; then free the claim. Exit code 1 at a conflict."""
    ended = {"phase": wish.to, "reason": f"repair: {wish.reason}", **_NOTHING}
    try:
        deployment.ledger.append(
            lock, [_record(lock, found, wish)], **(ended if wish.to is not None else {})
        )
    except LedgerConflict:
        click.echo("refused: somebody wrote the ledger meanwhile: look again", err=True)
        raise SystemExit(1) from None
    if wish.free_claim and found.claim is not None:
        deployment.ledger.give_back(found.claim.stack)


def _record(lock: Lock, found: Standing, wish: Repair) -> Record:
    """Return what the ledger will say of the repair, with what it said before."""
    claim = found.claim.stack if found.claim is not None else None
    live = found.live.weights if found.live is not None else {}
    return Record(
        seq=lock.seq,
        at=found.now,
        kind="acted",
        actor="operator",
        step=lock.step,
        weights={name: int(weight) for name, weight in live.items()},
        reason=wish.reason,
        body={
            "order": "repair",
            "by": wish.by,
            "before": {"phase": lock.phase, "claim": claim},
            "after": {"phase": wish.to or lock.phase, "claim": None if wish.free_claim else claim},
        },
    )
