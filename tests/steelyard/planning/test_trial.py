"""A rollout that is played goes as the judge and the policy say."""

import pytest

from steelyard.planning import trial
from steelyard.planning.traffic import HEALTHY, Fault, Traffic
from steelyard.rollout import judge
from tests.steelyard.planning.sample import setting


def played(given, steps, fault=HEALTHY):
    traffic = Traffic(given.expected, "a seed")
    return trial.play(given.policy, judge.start(given.policy), 0, steps, traffic, fault)


@pytest.mark.parametrize(("undecided", "ending"), [("pause", "pause"), ("advance", "advance")])
def test_what_little_traffic_leaves_undecided_goes_by_the_policy(undecided: str, ending: str):
    quiet = setting(rate=2, undecided=undecided, minimum_requests=1000)

    stretches = played(quiet, range(1))

    assert stretches[-1].ending in (ending, "pause")  # pause, too, where data is not fresh
    assert stretches[-1].seconds >= quiet.policy.longest_seconds
    assert stretches[-1].reasons


def test_a_trial_sees_no_minute_before_it_has_settled():
    """A minute's counts settle after 90 s, so the second tick after it is the first to know."""
    (stretch,) = played(setting(rate=100_000), range(1), Fault("all", errors=0.99))

    assert stretch.ending == "abort"
    assert stretch.seconds == 180
    assert len(stretch.evidence) == 3


def test_a_step_begins_when_the_one_before_was_left_and_weights_were_changed():
    first, second, soak = played(setting(), range(3))

    assert second.begun == first.begun + first.seconds + 60
    assert soak.begun == second.begun + second.seconds + 60


def test_no_step_is_left_before_its_least_bake():
    assert all(
        it.seconds >= planned.bake_seconds
        for it, planned in zip(
            played(setting(rate=100_000), range(3)), setting().policy.plan(), strict=True
        )
    )


def test_the_judge_knows_the_champion_before_the_first_step():
    given = setting()

    state = trial.begin(given.policy, Traffic(given.expected, "a seed"))

    assert state.champion_minutes == trial.HISTORY_MINUTES
    assert state.step is None
    assert sum(state.champion.score.seen) > 0
