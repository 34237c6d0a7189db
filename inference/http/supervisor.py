"""
Keep several workers alive on one port, as children of this process.

They are forked before anything heavy is imported, so that no thread and no event loop is copied,
and they share what was made before: the listening socket and the memory of the counters.
"""

import ctypes
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

ENDINGS = (signal.SIGTERM, signal.SIGINT)
READY = signal.SIGUSR1
"""What a worker sends its parent once it accepts connections."""
HEARD = {*ENDINGS, READY, signal.SIGCHLD}
UNUSABLE = 2
"""Exit code of a worker that cannot load: another try would not help."""
YOUNG_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 10.0
SPARE_SECONDS = 3.0
"""For a worker to end by itself after its drain; then it is killed."""
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_FOREVER = 3600.0


@dataclass(frozen=True)
class _Child:
    slot: int
    born: float


class Supervisor:
    """
    Runs `work(slot)` in `slots` children; `let_go` gives up this process's end of the port.

    The first child must be ready before the others start: what it cannot load, they cannot either.
    """

    def __init__(
        self,
        work: Callable[[int], int],
        slots: int,
        drain_seconds: float,
        let_go: Callable[[], None],
    ) -> None:
        self._work = work
        self._let_go = let_go
        self._longest_end = drain_seconds + SPARE_SECONDS
        self._alive: dict[int, _Child] = {}
        self._later = set(range(1, slots))
        self._due = {0: 0.0}
        self._pauses: dict[int, float] = {}
        self._kill_at: float | None = None
        self._code = 0

    def run(self) -> int:
        """
        Return, once every child has ended, the exit code.

        0 after SIGTERM or SIGINT, 1 if a child then left requests unanswered, 2 if one could not
        load.
        """
        # Blocked, they wait for sigtimedwait, also those that come during a fork.
        signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
        while self._kill_at is None or self._alive:
            self._start_due()
            heard = signal.sigtimedwait(HEARD, self._pause())
            if heard is not None and heard.si_signo in ENDINGS:
                self._stop()
            elif heard is not None and heard.si_signo == READY and self._kill_at is None:
                self._due.update(dict.fromkeys(self._later, 0.0))
                self._later.clear()
            self._reap()
            if self._kill_at is not None and time.monotonic() >= self._kill_at:
                self._tell(signal.SIGKILL)
        return self._code

    def _pause(self) -> float:
        """Seconds until something must be done unasked."""
        ends = [*self._due.values(), *([] if self._kill_at is None else [self._kill_at])]
        return max(0.0, min(ends, default=time.monotonic() + _FOREVER) - time.monotonic())

    def _start_due(self) -> None:
        now = time.monotonic()
        for slot in [slot for slot, at in self._due.items() if at <= now]:
            del self._due[slot]
            self._alive[_forked(self._work, slot)] = _Child(slot, now)

    def _stop(self) -> None:
        if self._kill_at is None:
            self._kill_at = time.monotonic() + self._longest_end
            self._due.clear()
            self._let_go()
            self._tell(signal.SIGTERM)

    def _tell(self, number: int) -> None:
        for process in self._alive:
            os.kill(process, number)

    def _reap(self) -> None:
        # One SIGCHLD may stand for several children.
        for process in list(self._alive):
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                child = self._alive.pop(process)
                self._mourn(child, os.waitstatus_to_exitcode(status))

    def _mourn(self, child: _Child, code: int) -> None:
        if code == UNUSABLE:
            self._code = UNUSABLE
            self._stop()
        elif self._kill_at is not None:
            self._code = self._code or int(code != 0)
        else:
            self._start_anew(child, code)

    def _start_anew(self, child: _Child, code: int) -> None:
        now = time.monotonic()
        pause = 0.0
        if now - child.born < YOUNG_SECONDS:
            longer = 2 * self._pauses.get(child.slot, FIRST_PAUSE_SECONDS / 2)
            pause = min(LONGEST_PAUSE_SECONDS, longer)
        self._pauses[child.slot] = max(pause, FIRST_PAUSE_SECONDS / 2)
        self._due[child.slot] = now + pause
        how = f"with code {code}" if code >= 0 else f"by signal {-code}"
        print(f"worker {child.slot} ended {how}; the next starts in {pause:g} s", file=sys.stderr)


def _forked(work: Callable[[int], int], slot: int) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    process = os.fork()
    if process == 0:
        _be_child(work, slot, parent)
    return process


def _be_child(work: Callable[[int], int], slot: int, parent: int) -> NoReturn:
    """Work and end; nothing of the parent's stack may run in the child."""
    code = 1
    try:
        _end_with(parent)
        code = work(slot)
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _end_with(parent: int) -> None:
    """Get SIGTERM when the parent dies, however it dies."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)  # it was dead already
