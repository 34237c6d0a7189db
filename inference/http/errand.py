"""
Run a coroutine from where it is started, without a task of the event loop.

A task costs more than a small answer does, and begins one turn of the loop later. Python 3.12 has
the same as asyncio.eager_task_factory; on older ones this stands for it. What is run so cannot be
cancelled and has no current task: asyncio.timeout and the like do not work in it.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Errand:
    """One coroutine on its way; `under_way` holds it until it has ended."""

    __slots__ = ("_coroutine", "_under_way")

    def __init__(self, coroutine: Coroutine[Any, Any, None], under_way: set[Any]) -> None:
        self._coroutine = coroutine
        self._under_way = under_way

    def start(self) -> None:
        """Run to the first wait, and from there on whenever what it waits for is done."""
        self._under_way.add(self)
        self._step()

    def _step(self, _: object = None) -> None:
        try:
            awaited = self._coroutine.send(None)
        except StopIteration:
            self._under_way.discard(self)
        except BaseException:
            self._under_way.discard(self)
            raise
        else:
            self._wait(awaited)

    def _wait(self, awaited: Any) -> None:
        if awaited is None:  # asyncio.sleep(0)
            asyncio.get_running_loop().call_soon(self._step)
            return
        # What a task does with a future that it gets (PEP 492 leaves it to the event loop).
        awaited._asyncio_future_blocking = False
        awaited.add_done_callback(self._step)
