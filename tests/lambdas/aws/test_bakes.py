"""The bake's token: used, used up, and never given."""

import pytest

from lambdas.aws import Bakes


@pytest.fixture
def token(world):
    world.hold()
    world.execution = world.bake()
    return world.lock().token


def test_the_word_to_advance_ends_the_bake_well(world, token):
    assert Bakes().succeed(token) is True
    assert world.baked(world.execution)[0] == "SUCCEEDED"


def test_the_word_to_abort_ends_it_with_error_and_cause(world, token):
    assert Bakes().fail(token, "JudgedWorse", "errors 31 > 20") is True
    assert world.baked(world.execution) == ("FAILED", "JudgedWorse", "errors 31 > 20")


def test_reasons_longer_than_step_functions_takes_are_cut(world, token):
    assert Bakes().fail(token, "E" * 300, "c" * 40_000) is True

    _, error, cause = world.baked(world.execution)
    assert (len(error), len(cause)) == (256, 32_768)


def test_a_heartbeat_leaves_the_bake_waiting(world, token):
    assert Bakes().heartbeat(token) is True
    assert world.baked(world.execution)[0] == "RUNNING"


SAY = {
    "heartbeat": lambda token: Bakes().heartbeat(token),
    "succeed": lambda token: Bakes().succeed(token),
    "fail": lambda token: Bakes().fail(token, "JudgedWorse", "too late"),
}


@pytest.mark.parametrize("say", SAY)
def test_the_first_word_counts(world, token, say):
    Bakes().fail(token, "Aborted", "the first word")
    assert world.baked(world.execution)[0] == "FAILED"

    heard = SAY[say](token)

    assert world.baked(world.execution)[1:] == ("Aborted", "the first word")
    assert heard is False


@pytest.mark.parametrize("say", ["heartbeat", "succeed"])
def test_a_bake_that_timed_out_hears_no_word(world, token, say):
    world.aws.clock.advance(301)

    assert SAY[say](token) is False


@pytest.mark.parametrize("say", SAY)
def test_a_token_that_was_never_given_is_heard_by_nobody(world, say):
    assert SAY[say]("never given") is False


def test_a_bake_does_not_begin_for_a_rollout_that_was_stopped(world):
    world.hold(phase="aborting")

    status, error, _ = world.baked(world.bake())

    assert status == "FAILED"
    assert "ConditionalCheckFailed" in error
    assert world.lock().token is None
