"""
Keep the classic CloudWatch metric store as raw datums; answer statistics and metric math over them.

Sources: what a statistic means is CloudWatch's "Statistics definitions" page; a metric is its
namespace, name and exact set of dimensions, and values lie within ±2^360 and are finite (botocore,
`MetricDatum`). How CloudWatch estimates a percentile is not documented: here it is the nearest rank
on the raw values, the smallest value that at least p percent of them do not exceed.

Metric math follows "Using math expressions with CloudWatch metrics": comparisons give 1 or 0, IF
takes any value but 0 for true and needs only its chosen branch, a division by zero drops the point.
One departure: that page says that a missing value counts as 0 in arithmetic and between two series;
users report a missing result. Here a missing operand gives a missing result. FILL(metric, 0) means
the same either way, so wrap whatever may be silent.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate

LARGEST_VALUE = 2.0**360
_PERCENTILE = re.compile(r"p(\d{1,3}(?:\.\d{1,10})?)", re.ASCII)

Datum = tuple[float, float]
"""A value and how often it occurred."""

Reduction = Callable[[list[Datum]], float]


class StatisticError(ValueError):
    """The statistic has no meaning here."""


def reduction(statistic: str) -> Reduction:
    """
    Return the function that makes one number of the datums of one period (at least one).

    Raises StatisticError, naming the allowed ones.
    """
    if statistic in _PLAIN:
        return _PLAIN[statistic]
    percentile = _PERCENTILE.fullmatch(statistic)
    if percentile is not None and 0 < (share := Fraction(percentile[1]) / 100) <= 1:
        return lambda datums: _nearest_rank(datums, share)
    raise StatisticError(
        f"statistic {statistic!r} cannot be played, allowed are {', '.join(_PLAIN)} and "
        "percentiles above p0 up to p100, such as p50, p99, p99.9: use one of them"
    )


def _count(datums: list[Datum]) -> float:
    return math.fsum(count for _, count in datums)


def _sum(datums: list[Datum]) -> float:
    return math.fsum(value * count for value, count in datums)


def _nearest_rank(datums: list[Datum], share: Fraction) -> float:
    ordered = sorted(datums)
    reached = list(accumulate(count for _, count in ordered))
    # The share is a fraction because 7 percent of 100 must be rank 7: in floats it becomes 8.
    return ordered[bisect_left(reached, share * Fraction(reached[-1]))][0]


_PLAIN: dict[str, Reduction] = {
    "Sum": _sum,
    "Average": lambda datums: _sum(datums) / _count(datums),
    "Minimum": lambda datums: min(value for value, _ in datums),
    "Maximum": lambda datums: max(value for value, _ in datums),
    "SampleCount": _count,
}


@dataclass
class _Series:
    times: list[float] = field(default_factory=list)
    datums: list[Datum] = field(default_factory=list)

    def insert(self, at: float, datum: Datum) -> None:
        place = bisect_right(self.times, at)
        self.times.insert(place, at)
        self.datums.insert(place, datum)

    def within(self, start: float, end: float) -> list[Datum]:
        return self.datums[bisect_left(self.times, start) : bisect_left(self.times, end)]


class MetricStore:
    """
    Hold raw datums per metric, in time order, whatever the order they come in.

    Times are epoch seconds. Unlike CloudWatch it forgets nothing and delays nothing.
    """

    def __init__(self) -> None:
        self._series: dict[tuple[str, str, frozenset[tuple[str, str]]], _Series] = {}

    def put(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        at: float,
        value: float,
        count: float = 1,
    ) -> None:
        """
        Record that `value` occurred `count` times at `at`.

        Raises ValueError for what CloudWatch refuses: a value that is not finite or too large, and
        a count that is not above 0.
        """
        problems = []
        if not abs(value) <= LARGEST_VALUE:
            problems.append(f"value {value} is outside ±2^360, the range of a metric: leave it out")
        if not 0 < count < math.inf:
            problems.append(f"count {count} is not above 0: leave the value out or count it")
        if problems:
            raise ValueError(f"{namespace} {name}: {'; '.join(problems)}")
        key = (namespace, name, frozenset(dimensions.items()))
        self._series.setdefault(key, _Series()).insert(at, (float(value), float(count)))

    def statistic(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        statistic: str,
        start: float,
        end: float,
    ) -> float | None:
        """
        Return the statistic over the datums in [start, end), None where there is none.

        A metric is found by its exact set of dimensions: a subset finds nothing, as in CloudWatch.
        Raises StatisticError, even where there is no datum.
        """
        reduce = reduction(statistic)
        series = self._series.get((namespace, name, frozenset(dimensions.items())))
        datums = [] if series is None else series.within(start, end)
        return reduce(datums) if datums else None


MATH_WORDS = (
    "numbers, Ids of the other metrics, + - * /, one comparison at a time, AND, OR, "
    "IF(a, b, c), FILL(a, number), MIN([a, b]) and MAX([a, b])"
)
_OPERATORS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_OVER_ALL: dict[str, Callable[[list[float]], float]] = {
    "MIN": min,
    "MAX": max,
    "And": all,
    "Or": any,
}

Scope = Mapping[str, float | None]
"""The values of one period by Id, None where the period has no datum."""


class Expression:
    """A metric math expression, evaluated one period at a time."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tree = _parsed(text)

    def names(self) -> frozenset[str]:
        """Return every name in the expression, functions included."""
        return _names(self._tree)

    def refused(self, ids: set[str]) -> list[str]:
        """Return the parts that cannot be played, where `ids` are the metrics that exist."""
        if self._tree is None:
            return [self._text]
        return [ast.unparse(part) for part in _refused(self._tree, ids)]

    def value(self, scope: Scope) -> float | None:
        """Return the value for one period; only for expressions without refused parts."""
        if self._tree is None:
            raise ValueError(f"expression {self._text!r} is not in the language: {MATH_WORDS}")
        return _value(self._tree, scope)


# An alarm's expressions are the same at each of its evaluations.
@lru_cache(maxsize=1000)
def _parsed(text: str) -> ast.expr | None:
    spelled = re.sub(r"\bAND\b|&&", " and ", re.sub(r"\bOR\b|\|\|", " or ", text))
    try:
        return ast.parse(spelled.strip(), mode="eval").body
    except SyntaxError:
        return None


@lru_cache(maxsize=1000)
def _names(tree: ast.expr | None) -> frozenset[str]:
    nodes = [] if tree is None else ast.walk(tree)
    return frozenset(node.id for node in nodes if isinstance(node, ast.Name))


def _refused(node: ast.expr, ids: set[str]) -> Iterator[ast.expr]:
    parts: Sequence[ast.expr] = ()
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            pass
        case ast.Name(id=name) if name in ids:
            pass
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            parts = [operand]
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
            parts = [left, right]
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _OPERATORS:
            parts = [left, right]
        case ast.BoolOp(values=values):
            parts = values
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if _fits(name, args):
            parts = args[0].elts if isinstance(args[0], ast.List) else args
        case _:
            yield node
    for part in parts:
        yield from _refused(part, ids)


def _fits(function: str, args: Sequence[ast.expr]) -> bool:
    match function, args:
        case "IF", [_, _] | [_, _, _]:
            return not isinstance(args[0], ast.List)
        case "FILL", [series, ast.Constant() | ast.UnaryOp(operand=ast.Constant())]:
            return not isinstance(series, ast.List)
        case "MIN" | "MAX", [ast.List(elts=[_, *_])]:
            return True
    return False


def _value(node: ast.expr, scope: Scope) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return scope[name]
        case ast.Call(func=ast.Name(id="IF"), args=[condition, *branches]):
            chosen = _value(condition, scope)
            taken = branches[:1] if chosen else branches[1:]
            return None if chosen is None or not taken else _value(taken[0], scope)
        case ast.Call(func=ast.Name(id="FILL"), args=[series, filler]):
            value = _value(series, scope)
            return _value(filler, scope) if value is None else value
    parts, combine = _operands(node)
    values = [value for part in parts if (value := _value(part, scope)) is not None]
    try:
        return float(combine(values)) if len(values) == len(parts) else None
    except ZeroDivisionError:
        return None


def _operands(node: ast.expr) -> tuple[Sequence[ast.expr], Callable[[list[float]], float]]:
    """Return the operands of which all must be there, and what makes one value of theirs."""
    match node:
        case ast.UnaryOp(operand=operand):
            return [operand], lambda values: -values[0]
        case ast.BinOp(left=left, op=sign, right=right):
            return [left, right], lambda values: _OPERATORS[type(sign)](*values)
        case ast.Compare(left=left, ops=[sign], comparators=[right]):
            return [left, right], lambda values: _OPERATORS[type(sign)](*values)
        case ast.BoolOp(op=op, values=parts):
            return parts, _OVER_ALL[type(op).__name__]
        case ast.Call(func=ast.Name(id=name), args=[ast.List(elts=parts)]):
            return parts, _OVER_ALL[name]
    raise ValueError(f"{ast.unparse(node)!r} is not in the language: {MATH_WORDS}")
