"""Reads the body of a write: a JSON Patch, a merge patch, or a whole referral (F1.1, F1.7)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rest_framework import serializers

from portal.api.http.binding import folded
from portal.api.http.errors import ApiError, problem, problems
from referrals.api import inputs, wire
from referrals.api.parts import PATCH_ROOTS, Operation

Fields = Mapping[str, serializers.Field[Any, Any, Any, Any]]

MAX_OPERATIONS = 500
APPEND = "/-"

_PATCHED, _REPLACED = wire.names(inputs.PATCHED), wire.names(inputs.REPLACED)


@dataclass
class Wanted:
    """What a write wants: values by path, what is to be added to lists, and the operations of other apps' paths."""

    values: dict[str, Any] = field(default_factory=dict)
    added: dict[str, list[Any]] = field(default_factory=dict)
    roots: dict[str, list[Operation]] = field(default_factory=dict)

    def says(self, path: str) -> bool:
        """Whether anything is said of the list at the path."""
        return path in self.values or path in self.added

    def list(self, path: str, held: list[Any]) -> list[Any]:
        """The list that shall stand at the path, given what stands there."""
        return [*self.values.get(path, held), *self.added.get(path, [])]


def read(data: Any) -> Wanted:
    """A PATCH: a list of operations, or an object of the same paths. Raises ApiError with everything unreadable."""
    operations = list(_merge(data)) if isinstance(data, Mapping) else list(_operations(data))
    return _wanted(operations, _PATCHED, inputs.PATCHED, PATCH_ROOTS)


def values_of(data: Any, fields: Fields) -> dict[str, Any]:
    """The same of another resource: what a PATCH says at its paths. Raises ApiError with everything unreadable."""
    names = wire.names(fields)
    if isinstance(data, Mapping):
        operations = [Operation("replace", f"/{path}", value) for path, value in inputs.leaves(data, names)]
    else:
        operations = list(_operations(data))
    return _wanted(operations, names, fields).values


def whole_of(data: Any, fields: Fields) -> dict[str, Any]:
    """The same of a whole resource, overlooking what it doesn't take. Raises ApiError with everything unreadable."""
    if not isinstance(data, Mapping):
        raise ApiError(400, "Send an object.")
    names = wire.names(fields)
    known = {path: value for path, value in inputs.leaves(data, names) if path.casefold() in names}
    return values_of(known, fields)


def read_whole(data: Any) -> Wanted:
    """A PUT: what can be written of the body, leaving out the rest. Raises ApiError with everything unreadable."""
    if not isinstance(data, Mapping):
        raise ApiError(400, "Send the referral as an object.")
    found = [Operation("replace", f"/{path}", value) for path, value in inputs.leaves(data, _REPLACED)]
    known = [operation for operation in found if operation.path[1:].casefold() in _REPLACED]
    return _wanted(known, _REPLACED, inputs.REPLACED, PATCH_ROOTS)


def _operations(data: Any) -> Iterator[Operation]:
    if not isinstance(data, list) or not data or len(data) > MAX_OPERATIONS:
        raise ApiError(400, f"Send a list of 1 to {MAX_OPERATIONS} operations: [{{op, path, value}}].")
    refused = []
    for position, given in enumerate(data):
        entry = {str(key).casefold(): value for key, value in given.items()} if isinstance(given, Mapping) else {}
        op, path = entry.get("op"), entry.get("path")
        if not isinstance(op, str) or op.casefold() not in ("replace", "add"):
            refused.append(problem("invalid", f"{position}/op", "Only replace and add are known."))
        elif not isinstance(path, str) or not path.startswith("/"):
            refused.append(problem("invalid", f"{position}/path", "A path begins with a slash."))
        elif "value" not in entry:
            refused.append(problem("required", f"{position}/value", "The value is missing."))
        else:
            yield Operation(op.casefold(), path, entry["value"])
    if refused:
        raise _unreadable(refused)


def _merge(data: Mapping[str, Any]) -> Iterator[Operation]:
    roots = {str(key): value for key, value in data.items() if str(key).casefold() in PATCH_ROOTS}
    for path, value in inputs.leaves({k: v for k, v in data.items() if k not in roots}, _PATCHED):
        yield Operation("replace", f"/{path}", value)
    for root, value in roots.items():
        for path, inner in _deep(value):
            yield Operation("replace", f"/{root}{path}", inner)


def _deep(value: Any) -> Iterator[tuple[str, Any]]:
    """The values below, in lists by their number."""
    match value:
        case dict() if value:
            pairs: Iterable[tuple[Any, Any]] = value.items()
        case list() if value:
            pairs = enumerate(value)
        case _:
            yield "", value
            return
    for key, inner in pairs:
        for path, leaf in _deep(inner):
            yield f"/{key}{path}", leaf


def _wanted(
    operations: Iterable[Operation], names: Mapping[str, str], fields: Fields, roots: Container[str] = ()
) -> Wanted:
    wanted, refused = Wanted(), []
    for operation in operations:
        steps = operation.steps
        if steps[0] in roots:
            wanted.roots.setdefault(steps[0], []).append(operation)
        elif (path := names.get("/".join(steps))) is None:
            refused.append(problem("unknown_path", operation.path, "This path can't be written."))
        else:
            try:
                _keep(wanted, path, _value(fields[path], operation.value))
            except serializers.ValidationError as invalid:
                refused += problems(invalid, path)
    if refused:
        raise _unreadable(refused)
    return wanted


def _value(field: serializers.Field[Any, Any, Any, Any], given: Any) -> Any:
    return field.run_validation(folded(given, field))


def _keep(wanted: Wanted, path: str, value: Any) -> None:
    if path.endswith(APPEND):
        wanted.added.setdefault(path.removesuffix(APPEND), []).append(value)
    else:
        wanted.values[path] = value
        wanted.added.pop(path, None)


def _unreadable(details: list[dict[str, Any]]) -> ApiError:
    return ApiError(400, details[0]["message"], target=details[0]["target"], details=details)
