"""A rollout told in its order."""

from steelyard.audit.timeline import timeline
from steelyard.audit.wording import moment, said, step_name
from tests.steelyard.audit.rollout import BEGIN, Rollout


def test_every_act_is_an_entry_and_equal_verdicts_are_one():
    rollout = Rollout().step(0).minutes(4).abort()

    found = timeline(rollout.records)

    assert [(it.who, it.what, it.ticks) for it in found] == [
        ("acquire", "requested", 0),
        ("set weights", "acted", 0),
        ("set weights", "acted", 0),
        ("judge", "continue", 4),
        *[("rollback", "acted", 0)] * 3,
    ]


def test_an_entry_of_verdicts_says_what_was_measured_for_them():
    (found,) = [
        it for it in timeline(Rollout().step(0).minutes(3, errors=1.0).records) if it.ticks > 1
    ]

    assert (found.minutes, found.requests, found.bad) == (
        found.ticks,
        60 * found.ticks,
        found.requests,
    )


def test_an_entry_lasts_from_its_first_verdict_to_its_last_and_gives_the_last_reasons():
    rollout = Rollout().step(0).minutes(3)

    found = timeline(rollout.records)[-1]

    assert (found.at, found.until) == (BEGIN + 150, BEGIN + 270)
    assert found.why == rollout.records[-1].reason


def test_a_verdict_after_a_person_s_order_is_an_entry_of_its_own():
    found = timeline(Rollout().step(0).minutes(2).resume().minutes(2).records)

    assert [it.who for it in found[-3:]] == ["judge", "operator ada", "judge"]


def test_a_verdict_of_another_step_is_an_entry_of_its_own():
    found = timeline(Rollout().step(0).minutes(1).step(1).minutes(1).records)

    assert [it.step for it in found if it.ticks] == [0, 1]


def test_minutes_without_the_challenger_count_no_request():
    found = timeline(Rollout().history(3).records)

    assert [(it.minutes, it.requests) for it in found if it.ticks] == [(3, 0)]


def test_minutes_for_which_no_verdict_was_asked_are_an_entry_of_their_own():
    rollout = Rollout().history(3)
    rollout.records = [it for it in rollout.records if it.kind != "decided"]

    for records in ([*rollout.records], rollout.step(0).records):
        entry = timeline(records)[1]
        assert (entry.what, entry.minutes, entry.ticks) == ("measured", 3, 0)
        assert said(entry).endswith("no verdict was asked for")


def test_what_was_done_stands_beside_why():
    found = timeline(Rollout().step(0).expire().records)

    assert [it.why for it in found[-4:]] == [
        "the lease expired (mark)",
        "all weight to v1 (shift)",
        "weights are home (note)",
        "weights are home and stayed there (end)",
    ]


def test_what_was_said_names_how_often_and_how_much():
    (*_, entry) = timeline(Rollout().step(0).minutes(3, errors=0.0).records)

    assert said(entry).startswith(
        "3 minutes, challenger 180 requests, 0 bad, 3 times until 08:04:30: "
    )


def test_moments_are_utc_and_steps_have_the_names_that_people_use():
    policy = Rollout().policy

    assert moment(BEGIN) == "2027-01-15 08:00:00"
    assert [step_name(policy, step) for step in (-1, 0, 1, 2)] == ["–", "10%", "50%", "soak"]
