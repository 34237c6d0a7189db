"""Turn batching: one call for what came together, and nobody spoils anybody's answer."""

import asyncio
import threading
import time

import pytest

from inference.scoring.prediction import Scored
from inference.scoring.turn import MOST_ROWS, Costs, Job, TooLateError, Turns


class Model:
    """Doubles numbers; remembers each call's rows and whether a thread made it."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.calls: list[list[float]] = []
        self.threads: list[bool] = []
        self.seconds = seconds

    def score(self, rows) -> list[Scored]:
        numbers = [row[0] for row in rows]
        self.calls.append(numbers)
        self.threads.append(threading.current_thread() is not threading.main_thread())
        time.sleep(self.seconds)
        if -1.0 in numbers:
            raise ValueError("no negative numbers")
        return [Scored({}, 2 * number, None, True) for number in numbers]


def turns(model, done=lambda _: None, known=None, longest_seconds=60.0) -> Turns:
    return Turns(model.score, done, known or {}, longest_seconds)


async def run(queue: Turns, *groups, since=None) -> list[Job]:
    """Run one job for each group of numbers, all sent in one turn."""
    since = time.perf_counter() if since is None else since
    loop = asyncio.get_running_loop()
    jobs = [Job([[number] for number in group], since, loop.create_future()) for group in groups]
    for job in jobs:
        queue.submit(job)
    await asyncio.gather(*(job.future for job in jobs))
    return jobs


def scores(job: Job) -> list[float]:
    assert isinstance(job.result, list)
    return [one.score for one in job.result]


def test_what_arrives_in_one_turn_shares_one_call_and_each_gets_its_own_answer():
    model = Model()

    jobs = asyncio.run(run(turns(model), [1.0], [2.0, 3.0], [4.0]))

    assert model.calls == [[1.0, 2.0, 3.0, 4.0]]
    assert [scores(job) for job in jobs] == [[2.0], [4.0, 6.0], [8.0]]


def test_a_job_that_the_model_fails_on_spoils_no_other():
    jobs = asyncio.run(run(turns(Model()), [1.0], [-1.0], [3.0, 4.0]))

    assert scores(jobs[0]) == [2.0]
    assert isinstance(jobs[1].result, ValueError)
    assert scores(jobs[2]) == [6.0, 8.0]


def test_a_shared_call_has_no_more_rows_than_fit_and_all_are_scored():
    model = Model()
    groups = [[float(n)] * 100 for n in range(7)] + [[9.0] * (2 * MOST_ROWS)] + [[8.0]]

    jobs = asyncio.run(run(turns(model), *groups))

    assert [scores(job) for job in jobs] == [[2 * n for n in group] for group in groups]
    assert [len(call) for call in model.calls] == [200, 200, 200, 100, 2 * MOST_ROWS, 1]


def test_a_slow_model_leaves_the_loop_free_and_later_jobs_gather_meanwhile():
    model = Model(seconds=0.05)

    async def play() -> int:
        queue = turns(model, known={1: 1.0})
        first = asyncio.create_task(run(queue, [1.0]))
        beats = 0
        while not model.calls:
            await asyncio.sleep(0.001)
        later = [asyncio.create_task(run(queue, [float(n)])) for n in (2, 3, 4)]
        while not first.done():
            beats += 1
            await asyncio.sleep(0.001)
        await asyncio.gather(*later)
        return beats

    beats = asyncio.run(play())

    assert beats > 5
    assert model.calls == [[1.0], [2.0, 3.0, 4.0]]
    assert all(model.threads)


def test_a_model_that_turns_slow_leaves_the_loop_and_comes_back_when_it_is_fast_again():
    model = Model(seconds=0.03)

    async def play() -> None:
        queue = turns(model, known={1: 0.0})
        for seconds in (0.03, 0.0, 0.0, 0.03, 0.03, 0.03, 0.0, 0.0):
            model.seconds = seconds
            await run(queue, [1.0])

    asyncio.run(play())

    # One call that was held up is not believed, two are.
    assert model.threads == [False, False, False, False, False, True, True, False]


def test_each_call_is_done_before_those_who_wait_go_on():
    seen = []

    def done(jobs) -> None:
        assert not any(job.future.done() for job in jobs)
        seen.append([scores(job) for job in jobs])

    asyncio.run(run(turns(Model(), done), [1.0], [2.0]))

    assert seen == [[[2.0], [4.0]]]


def test_what_cannot_be_recorded_is_nobodys_answer():
    def done(_) -> None:
        raise OSError("no space left on device")

    jobs = asyncio.run(run(turns(Model(), done), [1.0], [2.0]))

    assert all(isinstance(job.result, OSError) for job in jobs)


def test_a_job_that_waited_for_too_long_is_not_scored():
    model = Model()

    (job,) = asyncio.run(run(turns(model, longest_seconds=5), [1.0], since=0.0))

    assert isinstance(job.result, TooLateError)
    assert model.calls == []


def test_a_caller_who_gives_up_takes_nobody_along():
    async def play() -> list[float]:
        queue = turns(Model(seconds=0.02), known={1: 1.0})
        gone = asyncio.create_task(run(queue, [1.0]))
        await asyncio.sleep(0.001)
        gone.cancel()
        (job,) = await run(queue, [2.0])
        return scores(job)

    assert asyncio.run(play()) == [4.0]


def test_other_work_is_done_off_the_loop():
    async def play() -> bool:
        here = threading.current_thread()
        return await turns(Model()).aside(lambda: threading.current_thread() is not here)

    assert asyncio.run(play())


def test_a_size_that_was_never_called_is_judged_by_the_nearest():
    costs = Costs({1: 0.001, 64: 0.004})

    assert costs.expected(1) == 0.001
    assert costs.expected(64) == costs.expected(100) == 0.004
    assert costs.expected(40) == 0.004
    assert costs.expected(3) == 0.002
    assert costs.expected(1000) == pytest.approx(0.032)
    assert Costs({}).expected(5) == 0
