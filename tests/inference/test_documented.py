"""What docs/container.md says, held against the code."""

import re

from tests.container import ROOT


def test_the_container_page_names_every_counter_setting_and_status():
    page = (ROOT / "docs/container.md").read_text()
    code = "".join(path.read_text() for path in sorted((ROOT / "inference").rglob("*.py")))

    counters = set(re.findall(r'"(steelyard_\w+_total)"', code))
    settings = set(re.findall(r'"(STEELYARD_\w+)"', code))
    statuses = set(re.findall(r"(?:RefusedError|refuse)\((\d{3})", code))
    assert counters
    assert settings
    assert statuses
    missing = [word for word in sorted(counters | settings | statuses) if word not in page]
    assert missing == []
