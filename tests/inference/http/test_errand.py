"""Coroutines without tasks: begun at once, and taken up whenever what they wait for is done."""

import asyncio

import pytest

from inference.http.errand import Errand


def run(make) -> tuple[list[object], int]:
    """Start `make(log)` as an errand; give the log, and how many are still under way at the end."""

    async def play() -> tuple[list[object], int]:
        log: list[object] = []
        under_way: set[Errand] = set()
        Errand(make(log), under_way).start()
        log.append("started")
        for _ in range(200):
            if not under_way:
                break
            await asyncio.sleep(0.001)
        return log, len(under_way)

    return asyncio.run(play())


def test_it_runs_at_once_to_its_first_wait():
    async def errand(log):
        log.append("before")
        await asyncio.sleep(0)
        log.append("after")

    assert run(errand) == (["before", "started", "after"], 0)


@pytest.mark.parametrize("seconds", [0, 0.005])
def test_it_waits_as_a_task_does(seconds):
    async def errand(log):
        await asyncio.sleep(seconds)
        log.append(await asyncio.get_running_loop().run_in_executor(None, lambda: 42))

    assert run(errand) == (["started", 42], 0)


def test_it_gets_the_exception_of_what_it_waited_for():
    async def errand(log):
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_exception, ValueError("no"))
        try:
            await future
        except ValueError as error:
            log.append(str(error))

    assert run(errand) == (["started", "no"], 0)


def test_what_it_raises_is_the_loops_to_tell_and_it_is_over():
    told = []

    async def fail():
        await asyncio.sleep(0.001)
        raise RuntimeError("broken")

    async def play() -> int:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(str(context["exception"])))
        under_way: set[Errand] = set()
        Errand(fail(), under_way).start()
        await asyncio.sleep(0.02)
        return len(under_way)

    assert asyncio.run(play()) == 0
    assert told == ["broken"]


def test_it_is_known_to_be_under_way_while_it_waits():
    async def play() -> tuple[int, int]:
        under_way: set[Errand] = set()
        future = asyncio.get_running_loop().create_future()

        async def errand():
            await future

        Errand(errand(), under_way).start()
        waiting = len(under_way)
        future.set_result(None)
        await asyncio.sleep(0.001)
        return waiting, len(under_way)

    assert asyncio.run(play()) == (1, 0)
