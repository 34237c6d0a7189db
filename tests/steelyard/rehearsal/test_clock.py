"""Virtual time: who waits is woken at their moment, and nobody who works is overlooked."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rehearsal import clock as clock_module
from steelyard.rehearsal.clock import Clock, ClockStuck

START = 1_800_000_000.0
DELAYS = st.lists(st.integers(0, 50), min_size=1, max_size=6)


@pytest.fixture
def clock() -> Iterator[Clock]:
    with Clock(START) as clock:
        yield clock


def run(clock: Clock, *targets: Any) -> None:
    for target in targets:
        clock.Thread(target=target, daemon=True).start()


def test_every_time_stamp_of_the_process_is_virtual(clock: Clock) -> None:
    clock.advance(90)

    assert time.time() == START + 90
    assert datetime.now(UTC).timestamp() == START + 90
    assert (clock.now, clock.elapsed) == (START + 90, 90)


def test_real_time_is_back_afterwards() -> None:
    with Clock(START):
        pass

    assert time.time() < START


@given(DELAYS, st.lists(st.integers(0, 20), max_size=6))
def test_sleepers_wake_in_order_and_at_their_moment(delays: list[int], steps: list[int]) -> None:
    woken: list[tuple[float, int]] = []

    def sleeper(delay: int) -> Any:
        def sleep() -> None:
            clock.sleep(delay)
            woken.append((clock.elapsed, delay))

        return sleep

    with Clock(START) as clock:
        run(clock, *map(sleeper, delays))
        for step in [*steps, 50]:
            clock.advance(step)

    assert woken == [(delay, delay) for delay in sorted(delays)]


@given(st.integers(1, 5), st.integers(1, 10))
def test_whoever_sleeps_again_is_woken_again_within_one_advance(naps: int, length: int) -> None:
    woken: list[float] = []

    def sleep() -> None:
        for _ in range(naps):
            clock.sleep(length)
            woken.append(clock.elapsed)

    with Clock(START) as clock:
        run(clock, sleep)
        clock.advance(naps * length)

    assert woken == [length * nap for nap in range(1, naps + 1)]


@given(st.lists(st.sampled_from(["wait", "set", "clear", "advance"]), max_size=12))
def test_no_waiter_is_lost_between_set_and_wait(script: list[str]) -> None:
    returned: list[bool] = []
    waiting = 0
    with Clock(START) as clock:
        event = clock.Event()
        is_set = False
        for act in script:
            if act == "wait":
                run(clock, lambda: returned.append(event.wait()))
                waiting += 1
            elif act == "advance":
                clock.advance(1)
            else:
                getattr(event, act)()
                is_set = act == "set"
            clock.settle()
            if is_set:
                assert len(returned) == waiting
        event.set()
        clock.settle()

    assert len(returned) == waiting


def test_a_wait_with_a_limit_says_whether_the_event_came(clock: Clock) -> None:
    late, early = clock.Event(), clock.Event()
    said: dict[str, tuple[bool, float]] = {}
    run(clock, lambda: said.update(late=(late.wait(30), clock.elapsed)))
    run(clock, lambda: said.update(early=(early.wait(30), clock.elapsed)))

    clock.advance(10)
    early.set()
    clock.advance(50)

    assert said == {"late": (False, 30), "early": (True, 10)}


def test_settle_waits_for_threads_that_were_just_started(clock: Clock) -> None:
    ready = threading.Event()
    done: list[str] = []

    def work() -> None:
        ready.wait()
        run(clock, lambda: done.append("child"))
        done.append("parent")

    run(clock, work)
    threading.Timer(0.1, ready.set).start()
    clock.settle()

    assert sorted(done) == ["child", "parent"]


def test_a_thread_that_is_slow_to_start_is_not_forgotten(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, done = threading.Thread.start, list[str]()

    def start_slowly(thread: threading.Thread) -> None:
        time.sleep(0.2)
        start(thread)

    def child() -> None:
        time.sleep(0.2)
        done.append("child")

    monkeypatch.setattr(threading.Thread, "start", start_slowly)
    parent = clock.Thread(target=lambda: run(clock, child))
    start_parent = threading.Thread(target=parent.start)
    start(start_parent)
    while parent not in threading.enumerate():
        time.sleep(0.01)
    clock.settle()

    assert done == ["child"]


def test_a_thread_that_dies_holds_nobody_up(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _failure: None)
    joined: list[bool] = []

    def die() -> None:
        raise RuntimeError("as it should")

    thread = clock.Thread(target=die)
    thread.start()

    def join() -> None:
        thread.join()
        joined.append(thread.is_alive())

    run(clock, join)
    clock.advance(1)

    assert joined == [False]
    threading.Thread.join(thread)


def test_a_thread_that_never_rests_is_named(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_module, "PATIENCE_SECONDS", 0.2)
    end = threading.Event()
    clock.Thread(target=end.wait, name="the-busy-one", daemon=True).start()

    with pytest.raises(ClockStuck, match="the-busy-one did not come to rest"):
        clock.settle()
    end.set()
