"""`steelyard judge`, driven through its standard input and output."""

import json
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner

from steelyard.cli import main
from steelyard.rollout.judge import Judge

LATE = [10, 20, 30, 40, 50, 60]
VARIANT = {"n": 600, "e4": 0, "e5": 3, "lat": [100] * 6, "score": [200, 200, 197]}
SPEC = {
    "steps": [0.1, 0.5],
    "tick_seconds": 60,
    "alpha": 0.01,
    "margin_err_rel": 0.5,
    "margin_err_abs": 0.001,
    "margin_latency_rel": 0.2,
    "margin_score_tv": 0.1,
    "warmup_ticks": 2,
    "max_metric_delay": 3,
    "latency_edges_us": [0, *(1000 * edge for edge in LATE)],
    "score_edges": [0, 0.3, 0.6, 1],
}


def start(name: str = "r0", **changes: Any) -> dict[str, Any]:
    history = [{"minute": minute, "champion": VARIANT, "challenger": None} for minute in (-2, -1)]
    return {"type": "start", "id": name, "spec": SPEC | changes, "history": history}


def tick(name: str = "r0", now: int = 0, failed: int = 0, **changes: Any) -> dict[str, Any]:
    challenger = {**VARIANT, "n": 60, "e5": failed, "lat": [10] * 6, "score": [20, 20, 20]}
    point = {"minute": now, "weight": 0.1, "champion": VARIANT, "challenger": challenger}
    fields = {"type": "tick", "id": name, "now": now, "stage": 0, "weight": 0.1, "points": [point]}
    return fields | changes


def run(*messages: Any):
    lines = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in messages]
    return CliRunner().invoke(main, ["judge"], input=b"\n".join(lines))


def verdicts(*messages: Any) -> list[tuple[str, str]]:
    result = run(*messages)
    assert result.exit_code == 0, result.output
    answers = map(json.loads, result.stdout.splitlines())
    return [(answer["id"], answer["verdict"]) for answer in answers]


def test_each_tick_is_answered_by_one_line_and_a_start_by_none():
    assert verdicts(start(), tick(now=0), tick(now=1)) == [("r0", "CONTINUE")] * 2


def test_a_failing_challenger_is_rolled_back_while_the_other_rollout_goes_on():
    messages = [start("bad"), start("good")]
    for now in range(4):
        messages += [tick("bad", now, failed=30), tick("good", now)]

    found = verdicts(*messages)

    assert ("bad", "ROLLBACK") in found
    assert ("good", "ROLLBACK") not in found


def test_interleaved_rollouts_get_the_verdicts_that_they_get_alone():
    judge, expected = Judge(start()), []
    for now in range(12):
        expected.append(judge.tick(tick(now=now, failed=now % 3)))

    messages = [start("a"), start("b")]
    for now in range(12):
        messages += [tick("a", now, failed=now % 3), tick("b", now, failed=20)]
    answers = [json.loads(line) for line in run(*messages).stdout.splitlines()]

    assert [it for it in answers if it["id"] == "a"] == [{"id": "a", **it} for it in expected]


def test_a_second_start_begins_the_rollout_anew():
    bad = [tick(now=now, failed=30) for now in range(4)]

    found = verdicts(start(), *bad, start(), tick(now=0))

    assert found[-2:] == [("r0", "ROLLBACK"), ("r0", "CONTINUE")]


def test_nothing_said_is_nothing_answered():
    assert verdicts() == []
    assert verdicts(b"", b"  ") == []


def test_an_answer_comes_before_the_next_message_is_sent():
    command = [sys.executable, "-m", "steelyard", "judge"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(start()).encode() + b"\n")
        for now in range(2):
            process.stdin.write(json.dumps(tick(now=now)).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == "r0"
        process.stdin.close()
        assert process.wait(timeout=20) == 0


WRONG = [
    ([b"{"], "line 1: given b'{', which is no JSON (Expecting property name"),
    ([b"\xff\xfe"], "line 1: given b'\\xff\\xfe', which is no JSON"),
    ([[1]], "line 1: given [1], allowed is an object of type start or tick: write one"),
    ([{"type": "stop"}], "line 1: given {'type': 'stop'}, allowed is an object of type start or"),
    ([tick()], "line 1: id: given 'r0', allowed is a rollout that was started: send its start"),
    ([start(), b"", tick("r1")], "line 3: id: given 'r1', allowed is a rollout that was started"),
    ([start() | {"id": 7}], 'line 1: id: given 7, allowed is text: write for example "r0"'),
    ([start(alpha=1)], "line 1: spec.alpha: given 1, allowed is a number above 0 and below 0.5: w"),
    ([start(alpha=float("nan"))], "line 1: spec.alpha: given nan, allowed is a number above 0"),
    ([start(steps=[0.5, 0.1])], "line 1: spec.steps: given [0.5, 0.1], allowed is a rising list"),
    ([start(steps=[])], "line 1: spec.steps: given [], allowed is a rising list of weights"),
    ([start(max_metric_delay=-1)], "line 1: spec.max_metric_delay: given -1, allowed is a whole"),
    ([start() | {"spec": None}], "line 1: spec: given None, allowed is an object: write"),
    ([start() | {"history": [3]}], "line 1: history[0]: given 3, allowed is an object"),
    ([start(), tick(now=True)], "line 2: now: given True, allowed is a whole number: write for"),
    ([start(), tick(points=[{"minute": 0, "weight": 0.1}])], "line 2: points[0].champion: is miss"),
    (
        [start(), tick(points=[{"minute": 0, "weight": 0.1, "champion": {**VARIANT, "n": -1}}])],
        "line 2: points[0].champion.n: given -1, allowed is a whole number of 0 or more: write for",
    ),
    ([start(), tick(stage=5)], "line 2: r0: step 5 cannot follow step None of 3: enter one of 0"),
]


@pytest.mark.parametrize(("messages", "expected"), WRONG, ids=[said for _, said in WRONG])
def test_a_line_that_is_no_message_ends_it_with_a_sentence(messages: list[Any], expected: str):
    result = run(*messages)

    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {expected}")
    assert result.stdout == ""


def test_what_was_judged_before_a_wrong_line_is_answered():
    result = run(start(), tick(), b"nonsense")

    assert result.exit_code == 2
    assert len(result.stdout.splitlines()) == 1


def test_everything_wrong_with_a_line_is_said_at_once():
    message = start(alpha=2)
    del message["spec"]["margin_score_tv"], message["history"]

    said = run(message).stderr

    assert "spec.alpha" in said
    assert "spec.margin_score_tv: is missing, allowed is a number from 0 to 1" in said
    assert "history: is missing" in said


def test_histograms_of_another_length_are_refused_by_name_of_the_rollout():
    other = {**VARIANT, "score": [300, 297]}
    point = {"minute": 0, "weight": 0.1, "champion": other, "challenger": other}

    result = run(start(), tick(points=[point]))

    assert result.exit_code == 2
    assert result.stderr.startswith("Error: line 2: r0: ")
