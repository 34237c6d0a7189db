"""How a deployed endpoint stands: its ledger beside what is live; gathered, then worded."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.markup import escape
from rich.table import Table

from lambdas.aws import Alarms
from steelyard.audit.reading import parsed
from steelyard.audit.wording import moment, step_name
from steelyard.cli.deployment import Deployment
from steelyard.rollout.ledger import UNDER_WAY, Claim, Lock, Record
from steelyard.rollout.live import Live
from steelyard.rollout.policy import Policy
from steelyard.rollout.watch import Deed, watch
from steelyard.rollout.weights import home, weights

_COLOURS = {
    "progressing": "cyan",
    "paused": "yellow",
    "aborting": "bold red",
    "aborted": "red",
    "promoted": "green",
    "passed": "green",
}

_DEEDS: Mapping[Deed, str] = {
    "rest": "leaves it alone",
    "mark": "aborts it within a minute",
    "shift": "asks for weights within a minute",
    "note": "waits",
    "wait": "waits",
    "page": "tells people",
    "end": "ends it within a minute",
    "resume": "lets scaling go on within a minute",
}


@dataclass(frozen=True)
class Standing:
    """
    Everything that one look shows, at `now` (epoch seconds).

    lock and verdict (the newest record of a decision) are None before the first; live is None where
    there is no endpoint; ringing: alarms of the challenger.
    """

    endpoint: str
    now: float
    lock: Lock | None
    live: Live | None
    verdict: Record | None
    ringing: tuple[str, ...]
    claim: Claim | None


def look(deployment: Deployment) -> Standing:
    """Return how an endpoint stands now, by the ledger's clock."""
    ledger = deployment.ledger
    lock = ledger.read()
    ringing = Alarms(deployment.name).ringing(lock.challenger) if lock is not None else []
    return Standing(
        endpoint=deployment.name,
        now=ledger.now(),
        lock=lock,
        live=deployment.live(),
        verdict=_newest_verdict(deployment, lock.rollout) if lock is not None else None,
        ringing=tuple(ringing),
        claim=ledger.claimed(),
    )


def written(lock: Lock) -> dict[str, int]:
    """Return the weights that the ledger last asked for."""
    everyone = (lock.champion, lock.challenger, *lock.others)
    if lock.phase == "promoted":
        return weights(lock.champion, lock.challenger, 100, lock.others)
    if lock.phase not in UNDER_WAY or not lock.moved:
        return home(lock.champion, everyone)
    weight = policy(lock).plan()[lock.step].weight
    return weights(lock.champion, lock.challenger, weight, lock.others)


def policy(lock: Lock) -> Policy:
    """Return the policy that the rollout began with."""
    return Policy.from_dict(json.loads(lock.policy))


def as_dict(standing: Standing) -> dict[str, Any]:
    """Return how it stands as JSON says it; every moment in epoch seconds."""
    lock, live, verdict = standing.lock, standing.live, standing.verdict
    left_out = {"endpoint", "policy", "judge", "token"}
    return {
        "schema": 1,
        "endpoint": standing.endpoint,
        "now": standing.now,
        "rollout": {key: value for key, value in vars(lock).items() if key not in left_out}
        if lock is not None
        else None,
        "ledger_weights": written(lock) if lock is not None else None,
        "live": asdict(live) if live is not None else None,
        "verdict": {"at": verdict.at, "reason": verdict.reason, **verdict.body}
        if verdict is not None
        else None,
        "ringing": list(standing.ringing),
        "claim": asdict(standing.claim) if standing.claim is not None else None,
        "watchdog": _watchdog(standing),
    }


def table(standing: Standing) -> Table:
    """Return how it stands on one screen."""
    found = Table.grid(padding=(0, 2))
    found.add_column(style="dim", no_wrap=True)
    found.add_column(overflow="fold")
    for name, said in _rows(standing):
        found.add_row(name, said)
    return found


def _rows(standing: Standing) -> Iterator[tuple[str, str]]:
    lock, live = standing.lock, standing.live
    status = f"{live.status}, config {live.config}" if live is not None else "there is none"
    yield "endpoint", escape(f"{standing.endpoint}: {status}")
    if lock is None:
        yield "rollout", "none yet"
    else:
        yield "rollout", escape(f"{lock.rollout}: {lock.champion} → {lock.challenger}")
        yield "phase", f"[{_COLOURS[lock.phase]}]{lock.phase}[/]{escape(_because(lock))}"
        yield from _progress(standing, lock)
    yield "live weights", escape(_spelt(live.weights)) if live is not None else "–"
    if lock is not None:
        yield "ledger weights", escape(_spelt(written(lock)))
    if standing.verdict is not None:
        said = f"{standing.verdict.body.get('outcome')} at {moment(standing.verdict.at)}"
        yield "newest verdict", escape(f"{said}: {standing.verdict.reason}")
    if standing.ringing:
        yield "alarms", f"[bold red]{escape(', '.join(standing.ringing))} ringing[/]"
    if standing.claim is not None:
        yield "deploy", escape(f"{standing.claim.stack} holds rollouts off{_until(standing)}")
    yield "watchdog", escape(_watchdog(standing))


def _progress(standing: Standing, lock: Lock) -> Iterator[tuple[str, str]]:
    """Yield how far a rollout under way is, and what its time is limited by."""
    plan = policy(lock)
    if lock.step >= 0:
        since = f", in force since {moment(lock.since)}" if lock.since else ", not in force yet"
        name = f"{lock.step + 1} of {len(plan.plan())}, {step_name(plan, lock.step)}"
        yield "step", name + (since if lock.phase in UNDER_WAY else "")
    if lock.phase not in UNDER_WAY:
        return
    limits = {
        "lease": lock.lease_until,
        "deadline": lock.deadline,
        "paused until": lock.pause_until,
    }
    for name, until in limits.items():
        if until is not None:
            left = until - standing.now
            yield name, f"{moment(until)}, " + (f"{left:,.0f} s left" if left >= 0 else "over")
    if lock.gate is not None:
        command = f"`steelyard approve {lock.endpoint} --reason TEXT`"
        yield "gate", escape(f"waits for a person before its {lock.gate}: {command}")
    if lock.suspended:
        yield "scaling held", escape(", ".join(lock.suspended))


def _because(lock: Lock) -> str:
    return f": {lock.reason}" if lock.reason else ""


def _until(standing: Standing) -> str:
    claim = standing.claim
    if claim is None or claim.until <= standing.now:
        return " no more: its time ran out"
    return f" until {moment(claim.until)}"


def _watchdog(standing: Standing) -> str:
    """Return what the watchdog would do now, with its reason."""
    champion = standing.lock.champion if standing.lock is not None else ""
    if not champion:
        return "leaves it alone: no rollout yet"
    action = watch(standing.lock, standing.live, standing.now, champion)
    return f"{_DEEDS[action.deed]}: {action.reason}"


def _spelt(found: Mapping[str, float]) -> str:
    return "  ".join(f"{variant} {weight:g}" for variant, weight in sorted(found.items()))


def _newest_verdict(deployment: Deployment, rollout: str) -> Record | None:
    for text in deployment.texts(rollout, newest_first=True):
        record = parsed(text)
        if record.kind == "decided":
            return record
    return None
