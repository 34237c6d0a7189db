"""
Turn raw counter samples into what each variant answered in each epoch minute.

Samples are the raw ones of a bare range selector, because `increase` extrapolates, gives fractions
and loses a series' first value. Minute m covers the seconds (60 m, 60 m + 60].
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

REQUESTS = "steelyard_requests_total"
SCORE = "steelyard_score_bin_total"
CONFIDENCE = "steelyard_confidence_bin_total"
SECONDS = "steelyard_request_duration_bin_total"
BUILD = "steelyard_build_info"
PROCESS_START = "process_start_time_seconds"
METRICS = (REQUESTS, SCORE, CONFIDENCE, SECONDS, BUILD, PROCESS_START)
"""The metrics to fetch; the keys of `measure`'s series."""

VARIANT = "aws.sagemaker.variant.name"
_SOURCE = (VARIANT, "@resource.host.id", "aws.sagemaker.container.id")
_BINS = tuple(f"{index:02d}" for index in range(10))
_SECONDS_BINS = tuple(f"{index:02d}" for index in range(12))

Series = Mapping[str, Any]
"""One element of a Prometheus matrix: {"metric": {label: value}, "values": [[t, "v"], ..]}."""


class Incomparable(ValueError):
    """The variants' counters do not mean the same, so no verdict may rest on them."""


@dataclass(frozen=True)
class Point:
    """
    What one variant answered in one minute.

    n: all requests; e4: client errors; em: model errors, which is whatever was answered neither
    well nor as the client's fault (5xx, overload among it); score and conf: histograms over the
    predictions, lat: over the seconds of all requests (each empty where the source has none).
    """

    n: int
    e4: int
    em: int
    score: tuple[int, ...]
    conf: tuple[int, ...]
    lat: tuple[int, ...] = ()

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "Point":
        """Build the point from its JSON form."""
        score, conf, lat = (tuple(value[name]) for name in ("score", "conf", "lat"))
        return cls(value["n"], value["e4"], value["em"], score, conf, lat)


@dataclass(frozen=True)
class Measurement:
    """One epoch minute of a step; None for a variant without data, which never counts as health."""

    minute: int
    step: int
    weight: int
    champion: Point | None
    challenger: Point | None

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "Measurement":
        """Build the measurement from its JSON form."""
        champion, challenger = (
            Point.from_dict(value[role]) if value[role] is not None else None
            for role in ("champion", "challenger")
        )
        return cls(value["minute"], value["step"], value["weight"], champion, challenger)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, as the ledger keeps it."""
        return asdict(self)


def measure(
    series: Mapping[str, Sequence[Series]],
    champion: str,
    challenger: str,
    minutes: range,
    since: float | None = None,
) -> list[tuple[int, Point | None, Point | None]]:
    """
    Return (minute, champion's point, challenger's point) for each of `minutes`.

    `series` holds the matrix results by metric name, all hosts of both variants. A variant without
    a sample in a minute has no point there (None); with samples and no increments it has n = 0.
    `since` is where the queried range starts (epoch seconds; default: the first minute's start): a
    process that started later was never seen before, so its first sample counts whole.
    Raises Incomparable where bins or temporality differ or are unknown.
    """
    _refuse_deltas(series)
    _refuse_other_bins(series, (champion, challenger))
    begin = since if since is not None else 60.0 * minutes.start
    tables = {variant: _points(series, variant, begin) for variant in (champion, challenger)}
    return [
        (minute, tables[champion].get(minute), tables[challenger].get(minute)) for minute in minutes
    ]


def increments(values: Sequence[Sequence[Any]], whole: bool) -> Iterator[tuple[int, int]]:
    """
    Yield (minute, increment) for a counter's samples [t, "v"], in order of time.

    A fall is a restart from zero. The first sample is only a start, unless `whole`.
    """
    before: int | None = 0 if whole else None
    for at, text in values:
        value = round(float(text))
        if before is not None:
            yield minute_of(at), value - before if value >= before else value
        before = value


def minute_of(at: float) -> int:
    """Return the epoch minute that a sample of time `at` (epoch seconds) belongs to."""
    return math.ceil(at / 60) - 1


def _points(series: Mapping[str, Sequence[Series]], variant: str, since: float) -> dict[int, Point]:
    starts = _process_starts(series)
    requests = _grouped(series.get(REQUESTS, ()), "outcome", variant, starts, since)
    score = _grouped(series.get(SCORE, ()), "bin", variant, starts, since)
    conf = _grouped(series.get(CONFIDENCE, ()), "bin", variant, starts, since)
    seconds = _grouped(series.get(SECONDS, ()), "bin", variant, starts, since)
    sampled = {
        minute_of(at)
        for one in series.get(REQUESTS, ())
        if one["metric"].get(VARIANT) == variant
        for at, _ in one["values"]
    }
    return {
        minute: _point(requests[minute], score[minute], conf[minute], seconds[minute])
        for minute in sampled
    }


def _point(
    requests: Mapping[str, int],
    score: Mapping[str, int],
    conf: Mapping[str, int],
    seconds: Mapping[str, int],
) -> Point:
    n = sum(requests.values())
    e4 = requests.get("client_error", 0)
    return Point(
        n=n,
        e4=e4,
        # An outcome that is not known here is no success either: it must not thin out the errors.
        em=n - e4 - requests.get("ok", 0),
        score=tuple(score.get(label, 0) for label in _BINS),
        conf=tuple(conf.get(label, 0) for label in _BINS),
        lat=tuple(seconds.get(label, 0) for label in _SECONDS_BINS),
    )


Grouped = defaultdict[int, defaultdict[str, int]]


def _grouped(
    series: Sequence[Series],
    label: str,
    variant: str,
    starts: Mapping[tuple[str | None, ...], float],
    since: float,
) -> Grouped:
    """Sum a variant's increments over its hosts, by minute and value of `label`."""
    sums: Grouped = defaultdict(lambda: defaultdict(int))
    for one in series:
        labels = one["metric"]
        if labels.get(VARIANT) != variant or not one["values"]:
            continue
        started = starts.get(_source(labels))
        whole = started is not None and since <= started <= one["values"][0][0]
        for minute, increment in increments(one["values"], whole):
            sums[minute][labels[label]] += increment
    return sums


def _process_starts(
    series: Mapping[str, Sequence[Series]],
) -> dict[tuple[str | None, ...], float]:
    """Return when each source's process started, as its earliest sample in the range says."""
    return {
        _source(one["metric"]): float(one["values"][0][1])
        for one in series.get(PROCESS_START, ())
        if one["values"]
    }


def _source(labels: Mapping[str, str]) -> tuple[str | None, ...]:
    return tuple(labels.get(name) for name in _SOURCE)


def _refuse_deltas(series: Mapping[str, Sequence[Series]]) -> None:
    for name in (REQUESTS, SCORE, CONFIDENCE, SECONDS):
        for one in series.get(name, ()):
            # https://opentelemetry.io/docs/specs/otel/metrics/data-model/#temporality
            temporality = one["metric"].get("__temporality__", "cumulative")
            if temporality != "cumulative":
                raise Incomparable(
                    f"{name} has temporality '{temporality}', subtraction needs 'cumulative': "
                    "let the container serve counters that only rise"
                )


def _refuse_other_bins(series: Mapping[str, Sequence[Series]], variants: tuple[str, str]) -> None:
    edges: dict[str, set[str]] = {variant: set() for variant in variants}
    for one in series.get(BUILD, ()):
        variant = one["metric"].get(VARIANT)
        if variant in edges:
            edges[variant].add(one["metric"].get("bins", ""))
    counting = {one["metric"].get(VARIANT) for one in series.get(REQUESTS, ())}
    problems = [
        f"variant {variant} counts requests without {BUILD}, so its bin edges are unknown"
        for variant in variants
        if variant in counting and not edges[variant]
    ]
    if len(set().union(*edges.values())) > 1:
        said = "; ".join(f"{name} has {', '.join(sorted(edges[name]))}" for name in variants)
        problems.append(f"bin edges differ ({said})")
    if problems:
        raise Incomparable(
            f"{'; '.join(problems)}: deploy models with the same bin edges in their manifests"
        )
