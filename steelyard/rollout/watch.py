"""
Decide what the watchdog does: bring weights home that nobody answers for any more.

Pure: the lock, the endpoint and the time in, one action out. No action gives a challenger weight.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from steelyard.rollout.ledger import UNDER_WAY, Lock
from steelyard.rollout.live import Live, serves_alone
from steelyard.rollout.policy import Policy
from steelyard.rollout.weights import home, weights

Deed = Literal["rest", "mark", "shift", "note", "wait", "page", "end", "resume"]

IN_FLIGHT_SECONDS = 60
"""
How long a call may still arrive whose ledger read came before the mark: a Lambda's time limit.

An abort has ended only when the weights were home for that long.
"""
PATIENCE_SECONDS = 300
"""How long the platform may keep the weights from coming home before a person is told."""
PAGE_SECONDS = 900
"""How often that person is told again."""
NEWBORN_SECONDS = 7200
"""How long an endpoint is new: SageMaker gives up on one that is not in service within an hour."""


@dataclass(frozen=True)
class Action:
    """
    What is to be done and why.

    `deed`: rest; mark the rollout as aborting; shift to `weights`; note `changes` in the lock;
    wait; page a person and note; end the rollout as aborted; resume scaling. `differs` says that at
    rest the endpoint does not serve what the ledger says.
    """

    deed: Deed
    reason: str
    weights: Mapping[str, int] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    differs: bool = False


def watch(lock: Lock | None, live: Live | None, now: float, champion: str) -> Action:
    """
    Return what the watchdog does at `now` (epoch seconds).

    `live` is None when there is no endpoint; `champion` is who serves according to the file.
    """
    if lock is not None and lock.phase in UNDER_WAY:
        broken = grounds(lock, live, now)
        return Action("mark", "; ".join(broken)) if broken else Action("rest", "under way")
    if lock is not None and lock.phase == "aborting":
        return bring_home(lock, live, now)
    if lock is not None and lock.suspended:
        held = ", ".join(lock.suspended)
        return Action("resume", f"no rollout is under way: {held} may scale again")
    return _at_rest(lock, live, now, champion)


def grounds(lock: Lock, live: Live | None, now: float) -> list[str]:
    """Return a sentence for each reason why a rollout under way must be aborted."""
    found = []
    if lock.moved and (lock.lease_until is None or now > lock.lease_until):
        found.append(f"the lease of {lock.challenger}'s weight has expired: nobody renewed it")
    if lock.deadline is not None and now > lock.deadline:
        found.append(f"the rollout's deadline passed {now - lock.deadline:.0f} s ago")
    if live is None:
        return [*found, f"the endpoint {lock.endpoint} is gone"]
    if live.config != lock.config:
        found.append(
            f"{lock.endpoint} runs on {live.config}, the rollout began on {lock.config}: "
            f"somebody changed its config"
        )
    if _is_newer(lock, live):
        found.append(f"{lock.endpoint} was created anew after the rollout began")
    if not _allowed(lock, live.weights):
        found.append(f"its weights are {_spelt(live.weights)}, which step {lock.step} never asked")
    return found


def bring_home(lock: Lock, live: Live | None, now: float) -> Action:
    """Return the next thing to do for a rollout that is aborting."""
    if live is None:
        return Action("end", f"the endpoint {lock.endpoint} is gone, and its weights with it")
    # Before its first step a rollout has asked for no weight: nothing of its own is to come home.
    moved = lock.moved
    if not moved and not lock.suspended:
        return Action("end", "no weight was asked for")
    if not moved or (live.is_still and serves_alone(live.weights, lock.champion)):
        return _settle(lock, now)
    if lock.champion not in live.weights:
        return hindered(
            lock, now, f"its champion {lock.champion} is gone: {', '.join(live.weights)} are left"
        )
    if live.status != "InService":
        return hindered(lock, now, f"it is {live.status}")
    reason = f"all weight to {lock.champion}, it is {_spelt(live.weights)} now"
    return Action("shift", reason, home(lock.champion, live.weights))


def hindered(lock: Lock, now: float, why: str) -> Action:
    """Return what to do while the weights cannot come home: wait, and page when it lasts."""
    reason = f"weights of {lock.endpoint} are not home at {lock.champion} yet: {why}"
    if lock.page_at is None:
        return Action("note", reason, changes={"page_at": now + PATIENCE_SECONDS})
    if now < lock.page_at:
        return Action("wait", reason)
    return Action("page", reason, changes={"page_at": now + PAGE_SECONDS})


def _settle(lock: Lock, now: float) -> Action:
    """End an abort when no call that was in flight at its mark can arrive any more."""
    if lock.home_at is None:
        return Action("note", "weights are home", changes={"home_at": now, "token": None})
    if now - lock.home_at < IN_FLIGHT_SECONDS:
        return Action("wait", f"a call may still be in flight for {IN_FLIGHT_SECONDS} s")
    return Action("end", "weights are home and stayed there")


def _at_rest(lock: Lock | None, live: Live | None, now: float, champion: str) -> Action:
    if live is None:
        return Action("rest", "there is no endpoint")
    known = lock is not None and not _is_newer(lock, live)
    if not known and _may_have_all(lock, live, now, champion):
        reason = f"{champion} is champion and the new endpoint gave it no weight"
        return Action("shift", reason, home(champion, live.weights))
    if lock is None or not known:
        serves = champion
    else:
        serves = lock.challenger if lock.phase == "promoted" else lock.champion
    if serves_alone(live.weights, serves):
        return Action("rest", f"{serves} serves")
    return Action("rest", f"{serves} should serve, {_spelt(live.weights)} do", differs=True)


def _may_have_all(lock: Lock | None, live: Live, now: float, champion: str) -> bool:
    """Say whether a new endpoint's traffic goes to the champion that the file names."""
    aborted = lock is not None and lock.phase == "aborted" and lock.challenger == champion
    return (
        not aborted
        and live.is_still
        and now - live.created_at <= NEWBORN_SECONDS
        and live.weights.get(champion) == 0
    )


def _is_newer(lock: Lock, live: Live) -> bool:
    return live.created_at > lock.began_at


def _allowed(lock: Lock, live: Mapping[str, float]) -> bool:
    """Say whether the ledger allows these weights: the step's, until in force also those before."""
    steps = [lock.step] if lock.since is not None else [lock.step - 1, lock.step]
    return any(_is_step(lock, index, live) for index in steps)


def _is_step(lock: Lock, index: int, live: Mapping[str, float]) -> bool:
    if index < 0 or not lock.moved:
        # A first deployment gives the champion weight 1, not 100: only its share counts.
        return serves_alone(live, lock.champion)
    weight = Policy.from_dict(json.loads(lock.policy)).plan()[index].weight
    return dict(live) == weights(lock.champion, lock.challenger, weight, lock.others)


def _spelt(live: Mapping[str, float]) -> str:
    return ", ".join(f"{variant} {weight:g}" for variant, weight in sorted(live.items())) or "none"
