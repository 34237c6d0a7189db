"""Other rules: each does what its documentation says."""

import pytest

from benchmarks.judge.cases import cases
from benchmarks.judge.play import load, play
from benchmarks.judge.rivals.alarm import Alarm, Guardrail
from benchmarks.judge.rivals.analysis import Argo, Flagger, StrictArgo
from benchmarks.judge.rivals.names import RIVALS
from benchmarks.judge.rivals.significance import Kayenta, RepeatedZ

DEAD = next(it for it in cases("dev", 1, ("dead",)) if (it.scenario, it.level) == ("dead", "mid"))
FINE = next(it for it in cases("dev", 1) if (it.scenario, it.level) == ("identical", "high"))

POINT = {"n": 1000, "e4": 0, "e5": 1, "p50": 1, "p90": 2, "p99": 100, "lat": [999, 1]}
GOOD = {**POINT, "score": [500, 499]}
BAD = {**GOOD, "e5": 300, "score": [350, 350]}
SLOW = {**GOOD, "p99": 200, "lat": [700, 300]}
START = {
    "spec": {"alpha": 0.01},
    "history": [{"minute": minute, "champion": GOOD} for minute in range(-30, 0)],
}


def verdicts(factory, challenger, champion=GOOD):
    """Return what a rule says to a challenger's points, all in the first step."""
    judge = factory(START)
    return [
        judge.tick(
            {
                "now": now,
                "stage": 0,
                "points": [{"minute": now, "champion": champion, "challenger": point}],
            }
        )
        for now, point in enumerate(challenger)
    ]


@pytest.mark.parametrize(
    ("factory", "ticks"),
    [(Alarm, 2), (Guardrail, 1), (Argo, 20), (StrictArgo, 5), (Flagger, 5), (Kayenta, 10)],
)
def test_a_dead_challenger_is_rolled_back_when_the_rule_first_can(factory, ticks):
    run = play(DEAD, factory)

    assert (run.ending, len(run.stages)) == ("rolled back", ticks)


@pytest.mark.parametrize("name", RIVALS)
def test_every_rule_ends_a_dead_challenger_and_promotes_a_fine_one(name):
    factory = load(RIVALS[name])

    assert play(DEAD, factory).ending == "rolled back"
    assert play(FINE, factory).ending == "promoted"


@pytest.mark.parametrize(
    ("points", "rings"),
    [
        ([BAD, GOOD, BAD], True),
        ([GOOD, SLOW, SLOW], True),
        ([BAD, GOOD, GOOD, BAD], False),
        ([BAD, None, BAD], True),
        ([None, None, None], False),
    ],
)
def test_an_alarm_rings_at_two_of_three_points(points, rings):
    assert ("ROLLBACK" in verdicts(Alarm, points)) == rings


def test_the_guardrail_does_not_see_whose_errors_they_are():
    assert "ROLLBACK" in verdicts(Guardrail, [GOOD], champion=BAD)


def test_flagger_counts_failed_checks_for_good_and_halts_meanwhile():
    found = verdicts(Flagger, [BAD, GOOD, BAD, None, BAD, GOOD, SLOW])

    assert found == [
        "CONTINUE",
        "PROMOTE",
        "CONTINUE",
        "CONTINUE",
        "CONTINUE",
        "PROMOTE",
        "ROLLBACK",
    ]


def test_argo_allows_three_failures_and_takes_no_data_for_none():
    assert "ROLLBACK" not in verdicts(Argo, [BAD] * 15 + [None] * 20)
    assert verdicts(Argo, [BAD] * 20)[-1] == "ROLLBACK"


def test_kayenta_judges_at_the_end_of_a_step():
    found = verdicts(Kayenta, [BAD] * 10)

    assert found == ["CONTINUE"] * 9 + ["ROLLBACK"]
    assert verdicts(Kayenta, [GOOD] * 10)[-1] == "PROMOTE"


def test_the_repeated_z_test_pools_all_minutes():
    worse = {**GOOD, "e5": 4}

    found = verdicts(RepeatedZ, [worse] * 9)

    assert found[0] == "CONTINUE"
    assert "ROLLBACK" in found
