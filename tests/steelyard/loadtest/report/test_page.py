"""The two files that a load test becomes."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from steelyard.loadtest.measurement import measure
from steelyard.loadtest.memory import Memory
from steelyard.loadtest.report import write
from steelyard.loadtest.report.page import ASSETS
from steelyard.page.library import ASSETS as FRAME
from steelyard.page.library import ChartLibraryError
from tests.steelyard.loadtest.report.sample import report
from tests.steelyard.loadtest.single_server import measured, still


def words(page):
    """Return a page's text without scripts, styles and tags."""
    text = re.sub(r"<(script|style)\b.*?</\1>|<!--.*?-->", " ", page, flags=re.S)
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def drawn(given, folder):
    write(given, folder)
    return (folder / "report.html").read_text("utf-8")


def test_the_verdict_stands_first_with_its_reasons(tmp_path):
    given = report()

    text = words(drawn(given, tmp_path))

    assert text.index("Passed at 600 requests/s") < text.index("≤ limit 10 ms") < text.index("p50")
    for reason in given.result.verdict.reasons:
        assert reason.text.replace("'", "&#39;") in text


@pytest.mark.parametrize(
    ("run", "words_", "tone"),
    [
        (measured(600, 0.001), "Passed", "good"),
        (measured(1500, 0.001), "Failed", "bad"),
        (replace(measured(600, 0.001), late=0.5), "Inconclusive", "unclear"),
    ],
)
def test_each_outcome_has_its_word_and_its_tone(run, words_, tone, tmp_path):
    page = drawn(report(run=run), tmp_path)

    assert f"{words_} at" in words(page)
    assert f'class="verdict {tone}"' in page


def test_the_knee_and_every_rate_that_was_tried_are_in_the_page(tmp_path):
    text = words(drawn(report(), tmp_path))

    assert "The knee: 900 requests/s were good, 980 requests/s too much" in text
    assert "too much" in text.split("Found")[1]


def test_without_a_knee_and_without_memory_their_charts_are_left_out(tmp_path):
    page = drawn(report(knee=None, memory=Memory("", (), None)), tmp_path)

    assert [id_ for id_ in ("time", "curve", "rate", "memory") if f'id="{id_}"' in page] == [
        "time",
        "curve",
    ]
    assert "Memory at the end unknown" in words(page)
    assert "Memory: unknown." in words(page)


def test_a_run_without_one_answer_still_has_its_page(tmp_path):
    dead = measure(replace(still(), failures=["could not connect"] * 1000), 10, 100, 0.001)

    text = words(drawn(report(rate=10.0, run=dead), tmp_path))

    assert "Failed 1,000" in text
    assert "Slowest answer none" in text
    assert "could not connect 1,000" in text


def test_the_numbers_stand_in_the_file_beside_it_with_what_is_infinite_in_words(tmp_path):
    failing = replace(still(), failures=(["timed out"] + [""] * 9) * 100)
    write(report(run=measure(failing, 10, 100, 0.001)), tmp_path)

    numbers = json.loads((tmp_path / "report.json").read_text("utf-8"))

    p50, _, p99, p999 = numbers["run"]["response"]
    assert p50["seconds"] == pytest.approx(0.005)
    assert p99["seconds"] == "infinite"
    assert p999["seconds"] is None
    assert numbers["schema"] == 1
    assert numbers["verdict"]["outcome"] == "inconclusive" or numbers["verdict"]["reasons"]
    assert numbers["knee"] == {"good": 900, "bad": 980, "why": "over"}
    assert numbers["memory"]["trend"] == {
        "slope": 1.0,
        "low": 0.5,
        "high": 1.5,
        "seconds": 11.0,
    }
    assert len(numbers["run"]["timeline"]) == 100


def test_the_page_loads_nothing_and_forbids_itself_to(tmp_path):
    page = drawn(report(), tmp_path)

    assert "default-src 'none'" in page
    assert (
        re.findall(r"(?:src|href)=\"(?!#|data:,)[^\"]*\"", re.sub("<script>.*?</script>", "", page))
        == []
    )
    styles = "".join(re.findall(r"<style>(.*?)</style>", page, re.S))
    assert not re.search(r"@import|url\(", styles)


def test_markup_in_a_name_stays_a_word(tmp_path):
    attack = "</script><img src=x onerror=alert(1)>"

    page = drawn(report(title=f"http://host/{attack}"), tmp_path)

    assert "<img" not in page
    assert "&lt;img" in page


def test_the_same_result_gives_the_same_bytes(tmp_path):
    given = report()
    write(given, tmp_path / "a")
    write(given, tmp_path / "b")

    for name in ("report.json", "report.html"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_without_the_chart_library_the_numbers_are_kept_and_the_cure_is_told(tmp_path):
    with pytest.raises(ChartLibraryError, match=r"node_modules: run `npm ci`"):
        write(report(), tmp_path, node_modules=tmp_path / "nowhere")

    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_every_ink_of_the_page_has_a_colour():
    script = (ASSETS / "page.js").read_text("utf-8")
    template = (ASSETS / "page.html.j2").read_text("utf-8")
    palette = (FRAME / "page.css").read_text("utf-8")
    inks = set(re.findall(r'(?:series|colour)\("([\w-]+)"', script))
    inks |= set(re.findall(r'key\("[^"]+", "([\w-]+)"\)', template))

    assert inks >= {"champion", "challenger", "channel-2", "good"}
    # Once for light, once for dark.
    assert {ink: palette.count(f"--{ink}: #") for ink in inks} == dict.fromkeys(inks, 2)


def test_charts_get_milliseconds_mebibytes_and_gaps(tmp_path):
    failing = replace(
        still(400), failures=["HTTP 500" if 100 <= i < 110 else "" for i in range(400)]
    )
    run = measure(failing, 10, 40, 0.001)
    page = drawn(report(run=run), tmp_path)

    (text,) = re.findall(r'id="charts">(.*?)</script>', page, re.S)
    charts = json.loads(text)

    assert charts["limit"] == 10
    assert charts["time"]["p50"][10] is None
    assert charts["time"]["p50"][9] == pytest.approx(5.0)
    assert charts["memory"][0][1] == pytest.approx(5e7 / 2**20)
    assert charts["curve"]["response"][0] == [1, pytest.approx(5.0)]
    assert [rate for rate, _, _ in charts["rate"]["points"]] == [980, 10] or np.all(
        np.diff([rate for rate, _, _ in charts["rate"]["points"]]) >= 0
    )
