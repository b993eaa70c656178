"""Reads every refusal and reason out of the source: what `Blocker(code, message, rule)` is called with, and the tables
of reason codes. What can't be read is told with its place, so that nothing is left out unseen."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

BASE = Path(__file__).resolve().parents[3]
APPS = ("portal", "referrals", "dealreg", "exceptions_council", "isvconnect", "licensing")
#: What makes a blocker, and the names of its parameters in their order.
MAKERS = {"Blocker": ("code", "message", "rule"), "criterion": ("code", "rule", "state")}
#: What marks a text for translation, or only adds values to it.
MARKS = {"_", "msgid", "gettext", "gettext_lazy", "gettext_noop", "say"}
#: The tables of reason codes, with the rule that asks for the reason.
TABLES = {"CLOSE_REASONS": "REF-17", "ERROR_REASONS": "REF-17", "FAIL_REASONS": "FLOW-5", "ACTION_REASONS": "FLOW-5"}
#: Where blockers are copied or read from JSON, and so have the code of another one.
COPIES = {
    "portal/workflow/blockers.py",
    "dealreg/rules/criteria.py:_blocker",
    "dealreg/rules/criteria.py:_constant",
    "dealreg/rules/eligibility.py:_excepted",
    "exceptions_council/selectors/requests.py:refusals_of",
}
DEPTH = 4

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Found:
    """One text of a code, as the source has it; `message` is a msgid."""

    code: str
    rule: str
    message: str


@dataclass(frozen=True)
class Scope:
    """Where an expression stands: its module and function, and what the function's parameters were called with."""

    module: Module
    function: Function | None
    line: int
    given: Mapping[str, tuple[ast.expr, Scope]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Module:
    path: str
    tree: ast.Module
    others: list[Module] = field(default_factory=list)

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def calls(self) -> list[ast.Call]:
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]

    @cached_property
    def calls_by_name(self) -> dict[str, list[ast.Call]]:
        found: dict[str, list[ast.Call]] = {}
        for call in self.calls:
            found.setdefault(_name(call), []).append(call)
        return found

    @cached_property
    def stem(self) -> str:
        """By what others import it."""
        return Path(self.path).stem

    @cached_property
    def values(self) -> dict[str, ast.expr]:
        """What the module's own names stand for."""
        named = [(target, value) for node in self.tree.body for target, value in _assigned(node)]
        return {target: value for target, value in named if value is not None}

    def scope(self, node: ast.AST) -> Scope:
        around: ast.AST | None = node
        while around is not None and not isinstance(around, Function):
            around = self.parents.get(around)
        return Scope(self, around, getattr(node, "lineno", 0))

    def callers(self, function: Function) -> list[tuple[Module, ast.Call]]:
        """The calls of a function: in its module, and everywhere if its name is for others."""
        parent = self.parents.get(function)
        name = parent.name if function.name == "__init__" and isinstance(parent, ast.ClassDef) else function.name
        own = [(self, call) for call in self.calls_by_name.get(name, ())]
        others = [(module, call) for module in self.others for call in module.calls_by_name.get(name, ())]
        return own if name.startswith("_") else others or own


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            yield name, value
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=value):
            for place, target in enumerate(targets):
                yield getattr(target, "id", ""), ast.Subscript(value=value, slice=ast.Constant(place))


def modules() -> list[Module]:
    paths = (path for app in APPS for path in sorted((BASE / app).rglob("*.py")) if "migrations" not in path.parts)
    return [Module(str(path.relative_to(BASE)), ast.parse(path.read_text(encoding="utf-8"))) for path in paths]


def collect() -> tuple[list[Found], list[str]]:
    """Every text of every code, by code; and the places of what could not be read."""
    found, unread = dict[Found, None](), []
    every = modules()
    for module in every:
        module.others.extend(every)
    for module in every:
        for call in module.calls:
            if _name(call) in MAKERS and not _is_nameless(call):
                scope = module.scope(call)
                read = list(_made(call, scope, DEPTH))
                found.update(dict.fromkeys(read))
                place = f"{module.path}:{scope.function.name if scope.function else call.lineno}"
                if not read and not {module.path, place} & COPIES:
                    unread.append(f"{module.path}:{call.lineno}")
        tables, strange = _tables(module)
        found.update(dict.fromkeys(tables))
        unread += strange
    ruled = {(one.code, one.message) for one in found if one.rule}
    kept = [one for one in found if one.rule or (one.code, one.message) not in ruled]
    return sorted(kept, key=lambda one: (one.code, one.rule, one.message)), unread


def _is_nameless(call: ast.Call) -> bool:
    """A text that is put into words as blockers are, and refuses nothing."""
    return bool(call.args) and isinstance(call.args[0], ast.Constant) and call.args[0].value == ""


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _tables(module: Module) -> tuple[list[Found], list[str]]:
    found, strange = [], []
    for name, value in module.values.items():
        if name.endswith("_REASONS") and isinstance(value, ast.Dict) and None not in value.keys:
            if name not in TABLES:
                strange.append(f"{module.path}:{value.lineno} ({name} is not in TABLES)")
                continue
            scope = Scope(module, None, value.lineno)
            pairs = zip(value.keys, value.values, strict=True)
            texts = [(_one(key, scope), _one(text, scope)) for key, text in pairs if key is not None]
            found += [Found(code, TABLES[name], text) for code, text in texts]
    return found, strange


def _one(node: ast.expr, scope: Scope) -> str:
    return next(_texts(node, scope, DEPTH), "")


def _made(call: ast.Call, scope: Scope, depth: int) -> Iterator[Found]:
    """What the call makes, for each way in which its function is called."""
    given = dict(zip(MAKERS[_name(call)], call.args, strict=False)) | {k.arg: k.value for k in call.keywords if k.arg}
    empty = ast.Constant("")
    asked = [given.get(name, empty) for name in ("code", "message", "rule")]
    for around in _ways(asked, scope, depth):
        codes, messages, rules = ([*_texts(node, around, depth)] for node in asked)
        for code, message, rule in product(codes, messages, rules or [""]):
            yield Found(code, rule, message)


def _ways(nodes: list[ast.expr], scope: Scope, depth: int) -> Iterator[Scope]:
    """The scope itself; of a function whose parameters are used, once for each call of it, and of a loop over a table,
    once for each of its rows."""
    function = scope.function
    if function is None or depth == 0:
        yield scope
        return
    used = {name for node in nodes for name in _names(node)}
    if rows := list(_rows(function, used, scope)):
        yield from rows
        return
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    if not used & {*names, *(a.arg for a in function.args.kwonlyargs)}:
        yield scope
        return
    names = names[1:] if names[:1] == ["self"] else names
    ways = []
    for module, call in scope.module.callers(function):
        given = dict(zip(names, call.args, strict=False)) | {k.arg: k.value for k in call.keywords if k.arg}
        for around in _ways(list(given.values()), module.scope(call), depth - 1):
            bound = {name: (node, around) for name, node in given.items()}
            ways.append(Scope(scope.module, function, scope.line, bound))
    yield from ways or [scope]


def _names(node: ast.expr) -> Iterator[str]:
    """The names whose values the expression takes over, and not only asks about."""
    if isinstance(node, ast.Name):
        yield node.id
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) and not (isinstance(node, ast.IfExp) and child is node.test):
            yield from _names(child)


def _rows(function: Function, used: set[str], scope: Scope) -> Iterator[Scope]:
    for loop in ast.walk(function):
        match loop:
            case ast.For(target=ast.Tuple(elts=targets), iter=ast.Name(id=table)) if table in scope.module.values:
                names = [getattr(target, "id", "") for target in targets]
                if not used & {*names}:
                    continue
                for row in getattr(scope.module.values[table], "elts", []):
                    cells = zip(names, row.elts, strict=True)
                    yield Scope(scope.module, function, scope.line, {name: (cell, scope) for name, cell in cells})


def _texts(node: ast.expr, scope: Scope, depth: int) -> Iterator[str]:
    """Every text that the expression can be; none if that can't be told."""
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from _texts(body, scope, depth)
            yield from _texts(orelse, scope, depth)
        case ast.Call(args=[first, *_rest]) if _name(node) in MARKS:
            yield from _texts(first, scope, depth)
        case ast.Call() if _name(node) in MAKERS and depth:
            yield from (one.message for one in _made(node, scope, depth - 1))
        case ast.Subscript(value=ast.Name(id=table)) if isinstance(scope.module.values.get(table), ast.Dict):
            for value in scope.module.values[table].values:  # type: ignore[attr-defined]
                yield from _texts(value, scope, depth)
        case ast.Call(func=ast.Name(id=name)):
            yield from _returned(name, scope, depth)
        case ast.Subscript(value=ast.Call(func=ast.Name(id=name)), slice=ast.Constant(value=int() as place)):
            yield from _returned(name, scope, depth, place)
        case ast.Attribute(value=ast.Name(id=base), attr=name):
            for module in scope.module.others:
                if module.stem == base and name in module.values:
                    yield from _texts(module.values[name], Scope(module, None, 0), depth)
        case ast.Name(id=name) if name in scope.given:
            value, outer = scope.given[name]
            yield from _texts(value, outer, depth)
        case ast.Name(id=name):
            for value in _values(name, scope):
                yield from _texts(value, scope, depth)


def _returned(name: str, scope: Scope, depth: int, place: int | None = None) -> Iterator[str]:
    """The texts that a function of the same module returns; `place`: where in a tuple."""
    for node in scope.module.tree.body:
        if depth and isinstance(node, Function) and node.name == name:
            for back in ast.walk(node):
                if isinstance(back, ast.Return) and back.value is not None:
                    value = (
                        back.value.elts[place]
                        if place is not None and isinstance(back.value, ast.Tuple)
                        else back.value
                    )
                    yield from _texts(value, Scope(scope.module, node, back.lineno), depth - 1)


def _values(name: str, scope: Scope) -> list[ast.expr]:
    """What a name was last given before the line; of an if, in each of its branches."""
    if scope.function is not None:
        before = [
            (node, value)
            for node in ast.walk(scope.function)
            for target, value in _assigned(node)
            if target == name and value is not None and getattr(node, "lineno", 0) <= scope.line
        ]
        if before:
            return _branches(max(before, key=lambda one: one[0].lineno)[0], before, scope)  # type: ignore[attr-defined]
    value = scope.module.values.get(name)
    return [value] if value is not None else []


def _branches(last: ast.AST, before: list[Any], scope: Scope) -> list[ast.expr]:
    """The values of all branches of the if around the last one, as far as the line lies behind it."""
    around = node = last
    while (node := scope.module.parents.get(node, scope.module.tree)) not in (scope.function, scope.module.tree):
        if isinstance(node, ast.If) and (node.end_lineno or 0) < scope.line:
            around = node
    inside = {id(node) for node in ast.walk(around)}
    return [value for node, value in before if id(node) in inside]
