"""A replay says of a recording what the judge said when it happened."""

import dataclasses
from collections.abc import Iterable

import pytest

from steelyard.backtest.reading import read
from steelyard.backtest.recording import Recording, Sample, Unreadable
from steelyard.backtest.replay import Replay, replay
from steelyard.backtest.steps import divide
from steelyard.rollout.counters import Point
from tests.steelyard.backtest.recorded import exported, live
from tests.steelyard.rollout.sample import Traffic, policy

ROLES = {"champion": "champion", "challenger": "challenger"}
START = 29_666_667


def recorded(
    weights: Iterable[int], errors: float = 0.005, tells_weights: bool = True, seed: int = 2
) -> Recording:
    """Return minutes at these weights of the challenger; its `errors` begin above weight 10."""
    traffic, samples = Traffic(seed=seed, per_minute=600), []
    for minute, weight in enumerate(weights, start=START):
        rates = (0.005, errors if weight > 10 else 0.005)
        found = traffic.minute(minute, 0, weight, rates)
        champion, challenger = (
            point if point is not None and point.n else None
            for point in (found.champion, found.challenger)
        )
        samples.append(Sample(minute, champion, challenger, weight if tells_weights else None))
    return Recording(tuple(samples))


def weights(*parts: tuple[int, int]) -> list[int]:
    return [weight for weight, minutes in parts for _ in range(minutes)]


ROLLOUT = weights((0, 10), (10, 16), (50, 16), (100, 18))


def ends(found: Replay) -> list[tuple[int, str]]:
    return [(turn.step, turn.verdict.outcome) for turn in found.turns]


@pytest.mark.parametrize("errors", [lambda step: 0.005, lambda step: 0.2 if step else 0.005])
def test_the_ledger_of_a_rollout_replays_to_the_verdicts_that_were_given(errors):
    records, verdicts = live(policy(), errors)

    found = replay(policy(), read(exported(records), ROLES))

    changes = [
        (at, outcome)
        for index, (at, outcome) in enumerate(verdicts)
        if index == 0 or verdicts[index - 1][1] != outcome
    ]
    assert [(turn.at, turn.verdict.outcome) for turn in found.turns][: len(changes)] == changes
    assert found.outcome == {"advance": "promote", "abort": "abort"}[verdicts[-1][1]]


def test_the_reasons_and_evidence_of_an_abort_replay_to_the_same_words():
    records, _ = live(policy(), lambda step: 0.2)
    (decided,) = [it for it in records if it.kind == "decided" and it.body["outcome"] == "abort"]

    last = replay(policy(), read(exported(records), ROLES)).turns[-1]

    assert "; ".join(last.verdict.reasons) == decided.reason
    assert last.verdict.evidence == decided.body["evidence"]


def test_a_healthy_recording_would_have_been_promoted():
    found = replay(policy(), recorded(ROLLOUT))

    assert found.outcome == "promote"
    assert ends(found) == [
        (step, outcome) for step in range(3) for outcome in ("continue", "advance")
    ]


def test_a_failing_one_would_have_been_aborted_soon_after_the_fault_began():
    found = replay(policy(), recorded(ROLLOUT, errors=0.2))

    begun = 60 * (START + 26)
    assert found.outcome == "abort"
    assert ends(found)[-1] == (1, "abort")
    assert 0 < found.turns[-1].at - begun <= 360


def test_without_weights_the_shares_of_requests_tell_the_steps():
    told, shares = (
        replay(policy(), recorded(ROLLOUT, tells_weights=tells)) for tells in (True, False)
    )

    assert shares == told


def test_one_odd_minute_is_not_taken_for_another_step():
    counts = [(9, 1), (9, 1), (5, 5), (9, 1), (9, 1), (5, 5), (4, 6), (0, 9)]
    samples = [
        Sample(minute, *(Point(n, 0, 0, (), (), ()) if n else None for n in pair))
        for minute, pair in enumerate(counts)
    ]

    _, parts = divide(policy(), Recording(tuple(samples)))

    assert [(part.step, len(part.samples)) for part in parts] == [(0, 5), (1, 2), (2, 1)]


def test_minutes_before_the_rollout_teach_what_the_champion_is_like():
    known, unknown = (
        replay(policy(), recorded(weights((0, minutes), (10, 16)))) for minutes in (40, 0)
    )

    assert [turn.verdict.outcome for turn in known.turns] == ["continue", "advance"]
    assert known.turns[-1].verdict.evidence != unknown.turns[-1].verdict.evidence


def test_another_policy_decides_otherwise_on_the_same_recording():
    slow = policy(steps=[{"weight": 10, "bake_seconds": 1800}, {"weight": 50, "bake_seconds": 600}])

    found = replay(slow, recorded(ROLLOUT))

    assert found.outcome == "undecided"
    assert [passage.advanced is None for passage in found.passages] == [True, False, False]


def test_a_recording_that_ends_before_the_soak_decides_nothing():
    found = replay(policy(), recorded(weights((10, 16), (50, 16))))

    assert found.outcome == "undecided"
    assert found.passages[-1].minutes == 0


def test_a_step_that_was_not_recorded_is_passed_through_and_never_left():
    found = replay(policy(), recorded(weights((50, 16), (100, 18))))

    assert found.outcome == "undecided"
    assert [(it.minutes, it.advanced is None) for it in found.passages] == [
        (0, True),
        (16, False),
        (18, False),
    ]


def test_minutes_after_the_weight_fell_to_nothing_are_left_out():
    home = replay(policy(), recorded(weights((10, 16), (0, 30))))

    assert home == replay(policy(), recorded(weights((10, 16))))


def test_a_weight_that_falls_to_another_one_is_refused():
    with pytest.raises(Unreadable, match="given weight 10 after 50, allowed is one rollout"):
        replay(policy(), recorded(weights((10, 5), (50, 5), (10, 5))))


def test_a_recording_without_the_challenger_decides_nothing():
    found = replay(policy(), recorded(weights((0, 20))))

    assert (found.outcome, found.turns) == ("undecided", ())


def test_a_challenger_that_falls_silent_would_have_been_aborted():
    healthy = recorded(ROLLOUT)
    silent = tuple(
        dataclasses.replace(sample, challenger=None) if index >= 30 else sample
        for index, sample in enumerate(healthy.samples)
    )

    assert replay(policy(), Recording(silent)).outcome == "abort"


def test_a_minute_that_is_missing_stops_nothing():
    healthy = recorded(ROLLOUT)
    kept = tuple(sample for sample in healthy.samples if sample.minute != START + 18)

    assert replay(policy(), Recording(kept)).outcome == "promote"


def test_histograms_of_different_lengths_are_refused_at_once():
    points = [Point(1, 0, 0, (1,), (), (1, 2)), Point(1, 0, 0, (1, 0), (), ())]
    samples = tuple(Sample(minute, point, None) for minute, point in enumerate(points))

    with pytest.raises(Unreadable) as refused:
        Recording(samples).check(latency_bins=12)

    assert refused.value.problems == [
        "score: given histograms of 1, 2 bins, allowed is 1: count all minutes in the same bins",
        "lat: given histograms of 2 bins, allowed is 12: count all minutes in the same bins",
    ]
