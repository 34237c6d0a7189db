"""Events of a scenario: how they are written, and when they are due."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rehearsal.events import KINDS, Agenda, Event, parse

WEIGHTS = (5, 25, 50, 100)


@pytest.mark.parametrize(
    ("text", "kind", "moment", "delay"),
    [
        ("pause@2+3m", "pause", 1, 180.0),
        ("resume@25%+90s", "resume", 1, 90.0),
        ("abort@25", "abort", 1, 0.0),
        ("kill-judge@soak", "kill-judge", 3, 0.0),
        ("deploy@end+1h", "deploy", "end", 3600.0),
        ("revert@end+5m", "revert", "end", 300.0),
        ("start@start+10s", "start", "start", 10.0),
        (" config-change@1 ", "config-change", 0, 0.0),
    ],
)
def test_an_event_is_a_kind_a_moment_and_a_delay(
    text: str, kind: str, moment: str | int, delay: float
) -> None:
    assert parse(text, WEIGHTS) == Event(kind, moment, delay, text.strip())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_written(kind: str) -> None:
    assert parse(f"{kind}@end", WEIGHTS).kind == kind


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pause", "allowed are KIND@MOMENT and KIND@MOMENT+DELAY"),
        ("explode@2", "where KIND is one of pause, resume,"),
        ("pause@2+3", "DELAY a number with s, m or h"),
        ("pause@2+3d", "DELAY a number with s, m or h"),
        ("pause@2+-3m", "DELAY a number with s, m or h"),
        ("pause@", "write for example pause@2+3m"),
        ("", "write for example pause@2+3m"),
        ("pause@9", "given the step '9', allowed are 1 to 4, by weight 5%, 25%, 50%, 100%"),
        ("pause@middle", "given the step 'middle'"),
        ("revert@2", "given 2, allowed is end, since only a promotion is reverted"),
    ],
)
def test_anything_else_is_refused_with_what_is_allowed(text: str, said: str) -> None:
    with pytest.raises(ValueError, match="event ") as refusal:
        parse(text, WEIGHTS)

    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "must"),
    [
        ("pause@1", True),
        ("deploy@1", False),
        ("deploy@end", True),
        ("start@2", False),
        ("start@end", True),
        ("stop-execution@2", True),
    ],
)
def test_a_second_rollout_and_a_deployment_must_be_refused_while_it_is_under_way(
    text: str, must: bool
) -> None:
    assert parse(text, WEIGHTS).must_be_done is must


def agenda(*texts: str) -> Agenda:
    return Agenda([parse(text, WEIGHTS) for text in texts])


def texts(events: list[Event]) -> list[str]:
    return [event.text for event in events]


def test_an_event_is_due_once_when_its_moment_and_its_delay_have_passed() -> None:
    events = agenda("pause@2+1m")

    before = events.due(1000.0)
    events.begin(1, 1000.0)

    assert (before, events.due(1059.0)) == ([], [])
    assert texts(events.due(1060.0)) == ["pause@2+1m"]
    assert events.due(9000.0) == []


def test_events_come_in_the_order_of_their_times() -> None:
    events = agenda("resume@1+5m", "pause@1", "abort@2")
    events.begin(0, 0.0)
    events.begin(1, 60.0)

    assert texts(events.due(600.0)) == ["pause@1", "abort@2", "resume@1+5m"]


def test_a_moment_that_comes_again_changes_nothing() -> None:
    events = agenda("pause@1+1m")
    events.begin(0, 0.0)
    events.begin(0, 50.0)

    assert texts(events.due(60.0)) == ["pause@1+1m"]


def test_nothing_is_to_come_of_a_moment_that_never_was() -> None:
    events = agenda("pause@3", "revert@end")

    before = events.is_done
    events.begin("end", 0.0)

    assert (before, events.is_done) == (True, False)


@given(
    delays=st.lists(st.integers(0, 600), min_size=1, max_size=6),
    steps=st.lists(st.integers(1, 120), min_size=1, max_size=40),
)
def test_however_time_passes_each_event_comes_once_and_never_early(
    delays: list[int], steps: list[int]
) -> None:
    events = [Event("pause", "start", float(delay), f"e{i}") for i, delay in enumerate(delays)]
    agenda, now, seen = Agenda(events), 0.0, []
    agenda.begin("start", 0.0)

    for step in [*steps, 600]:
        now += step
        due = agenda.due(now)
        assert all(event.delay <= now for event in due)
        seen += due

    assert sorted(seen, key=lambda event: event.text) == events


def test_the_next_event_is_the_first_that_falls_due_by_then() -> None:
    events = agenda("resume@1+5m", "pause@1+1m", "abort@2")
    events.begin(0, 0.0)

    found = [events.next(until) for until in (59.0, 60.0, 900.0)]

    assert [event and event.text for event in found] == [None, "pause@1+1m", "pause@1+1m"]
