"""The table, and the command that makes it."""

import json

import pytest
from click.testing import CliRunner

from benchmarks.judge.__main__ import main
from benchmarks.judge.cases import cases
from benchmarks.judge.detail import wrong
from benchmarks.judge.play import Run
from benchmarks.judge.report import columns, paste

HEALTHY = list(cases("dev", 1, ("healthy", "bursts")))
DEAD = list(cases("dev", 1, ("dead",)))


def runs(case_list, ending, stages):
    return [Run(case, ending, stages, 0.0) for case in case_list]


@pytest.fixture(scope="module")
def table():
    return columns(
        {
            "ours": runs(HEALTHY, "promoted", (0,) * 20) + runs(DEAD, "rolled back", (0,) * 30),
            "hasty": runs(HEALTHY, "rolled back", (0,)) + runs(DEAD, "rolled back", (0,) * 20),
            "told": runs(HEALTHY, "promoted", (0,)) + runs(DEAD, "rolled back", (0,) * 17),
        }
    )


def test_a_false_rollback_is_told_with_its_interval(table):
    row = table["hasty"]["false rollback, all healthy"]

    assert row.value["value"] == 1.0
    assert row.value["low"] > 0.9
    assert row.text.startswith("100.0% [")


def test_the_worst_cell_is_named(table):
    assert table["hasty"]["false rollback, worst cell"].value["cell"] == "identical, high"


def test_a_run_that_ended_wrongly_is_named():
    lines = list(wrong(runs(HEALTHY[:1], "rolled back", (0, 0, 1))))

    case = f"healthy / identical / high / seed {HEALTHY[0].seed}"
    assert lines == [f"{case}: rolled back, ticks at each step [2, 1]"]
    assert list(wrong(runs(HEALTHY, "promoted", (0,)))) == []
    assert len(list(wrong(runs(DEAD, "stuck", (0,))))) == len(DEAD)


def test_the_command_writes_the_table_for_people_and_for_programs(tmp_path):
    arguments = ["--judge", "told", "--judge", "alarm 2 of 3", "--family", "dead", "--detail"]

    result = CliRunner().invoke(main, [*arguments, "--seeds", "1", "--out", str(tmp_path)])

    assert result.exit_code == 0, result.output
    written = json.loads((tmp_path / "table.json").read_text("utf-8"))
    assert (written["set"], written["seeds"], written["cases"]) == ("dev", 1, 16)
    assert written["judges"]["told"]["detected, dead"]["value"] == 1.0
    assert written["judges"]["alarm 2 of 3"]["detected, dead"]["value"] < 1.0
    page = (tmp_path / "table.md").read_text("utf-8").splitlines()
    assert page[0] == "|  | told | alarm 2 of 3 |"
    assert {line.count("|") for line in page} == {4}


def test_a_page_keeps_its_words_around_the_newest_table(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before <!-- run -->old<!-- end --> after", "utf-8")

    paste(page, "new\n")
    paste(page, "newer\n")

    assert page.read_text("utf-8") == "before <!-- run -->\n\nnewer\n\n<!-- end --> after"


def test_sections_of_a_page_do_not_touch_each_other(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- run -->one<!-- end --> <!-- curve -->two<!-- end -->", "utf-8")

    paste(page, "new", "curve")

    assert page.read_text("utf-8") == (
        "<!-- run -->one<!-- end --> <!-- curve -->\n\nnew\n<!-- end -->"
    )


def test_a_page_without_marks_is_refused(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before", "utf-8")

    with pytest.raises(ValueError, match="without <!-- run -->"):
        paste(page, "new")
