"""What the page draws without a script."""

from itertools import pairwise

import pytest

from steelyard.rehearsal.report.drawing import PLOT_HEIGHT, PLOT_WIDTH, glance, histogram
from steelyard.rehearsal.report.schema import Report, Scores


def with_counts(played: Report, champion: tuple[int, ...], challenger: tuple[int, ...]):
    edges = tuple(float(i) for i in range(len(champion) + 1))
    scores = {
        "v1-0-0": Scores(edges=edges, counts=champion),
        "v1-1-0": Scores(edges=edges, counts=challenger),
    }
    return played.rollouts[0].model_copy(update={"scores": scores})


def test_bars_are_shares_of_the_variants_own_predictions(played: Report):
    drawing = histogram(with_counts(played, (900, 100), (9, 1)))

    assert drawing is not None
    heights = [bar.height for bar in drawing.bars]
    assert heights[:2] == heights[2:]
    assert heights[0] == pytest.approx(PLOT_HEIGHT * 0.9)
    assert drawing.totals == (("v1-0-0", "champion", 1000), ("v1-1-0", "challenger", 10))


def test_bars_stay_inside_the_plot_and_beside_each_other(played: Report):
    drawing = histogram(with_counts(played, (3, 5, 1), (0, 2, 2)))

    assert drawing is not None
    bars = sorted(drawing.bars, key=lambda bar: bar.x)
    assert all(bar.y >= 0 and bar.y + bar.height == pytest.approx(PLOT_HEIGHT) for bar in bars)
    for left, right in pairwise(bars):
        assert left.x + left.width <= right.x + 0.02
    assert bars[-1].x + bars[-1].width <= PLOT_WIDTH


def test_a_variant_without_predictions_has_bars_of_no_height(played: Report):
    drawing = histogram(with_counts(played, (3, 5), (0, 0)))

    assert drawing is not None
    assert [bar.height for bar in drawing.bars if bar.ink == "challenger"] == [0, 0]


def test_a_glance_goes_up_and_down_with_the_challengers_weight(played: Report):
    promoted, by_alarm, _ = (glance(rollout) for rollout in played.rollouts)

    assert promoted.outline.startswith("M0 28")
    assert promoted.outline.endswith("L160.0 0.0L160.0 0.0L160 28Z")
    assert promoted.fault is None
    assert by_alarm.outline.endswith("L160.0 28.0L160.0 28.0L160 28Z")
    assert by_alarm.fault == pytest.approx(160 * 1810 / 2304, abs=0.1)
