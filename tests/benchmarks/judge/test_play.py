"""What a judge is told, tick by tick."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.judge.cases import cases
from benchmarks.judge.counts import draw
from benchmarks.judge.delivery import KINDS, ROLES, Delivery
from benchmarks.judge.play import load, play, start_message
from benchmarks.judge.world import HISTORY, HORIZON, Moment

CASE = next(cases("dev", 1, ("healthy",)))
TINY = next(it for it in cases("dev", 1, ("large errors",)) if it.level == "tiny")


class Recorder:
    """A judge that keeps what it is told and always says the same."""

    def __init__(self, verdict="CONTINUE"):
        self.verdict, self.heard = verdict, []

    def __call__(self, message):
        self.heard.append(message)
        return {"verdict": self.verdict, "reason": "none"}


def heard(case, verdict="CONTINUE"):
    judge = Recorder(verdict)
    return play(case, lambda start: judge), judge.heard


@pytest.mark.parametrize(
    ("verdict", "ending", "ticks"),
    [("PROMOTE", "promoted", 4), ("ROLLBACK", "rolled back", 1), ("CONTINUE", "stuck", HORIZON)],
)
def test_a_verdict_takes_effect_from_the_next_minute(verdict, ending, ticks):
    run, _ = heard(CASE, verdict)

    assert (run.ending, len(run.stages)) == (ending, ticks)
    assert run.stages == (tuple(range(4)) if verdict == "PROMOTE" else (0,) * ticks)


def test_a_judge_may_answer_with_a_word_and_have_a_tick_method():
    class Plain:
        def tick(self, message):
            return "ROLLBACK"

    assert play(CASE, lambda start: Plain()).ending == "rolled back"


def test_the_first_message_has_half_an_hour_of_the_champion():
    message = start_message(CASE)

    assert [it["minute"] for it in message["history"]] == list(range(-HISTORY, 0))
    assert {it["challenger"] for it in message["history"]} == {None}
    for point in (it["champion"] for it in message["history"]):
        assert point["n"] == pytest.approx(54_000, rel=0.3)
        assert len(point["lat"]) + 1 == len(message["spec"]["latency_edges_us"])
        assert len(point["score"]) + 1 == len(message["spec"]["score_edges"])


@pytest.mark.parametrize("case", [CASE, TINY])
def test_a_point_has_the_counts_that_the_protocol_promises(case):
    _, messages = heard(case)
    points = [it for message in messages for it in message["points"]]
    counts = [it[role] for it in points for role in ROLES if it[role] is not None]

    assert counts
    for point in counts:
        assert sum(point["lat"]) == point["n"] > 0
        assert sum(point["score"]) == point["n"] - point["e5"]
        assert point["p50"] <= point["p90"] <= point["p99"]
        assert all(type(value) is int for value in (point["n"], point["e5"], *point["lat"]))


def test_a_minute_without_requests_is_no_data_point():
    _, messages = heard(TINY)

    assert None in [it["challenger"] for message in messages for it in message["points"]]


def test_judges_that_are_at_the_same_stage_in_a_minute_see_the_same_counts():
    _, waiting = heard(CASE)
    _, going = heard(CASE, "PROMOTE")

    assert waiting[0] == going[0]
    assert waiting[1] != going[1]
    assert heard(CASE)[1] == waiting


@pytest.mark.parametrize("whole", [True, False])
def test_a_late_minute_comes_when_it_comes(whole):
    late = Delivery({(3, "challenger"): ((2, True),)}, whole=whole)

    _, messages = heard(replace(CASE, delivery=late))

    points = {message["now"]: message["points"] for message in messages}
    assert [it["minute"] for it in points[5]] == [3, 5]
    assert points[3][0]["challenger"] is None
    assert points[5][0]["challenger"] is not None
    assert (points[5][0]["champion"] == points[3][0]["champion"]) == whole


def test_a_missing_minute_never_comes_and_the_other_variant_does():
    lost = Delivery({(3, "champion"): (), (4, "champion"): (), (4, "challenger"): ()})

    _, messages = heard(replace(CASE, delivery=lost))

    points = [it for message in messages for it in message["points"]]
    assert [it["champion"] for it in points if it["minute"] == 3] == [None]
    assert 4 not in [it["minute"] for it in points]


def test_a_revised_minute_has_at_least_the_counts_of_its_first_version():
    revised = Delivery({(3, "challenger"): ((0, False), (2, True))})

    _, messages = heard(replace(CASE, delivery=revised))

    first, last = (
        it["challenger"] for message in messages for it in message["points"] if it["minute"] == 3
    )
    assert first["n"] < last["n"]
    assert first["e5"] <= last["e5"]
    assert (np.array(first["lat"]) <= np.array(last["lat"])).all()


def test_a_duplicate_minute_comes_twice_the_same():
    twice = Delivery({(3, role): ((0, True), (1, True)) for role in ROLES})

    _, messages = heard(replace(CASE, delivery=twice))

    points = [it for message in messages for it in message["points"] if it["minute"] == 3]
    assert len(points) == 2
    assert points[0] == points[1]


@pytest.mark.parametrize("kind", KINDS)
def test_no_minute_is_later_than_the_longest_delay(kind):
    delivery = KINDS[kind](np.random.default_rng(1), 3, 0.5)

    assert delivery.odd
    assert max((delay for it in delivery.odd.values() for delay, _ in it), default=0) <= 3


def test_the_counts_of_a_minute_have_the_rates_of_its_truth():
    moment = Moment(0, 3)
    drawn = [draw(CASE.world, moment, 0.5, (seed,), CASE.edges) for seed in range(50)]
    points = [it["challenger"][1] for it in drawn]
    requests = sum(it["n"] for it in points)

    _, truth = CASE.world.truths(moment)
    assert sum(it["e5"] for it in points) / requests == pytest.approx(truth.e5, rel=0.1)
    assert sum(it["e4"] for it in points) / requests == pytest.approx(truth.e4, rel=0.1)
    assert requests / 50 == pytest.approx(0.5 * CASE.world.requests(0), rel=0.01)


def test_a_judge_is_named_by_module_and_factory():
    assert load("benchmarks.judge.rivals.alarm:Alarm").__name__ == "Alarm"
    with pytest.raises(ValueError, match="allowed is module:factory"):
        load("alarm")
