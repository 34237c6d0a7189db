"""Our judge under other policies."""

import pytest

from benchmarks.judge.cases import cases
from benchmarks.judge.play import start_message
from benchmarks.judge.profiles import OURS, PATIENT, Profile, widened
from steelyard.rollout import protocol
from steelyard.rollout.judge import Judge

START = start_message(next(cases("dev", 1, ("healthy",))))


def policy(profile):
    return profile(START)._policy


def bakes(profile):
    return [step.bake_seconds for step in policy(profile).steps]


def test_ours_is_the_judge_of_the_protocol_as_it_stands():
    assert policy(OURS) == Judge(START)._policy


def test_the_patient_profile_differs_in_its_patience_only():
    changed = {**policy(OURS).to_dict(), "patience_minutes": 2}

    assert policy(PATIENT).to_dict() == changed


def test_a_promotion_margin_is_a_multiple_of_every_tolerance():
    found = policy(Profile(margin=3.0))

    assert found.promotion_margin is not None
    assert found.promotion_margin.latency == pytest.approx(3 * found.tolerance.latency)
    assert found.promotion_margin.errors_absolute == 3 * START["spec"]["margin_err_abs"]
    assert widened(START["spec"], 1.0).items() <= START["spec"].items()


def test_a_profile_bakes_longer_or_shorter():
    assert sum(bakes(Profile(bakes=4.0))) > 3 * sum(bakes(OURS))
    assert sum(bakes(Profile(bakes=0.5))) < sum(bakes(OURS))


def test_a_profile_leaves_the_next_judge_as_it_was():
    before = bakes(OURS)
    with pytest.raises(KeyError):
        Profile(bakes=4.0)({"spec": START["spec"]})

    assert bakes(OURS) == before
    assert protocol.policy(START) == policy(OURS)
