"""
Share the counters of all workers: a block of 64-bit integers each, in memory that forks inherit.

A worker writes its own block only, so nothing is locked. Readers see each counter whole: x86 and
arm64 store aligned 8 bytes in one piece (Intel SDM volume 3, "Guaranteed Atomic Operations"; Arm
Architecture Reference Manual, "single-copy atomicity").
"""

import mmap
import os
import time
from pathlib import Path

CELL = 8
"""Bytes of a counter."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Registry:
    """
    The shared memory; made once, before the workers are forked.

    size: counters of one worker (Layout.size); slots: workers. A worker that is forked anew takes
    the slot of the dead one and counts on from there, so no counter ever falls while `started`, an
    epoch second, stays. `lock` is a file for workers that share a stream of lines, else None.
    """

    def __init__(self, size: int, slots: int = 1) -> None:
        self.size = size
        self.slots = slots
        self.started = time.time()
        self.lock = os.memfd_create("steelyard-lines") if slots > 1 else None
        cells = memoryview(mmap.mmap(-1, CELL * slots * (1 + size))).cast("q")
        self._processes, self.counters = cells[:slots], cells[slots:]

    def claim(self, slot: int) -> None:
        """Note that this process is the one that counts in a slot from now on."""
        self._processes[slot] = os.getpid()

    def resident_bytes(self) -> int:
        """
        Sum the resident memory of the workers alive, in bytes; pages they share count for each.

        Zero where the system has no /proc.
        """
        return sum(_resident_bytes(process) for process in set(self._processes) - {0})


def _resident_bytes(process: int) -> int:
    try:
        # Its second field is the resident pages: man 5 proc_pid_statm.
        return int(Path(f"/proc/{process}/statm").read_bytes().split()[1]) * _PAGE
    except OSError:
        return 0  # it died, and the next one has not claimed the slot yet
