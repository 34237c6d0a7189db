"""The two files that a report becomes."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from steelyard.page.library import ASSETS, ChartLibraryError
from steelyard.rehearsal.report import write


class Page(HTMLParser):
    """A page taken apart: its tags with attributes, and its text without scripts and styles."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if not self.tags or self.tags[-1][0] not in ("script", "style"):
            self.text += f" {data}"


def drawn(report: dict[str, Any], folder: Path) -> Page:
    write(report, folder)
    return Page((folder / "report.html").read_text("utf-8"))


def test_the_numbers_come_back_as_they_were_given(report, tmp_path):
    write(report, tmp_path)

    text = (tmp_path / "report.json").read_text("utf-8")
    assert json.loads(text) == report
    assert text == json.dumps(report, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def test_the_same_report_gives_the_same_bytes(report, tmp_path):
    shuffled = dict(reversed(report.items()))

    write(report, tmp_path / "one")
    write(shuffled, tmp_path / "two")

    for name in ("report.json", "report.html"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_markup_in_any_word_of_the_report_stays_a_word(report, tmp_path):
    attack = "</script><img src=x onerror=alert(1)>{{ 7*7 }}"
    free = {"endpoint", "environment", "scenario", "fault", "name", "reason", "actor", "variant"}

    def poison(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {k: poison(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [poison(item, "reason" if isinstance(item, str) else key) for item in value]
        return value + attack if key in free and isinstance(value, str) else value

    plain, poisoned = drawn(report, tmp_path / "a"), drawn(poison(report), tmp_path / "b")

    assert "img" not in [tag for tag, _ in poisoned.tags]
    assert f"wrong answers{attack}" in poisoned.text
    assert poisoned.text.count(attack) > 20
    assert {tag for tag, _ in poisoned.tags} == {tag for tag, _ in plain.tags}


def test_the_page_loads_nothing_and_forbids_itself_to(report, tmp_path):
    page = drawn(report, tmp_path)
    styles = re.findall(r"<style>(.*?)</style>", (tmp_path / "report.html").read_text(), re.S)

    loads = [
        a[k] for _, a in page.tags for k in ("src", "href", "action", "data", "srcset") if k in a
    ]
    assert [load for load in loads if not str(load).startswith(("#", "data:,"))] == []
    assert not re.search(r"@import|url\(", " ".join(styles))
    policy = [a["content"] for _, a in page.tags if "Content-Security-Policy" in a.values()]
    assert "default-src 'none'" in policy[0]
    assert "http" not in policy[0]


def test_every_rollout_stands_in_the_page_with_its_reason_and_numbers(report, tmp_path):
    text = drawn(report, tmp_path).text

    assert "All 3 rollouts ended as expected" in text
    for one in report["rollouts"]:
        assert one["reason"] in text
        assert f"Requests {one['requests']:,}" in text
        assert f"{sum(one['scores']['v1-1-0']['counts']):,} predictions" in text
    assert "Fault to safe 3 min 14 s" in text
    assert "Bad answers fault to weight 0 137 " in text
    assert text.count("caught by an alarm") == text.count("caught by the judge") == 1
    for sentence in report["simulated"] + report["unverified"]:
        assert sentence in text


def test_a_rollout_that_ended_otherwise_makes_the_page_say_so(report, tmp_path):
    *others, last = report["rollouts"]
    last = last | {"passed": False, "expected": "promoted", "problems": ["weight 50 after abort"]}

    page = drawn(report | {"rollouts": [*others, last]}, tmp_path)

    assert "1 of 3 rollouts did not end as expected" in page.text
    assert "Expected: promoted. Seen: aborted. weight 50 after abort" in page.text
    assert "ended as expected" not in page.text


def test_a_rehearsal_without_rollouts_is_no_success(report, tmp_path):
    page = drawn(report | {"rollouts": []}, tmp_path)

    assert "No rollout was played" in page.text
    assert [a for _, a in page.tags if a.get("class") == "verdict bad"]


def test_a_rollout_that_measured_nothing_still_has_a_page(report, tmp_path):
    empty = {k: [] for k in ("weights", "steps", "minutes", "decisions", "alarms", "ledger")}
    bare = report["rollouts"][0] | empty | {"scores": {}, "t_end": 0.0, "requests": 0}

    text = drawn(report | {"rollouts": [bare]}, tmp_path).text

    assert "The rollout ended as expected" in text
    assert "No scores were recorded" in text
    assert "The judge gave no verdict" in text


def test_without_the_chart_library_the_numbers_are_kept_and_the_cure_is_told(report, tmp_path):
    with pytest.raises(ChartLibraryError, match=r"uplot/dist.* in node_modules: run `npm ci`"):
        write(report, tmp_path, node_modules=tmp_path / "nowhere")

    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_the_licence_of_the_chart_library_travels_with_it(report, tmp_path):
    write(report, tmp_path)

    assert "The MIT License" in (tmp_path / "report.html").read_text("utf-8")


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb`, as WCAG 2.2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "ground"),
    [(ink, ground) for ink in ("text", "soft") for ground in ("paper", "page", "sunk")]
    + [("good", "good-wash"), ("bad", "bad-wash"), ("text", "bad-wash"), ("warn", "paper")]
    + [(ink, "paper") for ink in ("good", "bad")],
)
def test_every_word_can_be_read_on_its_ground(scheme, ink, ground):
    colours = re.findall(r"--([\w-]+): (#\w{6});", (ASSETS / "page.css").read_text("utf-8"))
    half = len(colours) // 2
    palette = dict(colours[half * scheme : half * (scheme + 1)])

    dark, light = sorted(luminance(palette[name]) for name in (ink, ground))
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_every_line_of_a_chart_has_a_colour_in_both_schemes(report, tmp_path):
    limits = {f"c{i}{end}": 1.0 for i in range(7) for end in ("", "_limit")}
    decision = report["rollouts"][0]["decisions"][0] | {"evidence": limits}
    crowded = report["rollouts"][0] | {"decisions": [decision]}
    write(report | {"rollouts": [crowded]}, tmp_path)

    inks = set(re.findall(r'"ink": "([\w-]+)"', (tmp_path / "report.html").read_text("utf-8")))
    style = (ASSETS / "page.css").read_text("utf-8")
    assert {ink: style.count(f"--{ink}: #") for ink in inks} == dict.fromkeys(inks, 2)
    assert {f"channel-{i}" for i in range(1, 6)} < inks
