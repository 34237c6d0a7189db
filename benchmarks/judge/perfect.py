"""The perfect rule, and the harm that a run does beside it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from benchmarks.judge.case import Case
from benchmarks.judge.channel import best
from benchmarks.judge.delivery import ROLES
from benchmarks.judge.world import HORIZON, Moment, latency_bins, total_variation


@dataclass(frozen=True)
class Perfect:
    """When the perfect rule rolls back: after how many ticks, and with what harm (requests)."""

    ticks: int
    harm: float
    information: float


def harm(case: Case, stages: Sequence[int], promoted: bool = False) -> float:
    """
    Return the expected requests that the fault hurt.

    A promoted challenger hurts all traffic up to the horizon. A request is hurt in so far as its
    answer, its latency or its score is another than without the fault: the total variation of
    what the variant does with and without it, the largest of the channels.
    """
    weights = [case.steps[stage] for stage in stages]
    done = [*zip(stages, weights, strict=True)]
    if promoted:
        done += [(len(case.steps), 1.0)] * (HORIZON - len(done))
    return sum(
        weight * case.world.requests(minute) * hurt(case, minute, stage)
        for minute, (stage, weight) in enumerate(done)
    )


def hurt(case: Case, minute: int, stage: int) -> float:
    """Return the share of the challenger's requests that the fault hurts in a minute."""
    moment = Moment(minute, stage)
    _, healthy = case.world.healthy(moment)
    _, faulty = case.world.truths(moment)
    if faulty is healthy:
        return 0.0
    if not faulty.answers:
        return 1.0
    wrong = max(0.0, faulty.e5 - healthy.e5) + max(0.0, faulty.e4 - healthy.e4)
    one, other = (latency_bins(truth.latency, case.edges) for truth in (faulty, healthy))
    return max(wrong, total_variation(one, other), total_variation(faulty.score, healthy.score))


@lru_cache(maxsize=100_000)
def perfect(case: Case) -> Perfect:
    """
    Return what the perfect rule does, which knows the fault and obeys the promise only.

    It stays at the first step at which the fault shows (a later one is entered when warm-up is
    over), is told the same points at the same ticks, and rolls back at the first tick at which
    their expected information is ln(1/alpha).
    A silent challenger is one from which nothing came for longer than points may be late.
    """
    needed = math.log(1 / case.spec["alpha"])
    begin = case.spec["warmup_ticks"] if case.world.first_stage else 0
    stages = [0] * begin + [case.world.first_stage] * HORIZON
    totals = enumerate(accumulate(_gained(case, stages)))
    now, total = next((it for it in totals if it[1] >= needed), (HORIZON - 1, 0.0))
    return Perfect(now + 1 - begin, harm(case, stages[: now + 1]), total)


def _gained(case: Case, stages: Sequence[int]) -> Iterator[float]:
    """Yield the information that arrives at each tick of a challenger at these stages."""
    delay = case.spec["max_metric_delay"]
    worth: list[float] = []
    before = 0.0
    for now in range(HORIZON):
        stage = stages[now]
        requests = case.steps[stage] * case.world.requests(now)
        _, challenger = case.world.truths(Moment(now, stage))
        worth.append(requests * (best(case, now, stage).nats if challenger.answers else 1.0))
        settled = max(0, now - delay)
        after = sum(worth[:settled])
        after += sum(worth[m] * _share(case, m, stages[m], now) for m in range(settled, now + 1))
        yield after - before
        before = after


def _share(case: Case, minute: int, stage: int, now: int) -> float:
    _, challenger = case.world.truths(Moment(minute, stage))
    if not challenger.answers:
        return float(now - minute >= case.spec["max_metric_delay"])
    known = [case.delivery.known(minute, role, now) for role in ROLES]
    if None in known:
        return 0.0
    return 1.0 if all(known) else 0.7
