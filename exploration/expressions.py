"""
DynamoDB's condition and update expressions, as far as the ledger and the state machine use them.

An item is a mapping of names to typed values, {"S": ..}. What is not understood raises
CannotPlay: an expression that were taken for true would prove nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Item = Mapping[str, Mapping[str, Any]]

_TOKEN = re.compile(r"\s*([#:]?\w+|<>|<=|>=|[=<>(),+\-])")


class CannotPlay(Exception):
    """Something was asked that the exploration does not know, so it may not answer."""


@dataclass
class Expression:
    """One expression, read from left to right, on one item (None: there is none)."""

    text: str
    item: Item | None
    names: Mapping[str, str]
    values: Item
    _tokens: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._tokens = _TOKEN.findall(self.text)
        if "".join(self._tokens) != re.sub(r"\s", "", self.text):
            raise CannotPlay(f"expression {self.text!r} holds something unknown")

    def holds(self) -> bool:
        """Say whether the condition holds."""
        found = self._any()
        if self._tokens:
            raise CannotPlay(f"condition {self.text!r} goes on with {self._tokens}")
        return found

    def updated(self) -> dict[str, Mapping[str, Any]]:
        """Return the item as the update leaves it."""
        changed = dict(self.item or {})
        while self._tokens:
            clause = self._take().upper()
            if clause not in ("SET", "REMOVE"):
                raise CannotPlay(f"update {self.text!r}: {clause} is not known")
            while True:
                name = self._name(self._take())
                if clause == "REMOVE":
                    changed.pop(name, None)
                else:
                    self._expect("=")
                    changed[name] = self._sum()
                if self._peek() != ",":
                    break
                self._take()
        return changed

    def _any(self) -> bool:
        found = self._all()
        while self._peek().upper() == "OR":
            self._take()
            found = self._all() or found
        return found

    def _all(self) -> bool:
        found = self._one()
        while self._peek().upper() == "AND":
            self._take()
            found = self._one() and found
        return found

    def _one(self) -> bool:
        word = self._take()
        if word.upper() == "NOT":
            return not self._one()
        if word == "(":
            found = self._any()
            self._expect(")")
            return found
        if self._peek() == "(":
            return self._function(word)
        return self._comparison(word)

    def _function(self, name: str) -> bool:
        self._expect("(")
        attribute = self._name(self._take())
        self._expect(")")
        exists = attribute in (self.item or {})
        if name == "attribute_exists":
            return exists
        if name == "attribute_not_exists":
            return not exists
        raise CannotPlay(f"condition {self.text!r}: function {name} is not known")

    def _comparison(self, word: str) -> bool:
        left, operator = _canonical(self._value(word)), self._take()
        if operator.upper() == "IN":
            return left in self._list()
        right = _canonical(self._value(self._take()))
        if operator in ("=", "<>"):
            # An attribute that is not there is unequal to every value, and equal to none.
            return (left is not None and left == right) == (operator == "=")
        if left is None or right is None or set(left) != set(right) or "N" not in left:
            return False
        one, other = float(left["N"]), float(right["N"])
        orders = {"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}
        if operator not in orders:
            raise CannotPlay(f"condition {self.text!r}: operator {operator} is not known")
        return orders[operator]

    def _list(self) -> list[Any]:
        self._expect("(")
        found = [_canonical(self._value(self._take()))]
        while self._take() == ",":
            found.append(_canonical(self._value(self._take())))
        return found

    def _sum(self) -> Mapping[str, Any]:
        left = self._operand()
        if self._peek() != "+":
            return left
        self._take()
        return {"N": str(int(left["N"]) + int(self._operand()["N"]))}

    def _operand(self) -> Mapping[str, Any]:
        word = self._take()
        if word == "if_not_exists":
            self._expect("(")
            found = self._value(self._take())
            self._expect(",")
            other = self._value(self._take())
            self._expect(")")
            found = found if found is not None else other
        else:
            found = self._value(word)
        if found is None:
            raise CannotPlay(f"update {self.text!r} reads {word}, which is not there")
        return found

    def _value(self, word: str) -> Mapping[str, Any] | None:
        if word.startswith(":"):
            return self.values[word]
        return (self.item or {}).get(self._name(word))

    def _name(self, word: str) -> str:
        return self.names[word] if word.startswith("#") else word

    def _peek(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def _take(self) -> str:
        if not self._tokens:
            raise CannotPlay(f"expression {self.text!r} ends too soon")
        return self._tokens.pop(0)

    def _expect(self, wanted: str) -> None:
        if (found := self._take()) != wanted:
            raise CannotPlay(f"expression {self.text!r}: {found} stands where {wanted} must")


def _canonical(value: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return a value so that equal numbers are equal: 1 and 1.0."""
    return {"N": repr(float(value["N"]))} if value and "N" in value else value
