"""
One virtual clock for the whole local AWS.

`time-machine` makes every time stamp of this process virtual, and threads that wait do so on this
clock: it stands still while anybody works, and is moved on by the one who plays the rehearsal.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import time_machine

# Real seconds that work at one virtual moment may take before it is taken for a hang.
PATIENCE_SECONDS = 120.0


def real_time() -> float:
    """Return the machine's own time, in epoch seconds, whether a clock is running or not."""
    hatch = time_machine.escape_hatch
    return hatch.time.time() if hatch.is_travelling() else time.time()


class ClockStuck(RuntimeError):
    """Something at this virtual moment did not come to rest."""


@dataclass(eq=False)
class _Waiter:
    """A thread that waits for an event, or for a virtual moment (None: for the event alone)."""

    thread: threading.Thread
    deadline: float | None
    wake: threading.Event = field(default_factory=threading.Event)


class Clock:
    """
    Virtual time in epoch seconds.

    Threads made by `Thread` are known to the clock: `settle` returns when each of them waits on
    an `Event` or in `sleep`, so nothing is under way any more at this moment.
    """

    def __init__(self, start: float) -> None:
        self.started_at = start
        self._now = start
        self._traveller = time_machine.travel(start, tick=False)
        self._coordinates: Any = None
        self._rest = threading.Condition()
        self._waiters: list[_Waiter] = []
        self._busy: set[threading.Thread] = set()
        self._build_classes()

    def __enter__(self) -> "Clock":
        self._coordinates = self._traveller.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._traveller.stop()

    @property
    def now(self) -> float:
        """The virtual moment, in epoch seconds."""
        return self._now

    @property
    def elapsed(self) -> float:
        """Virtual seconds since the clock was started."""
        return self._now - self.started_at

    def advance(self, seconds: float) -> None:
        """Move on, waking whoever waits for a moment on the way, in order, and letting it rest."""
        end = self._now + seconds
        self.settle()
        while (waiter := self._next_due(end)) is not None:
            self._move(max(self._now, end if waiter.deadline is None else waiter.deadline))
            self._wake(waiter)
            self.settle()
        self._move(end)

    def settle(self) -> None:
        """
        Wait until no known thread works.

        Raises ClockStuck when that takes unreasonably long.
        """
        with self._rest:
            # A thread that died by an exception cannot say that it rests: hence the short wait.
            end = time.monotonic() + PATIENCE_SECONDS
            while self._working():
                self._rest.wait(0.05)
                if time.monotonic() > end:
                    names = ", ".join(thread.name for thread in self._busy)
                    raise ClockStuck(f"{names} did not come to rest in {PATIENCE_SECONDS:.0f} s")

    def sleep(self, seconds: float) -> None:
        """Wait for a virtual time."""
        with self._rest:
            waiter = self._enter(seconds)
        waiter.wake.wait()

    def is_known(self) -> bool:
        """Say whether the calling thread was made by `Thread`, so that it may wait here."""
        return isinstance(threading.current_thread(), self.Thread)

    def _working(self) -> bool:
        # A thread without an identity is about to start; one with, that is not alive, died.
        self._busy = {
            thread
            for thread in self._busy
            if thread.ident is None or threading.Thread.is_alive(thread)
        }
        return bool(self._busy)

    def _move(self, moment: float) -> None:
        self._now = moment
        self._coordinates.move_to(moment)

    def _next_due(self, end: float) -> _Waiter | None:
        with self._rest:
            due = [(w.deadline, w) for w in self._waiters if w.deadline is not None]
            first = min(due, key=lambda pair: pair[0], default=None)
            return first[1] if first is not None and first[0] <= end else None

    def _wake(self, waiter: _Waiter) -> None:
        with self._rest:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
                # Counted as working before it runs, or the clock could slip past it.
                self._busy.add(waiter.thread)
                waiter.wake.set()

    def _enter(self, seconds: float | None) -> _Waiter:
        """Note that this thread rests; call it with the lock held, so that no wake is missed."""
        deadline = None if seconds is None else self._now + seconds
        waiter = _Waiter(threading.current_thread(), deadline)
        self._waiters.append(waiter)
        self._busy.discard(waiter.thread)
        self._rest.notify_all()
        return waiter

    def _begin(self, thread: threading.Thread) -> None:
        with self._rest:
            self._busy.add(thread)

    def _end(self, thread: threading.Thread) -> None:
        with self._rest:
            self._busy.discard(thread)
            self._rest.notify_all()

    def _build_classes(self) -> None:
        """Make `Event` and `Thread`, which behave as `threading`'s do, on this clock."""
        clock = self

        class Event:
            def __init__(self) -> None:
                self._flag = False
                self._waiters: list[_Waiter] = []

            def is_set(self) -> bool:
                return self._flag

            def set(self) -> None:
                with clock._rest:
                    self._flag = True
                    for waiter in self._waiters:
                        clock._wake(waiter)
                    self._waiters.clear()

            def clear(self) -> None:
                self._flag = False

            def wait(self, timeout: float | None = None) -> bool:
                with clock._rest:
                    if self._flag:
                        return True
                    waiter = clock._enter(timeout)
                    self._waiters.append(waiter)
                waiter.wake.wait()
                return self._flag

        class Thread(threading.Thread):
            def __init__(self, *arguments: Any, **named: Any) -> None:
                super().__init__(*arguments, **named)
                self._done = Event()

            def start(self) -> None:
                clock._begin(self)
                super().start()

            def run(self) -> None:
                try:
                    super().run()
                finally:
                    self._done.set()
                    clock._end(self)

            def join(self, timeout: float | None = None) -> None:
                self._done.wait(timeout)

            def is_alive(self) -> bool:
                return super().is_alive() and not self._done.is_set()

        self.Event: Callable[[], Any] = Event
        self.Thread: type[threading.Thread] = Thread
