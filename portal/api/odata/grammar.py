"""What `$filter` says: its text read into a small tree of comparisons, each with its position (F1.10).

    either     = all { "or" all }
    all        = one { "and" one }
    one        = "not" one | "(" either ")" | function | path "/any(" [ name ":" either ] ")" | comparison
    function   = ( "contains" | "startswith" ) "(" path "," literal ")"
    comparison = path ( "eq" | "ne" | "gt" | "ge" | "lt" | "le" ) literal | path "in" "(" literal { "," literal } ")"

Every limit below is a bound on what a filter costs to read and to answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from portal.api.odata.errors import QueryError

MAX_LENGTH, MAX_DEPTH, MAX_COMPARISONS, MAX_LIST = 8_000, 20, 100, 100

OPERATORS = ("eq", "ne", "gt", "ge", "lt", "le", "in")
FUNCTIONS = ("contains", "startswith")
_CONSTANTS = ("true", "false", "null")

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
      | (?P<string>'[^']*(?:''[^']*)*'(?!'))
      | (?P<guid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\w-]))
      | (?P<moment>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?(?![\w:.+-]))
      | (?P<number>[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.-]))
      | (?P<word>[a-z_]\w*)
      | (?P<mark>[(),/:])""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True)
class Path:
    """A property as it was written, `customerProfile/address/country`."""

    text: str
    at: int


@dataclass(frozen=True)
class Literal:
    """A value as it was written, without the quotes of a string; null has no text."""

    text: str
    at: int
    is_null: bool = False


@dataclass(frozen=True)
class Comparison:
    path: Path
    operator: str
    literals: tuple[Literal, ...]


@dataclass(frozen=True)
class Some:
    """Some row of a collection fits; without a condition, there is a row."""

    path: Path
    condition: Node | None


@dataclass(frozen=True)
class Not:
    negated: Node


@dataclass(frozen=True)
class Group:
    operator: str
    parts: tuple[Node, ...]


Node = Comparison | Some | Not | Group


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        return self.text.lower() if self.kind == "word" else ""


def check_text(text: str, target: str, limit: int = MAX_LENGTH) -> None:
    """Refuse what no database can hold, and what is too long. Raises QueryError."""
    if len(text) > limit:
        raise QueryError(f"It has more than {limit} characters.", limit, target)
    for position, character in enumerate(text):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise QueryError("This character can't be part of any value.", position, target)


def parse(text: str) -> Node:
    """Read a filter. Raises QueryError."""
    check_text(text, "$filter")
    return _Parser(text).whole()


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            unclosed = text[at] == "'"
            raise QueryError("The string isn't closed." if unclosed else "This can't be read.", at)
        if found.lastgroup != "space":
            yield _Token(found.lastgroup or "", found.group(), at)
        at = found.end()
    yield _Token("end", "", len(text))


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.place = self.depth = self.comparisons = 0
        #: The name of the row inside `any(...)`.
        self.variable = ""

    @property
    def next(self) -> _Token:
        return self.tokens[self.place]

    def whole(self) -> Node:
        found = self.either()
        if self.next.kind != "end":
            raise QueryError("Expected “and”, “or” or the end.", self.next.at)
        return found

    def either(self) -> Node:
        return self.joined("or", self.all)

    def all(self) -> Node:
        return self.joined("and", self.one)

    def joined(self, operator: str, part: Callable[[], Node]) -> Node:
        parts = [part()]
        while self.next.word == operator:
            self.place += 1
            parts.append(part())
        return parts[0] if len(parts) == 1 else Group(operator, tuple(parts))

    def one(self) -> Node:
        token = self.next
        if token.word == "not":
            self.place += 1
            return Not(self.deeper(token, self.one))
        if token.text == "(":
            self.place += 1
            found = self.deeper(token, self.either)
            self.expect(")")
            return found
        return self.predicate()

    def deeper(self, token: _Token, part: Callable[[], Node]) -> Node:
        if self.depth == MAX_DEPTH:
            raise QueryError(f"It is nested more than {MAX_DEPTH} deep.", token.at)
        self.depth += 1
        found = part()
        self.depth -= 1
        return found

    def predicate(self) -> Node:
        token, after = self.next, self.tokens[min(self.place + 1, len(self.tokens) - 1)]
        self.comparisons += 1
        if self.comparisons > MAX_COMPARISONS:
            raise QueryError(f"It compares more than {MAX_COMPARISONS} times.", token.at)
        if token.kind == "word" and after.text == "(":
            return self.function(token)
        names = [self.name()]
        while self.next.text == "/":
            self.place += 1
            if self.next.word in ("any", "all") and self.tokens[self.place + 1].text == "(":
                return self.some(self.path(names, token))
            names.append(self.name())
        return self.comparison(self.path(names, token))

    def name(self) -> str:
        if self.next.kind != "word":
            raise QueryError("Expected a property.", self.next.at)
        self.place += 1
        return self.tokens[self.place - 1].text

    def path(self, names: list[str], token: _Token) -> Path:
        """Inside `any(t: ...)` every path begins with `t/`, and goes on from the row."""
        if not self.variable:
            return Path("/".join(names), token.at)
        if names[0].lower() != self.variable or len(names) == 1:
            raise QueryError(f"Expected “{self.variable}/” and a property.", token.at)
        return Path("/".join(names[1:]), token.at)

    def function(self, token: _Token) -> Node:
        if token.word not in FUNCTIONS:
            raise QueryError(f"There is no function {token.text[:50]}; use {' or '.join(FUNCTIONS)}.", token.at)
        self.place += 1
        self.expect("(")
        start = self.next
        names = [self.name()]
        while self.next.text == "/":
            self.place += 1
            names.append(self.name())
        self.expect(",")
        literal = self.literal()
        self.expect(")")
        return Comparison(self.path(names, start), token.word, (literal,))

    def some(self, path: Path) -> Node:
        token = self.next
        if token.word == "all" or self.variable:
            raise QueryError("Only “any” is supported, and not within another.", token.at)
        self.place += 1
        self.expect("(")
        if self.next.text == ")":
            self.place += 1
            return Some(path, None)
        self.variable = self.name().lower()
        self.expect(":")
        condition = self.deeper(token, self.either)
        self.expect(")")
        self.variable = ""
        return Some(path, condition)

    def comparison(self, path: Path) -> Node:
        operator = self.next.word
        if operator not in OPERATORS:
            raise QueryError(f"Expected one of {', '.join(OPERATORS)}.", self.next.at)
        self.place += 1
        if operator != "in":
            return Comparison(path, operator, (self.literal(),))
        self.expect("(")
        literals = [self.literal()]
        while self.next.text == ",":
            self.place += 1
            literals.append(self.literal())
            if len(literals) > MAX_LIST:
                raise QueryError(f"The list has more than {MAX_LIST} values.", literals[-1].at)
        self.expect(")")
        return Comparison(path, operator, tuple(literals))

    def literal(self) -> Literal:
        token = self.next
        self.place += 1
        if token.kind == "string":
            return Literal(token.text[1:-1].replace("''", "'"), token.at)
        if token.kind in ("guid", "moment", "number") or token.word in _CONSTANTS:
            return Literal(token.text, token.at, is_null=token.word == "null")
        raise QueryError("Expected a value: a quoted string, a number, a date, a GUID, true, false or null.", token.at)

    def expect(self, mark: str) -> None:
        if self.next.kind != "mark" or self.next.text != mark:
            raise QueryError(f"Expected “{mark}”.", self.next.at)
        self.place += 1
