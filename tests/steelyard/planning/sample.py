"""A setting whose plan is made fast."""

from typing import Any

from steelyard.planning.sight import Setting
from steelyard.planning.soak import Alarms
from steelyard.planning.traffic import Expected, Histograms
from tests.steelyard.rollout.sample import BINS, policy

SHARES = Histograms(tuple(round(100 * share) for share in BINS))
ALARMS = Alarms(error_rate=0.2, latency_p99=0.2, minimum_requests=5)
RUNS = 4


def setting(rate: float = 600, runs: int = RUNS, **changes: Any) -> Setting:
    given = policy(**changes)
    expected = Expected(rate, 0.005, SHARES, SHARES, edges=given.latency_edges)
    return Setting(given, expected, ALARMS, runs, 3)
