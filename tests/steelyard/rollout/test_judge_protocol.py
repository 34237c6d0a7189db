"""The judge, driven from outside by its protocol."""

from typing import Any

import pytest

from steelyard.rollout import protocol
from steelyard.rollout.counters import Point
from steelyard.rollout.judge import Judge
from steelyard.rollout.policy import Tolerance
from tests.steelyard.rollout.sample import Traffic

SPEC = {
    "tick_seconds": 60,
    "alpha": 0.01,
    "margin_err_rel": 0.5,
    "margin_err_abs": 0.001,
    "margin_score_tv": 0.15,
    "max_metric_delay": 3,
}


def play(
    errors: float = 0.005,
    per_minute: int = 600,
    steps: tuple[float, ...] = (0.05, 0.1, 0.25, 0.5),
    deliver: Any = lambda now, minutes: [minutes[now]],
    patience: int = 1,
) -> tuple[str, int]:
    """Drive a rollout as the protocol says; return its last verdict and the ticks it took."""
    judge = Judge(start_message(per_minute, steps, patience))
    source, stage, minutes = Traffic(per_minute=per_minute), 0, {}
    for now in range(160):
        weight = steps[stage]
        measured = source.minute(now, weight=round(100 * weight), errors=(0.005, errors))
        minutes[now] = {
            "minute": now,
            "weight": weight,
            "champion": _message(measured.champion),
            "challenger": _message(measured.challenger),
        }
        tick = {"type": "tick", "id": "r", "now": now, "stage": stage, "weight": weight}
        word = judge.tick({**tick, "points": deliver(now, minutes)})["verdict"]
        stage += word == "PROMOTE"
        if word == "ROLLBACK" or stage == len(steps):
            return word, now + 1
    return "STUCK", 160


def start_message(
    per_minute: int = 600, steps: tuple[float, ...] = (0.05, 0.1, 0.25, 0.5), patience: int = 1
) -> dict[str, Any]:
    champion = _message(Point(per_minute, 0, 3, (), ()))
    spec = {**SPEC, "steps": steps, "patience_minutes": patience}
    history = [{"minute": -1, "champion": champion, "challenger": None}]
    return {"type": "start", "id": "r", "spec": spec, "history": history}


def _message(point: Point) -> dict[str, Any]:
    return {"n": point.n, "e4": 0, "e5": point.em, "lat": [], "score": list(point.score)}


def test_by_protocol_a_healthy_challenger_is_promoted_to_the_end():
    word, ticks = play()

    assert word == "PROMOTE"
    assert ticks <= 60


def test_by_protocol_a_failing_challenger_is_rolled_back():
    assert play(errors=0.2)[0] == "ROLLBACK"


@pytest.mark.parametrize("per_minute", [20, 100])
def test_by_protocol_little_traffic_is_not_stuck(per_minute: int):
    word, ticks = play(per_minute=per_minute)

    assert word == "PROMOTE"
    assert ticks <= 60


def test_by_protocol_many_steps_fit_well_before_a_rollout_counts_as_stuck():
    word, ticks = play(steps=tuple(step / 40 for step in range(1, 13)))

    assert word == "PROMOTE"
    assert ticks <= 120


def late_and_twice(now: int, minutes: dict[int, Any]) -> list[Any]:
    """Deliver the champion at once, the challenger late, then both again, then the champion."""
    sent = [{**minutes[now], "challenger": None}]
    sent += [minutes[now - delay] for delay in (1, 2) if now - delay in minutes]
    return sent + [{**minutes[now - 3], "challenger": None} for _ in range(now >= 3)]


def test_by_protocol_late_and_repeated_points_give_the_verdict_of_prompt_ones():
    for errors, expected in ((0.005, "PROMOTE"), (0.2, "ROLLBACK")):
        word, ticks = play(errors=errors, deliver=late_and_twice)
        prompt = play(errors=errors)

        assert word == prompt[0] == expected
        assert ticks <= prompt[1] + 6


def revised(now: int, minutes: dict[int, Any]) -> list[Any]:
    """Deliver half of the challenger's counts at once and the right ones three ticks later."""
    challenger = minutes[now]["challenger"]
    half = {"e5": 0, "n": challenger["n"] // 2, "score": [n // 2 for n in challenger["score"]]}
    early = {**minutes[now], "challenger": {**challenger, **half}}
    return [early] + ([minutes[now - 3]] if now >= 3 else [])


def test_by_protocol_the_last_version_of_a_minute_counts():
    found = [
        evidence_after(10, deliver=deliver)
        for deliver in (late_and_twice, revised, prompt_then_empty)
    ]

    assert found[0] == found[1] == found[2]


def prompt_then_empty(now: int, minutes: dict[int, Any]) -> list[Any]:
    return [minutes[now]] if now in minutes else []


def evidence_after(count: int, deliver: Any) -> dict[str, float]:
    """Return the evidence of so many minutes of the first step, when nothing more can come."""
    judge, source, minutes = Judge(start_message()), Traffic(per_minute=600), {}
    for now in range(count + 4):
        if now < count:
            measured = source.minute(now, weight=5, errors=(0.005, 0.03))
            minutes[now] = {
                "minute": now,
                "weight": 0.05,
                "champion": _message(measured.champion),
                "challenger": _message(measured.challenger),
            }
        points = deliver(now, minutes) if now < count else [*minutes.values()][-4:]
        tick = {"type": "tick", "id": "r", "now": now, "stage": 0, "weight": 0.05}
        answer = judge.tick({**tick, "points": points})
    return answer["evidence"]


def test_by_protocol_a_large_fault_is_caught_by_its_first_complete_minute():
    assert play(errors=0.5, per_minute=6000)[1] == 1


def test_by_protocol_no_single_bad_minute_convicts_where_the_policy_asks_for_two():
    assert play(errors=0.9, per_minute=6000, patience=2) == ("ROLLBACK", 2)


def test_by_protocol_silence_is_never_promoted_and_ends_at_home():
    assert play(deliver=lambda now, minutes: []) == ("ROLLBACK", 160)


def test_by_protocol_a_challenger_that_never_answers_is_rolled_back_in_a_few_ticks():
    def nothing(now: int, minutes: dict[int, Any]) -> list[Any]:
        return [{**minutes[now], "challenger": None}]

    word, ticks = play(deliver=nothing)

    assert word == "ROLLBACK"
    # The first minute has settled after max_metric_delay, 3, and those after it are absent so far.
    assert ticks <= 3 + 1


def test_by_protocol_points_that_are_often_late_are_not_taken_for_silence():
    def late(now: int, minutes: dict[int, Any]) -> list[Any]:
        if now % 3 == 2:
            return [{**minutes[now], "challenger": None}]
        return [minutes[now - 1], minutes[now]] if now % 3 == 0 and now else [minutes[now]]

    assert play(deliver=late)[0] == "PROMOTE"


def test_by_protocol_most_of_the_dwell_is_at_the_lowest_weight():
    for per_minute in (54_000, 400, 40):
        message = start_message(per_minute)
        bakes = [step.bake_seconds // 60 for step in protocol.policy(message).steps]

        assert bakes[0] == max(bakes)
        assert bakes[-1] >= 2
        assert 10 <= sum(bakes) <= 22


def test_by_protocol_a_margin_makes_promotion_a_test():
    margin = {
        "margin_err_rel": 0.5,
        "margin_err_abs": 0.02,
        "margin_latency_rel": 0.5,
        "margin_score_tv": 0.3,
    }
    message = start_message()
    message["spec"] |= {"promotion_margin": margin, "undecided": "pause"}

    found = protocol.policy(message)

    assert found.promotion_margin == Tolerance(0.5, 0.02, 0.5, 0.3)
    assert (found.undecided, found.false_promotion) == ("pause", 0.05)
