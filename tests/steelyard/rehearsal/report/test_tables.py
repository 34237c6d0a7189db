"""Verdicts and numbers, as tables."""

from hypothesis import given
from hypothesis import strategies as st

from steelyard.rehearsal.report.schema import Decision, Report
from steelyard.rehearsal.report.tables import numbers, runs

OUTCOMES = st.sampled_from(["continue", "advance", "pause", "abort", "promote"])
VERDICTS = st.lists(st.tuples(OUTCOMES, st.integers(0, 2), st.floats(0, 300)), max_size=30)


@given(verdicts=VERDICTS)
def test_folding_loses_no_verdict_and_folds_only_what_goes_on_within_a_step(played, verdicts):
    decisions = tuple(
        Decision(
            t_seconds=60.0 * minute,
            step=step,
            outcome=outcome,
            reasons=(f"minute {minute}",),
            evidence={"errors": errors, "errors_limit": 200.0},
        )
        for minute, (outcome, step, errors) in enumerate(verdicts)
    )

    folded = runs(played.rollouts[0].model_copy(update={"decisions": decisions}))

    spread = [(run.outcome, run.step) for run in folded for _ in range(run.count)]
    assert spread == [(outcome, step) for outcome, step, _ in verdicts]
    assert all(run.outcome == "continue" for run in folded if run.count > 1)
    for run in folded:
        inside = [one for one in decisions if run.first <= one.t_seconds <= run.last]
        assert run.nearest is not None
        assert run.nearest.value == max(one.evidence["errors"] for one in inside)
        assert run.reasons == inside[-1].reasons


def test_a_long_wait_is_one_row(played: Report):
    folded = runs(played.rollouts[0])

    assert [run.outcome for run in folded] == ["continue", "advance"] * 4 + ["continue"]
    assert [run.weight for run in folded[::2]] == [5, 10, 25, 50, 100]


def test_each_minute_has_a_row_with_what_the_charts_draw(played: Report):
    rollout = played.rollouts[2]

    titles, rows = numbers(rollout)

    assert titles[:3] == ("weight, v1-0-0", "weight, v1-1-0", "requests, v1-0-0")
    assert titles[-2:] == ("errors of limit", "score of limit")
    assert len(rows) == len(rollout.minutes)
    assert {len(row.cells) for row in rows} == {len(titles)}
    answers = rollout.minutes[20].variants["v1-1-0"]
    assert rows[20].cells[1] == "10"
    assert rows[20].cells[3] == str(answers.requests)
    assert rows[20].cells[5] == str(answers.errors)
    assert rows[0].cells[3] == "–"
