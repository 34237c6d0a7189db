"""The counters that serving containers would show: a function of the time and of their health."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

START = 1_800_000_000.0
"""When every exploration begins, epoch seconds, a full minute; traffic began a day before."""

PER_MINUTE = {"v1": 3600, "v2": 400}
"""As weight 10 splits requests; the judge holds a challenger whose share is another."""
SHARES = {"00": 4, "03": 3, "07": 2, "09": 1}
"""How ten answers fall into the bins of score and confidence."""
CHAMPION, CHALLENGER = "v1", "v2"
_DAY = 86400


@dataclass(frozen=True, slots=True)
class Health:
    """
    How the challenger does from `since` (epoch seconds) on; before, it was healthy.

    healthy: as the champion; failing: every second answer is an error; silent: it counts no more;
    unknown: CloudWatch answers with no series at all, whenever it is asked. `alone` is since when
    the champion has no weight and so no requests.
    """

    kind: str = "healthy"
    since: float = START
    alone: float | None = None


HEALTHY = Health()


def answer_query(health: Health, body: str) -> dict[str, Any]:
    """Return what CloudWatch answers to the PromQL query in a request's body."""
    asked = parse_qs(body)
    found = re.fullmatch(r"(\w+)\{.*\}\[(\d+)s\]", asked["query"][0])
    if found is None:
        raise ValueError(f"query {asked['query'][0]!r}: only a bare range selector is understood")
    at = float(asked["time"][0])
    result = list(_series(health, found[1], at - int(found[2]), at))
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


@lru_cache(maxsize=4096)
def _series(health: Health, name: str, begin: float, end: float) -> tuple[dict[str, Any], ...]:
    if health.kind == "unknown":
        return ()
    minutes = range(int(begin // 60) + 1, int(end // 60) + 1)
    return tuple(
        {"metric": _labels(name, variant, label), "values": values}
        for variant in (CHAMPION, CHALLENGER)
        for label, share in _SHAPES.get(name, {}).items()
        if (values := _values(health, variant, name, label, share, minutes))
    )


_SHAPES: dict[str, dict[str, tuple[str, float]]] = {
    "steelyard_requests_total": {
        "ok": ("outcome", 1.0),
        "client_error": ("outcome", 0.0),
        "model_error": ("outcome", 0.0),
    },
    "steelyard_score_bin_total": {
        f"{place:02d}": ("bin", SHARES.get(f"{place:02d}", 0) / 10) for place in range(10)
    },
    "steelyard_confidence_bin_total": {
        f"{place:02d}": ("bin", SHARES.get(f"{place:02d}", 0) / 10) for place in range(10)
    },
    "steelyard_build_info": {"edges": ("bins", 0.0)},
}


def _labels(name: str, variant: str, label: str) -> dict[str, str]:
    return {
        "aws.sagemaker.variant.name": variant,
        "@resource.host.id": f"host-{variant}",
        _SHAPES[name][label][0]: label,
    }


def _values(
    health: Health,
    variant: str,
    name: str,
    label: str,
    shape: tuple[str, float],
    minutes: range,
) -> list[list[Any]]:
    is_ill = variant == CHALLENGER and health.kind != "healthy"
    found = []
    for minute in minutes:
        at = 60.0 * minute
        if is_ill and health.kind == "silent" and at > health.since:
            break
        bad = max(0.0, at - health.since) if is_ill and health.kind == "failing" else 0.0
        served = at if variant == CHALLENGER or health.alone is None else min(at, health.alone)
        good = served - (START - _DAY) - bad / 2
        counted = bad / 2 if label == "model_error" else shape[1] * good
        found.append([at, str(round(counted * PER_MINUTE[variant] / 60))])
    return found
