"""Where others do better than ours, in figures and in cells."""

from benchmarks.judge.cases import cases
from benchmarks.judge.losses import harms, losses
from benchmarks.judge.play import Run
from benchmarks.judge.report import columns, markdown

HEALTHY = list(cases("dev", 1, ("healthy", "bursts")))
DEAD = [it for it in cases("dev", 1, ("dead",)) if it.scenario == "dead"]


def runs(ticks, dead_ticks):
    """Return promotions after `ticks`, and rollbacks of the dead after a time for each level."""
    healthy = [Run(case, "promoted", (0,) * ticks, 0.0) for case in HEALTHY]
    return healthy + [
        Run(case, "rolled back", (0,) * it, 0.0) for case, it in zip(DEAD, dead_ticks, strict=True)
    ]


RUNS = {
    "ours": runs(20, (4, 4, 4, 4)),
    "hasty": runs(9, (3, 3, 3, 3)),
    "partly": runs(30, (3, 40, 40, 40)),
    "told": runs(4, (1, 1, 1, 1)),
}
FOUND = columns(RUNS)
LOSSES = losses(FOUND, RUNS, "ours", ("told",))


def test_a_figure_in_which_a_rival_is_better_is_named_with_both_values():
    assert "ticks to promotion, mid: ours 20.00; hasty 9.00" in LOSSES


def test_a_cell_in_which_a_rival_does_less_harm_is_told_though_it_does_more_in_the_family():
    line = next(line for line in LOSSES if line.startswith("harm, dead"))

    assert FOUND["partly"]["harm, dead"].number > FOUND["ours"]["harm, dead"].number
    assert "(4 of 4 cells)" in line.split("hasty")[1].split(",")[0]
    assert line.endswith("(1 of 4 cells)")


def test_one_who_was_told_is_no_rival():
    assert "told" not in repr(LOSSES)


def test_equal_figures_are_no_loss():
    same = {"ours": RUNS["ours"], "twin": RUNS["ours"]}

    assert losses(columns(same), same, "ours", ()) == []


def test_without_ours_nothing_is_lost():
    assert losses(FOUND, RUNS, "absent", ()) == []


def test_harm_is_told_by_cell():
    found = harms(RUNS["ours"])

    assert list(found) == [("dead", "dead", level) for level in ("high", "mid", "low", "tiny")]


def test_the_table_shows_in_bold_what_a_rival_does_better():
    page = markdown(FOUND, "ours", ("told",)).splitlines()
    ticks = next(line for line in page if line.startswith("| ticks to promotion, mid"))

    assert ticks == "| ticks to promotion, mid | 20.00 | **9.00** | 30.00 | 4.00 |"
    assert "**" not in markdown(FOUND)
