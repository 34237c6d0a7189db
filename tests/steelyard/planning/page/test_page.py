"""The page that a plan becomes."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from steelyard.page.library import ChartLibraryError
from steelyard.planning.fleet import Fleet, Scaling
from steelyard.planning.outlook import Outlook, Rollout, look
from steelyard.planning.page import write
from tests.steelyard.planning.sample import setting


@pytest.fixture(scope="module")
def found() -> Outlook:
    fleets = (
        Fleet("v1", "ml.m5.large", 2),
        Fleet("v2", "ml.m5.large", 2, scaling=Scaling(1, 2, 200)),
    )
    return look(Rollout("fraud-test", setting(runs=2), *fleets), lambda done, of: None)


@pytest.fixture(scope="module")
def page(found: Outlook, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "new folder" / "plan.html"
    write(found, path)
    return path.read_text("utf-8")


def charts(page: str):
    return json.loads(re.search(r'id="charts">(.*?)</script>', page, re.S)[1])


def test_each_step_and_channel_has_its_panel_with_a_line_for_each_fault(found, page):
    drawn = charts(page)["panels"]

    assert len(drawn) == 2 * 5
    for name, chart in drawn.items():
        assert f'id="{name}"' in page
        assert len(chart["series"]) == len(chart["inks"]) > 0
        assert all(len(values) == len(chart["x"]) for values in chart["series"])


def test_a_fault_has_the_same_ink_in_each_step(page):
    inks = re.findall(r'<i class="ink (channel-\d)"></i>([^<]+)<', page)

    assert len(set(inks)) == len({name for _, name in inks})


def test_a_fault_that_is_seen_passes_the_limit_and_ends(page):
    found = charts(page)
    chart = found["panels"]["evidence-1-errors"]
    last = [value for value in chart["series"][-1] if value is not None][-1]

    assert last >= found["limit"] == 100


def test_what_is_refused_and_every_fault_stand_in_the_page(found, page):
    assert "refused: v2 needs 3 instances at weight 100" in page
    assert all(f">{it.fault.name}</th>" in page for it in found.plan.sights)
    assert page.count("<td>soak</td>") == sum(it.step == 2 for it in found.plan.sights)


def test_the_page_stands_alone(page):
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert "report.json" not in page


def test_the_name_of_an_endpoint_is_text(found, tmp_path: Path):
    odd = replace(found, rollout=replace(found.rollout, name="<script>1</script>"))

    write(odd, tmp_path / "plan.html")

    assert "<script>1</script>" not in (tmp_path / "plan.html").read_text("utf-8")


def test_without_the_chart_library_nothing_is_written(found, tmp_path: Path):
    with pytest.raises(ChartLibraryError, match="npm ci"):
        write(found, tmp_path / "plan.html", node_modules=tmp_path)

    assert not (tmp_path / "plan.html").exists()
