"""The command's sections: many healthy rollouts, the promotion margin, the trade-off."""

import pytest
from click.testing import CliRunner

from benchmarks.judge.__main__ import main

PAGE = "<!-- healthy --> <!-- end --> <!-- promotion --> <!-- end --> <!-- curve --> <!-- end -->"


@pytest.fixture
def page(tmp_path):
    found = tmp_path / "page.md"
    found.write_text(PAGE, "utf-8")
    return found


def told(page, *arguments):
    """Return what a run of the command puts into its own section of the page."""
    result = CliRunner().invoke(
        main, [*arguments, "--page", str(page), "--out", str(page.parent / "out")]
    )
    assert result.exit_code == 0, result.output
    mark = arguments[0].removeprefix("--")
    return page.read_text("utf-8").partition(f"<!-- {mark} -->")[2].partition("<!-- end -->")[0]


def test_many_healthy_rollouts_say_what_they_show_and_what_it_would_take(page):
    text = told(page, "--healthy", "2", "--family", "bursts")

    assert "| ours | bursts <= 1.0% | 0 of 2 | 77.64% | not shown | 299 |" in text
    assert "| two minutes | bursts <= 0.5% | 0 of 2 |" in text


def test_healthy_rollouts_are_of_healthy_families(tmp_path):
    result = CliRunner().invoke(main, ["--healthy", "2", "--family", "dead"])

    assert result.exit_code == 2
    assert "dead: allowed are healthy, bursts" in result.output


def test_the_trade_off_is_drawn_beside_the_page(page, monkeypatch):
    monkeypatch.setattr("benchmarks.judge.curve.KNOBS", ())

    text = told(page, "--curve", "--seeds", "1", "--family", "bursts", "--family", "predictions")

    assert "![Harm by ticks to promotion, and by false rollbacks](page.svg)" in text
    assert "as published" in text
    assert text.strip().startswith("Set `dev`, runs of each cell: 1, bursts, predictions only.")
    assert page.with_suffix(".svg").read_text("utf-8").startswith("<svg")


def test_a_promotion_margin_is_measured_on_both_sides(page, monkeypatch):
    monkeypatch.setattr("benchmarks.judge.promotion.BUSY", ("high",))
    monkeypatch.setattr("benchmarks.judge.promotion.ALL", ("high",))
    monkeypatch.setattr("benchmarks.judge.promotion.MORE", 1)
    monkeypatch.setattr("benchmarks.judge.promotion.FACTORS", (5.0,))

    text = told(page, "--promotion", "--seeds", "1")

    assert "| errors | 1 | 0 (0.0%) |" in text
    assert "| high | " in text
