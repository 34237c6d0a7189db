"""
Answer the one PromQL query the judge asks, over samples scraped from containers.

The query is a bare range selector as an instant query, `name{"label"="value"}[180s]`: it returns
raw samples, so nothing is extrapolated anywhere. Everything else is refused: an answer nobody
checked would be worse than none.

Sources: the Prometheus documentation (data model, HTTP API, querying basics, exposition format
0.0.4). CloudWatch's PromQL pages for what it adds: a metric name is mandatory, and past 500 series
it answers 200 with `warnings` and a cut result. Assumed, not documented: one delay, the same for
every sample, from its own time until it can be queried.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

LARGEST_RESULT = 500
"""Series in one answer."""

SUPPORTED = 'name{"label"="value", other!=\'value\'}[180s], with = and !=, and a range in m and s'

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r"[a-zA-Z_][a-zA-Z0-9_]*"
_DOUBLE = r'"(?:\\.|[^"\\\n])*"'
_STRING = rf"(?:{_DOUBLE}|'(?:\\.|[^'\\\n])*')"
_INSIDE = rf"(?:{_STRING}|[^{{}}\"'])*"
_SELECTOR = re.compile(
    rf"\s*(?P<name>{_NAME})?\s*(?:\{{(?P<matchers>{_INSIDE})\}})?\s*(?:\[(?P<range>[^\]]*)\])?\s*"
)
_MATCHER = re.compile(
    rf"\s*(?P<label>{_LABEL}|{_STRING})\s*(?P<operator>=~|!~|!=|=)\s*(?P<value>{_STRING})\s*(?:,|$)"
)
_RANGE = re.compile(r"\s*(?:(?P<m>[0-9]+)m)?(?:(?P<s>[0-9]+)s)?\s*")
_SAMPLE = re.compile(
    rf"\s*(?P<name>{_NAME})\s*(?:\{{(?P<labels>(?:{_DOUBLE}|[^{{}}\"])*)\}}\s*|\s)"
    r"\s*(?P<value>[^\s_]+)(?P<time>\s+-?[0-9]+)?\s*"
)
_PAIR = re.compile(rf"\s*(?P<label>{_LABEL})\s*=\s*(?P<value>{_DOUBLE})\s*(?:,|$)")
_TYPE = re.compile(rf"#\s*TYPE\s+(?P<name>{_NAME})\s+histogram\s*")
_ESCAPES = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "t": "\t"}

Labels = tuple[tuple[str, str], ...]
"""The labels of a series, in the order of their names."""

Sample = tuple[str, Mapping[str, str], float]
"""Name, labels and value."""

# How lines of pages begin, up to their values, and what that says.
_heads: dict[str, tuple[str, Mapping[str, str]]] = {}
MOST_HEADS = 10_000


class QueryError(ValueError):
    """The expression is not the one shape that is answered here."""


@dataclass(frozen=True)
class _Matcher:
    label: str
    value: str
    negated: bool

    def accepts(self, labels: Mapping[str, str]) -> bool:
        # Prometheus: a label that a series does not carry is a label with the empty value.
        return (labels.get(self.label, "") == self.value) is not self.negated


@dataclass(frozen=True)
class _Selector:
    name: str
    matchers: tuple[_Matcher, ...]
    seconds: int


@dataclass
class _Series:
    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


class SampleStore:
    """
    Hold samples per series and serve them `delay_seconds` after their own time.

    Times are epoch seconds. A series is its name and its exact labels.
    """

    def __init__(self, delay_seconds: float) -> None:
        self._delay = delay_seconds
        self._names: dict[str, dict[Labels, _Series]] = {}

    def add(self, at: float, name: str, labels: Mapping[str, str], value: float) -> None:
        """Record one sample; raises ValueError unless it is younger than its series' last one."""
        self.append(at, name, tuple(sorted(labels.items())), value)

    def append(self, at: float, name: str, labels: Labels, value: float) -> None:
        """Record one sample of labels that are in order already; raises ValueError as `add`."""
        family = self._names.setdefault(name, {})
        series = family.get(labels)
        if series is None:
            series = family[labels] = _Series()
        if series.times and at <= series.times[-1]:
            raise ValueError(
                f"sample of {name} at {at} is not after the series' last one at "
                f"{series.times[-1]}: add the samples of a series in the order of time"
            )
        series.times.append(at)
        series.values.append(value)

    def forget(self, before: float) -> None:
        """Drop every sample older than `before`, and series that are left without any."""
        for name, family in list(self._names.items()):
            for key, series in list(family.items()):
                place = bisect_left(series.times, before)
                del series.times[:place], series.values[:place]
                if not series.times:
                    del family[key]
            if not family:
                del self._names[name]

    def query(
        self, expression: str, at: float, now: float | None = None
    ) -> tuple[int, dict[str, Any]]:
        """
        Answer an instant query at `at`: the HTTP status and the JSON body of the Prometheus API.

        Samples lie in (at - range, at]; those younger than the delay at `now` (by default `at`) are
        not visible yet. Anything but the supported selector is a 400 with errorType bad_data.
        """
        try:
            selector = _parse(expression)
        except QueryError as error:
            return 400, {"status": "error", "errorType": "bad_data", "error": str(error)}
        newest = min(at, (at if now is None else now) - self._delay)
        found = self._select(selector, at - selector.seconds, newest)
        body: dict[str, Any] = {
            "status": "success",
            "data": {"resultType": "matrix", "result": found[:LARGEST_RESULT]},
        }
        if len(found) > LARGEST_RESULT:
            body["warnings"] = [f"{len(found)} series matched, only {LARGEST_RESULT} are returned"]
        return 200, body

    def _select(self, selector: _Selector, after: float, until: float) -> list[dict[str, Any]]:
        result: list[dict[str, Any]] = []
        for key, series in sorted(self._names.get(selector.name, {}).items()):
            labels = dict(key)
            first, last = bisect_right(series.times, after), bisect_right(series.times, until)
            if first < last and all(matcher.accepts(labels) for matcher in selector.matchers):
                pairs = zip(series.times[first:last], series.values[first:last], strict=True)
                values = [[round(time, 3), _number(value)] for time, value in pairs]
                result.append({"metric": {"__name__": selector.name, **labels}, "values": values})
        return result


def exposition(text: str) -> list[Sample]:
    """
    Return (name, labels, value) of each sample in a Prometheus text page, format 0.0.4.

    A time stamp in the page is dropped: the scraper's clock counts. Raises ValueError that lists
    every unreadable line, and every histogram: CloudWatch would re-estimate its bins.
    """
    samples, problems = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            sample = _known(line) or _read(line)
        except ValueError as error:
            problems.append(f"line {number}: {error}")
            continue
        if sample is not None:
            samples.append(sample)
    if problems:
        raise ValueError("; ".join(problems))
    return samples


def _known(line: str) -> Sample | None:
    """Read a line whose beginning was read before, as a page has the same at every scrape."""
    head, _, value = line.rpartition(" ")
    known = _heads.get(head)
    return None if known is None or "_" in value else (*known, float(value))


def _read(line: str) -> Sample | None:
    """Read any line; None for a remark and an empty one."""
    if (histogram := _TYPE.fullmatch(line)) is not None:
        raise ValueError(
            f"{histogram['name']} is a histogram, whose bins CloudWatch re-estimates: "
            "serve a counter with a bin label"
        )
    if not line.strip() or line.lstrip().startswith("#"):
        return None
    match = _SAMPLE.fullmatch(line)
    if match is None:
        raise ValueError(f'{line!r} is not a sample: write name{{label="value"}} 1')
    pairs = _all(_PAIR, match["labels"] or "")
    labels = {pair["label"]: _unquote(pair["value"]) for pair in pairs}
    value = match["value"]
    if match["time"] is None and line.endswith(f" {value}") and len(_heads) < MOST_HEADS:
        _heads[line.removesuffix(f" {value}")] = match["name"], labels
    return match["name"], labels, float(value)


def _parse(expression: str) -> _Selector:
    match = _SELECTOR.fullmatch(expression)
    if match is None:
        raise _refusal(expression, "it is more than a selector")
    if match["name"] is None:
        raise _refusal(expression, "the metric name is missing")
    if match["range"] is None:
        raise _refusal(expression, "the range is missing")
    try:
        matchers = tuple(_matcher(found) for found in _all(_MATCHER, match["matchers"] or ""))
        return _Selector(match["name"], matchers, _seconds(match["range"]))
    except ValueError as error:
        raise _refusal(expression, str(error)) from error


def _refusal(expression: str, problem: str) -> QueryError:
    return QueryError(f"query {expression!r}: {problem}; supported is only {SUPPORTED}")


def _all(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    """Return the matches that fill the text without a gap."""
    found, place = [], 0
    while text[place:].strip():
        match = pattern.match(text, place)
        if match is None:
            raise ValueError(f"{text[place:].strip()!r} is not a list of labels with quoted values")
        found.append(match)
        place = match.end()
    return found


def _matcher(match: re.Match[str]) -> _Matcher:
    if "~" in match["operator"]:
        raise ValueError(f"the operator {match['operator']} is not answered")
    label = match["label"]
    name = _unquote(label) if label[0] in "\"'" else label
    return _Matcher(name, _unquote(match["value"]), match["operator"] == "!=")


def _seconds(text: str) -> int:
    match = _RANGE.fullmatch(text)
    seconds = 0 if match is None else 60 * int(match["m"] or 0) + int(match["s"] or 0)
    if seconds == 0:
        raise ValueError(f"the range [{text}] is not a duration above 0")
    return seconds


def _unquote(text: str) -> str:
    unknown = set(re.findall(r"\\(.)", text)) - set(_ESCAPES)
    if unknown:
        raise ValueError(f"{text} has the unknown escape \\{min(unknown)}")
    return re.sub(r"\\(.)", lambda match: _ESCAPES[match[1]], text[1:-1])


def _number(value: float) -> str:
    """Write a value as Prometheus does: plain decimal, no exponent, NaN, +Inf, -Inf."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return format(Decimal(repr(float(value))), "f").removesuffix(".0")
