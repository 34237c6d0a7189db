"""What the charts of a rollout draw."""

import pytest

from steelyard.rehearsal.report.schema import Decision, Report, Weight
from steelyard.rehearsal.report.timeline import ratios, timeline, variants


def test_all_panels_share_one_axis_from_the_beginning_to_the_end(played: Report):
    for rollout in played.rollouts:
        drawn = timeline(rollout)

        length = (rollout.t_end - rollout.t_start) / 60
        assert drawn.end == pytest.approx(length, abs=1e-4)
        for panel in drawn.panels:
            assert (panel.minutes[0], panel.minutes[-1]) == (0.0, drawn.end)
            assert list(panel.minutes) == sorted(set(panel.minutes))
            assert {len(line.values) for line in panel.lines} == {len(panel.minutes)}


def test_a_weight_holds_until_it_changes(played: Report):
    weights = timeline(played.rollouts[0]).panels[0]

    assert weights.minutes == (0.0, 2.0, 15.0, 28.0, 41.0, 54.0, 75.0)
    assert weights.lines[0].values == (100, 95, 90, 75, 50, 0, 0)
    assert weights.lines[1].values == (0, 5, 10, 25, 50, 100, 100)


def test_weights_are_drawn_as_shares_so_that_one_of_one_is_all_traffic(played: Report):
    first = played.rollouts[0]
    start = {"t_seconds": first.t_start, "variant": first.champion, "weight": 1}
    changed = first.model_copy(update={"weights": (Weight(**start), *first.weights[1:])})

    assert timeline(changed).panels[0].lines[0].values[0] == 100


@pytest.mark.parametrize(
    ("fault", "words"),
    [("dead@25%", "dead@25% begins"), (None, "v1-2-0, itself the fault, begins")],
)
def test_the_mark_of_a_fault_names_what_goes_wrong(played: Report, fault: str | None, words: str):
    second = played.rollouts[1].model_copy(update={"fault": fault, "challenger": "v1-2-0"})

    assert words in [mark.text for mark in timeline(second).marks]


def test_a_variant_that_answered_nothing_leaves_a_gap_and_no_zero(played: Report):
    requests = timeline(played.rollouts[1]).panels[1]

    challenger = requests.lines[1]
    assert challenger.values[0] is None
    assert challenger.values[-1] is None
    assert 0 not in challenger.values


def test_a_variant_beside_the_two_is_drawn_once_it_has_traffic(played: Report):
    rollout = played.rollouts[0]
    first = rollout.weights[0]
    idle = first.model_copy(update={"variant": "v0-9-0", "weight": 0})
    busy = idle.model_copy(update={"weight": 3})

    assert list(variants(rollout.model_copy(update={"weights": (first, idle)}))) == [
        "v1-0-0",
        "v1-1-0",
    ]
    assert variants(rollout.model_copy(update={"weights": (first, busy)}))["v0-9-0"] == "other"


def test_an_interrupted_step_ends_where_the_challenger_is_withdrawn(played: Report):
    judged = timeline(played.rollouts[2])

    assert [band.weight for band in judged.bands] == [5, 10, 25, 50]
    assert judged.bands[-1].end == pytest.approx((120 + 3 * 780 + 130 + 320) / 60, abs=1e-4)
    assert judged.danger == pytest.approx((43.1667, 48.5))


def test_a_fault_that_nobody_caught_is_a_danger_to_the_end(played: Report):
    rollout = played.rollouts[1].model_copy(update={"seconds_from_fault_to_safe": None})

    drawn = timeline(rollout)

    assert drawn.danger == (pytest.approx(30.1667), drawn.end)
    assert [mark.kind for mark in drawn.marks] == ["fault", "alarm"]


@pytest.mark.parametrize(
    ("place", "kinds"),
    [(0, ["promote"]), (1, ["fault", "alarm", "safe"]), (2, ["fault", "abort", "safe"])],
)
def test_the_events_of_a_rollout_are_numbered_in_order_of_time(played: Report, place, kinds):
    marks = timeline(played.rollouts[place]).marks

    assert [mark.kind for mark in marks] == kinds
    assert [mark.number for mark in marks] == list(range(1, len(kinds) + 1))
    assert [mark.minute for mark in marks] == sorted(mark.minute for mark in marks)


def test_evidence_is_a_share_of_its_limit_and_absent_without_either():
    decision = Decision(
        t_seconds=0.0,
        step=0,
        outcome="continue",
        reasons=(),
        evidence={
            "errors": 50.0, "errors_limit": 200.0,
            "score": None, "score_limit": 0.2,
            "latency": 1.0, "latency_limit": 0.0,
            "drift_limit": 1.0,
            "note": 7.0,
        },
    )  # fmt: skip

    shares = ratios(decision)

    assert shares == {"errors": 0.25, "score": None, "latency": None, "drift": None}
