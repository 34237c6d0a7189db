"""A rehearsal on a terminal fits it; in a pipe it is plain lines, one for each change."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from steelyard.cli.screen import Screen
from steelyard.rehearsal.play import Glimpse
from steelyard.rehearsal.scenario import Scenario
from steelyard.rollout.policy import Step

# What moves the cursor, colours, hides.
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PLAN = (Step(5, 900), Step(25, 600), Step(100, 1800))
REASON = "bake 50 s of 900 s; challenger has no judged minute in this step [needed one in 270 s]"
REPORT = {
    "virtual_seconds": 7200.0,
    "phases": [{"name": "play: a [bold] name", "seconds": 12.34}],
    "rollouts": [
        {
            "scenario": "a silent unit mistake of a model is caught by the judge",
            "outcome": "aborted",
            "expected": "aborted",
            "caught_by": "judge",
            "passed": True,
            "problems": [],
            "reason": "challenger's score distribution is too far from the champion's " * 3,
            "bad_requests": 1065,
            "seconds_from_fault_to_safe": 360.0,
        },
        {
            "scenario": "a better challenger",
            "outcome": "promoted",
            "expected": "aborted",
            "caught_by": None,
            "passed": False,
            "problems": ["it was promoted, where [aborted] was expected"],
            "reason": "",
            "bad_requests": 0,
            "seconds_from_fault_to_safe": None,
        },
    ],
}


def glimpse(t: float, step: int, verdict: str, reason=REASON) -> Glimpse:
    """Return a look at a rollout."""
    return Glimpse(t, step, {"v1-0-0": 75, "v1-1-0": 25}, 12345, 6, verdict, reason)


def scenario() -> Scenario:
    """Return a rollout's name and roles; its assembly is not looked at."""
    return Scenario(
        "a [bold] name", None, "v1-0-0", "v1-1-0", (5, 25, 100), (), False, "promoted", 60.0
    )


def shown(width: int | None, looks=(), report=None, entries=()) -> str:
    """Return what a terminal of this width, or a pipe where it is None, is sent."""
    out = io.StringIO()
    console = Console(
        file=out,
        force_terminal=width is not None,
        width=width if width is not None else 10_000,
        color_system=None,
        _environ={"TERM": "xterm"},
    )
    with Screen(PLAN, console) as screen:
        screen.begin(scenario())
        for look in looks:
            screen.show(look)
        for entry in entries:
            screen.end(entry)
        if report is not None:
            screen.summarise(report, Path("/nowhere/build"))
    return out.getvalue()


def test_a_pipe_gets_one_line_for_each_change_of_step_or_verdict():
    looks = [
        glimpse(60, -1, ""),
        glimpse(120, 0, "continue", "a"),
        glimpse(180, 0, "continue", "b"),
        glimpse(240, 1, "continue", "c"),
        glimpse(300, 1, "abort", "d"),
    ]

    lines = shown(None, looks).splitlines()[3:]

    assert [line.rsplit("  ", 1)[1] for line in lines] == ["continue: a", "continue: c", "abort: d"]
    assert lines[1].startswith("   0:04 h  2 of 3, 25%")
    assert "12,345 requests      6 errors" in lines[1]


def test_a_pipe_breaks_no_line_and_reads_no_markup():
    entry = REPORT["rollouts"][0]

    lines = shown(None, [glimpse(120, 0, "continue")], REPORT, REPORT["rollouts"]).splitlines()

    assert lines[1:3] == ["a [bold] name", "  v1-0-0 → v1-1-0, expected promoted"]
    assert any(line.endswith(f"continue: {REASON.split('; ')[0]}") for line in lines)
    assert any(line.strip() == f"aborted, caught by the judge: {entry['reason']}".strip()
               for line in lines)  # fmt: skip
    assert "  - it was promoted, where [aborted] was expected" in lines
    assert "    12.3 s  play: a [bold] name" in lines
    assert "\x1b" not in "".join(lines)


def test_the_summary_says_for_each_rollout_who_caught_it_and_at_what_cost():
    said = [" ".join(line.split()) for line in shown(None, report=REPORT).splitlines()]

    name = REPORT["rollouts"][0]["scenario"]
    assert f"{name} aborted judge 1,065 360 yes" in said
    assert "a better challenger promoted – – – NO" in said
    assert "1 of 2 rollouts ended as expected; 2.0 virtual hours in 12 s" in said
    assert "report: /nowhere/build/report.html and report.json" in said


@pytest.mark.parametrize("width", [60, 80, 140])
def test_nothing_is_wider_than_the_terminal(width):
    looks = [glimpse(60, -1, ""), glimpse(900, 0, "continue"), glimpse(9000, 2, "abort")]

    sent = shown(width, looks, REPORT, REPORT["rollouts"])

    lines = CONTROL.sub("", sent).replace("\r", "\n").splitlines()
    assert max(len(line.rstrip()) for line in lines) <= width


def test_the_live_display_shows_the_step_and_how_far_it_is():
    sent = shown(80, [glimpse(120, 0, "continue"), glimpse(570, 0, "continue")])

    *_, bar = (line for line in CONTROL.sub("", sent).splitlines() if " soak ─" in line)
    first, _, rest = bar.partition("25%")
    # 450 of the 900 seconds of the first step are over; the others have not begun.
    assert first.count("━") == pytest.approx(first.count("─"), abs=1)
    assert "━" not in rest
    # Each part is as wide as its time, and none is cut off at the edge.
    second, _, soak = rest.partition("soak")
    assert soak.count("─") == pytest.approx(3 * second.count("─"), abs=3)
    assert "1 of 3, 5%, 0:07 h in it" in sent


def test_the_cursor_comes_back_when_a_rehearsal_breaks_off():
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, _environ={"TERM": "xterm"})

    def break_off() -> None:
        with Screen(PLAN, console) as screen:
            screen.begin(scenario())
            screen.show(glimpse(120, 0, "continue"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()

    hide, come_back = "\x1b[?25l", "\x1b[?25h"
    assert out.getvalue().rindex(come_back) > out.getvalue().rindex(hide)
