"""Each invariant says of a world or a call by hand what is wrong with it, and nothing else."""

import pytest

from exploration.invariants import at_rest, of_call, of_world, overdue, undriven, unended
from exploration.replay import Process, Request
from exploration.traffic import HEALTHY
from exploration.values import frozen
from exploration.world import ENDPOINT, HELD, Target, beginning
from lambdas.aws.attributes import typed
from steelyard.rehearsal.endpoint_model import EndpointModel

KEY = {"pk": f"lock#{ENDPOINT}", "sk": "lock"}


def world(live=(0, 100, 0), **lock):
    """Return a world with such live weights of v0, v1 and v2, and a rollout at its first step."""
    found = beginning()
    variants = [
        {"VariantName": name, "InitialVariantWeight": float(weight), "InitialInstanceCount": 1}
        for name, weight in zip(("v0", "v1", "v2"), live, strict=True)
    ]
    item = {
        "endpoint": ENDPOINT,
        "rollout": "r1",
        "generation": 1,
        "phase": "progressing",
        "champion": "v1",
        "challenger": "v2",
        "others": ["v0"],
        "policy": "{}",
        "seq": 1,
        "step": 0,
        "lease_until": found.now + 100,
    }
    model = EndpointModel.create(ENDPOINT, "config-1", variants, found.now - 86400)
    held = tuple(Target(name, held=frozenset(HELD)) for name in ("v1", "v2"))
    return found.but(endpoint=model, targets=held, table=found.table.put(typed(KEY | item | lock)))


def numbers(broken):
    return [sentence.split(":")[0] for sentence in broken]


@pytest.mark.parametrize(
    ("live", "phase", "wanted"),
    [
        ((0, 0, 100), "promoted", []),
        ((0, 100, 0), "promoted", ["I6"]),
        ((0, 100, 0), "aborted", []),
        ((0, 90, 10), "aborted", ["I1, I6"]),
        ((1, 0, 0), "aborted", ["I1, I6"]),
    ],
)
def test_at_rest_the_ledger_agrees_with_the_endpoint(live, phase, wanted):
    assert numbers(at_rest(world(live, phase=phase).but(targets=()))) == wanted


def test_at_rest_nothing_is_held():
    assert numbers(at_rest(world(phase="aborted"))) == ["I4"]


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ({"phase": "paused"}, "I7"),
        ({"phase": "aborted", "suspended": ["v1"]}, "I4"),
        ({"phase": "aborting"}, "I7"),
    ],
)
def test_what_never_ends_is_named(lock, wanted):
    assert numbers(unended(world(**lock))) == [wanted]


@pytest.mark.parametrize(
    ("after", "wanted"),
    [
        ({"phase": "aborting"}, []),
        ({"rollout": "r2", "generation": 2}, ["I3"]),
        ({"rollout": "r2", "generation": 1}, ["I3", "I3"]),
    ],
)
def test_one_rollout_holds_the_lock(after, wanted):
    assert numbers(of_world(world(), world(**after))) == wanted


@pytest.mark.parametrize("phase", ["aborting", "aborted", "promoted"])
def test_an_end_is_not_taken_back(phase):
    assert numbers(of_world(world(phase=phase), world())) == ["I1"]


@pytest.mark.parametrize(
    ("lock", "seconds", "wanted"),
    [
        ({}, 90, 0),
        ({}, 130, 30),
        ({"lease_until": None}, 20, 20),
        ({"phase": "aborting"}, 20, 20),
        ({"phase": "promoted"}, 20, 0),
    ],
)
def test_a_weight_is_overdue_beyond_its_lease_and_after_an_abort(lock, seconds, wanted):
    found = world((0, 90, 10), **lock)

    assert overdue(found, found.now + seconds) == wanted


def test_what_the_platform_refuses_is_not_overdue():
    found = world((0, 90, 10), phase="aborting")
    found = found.but(endpoint=found.endpoint.system_update(found.now, 600))

    assert overdue(found, found.now + 60) == 0


def test_a_weight_is_undriven_when_no_execution_runs():
    found = world((0, 90, 10))

    assert undriven(found, found.now + 30) == 30
    assert undriven(world(), found.now + 30) == 0


def asks(found, weights, knows=None, targets=None):
    """Return what is wrong with a call for weights by one who knows the rollout in this phase."""
    answers = () if knows is None else (frozen({"Item": typed({"phase": knows})}),)
    process = Process("set_weights", "{}", found.now, HEALTHY, answers=answers)
    desired = [{"VariantName": name, "DesiredWeight": w} for name, w in weights.items()]
    request = Request(
        "sagemaker",
        "update_endpoint_weights_and_capacities",
        frozen({"DesiredWeightsAndCapacities": desired}),
    )
    found = found if targets is None else found.but(targets=targets)
    after = found.but(endpoint=found.endpoint.update_weights_and_capacities(desired, found.now))
    return numbers(of_call(found, process, request, after))


TEN = {"v0": 0.0, "v1": 90.0, "v2": 10.0}


def test_a_weight_is_raised_by_one_who_knows_that_the_rollout_progresses():
    assert asks(world(), TEN, "progressing") == []
    assert asks(world(), TEN, "paused") == ["I8"]
    assert asks(world(), TEN, "aborting") == ["I1"]
    assert asks(world(), TEN) == ["I1"]


def test_a_weight_is_raised_with_a_lease_with_scaling_held_and_with_every_variant_named():
    assert asks(world(lease_until=None), TEN, "progressing") == ["I2"]
    assert asks(world(), TEN, "progressing", targets=(Target("v1"),)) == ["I4"]
    assert asks(world(), {"v2": 10.0}, "progressing") == ["I5"]


def test_weights_go_home_after_the_mark():
    home = {"v0": 0.0, "v1": 100.0, "v2": 0.0}

    assert asks(world((0, 90, 10)), home) == ["I1"]
    assert asks(world((0, 90, 10), phase="aborting"), home) == []
