"""What a plan promises of faults, traffic and time."""

import pytest

from steelyard.planning import plan as planning
from steelyard.planning import trial
from steelyard.planning.plan import Plan, Setting, Sight
from steelyard.planning.traffic import HEALTHY, Expected, Fault
from steelyard.rollout import judge
from tests.steelyard.rollout.sample import BINS, policy

SHARES = tuple(round(100 * share) for share in BINS)
RUNS = 6


def setting(rate: float = 600, **changes) -> Setting:
    return Setting(policy(**changes), Expected(rate, 0.005, SHARES, SHARES), RUNS, 3)


def made(rate: float = 600, **changes) -> Plan:
    return planning.make(setting(rate, **changes), lambda what: None)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return made()


def sight(plan: Plan, fault: str, step: int | None) -> Sight:
    (found,) = (it for it in plan.sights if (it.fault.name, it.step) == (fault, step))
    return found


def test_a_healthy_challenger_is_promoted_in_at_least_the_bakes_and_the_soak(plan: Plan):
    assert (plan.healthy.promoted, plan.healthy.aborted, plan.healthy.paused) == (RUNS, 0, 0)
    assert plan.healthy.seconds[0] >= 600 + 600 + 900
    assert list(plan.healthy.seconds) == sorted(plan.healthy.seconds)


def test_a_large_fault_is_seen_in_every_step_and_a_small_one_is_not(plan: Plan):
    assert sight(plan, "30% errors", 0).is_sure
    assert sight(plan, "30% errors", 1).is_sure
    assert sight(plan, "1% errors", 0).seen == 0
    assert sight(plan, "1% errors", 0).missed == RUNS


def test_what_becomes_of_a_fault_adds_up(plan: Plan):
    assert plan.sights
    assert all(it.seen + it.paused + it.missed == it.runs == RUNS for it in plan.sights)


def test_a_larger_fault_is_seen_sooner_and_by_fewer_requests(plan: Plan):
    small, large = sight(plan, "10% errors", 1), sight(plan, "30% errors", 1)

    assert small.seconds > large.seconds
    assert small.requests > large.requests


def test_no_fault_is_seen_by_far_fewer_requests_than_any_rule_needs(plan: Plan):
    surely = [it for it in plan.sights if it.is_sure and it.fewest is not None]

    assert surely
    assert all(it.requests > it.fewest for it in surely)


def test_a_fault_that_lasts_through_all_steps_is_seen_at_least_as_often(plan: Plan):
    for fault in {it.fault.name for it in plan.sights}:
        assert sight(plan, fault, None).seen >= sight(plan, fault, 0).seen


def test_challengers_that_answer_nothing_or_always_the_same_are_seen(plan: Plan):
    assert sight(plan, "no answers", 1).is_sure
    assert sight(plan, "no answers", 1).requests == 0
    assert sight(plan, "constant answers", 1).is_sure


def test_requests_hurt_count_those_that_fail_until_traffic_is_home(plan: Plan):
    found = sight(plan, "no answers", 1)

    # Half of 600 requests a minute go unanswered, all that time.
    assert found.hurt == pytest.approx(300 * found.seconds / 60, rel=0.25)


def test_only_rates_that_are_not_tolerated_are_played():
    names = [
        fault.name
        for fault in planning.faults(
            setting(tolerance=policy().to_dict()["tolerance"] | {"errors_absolute": 0.03})
        )
    ]

    assert names == ["5% errors", "10% errors", "30% errors", "constant answers", "no answers"]


def test_the_same_setting_gives_the_same_plan(plan: Plan):
    assert made() == plan


@pytest.mark.parametrize(("undecided", "ending"), [("pause", "pause"), ("advance", "advance")])
def test_what_little_traffic_leaves_undecided_goes_by_the_policy(undecided: str, ending: str):
    quiet = setting(rate=2, undecided=undecided, minimum_requests=1000)

    stretches = trial.play(
        quiet.policy, judge.start(quiet.policy), 0, range(1), quiet.traffic(0), HEALTHY
    )

    assert stretches[-1].ending in (ending, "pause")  # pause, too, where data is not fresh
    assert stretches[-1].seconds >= quiet.policy.longest_seconds


def test_a_trial_sees_no_minute_before_it_has_settled():
    """A minute's counts settle after 90 s, so the second tick after it is the first to know."""
    (stretch,) = trial.play(
        policy(),
        judge.start(policy()),
        0,
        range(1),
        setting(rate=100_000).traffic(0),
        Fault("all", errors=0.99),
    )

    assert stretch.ending == "abort"
    assert stretch.seconds == 180


def test_a_step_begins_when_the_one_before_was_left_and_weights_were_changed():
    busy = setting()

    first, second, soak = trial.play(
        busy.policy, judge.start(busy.policy), 0, range(3), busy.traffic(0), HEALTHY
    )

    assert second.begun == first.begun + first.seconds + 60
    assert soak.begun == second.begun + second.seconds + 60
