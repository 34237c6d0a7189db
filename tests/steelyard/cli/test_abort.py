"""`steelyard abort` and `revert`: all weight goes home, and the command sees that it arrives."""

import pytest

from lambdas.aws import Endpoint
from steelyard.cli import order
from tests.lambdas.world import ENDPOINT, HOME

RAMPED = {"v0": 0, "v1": 90, "v2": 10}
PROMOTED = {"v0": 0, "v1": 0, "v2": 100}


@pytest.fixture
def world(world, monkeypatch):
    monkeypatch.setattr(order, "POLL_SECONDS", 0.01)
    world.endpoint(RAMPED)
    world.hold(since=world.now, asked_at=world.now)
    return world


def passing(operated, seconds=20.0):
    """Let time pass at each event that a function gets."""
    functions = operated.world.aws.functions
    before = functions.invoke

    def invoke(event):
        answer = before(event)
        operated.world.aws.clock.advance(seconds)
        return answer

    functions.invoke = invoke


def test_an_abort_waits_until_all_weight_is_home(operated):
    passing(operated)

    result = operated.run("abort", "--reason", "errors", "--as", "ada")

    assert result.exit_code == 0, result.output
    assert operated.world.weights() == HOME
    assert operated.world.lock().phase == "aborting"
    assert result.stdout.splitlines()[-1] == "aborting: v0 0, v1 100, v2 0, InService"
    assert "ada: errors" in operated.world.records()[0]["reason"]


def test_an_abort_shows_each_change_once(operated):
    passing(operated, seconds=1)

    lines = operated.run("abort", "--reason", "errors").stdout.splitlines()

    assert lines[0].startswith("aborting: v0 0, v1 90, v2 10, Updating")
    assert len(set(lines)) == len(lines)


def test_an_abort_that_is_not_home_in_time_ends_with_1_and_says_who_goes_on(operated):
    result = operated.run("abort", "--reason", "errors", "--wait", 0)

    assert result.exit_code == 1
    assert "scales-test is not home after 0 s; the watchdog tries each minute" in result.stderr
    assert operated.world.weights("DesiredWeight") == HOME


def test_while_the_endpoint_refuses_weights_the_abort_tries_again(operated):
    operated.world.busy()
    passing(operated, seconds=50)

    result = operated.run("abort", "--reason", "errors")

    assert result.exit_code == 0, result.output
    assert "(EndpointBusy: " in result.stdout
    assert operated.world.weights() == HOME


def test_an_abort_that_is_under_way_is_driven_on(operated):
    operated.world.hold(phase="aborting", reason="alarm: x")
    passing(operated)

    assert operated.run("abort", "--reason", "again").exit_code == 0
    assert operated.world.weights() == HOME


def test_an_abort_before_the_first_weight_moves_nothing_whoever_serves(operated):
    operated.world.endpoint(PROMOTED)
    operated.world.hold(step=-1)

    result = operated.run("abort", "--reason", "not today", "--wait", 0)

    assert result.exit_code == 0
    assert operated.world.lock().phase in ("aborting", "aborted")
    assert operated.world.weights("DesiredWeight") == PROMOTED


def test_while_a_raise_is_under_way_the_weights_before_it_are_not_taken_for_home(operated):
    operated.world.endpoint(HOME)
    Endpoint(ENDPOINT).shift(RAMPED)

    result = operated.run("abort", "--reason", "errors", "--wait", 0)

    assert operated.world.weights() == HOME
    assert result.exit_code == 1


def test_a_rollout_that_was_promoted_meanwhile_is_not_aborted(operated):
    functions = operated.world.aws.functions
    before = functions.invoke

    def invoke(event):
        operated.world.hold(phase="promoted", step=2)
        return before(event)

    functions.invoke = invoke

    result = operated.run("abort", "--reason", "errors", "--wait", 0)

    assert result.exit_code == 1
    assert result.stderr.startswith("nothing was moved: no rollout in progress is concerned")


def test_an_abort_while_the_endpoint_is_gone_is_done_with_the_mark(operated):
    operated.world.aws.endpoints.models.clear()

    result = operated.run("abort", "--reason", "errors")

    assert result.exit_code == 0, result.output
    assert "there is no endpoint" in result.stdout


def test_a_revert_gives_the_previous_champion_its_traffic_back(operated):
    operated.world.endpoint(PROMOTED)
    operated.world.hold(phase="promoted", step=2, since=1.0)
    passing(operated)

    result = operated.run("revert", "--reason", "complaints", "--as", "ada")

    assert result.exit_code == 0, result.output
    assert operated.world.weights() == HOME
    assert "ada: complaints" in operated.world.records()[0]["reason"]


def test_a_revert_to_a_variant_that_is_gone_ends_with_1_and_says_so(operated):
    operated.world.endpoint({"v0": 0, "v2": 100})
    operated.world.hold(phase="promoted", step=2, since=1.0)

    result = operated.run("revert", "--reason", "complaints", "--wait", 0)

    assert result.exit_code == 1
    assert result.stderr.startswith("NotReverted: v1 has no instance any more")
    assert operated.world.lock().phase == "promoted"
