"""`steelyard pause`, `resume`, `approve`: a person's orders, and what becomes of them."""

import getpass

import pytest

ORDERS = {
    "pause": ({}, "paused"),
    "resume": ({"phase": "paused"}, "progressing"),
    "approve": ({"phase": "paused"}, "progressing"),
}


def hold(operated, **changes):
    world = operated.world
    world.hold(since=world.now, asked_at=world.now, token="t", **changes)


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_is_carried_out_and_recorded_with_who_and_why(operated, order):
    before, after = ORDERS[order]
    hold(operated, **before)

    result = operated.run(order, "--reason", "looks odd", "--as", "ada")

    assert result.exit_code == 0, result.output
    assert operated.world.lock().phase == after
    (record,) = operated.world.records()
    assert (record["actor"], record["reason"]) == ("operator", "looks odd")
    assert (record["body"]["order"], record["body"]["by"]) == (order, "ada")
    assert result.stdout == f"rollout r1 of scales-test: {record['body']['done']}\n"


def test_the_order_has_the_ledger_s_time_and_this_machine_s_user(operated):
    hold(operated)

    operated.run("pause", "--reason", "why", "--rollout", "r1")

    (record,) = operated.world.records()
    assert record["at"] == operated.world.now
    assert record["body"]["by"] == getpass.getuser()


@pytest.mark.parametrize(
    ("order", "phase", "allowed"),
    [
        ("pause", "paused", "progressing"),
        ("pause", "aborted", "progressing"),
        ("resume", "progressing", "paused"),
        ("resume", "promoted", "paused"),
        ("approve", "aborting", "progressing or paused"),
        ("abort", "aborted", "progressing or paused or aborting"),
        ("abort", "promoted", "progressing or paused or aborting"),
        ("revert", "progressing", "promoted"),
        ("revert", "aborted", "promoted"),
    ],
)
def test_an_order_for_which_there_is_nothing_to_do_ends_with_2_and_says_so(
    operated, order, phase, allowed
):
    hold(operated, phase=phase)

    result = operated.run(order, "--reason", "why")

    assert result.exit_code == 2
    assert f"rollout r1 of scales-test is {phase}, allowed for {order} is {allowed}: " in (
        result.stderr
    )
    assert operated.world.records() == []


def test_an_order_that_the_function_refuses_ends_with_1_and_its_sentence(operated):
    hold(operated)

    result = operated.run("approve", "--reason", "why")

    assert result.exit_code == 1
    assert result.stderr.startswith("refused: rollout r1 at step 0 waits for nobody's approval")


def test_a_function_that_fails_ends_with_1_and_its_error(operated, monkeypatch):
    hold(operated)
    monkeypatch.delenv("STEELYARD_LEDGER")

    result = operated.run("pause", "--reason", "why")

    assert result.exit_code == 1
    assert result.stderr == "pause failed: KeyError: 'STEELYARD_LEDGER'\n"


@pytest.mark.parametrize("order", [*ORDERS, "abort", "revert", "repair"])
def test_an_order_without_a_reason_is_refused(operated, order):
    result = operated.run(order)

    assert result.exit_code == 2
    assert "--reason" in result.stderr
