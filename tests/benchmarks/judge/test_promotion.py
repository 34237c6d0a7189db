"""What a promotion margin is worth."""

import pytest

from benchmarks.judge import promotion
from benchmarks.judge.cases import cases
from benchmarks.judge.play import Run, play, start_message
from benchmarks.judge.worse import CHANNELS

CASE = next(cases("dev", 1, ("healthy",)))
BAD = promotion.bad("dev", 1)


def run(case, ending, proven=False):
    return Run(case, ending, (0,) * 12, 0.0, proven)


def judge(*answers):
    told = iter(answers)
    return lambda start: lambda message: next(told)


STEP = {"verdict": "PROMOTE", "proven": True}


@pytest.mark.parametrize(
    ("answers", "proven"),
    [
        ([STEP] * 4, True),
        ([STEP, {"verdict": "CONTINUE"}, *[STEP] * 3], True),
        ([*[STEP] * 3, {"verdict": "PROMOTE", "proven": False}], False),
        (["PROMOTE"] * 4, False),
        (["ROLLBACK"], False),
    ],
)
def test_a_promotion_is_on_evidence_only_if_every_step_is(answers, proven):
    assert play(CASE, judge(*answers)).proven == proven


def test_a_rollback_after_a_step_on_evidence_is_no_promotion():
    assert promotion.promoted([run(CASE, "rolled back", True), run(CASE, "stuck", True)]).hits == 0


def test_each_channel_has_bad_challengers_at_each_traffic_and_no_two_share_a_seed():
    assert {case.scenario for case in BAD} == set(CHANNELS)
    assert len({case.seed for case in promotion.bad("dev", 3)}) == 3 * len(BAD)
    assert all(case.world.fault is not None for case in BAD)
    assert all(case.world.fault is None for case in promotion.good("dev", 1))


def test_what_became_of_bad_challengers_is_told_by_channel():
    errors = [case for case in BAD if case.scenario == "errors"]
    endings = [("promoted", True), ("rolled back", False), ("stuck", False)]

    page = promotion.false_promotion([run(errors[0], *it) for it in endings])

    assert page.splitlines()[2:] == ["| errors | 3 | 1 (33.3%) | 86.5% | 1 | 1 |"]


def test_the_cost_names_those_that_were_not_promoted():
    mid = next(case for case in promotion.good("dev", 1) if case.level == "mid")
    runs = {
        "none": [run(mid, "promoted")],
        "2": [run(mid, "promoted", True), *[run(mid, "stuck")] * 3],
    }

    page = promotion.cost(runs).splitlines()

    assert page[3] == "| mid | 12.0 | 12.0, 25% on evidence, 3 not promoted |"


def test_what_is_undecided_does_not_advance_where_false_promotions_are_counted():
    policy = promotion.strict()(start_message(CASE))._policy

    assert (policy.undecided, policy.false_promotion) == ("pause", 0.05)


def test_a_judge_with_a_margin_does_not_promote_what_is_worse_than_it():
    bad = next(case for case in BAD if (case.scenario, case.level) == ("errors", "high"))
    good = next(case for case in promotion.good("dev", 1) if case.level == "high")

    assert play(bad, promotion.strict()).ending != "promoted"
    assert promotion.promoted([play(good, promotion.strict())]).hits == 1
