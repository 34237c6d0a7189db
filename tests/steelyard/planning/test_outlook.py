"""Everything that a plan says hangs together."""

import pytest

from steelyard.planning.fleet import Fleet, Scaling
from steelyard.planning.outlook import Outlook, Rollout, look, surely
from tests.steelyard.planning.sample import setting

CHAMPION = Fleet("v1", "ml.m5.large", 2)
CHALLENGER = Fleet("v2", "ml.m5.large", 2, scaling=Scaling(1, 2, 200))


@pytest.fixture(scope="module")
def found() -> Outlook:
    given = Rollout("fraud-test", setting(runs=2), CHAMPION, CHALLENGER, start=0)
    return look(given, lambda done, of: None)


def test_every_step_has_limits_and_a_start_has_a_schedule(found: Outlook):
    assert len(found.limits) == 2
    assert found.schedule.ended == found.times.shortest


def test_what_the_challengers_scaling_cannot_carry_is_refused(found: Outlook):
    (sentence,) = found.refused

    assert "v2 needs 3 instances at weight 100" in sentence


def test_the_challengers_hours_are_those_of_the_usual_promotion(found: Outlook):
    usual = found.plan.healthy.quantile(0.5)

    assert found.extras[1].hours == pytest.approx(2 * usual / 3600)


def test_what_is_surely_seen_is_the_smallest_that_all_larger_ones_are_seen_with(found: Outlook):
    for sights in found.sights(1).values():
        sure = surely(sights)
        assert sure is not None
        assert all(it.is_sure for it in sights[sights.index(sure) :])
        assert not any(it.is_sure for it in sights[: sights.index(sure)][-1:])
