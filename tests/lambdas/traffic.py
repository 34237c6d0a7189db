"""The counters that two serving containers would show, sampled at each full minute."""

from collections import Counter
from typing import Any

from steelyard.rehearsal.local_aws import LocalAws
from tests.lambdas.world import ENDPOINT

SHARES = {"00": 4, "03": 3, "07": 2, "09": 1}
"""How ten answers fall into the bins of score and confidence."""


class Traffic:
    """Counters of v1 and v2, which only rise; the first sample is taken at once."""

    def __init__(self, aws: LocalAws, bins: dict[str, str] | None = None) -> None:
        self._aws = aws
        self._bins = {"v1": "edges", "v2": "edges"} | (bins or {})
        self._totals: dict[str, Counter[str]] = {"v1": Counter(), "v2": Counter()}
        self._sample()

    def minute(self, v1: int, v2: int, errors: int = 0) -> None:
        """Let a minute pass in which so many requests were answered well, and `errors` failed."""
        for variant, requests in (("v1", v1), ("v2", v2)):
            self._totals[variant]["ok"] += requests
        self._totals["v2"]["model_error"] += errors
        self._aws.clock.advance(60)
        self._sample()

    def _sample(self) -> None:
        for variant, totals in self._totals.items():
            for outcome in ("ok", "client_error", "model_error"):
                self._add("steelyard_requests_total", variant, totals[outcome], outcome=outcome)
            for place in range(10):
                label = f"{place:02d}"
                count = totals["ok"] * SHARES.get(label, 0) // 10
                self._add("steelyard_score_bin_total", variant, count, bin=label)
                self._add("steelyard_confidence_bin_total", variant, count, bin=label)
            self._add("steelyard_build_info", variant, 1, bins=self._bins[variant])

    def _add(self, name: str, variant: str, value: float, **labels: Any) -> None:
        source = {
            "aws.sagemaker.endpoint.name": ENDPOINT,
            "aws.sagemaker.variant.name": variant,
            "@resource.host.id": f"host-{variant}",
        }
        self._aws.samples.add(self._aws.clock.now, name, source | labels, value)
