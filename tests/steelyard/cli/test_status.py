"""`steelyard status`: how the newest rollout stands, on one screen."""

import re

import pytest

from lambdas.aws import Ledger
from steelyard.rollout.ledger import Record
from tests.lambdas.world import ENDPOINT, TABLE


@pytest.fixture
def world(world):
    world.endpoint({"v0": 0, "v1": 90, "v2": 10})
    world.hold(since=world.now, asked_at=world.now, token="t", lease_until=world.now + 100)
    return world


def shown(operated) -> dict[str, str]:
    """Return what each row of the screen says."""
    result = operated.run("status")
    assert result.exit_code == 0, result.output
    return dict(re.split(r"  +", line.strip(), maxsplit=1) for line in result.stdout.splitlines())


def test_one_screen_says_where_the_rollout_is(operated):
    found = shown(operated)

    assert found["endpoint"] == "scales-test: InService, config config-1"
    assert found["rollout"] == "r1: v1 → v2"
    assert found["phase"] == "progressing"
    assert found["step"] == "1 of 3, 10%, in force since 2027-01-15 08:00:00"
    assert found["lease"] == "2027-01-15 08:01:40, 100 s left"
    assert found["live weights"] == found["ledger weights"] == "v0 0  v1 90  v2 10"
    assert found["watchdog"] == "leaves it alone: under way"


def test_before_the_first_rollout_it_says_what_serves(operated):
    key = {"pk": {"S": "lock#scales-test"}, "sk": {"S": "lock"}}
    operated.world.aws.client("dynamodb").delete_item(TableName="ledger", Key=key)

    found = shown(operated)

    assert found["rollout"] == "none yet"
    assert found["live weights"] == "v0 0  v1 90  v2 10"
    assert operated.json("status")["rollout"] is None


def test_a_lease_that_is_over_is_said_with_what_will_come_of_it(operated):
    operated.world.hold(since=1.0, lease_until=operated.world.now - 5)

    found = shown(operated)

    assert found["lease"].endswith("over")
    assert found["watchdog"].startswith("aborts it within a minute: the lease of v2's weight")


PHASES = {
    "progressing": ({"step": 1, "since": 1.0}, "v0 0  v1 50  v2 50"),
    "paused": ({"step": 2, "since": 1.0}, "v0 0  v1 0  v2 100"),
    "aborting": ({"step": 1, "since": 1.0}, "v0 0  v1 100  v2 0"),
    "aborted": ({"step": 1}, "v0 0  v1 100  v2 0"),
    "promoted": ({"step": 2}, "v0 0  v1 0  v2 100"),
}


@pytest.mark.parametrize("phase", PHASES)
def test_the_ledger_s_weights_follow_from_phase_and_step(operated, phase):
    changes, expected = PHASES[phase]
    operated.world.hold(phase=phase, **changes)

    assert shown(operated)["ledger weights"] == expected


def test_before_the_first_step_the_ledger_gives_the_champion_all(operated):
    operated.world.hold(step=-1)

    assert shown(operated)["ledger weights"] == "v0 0  v1 100  v2 0"
    assert "step" not in shown(operated)


def test_a_gate_names_the_command_that_opens_it(operated):
    operated.world.hold(step=-1, gate="start", token="t")

    assert shown(operated)["gate"] == (
        "waits for a person before its start: `steelyard approve scales-test --reason TEXT`"
    )


def test_what_waits_holds_and_rings_is_said(operated):
    name = operated.world.ring("v2")
    operated.world.hold(
        phase="paused", since=1.0, pause_until=operated.world.now + 60, suspended=["v1", "v2"]
    )

    found = shown(operated)

    assert found["paused until"] == "2027-01-15 08:01:00, 60 s left"
    assert found["scaling held"] == "v1, v2"
    assert found["alarms"] == f"{name} ringing"


@pytest.mark.parametrize(
    ("lasts", "said"),
    [(60, "endpoint holds rollouts off until 2027-01-15 08:01:00"), (-1, "its time ran out")],
)
def test_a_deploy_that_holds_rollouts_off_is_said(operated, lasts, said):
    operated.world.hold(phase="promoted", step=2)
    operated.world.claim("endpoint", lasts=lasts)

    assert said in shown(operated)["deploy"]


def test_the_newest_verdict_is_told_with_its_reasons_whatever_was_written_after_it(operated, world):
    said = {"at": 1.5, "step": 0, "weights": {}}
    records = [
        Record(1, kind="decided", actor="judge", reason="old", body={"outcome": "pause"}, **said),
        Record(2, kind="decided", actor="judge", reason="bake", body={"outcome": "abort"}, **said),
        Record(3, kind="acted", actor="operator", reason="why", body={"order": "pause"}, **said),
    ]
    Ledger(TABLE, ENDPOINT).append(world.lock(), records)

    assert shown(operated)["newest verdict"] == "abort at 1970-01-01 00:00:01: bake"
    assert operated.json("status")["verdict"] == {"at": 1.5, "reason": "bake", "outcome": "abort"}


def test_an_endpoint_that_is_gone_is_said(operated):
    operated.world.aws.endpoints.models.clear()

    assert shown(operated)["endpoint"] == "scales-test: there is none"
    assert operated.json("status")["live"] is None


def test_json_says_the_same_in_numbers(operated):
    found = operated.json("status")

    assert found["ledger_weights"] == {"v0": 0, "v1": 90, "v2": 10}
    assert found["live"]["weights"] == {"v0": 0.0, "v1": 90.0, "v2": 10.0}
    assert found["now"] == operated.world.now
    assert found["rollout"]["lease_until"] == operated.world.now + 100
    assert not {"token", "policy", "judge"} & found["rollout"].keys()
