"""A shadow run through every handler: judged like a step, and never a weight asked for."""

import json

import pytest

from lambdas import acquire, judge, preflight, prepare, release, rollback, set_weights, watchdog
from lambdas.aws import Ledger
from lambdas.preflight import NotReady
from steelyard.audit.reading import parsed
from steelyard.audit.recompute import differences
from steelyard.rollout.policy import canonical
from steelyard.rollout.shadow import WEIGHT, evidence
from tests.lambdas.scaled import scales, suspended
from tests.lambdas.traffic import Traffic
from tests.lambdas.world import ENDPOINT
from tests.steelyard.rollout.sample import policy

SHADOW = policy(steps=[{"weight": WEIGHT, "bake_seconds": 600}])
PASS = evidence("v1", "v2", SHADOW.digest())


@pytest.fixture
def world(world, monkeypatch):
    """Let the champion serve alone, v2 be its shadow, and the functions know of it."""
    for name, value in {
        "SHADOW": "yes",
        "VARIANTS": "v1,v2",
        "POLICY": canonical(SHADOW.to_dict()),
        "INSTANCES": json.dumps({"v1": 1, "v2": 1}),
    }.items():
        monkeypatch.setenv(f"STEELYARD_{name}", value)
    world.endpoint({"v1": 1}, shadow="v2")
    return world


def begin(world):
    """Let a run come to its bake, as the state machine does."""
    step = acquire.handler(world.event(), None)["steps"][0]
    preflight.handler(world.event(), None)
    assert prepare.handler(world.event(), None) == {"prepared": True}
    given = world.event(index=step["index"], weight=step["weight"])
    assert set_weights.handler(given, None) == {"settled": True}


def watch(world):
    return watchdog.handler({"time": world.iso()}, None)["deed"]


def rest(world, minutes):
    """Return what the watchdog does in each of so many minutes."""
    deeds = []
    for _ in range(minutes):
        world.aws.clock.advance(60)
        deeds.append(watch(world))
    return deeds


def untouched(world):
    """Say whether the endpoint is as it was deployed."""
    return world.weights("DesiredWeight") == {"v1": 1} and world.status == "InService"


def test_a_good_shadow_passes_and_nothing_was_moved(world):
    begin(world)
    execution, traffic = world.bake(), Traffic(world.aws)
    while world.baked(execution)[0] == "RUNNING":
        traffic.minute(v1=200, v2=200)
        assert judge.handler({"time": world.iso()}, None)["outcome"] in ("continue", "advance")
        assert watch(world) == "rest"
    assert world.baked(execution)[0] == "SUCCEEDED"

    release.handler(world.event(), None)

    assert (world.lock().phase, world.lock().passed) == ("passed", PASS)
    assert untouched(world)
    assert rest(world, 2) == ["rest", "rest"]
    measured = [record for record in world.records() if record["kind"] == "measured"]
    assert measured
    assert {tuple(record["weights"].items()) for record in measured} == {(("v1", 100), ("v2", 0))}
    assert {record["body"]["weight"] for record in measured} == {WEIGHT}


def test_the_verdicts_of_a_shadow_run_are_recomputed_from_its_records(world):
    begin(world)
    world.bake()
    traffic = Traffic(world.aws)
    for _ in range(5):
        traffic.minute(v1=200, v2=200)
        judge.handler({"time": world.iso()}, None)

    records = [parsed(json.dumps(record)) for record in world.records()]

    assert list(differences(records)) == []


@pytest.mark.parametrize(
    "cause",
    ["alarm", "judge", "operator"],
)
def test_whatever_ends_a_shadow_run_asks_for_no_weight(world, cause):
    begin(world)
    execution = world.bake()
    events = {
        "alarm": world.alarm_event("v2"),
        "judge": world.event(error={"Error": "JudgedWorse", "Cause": "worse"}),
        "operator": {"rollout": "r1", "now": world.iso(), "reason": "enough"},
    }

    rollback.handler(events[cause], None)
    rest(world, 3)

    assert world.lock().phase == "aborted"
    assert world.baked(execution)[0] == "FAILED"
    assert untouched(world)
    assert world.lock().passed is None


def test_a_shadow_run_needs_no_lease_and_is_not_aborted_for_the_want_of_one(world):
    begin(world)

    assert rest(world, 30) == ["rest"] * 30
    assert world.lock().phase == "progressing"


def test_a_shadow_run_that_everybody_forgot_ends_at_its_deadline(world):
    begin(world)
    world.aws.clock.advance(86401)

    assert rest(world, 2) == ["mark", "rest"]
    assert (world.lock().phase, untouched(world)) == ("aborted", True)


def test_weights_that_moved_during_a_shadow_run_are_somebody_elses_and_end_it(world):
    begin(world)
    world.endpoint({"v1": 1, "v2": 1})

    assert watch(world) == "mark"


def test_a_shadow_run_holds_no_scaling(world):
    scales(world, "v1")
    begin(world)

    assert suspended(world, "v1") == set()
    assert world.lock().suspended == ()


@pytest.mark.parametrize(
    ("weights", "shadow", "why"),
    [
        ({"v1": 1, "v2": 0}, None, "its variants are v1, v2, the file names v1"),
        ({"v1": 1}, None, "its shadow variant is none, not v2"),
        ({"v1": 1}, "v3", "its shadow variant is v3, not v2"),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_shadow_run_is_refused_on_what_is_not_deployed_for_it(
    world, weights, shadow, why, dry_run
):
    world.endpoint(weights, shadow=shadow)
    event = world.event()
    if dry_run:
        event["dry_run"] = True
    else:
        acquire.handler(event, None)

    with pytest.raises(NotReady, match=why):
        preflight.handler(event, None)


def required(world, monkeypatch, **lock):
    """Let the variants be deployed as for a rollout, which requires the pass."""
    monkeypatch.delenv("STEELYARD_SHADOW")
    monkeypatch.setenv("STEELYARD_PASSED", PASS)
    world.endpoint({"v1": 1, "v2": 0})
    world.hold(**{"rollout": "r0", "phase": "passed", "kind": "shadow"} | lock)


def dry(world):
    return preflight.handler(world.event(rollout="r2", dry_run=True), None)


def test_a_rollout_that_requires_a_pass_begins_with_it(world, monkeypatch):
    required(world, monkeypatch, passed=PASS)

    assert dry(world) == {"ready": True}
    acquire.handler(world.event(), None)
    assert preflight.handler(world.event(generation=2), None) == {"ready": True}


@pytest.mark.parametrize(
    "passed",
    [None, evidence("v0", "v2", SHADOW.digest()), evidence("v1", "v2", policy().digest())],
)
def test_a_rollout_that_requires_a_pass_names_it_and_says_how_to_earn_it(
    world, monkeypatch, passed
):
    required(world, monkeypatch, passed=passed)
    cure = "give v2 the role shadow, deploy, start the run, and deploy it as challenger"

    with pytest.raises(NotReady, match=f"{PASS}; the ledger holds {passed or 'none'}: {cure}"):
        dry(world)

    acquire.handler(world.event(), None)
    with pytest.raises(NotReady, match=cure):
        preflight.handler(world.event(generation=2), None)


def test_a_rollout_that_requires_no_pass_asks_for_none(world, monkeypatch):
    required(world, monkeypatch)
    monkeypatch.delenv("STEELYARD_PASSED")

    assert dry(world) == {"ready": True}


def test_a_pass_outlives_the_rollout_that_used_it(world, monkeypatch):
    required(world, monkeypatch, passed=PASS)
    acquire.handler(world.event(), None)
    rollback.handler({"rollout": "r1", "now": world.iso(), "reason": "enough"}, None)

    lock = Ledger("ledger", ENDPOINT).read()

    assert lock is not None
    assert lock.passed == PASS
