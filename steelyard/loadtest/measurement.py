"""What one run measured, made from its samples."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from steelyard.loadtest.arrivals import Floats
from steelyard.loadtest.quantiles import Estimate, at, estimate
from steelyard.loadtest.samples import Samples

SHARES = (0.5, 0.95, 0.99, 0.999)
# More requests than this share sent late: the generator, not the server, made the latency.
MOST_LATE = 0.01
_LATE_SECONDS = 0.001
_CURVE_POINTS_A_DECADE = 20


@dataclass(frozen=True)
class Second:
    """One second of a run: the requests that were due in it. Quantiles are None without answers."""

    at: int
    requests: int
    failed: int
    p50: float | None
    p99: float | None


@dataclass(frozen=True)
class Measurement:
    """
    One run at one rate. Rates are requests a second, times seconds, shares from 0 to 1.

    `offered` is what was sent, `throughput` what was answered well, in the same `seconds`.
    `response` counts from when a request was due, `service` from when it was sent. `slowest` is the
    slowest good answer, None without one. `late` is the share of requests to which the generator
    got more than `late_seconds` after they were due; `queued` is the share that waited as long for
    a connection. A curve's points are share and seconds.
    """

    rate: float
    seconds: float
    requests: int
    failures: dict[str, int]
    offered: float
    throughput: float
    response: tuple[Estimate, ...]
    service: tuple[Estimate, ...]
    slowest: float | None
    late: float
    late_seconds: float
    queued: float
    timeline: tuple[Second, ...]
    response_curve: tuple[tuple[float, float], ...]
    service_curve: tuple[tuple[float, float], ...]

    @property
    def p99(self) -> Estimate:
        """The response time that one request in a hundred passes."""
        return self.response[SHARES.index(0.99)]

    @property
    def is_generators(self) -> bool:
        """Whether the generator was the bottleneck, so that the server cannot be judged."""
        return self.late > MOST_LATE


def late_seconds(limit: float) -> float:
    """Return from when on a request is sent late: 1 ms, or a twentieth of the limit if more."""
    return max(_LATE_SECONDS, limit / 20)


def measure(samples: Samples, rate: float, seconds: float, late: float) -> Measurement:
    """Return what a run of `seconds` at `rate` measured; `late` is when a request is sent late."""
    counted = samples.measured()
    response, service = np.sort(counted.response()), np.sort(counted.service())
    # Answers to the warm-up's last requests stand for those to the run's last: no edge to mend.
    is_inside = samples.is_good & (samples.done >= 0) & (samples.done < seconds)
    requests = len(counted.scheduled)
    good = response[np.isfinite(response)]
    return Measurement(
        rate=rate,
        seconds=seconds,
        requests=requests,
        failures=counted.failure_counts(),
        offered=requests / seconds,
        throughput=int(is_inside.sum()) / seconds,
        response=tuple(estimate(response, share) for share in SHARES),
        service=tuple(estimate(service, share) for share in SHARES),
        slowest=float(good[-1]) if len(good) else None,
        late=_share(counted.lateness() > late),
        late_seconds=late,
        queued=_share(counted.sent - counted.started > late),
        timeline=tuple(_timeline(counted, math.ceil(seconds))),
        response_curve=tuple(_curve(response)),
        service_curve=tuple(_curve(service)),
    )


def _share(marks: np.ndarray) -> float:
    return float(marks.mean()) if len(marks) else 0.0


def _timeline(samples: Samples, seconds: int) -> Iterator[Second]:
    response = samples.response()
    edges = np.searchsorted(samples.scheduled, np.arange(seconds + 1))
    for second, (first, end) in enumerate(pairwise(edges)):
        part = np.sort(response[first:end])
        answered = part[np.isfinite(part)]
        yield Second(
            at=second,
            requests=len(part),
            failed=len(part) - len(answered),
            p50=at(answered, 0.5) if len(answered) else None,
            p99=at(answered, 0.99) if len(answered) else None,
        )


def _curve(rising: Floats) -> Iterator[tuple[float, float]]:
    """Yield quantiles ever closer to 1, as far as there are samples and good answers."""
    decades = math.log10(len(rising)) if len(rising) else 0.0
    for step in range(math.floor(decades * _CURVE_POINTS_A_DECADE) + 1):
        share = 1 - 10 ** (-step / _CURVE_POINTS_A_DECADE)
        seconds = at(rising, share) if len(rising) else math.inf
        if math.isfinite(seconds):
            yield share, seconds
