"""A load test on a terminal is one line that lives; in a pipe, plain lines."""

import io
import re
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from steelyard.cli.load_screen import LoadScreen
from steelyard.loadtest.client import Glimpse
from steelyard.loadtest.knee import Knee
from steelyard.loadtest.measurement import measure
from steelyard.loadtest.memory import Memory
from steelyard.loadtest.play import Result
from steelyard.loadtest.verdict import Wanted, judge
from tests.steelyard.loadtest.single_server import still

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def shown(is_terminal, act):
    output = io.StringIO()
    console = Console(
        file=output, width=120, force_terminal=is_terminal, _environ={"TERM": "xterm"}
    )
    with LoadScreen(console) as screen:
        act(screen)
    return CONTROL.sub("", output.getvalue())


def result(limit=0.01, **changes):
    run = measure(replace(still(), **changes), 10, 100, 0.001)
    memory = Memory("", (), None)
    return Result(run, judge(run, Wanted(limit)), memory, Knee(900, 980, "over"), ())


def progress(screen):
    screen.begin("the run", 200, 32)
    screen.show(Glimpse(0.0, 400, 390, 0, 0.0042))
    screen.show(Glimpse(1.0, 600, 580, 3, None))


def test_a_terminal_sees_the_rate_now_what_is_done_and_the_p99():
    said = shown(True, progress)

    assert "the run: 200 requests/s for 32 s" in said
    assert "390 done  10 outstanding  0 failed  p99 4.2 ms" in said
    assert "1 s  200 requests/s  580 done  20 outstanding  3 failed" in said


def test_a_pipe_sees_only_that_a_run_began():
    assert shown(False, progress) == "the run: 200 requests/s for 32 s\n"


def test_the_end_has_the_quantiles_the_knee_the_verdict_and_the_place():
    said = shown(False, lambda screen: screen.end(result(), Path("somewhere")))

    assert re.search(r"p99 +5 ms \(5 ms to 5 ms\) +5 ms", said)
    assert "too few samples: 1,000 of 3,688" in said
    assert "knee: 900 requests/s were good, 980 requests/s too much" in said
    assert "memory: unknown" in said
    assert "pass\n  - p99 5 ms ≤ limit 10 ms at 10 requests/s" in said
    assert "report: somewhere/report.html and report.json" in said


def test_brackets_in_a_reason_stay_brackets():
    said = shown(False, lambda s: s.end(result(failures=["[bold]odd[/]"] * 1000), Path("x")))

    assert "([bold]odd[/] 1,000)" in said
