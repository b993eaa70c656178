"""Verbs in the API (wire.md, `actions`): what can be done to a record with what stands in the way, and doing it.

What a verb takes is read off its dataclass: each field by the reader of its type, under its name in camel case.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.http.binding import bind
from portal.api.http.endpoint import Endpoint, collection
from portal.api.http.errors import ApiError, detail
from portal.api.http.etags import expected_version
from portal.workflow import services as workflow
from portal.workflow import text
from portal.workflow.blockers import Blocker, Money
from portal.workflow.models import Record
from portal.workflow.verbs import Verb

Field = serializers.Field[Any, Any, Any, Any]


@dataclass(frozen=True)
class Reader:
    """Reads values of one type: the field of the body, made with `required`, and what is made of its value."""

    field: Callable[..., Field]
    read: Callable[[Any], Any] = lambda value: value


class MoneyInput(serializers.Serializer[Any]):
    """An amount with its currency."""

    value = serializers.DecimalField(max_digits=18, decimal_places=2)
    currency = serializers.CharField(max_length=3)


_READERS: dict[Any, Reader] = {
    str: Reader(lambda **given: serializers.CharField(allow_blank=True, trim_whitespace=False, **given)),
    int: Reader(serializers.IntegerField),
    bool: Reader(serializers.BooleanField),
    date: Reader(serializers.DateField),
    Decimal: Reader(lambda **given: serializers.DecimalField(max_digits=18, decimal_places=2, **given)),
    Money: Reader(MoneyInput, lambda given: Money(given["value"], given["currency"].upper())),
}


def reads(kind: Any, field: Callable[..., Field], read: Callable[[Any], Any]) -> None:
    """Say how values of a type are read, such as Sequence[Member]."""
    _READERS[kind] = Reader(field, read)


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


class _Camel(dict[str, str]):
    """Refusals name fields as the body does."""

    def get(self, name: str, default: Any = "") -> Any:
        return camel(name)


def inputs_of(verb: Verb[Any, Any]) -> Any:
    """The dataclass that the verb takes, or NoneType; a verb of several kinds names it as `takes`."""
    return getattr(verb, "takes", None) or get_type_hints(type(verb).apply)["inputs"]


@cache
def _fields(taken: Any) -> tuple[tuple[str, Reader, bool, bool], ...]:
    """Each field of the dataclass: its name, its reader, whether it must be given, and whether it may be null."""
    hints = get_type_hints(taken)
    found = []
    for field in dataclasses.fields(taken):
        kind, nullable = _bare(hints[field.name])
        if kind in _READERS:
            needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            found.append((field.name, _READERS[kind], needed, nullable))
    return tuple(found)


def _bare(kind: Any) -> tuple[Any, bool]:
    if get_origin(kind) in (Union, types.UnionType):
        (inner,) = (one for one in get_args(kind) if one is not type(None))
        return inner, True
    return kind, False


@cache
def serializer_of(taken: Any) -> type[serializers.Serializer[Any]]:
    """A serializer of what the dataclass holds."""
    made: dict[str, Any] = {
        camel(name): reader.field(required=needed, **({"allow_null": True} if nullable else {}))
        for name, reader, needed, nullable in _fields(taken)
    }
    return type(f"{taken.__name__}Input", (serializers.Serializer,), {**made, "__doc__": taken.__doc__})


def read_inputs(taken: Any, data: Any) -> Any:
    """The dataclass with what the body says. Raises ValidationError, and RuleViolation for what no reader finds."""
    given = bind(serializer_of(taken), data)
    values = {
        name: None if given[camel(name)] is None else reader.read(given[camel(name)])
        for name, reader, _needed, _nullable in _fields(taken)
        if camel(name) in given
    }
    return taken(**values)


def shown(action: workflow.Action[Any]) -> dict[str, Any]:
    """An action as the API lists it."""
    taken = inputs_of(action.verb)
    return {
        "action": camel(action.name),
        "label": text.text(Blocker("", str(action.label))),
        "enabled": action.enabled,
        "blockers": [detail(blocker) for blocker in action.blockers],
        "inputs": [] if taken is type(None) else [camel(name) for name, *_rest in _fields(taken)],
    }


class ActionsEndpoint(Endpoint):
    """What can be done to a record. A subclass finds the record and says what is answered."""

    targets: ClassVar[Mapping[str, str]] = _Camel()
    context = ""

    def record(self, id: str) -> Record:
        """The record that the address names. Raises Http404, PermissionDenied."""
        raise NotImplementedError

    def answer(self, record: Any) -> Response:
        """The record after an action."""
        raise NotImplementedError

    def read(self, verb: Verb[Any, Any], record: Any, data: Mapping[str, Any]) -> Any:
        """What the verb takes, of the body. Raises ValidationError, RuleViolation."""
        taken = inputs_of(verb)
        return None if taken is type(None) else read_inputs(taken, data)

    def get(self, request: Request, id: str) -> Response:
        found: Iterable[workflow.Action[Any]] = workflow.available_actions(self.record(id), self.actor, self.now)
        return collection([shown(action) for action in found], context=self.context)

    def post(self, request: Request, id: str) -> Response:
        data: Any = request.data
        record = self.record(id)
        verb = self._verb(record, data)
        inputs = self.read(verb, record, {k: v for k, v in data.items() if str(k).casefold() != "action"})
        version = expected_version(request)
        changed = workflow.run(record, verb, inputs, actor=self.actor, now=self.now, expected_version=version)
        return self.answer(changed)

    def _verb(self, record: Record, data: Any) -> Verb[Any, Any]:
        """The verb that the body names. Raises ApiError 400 for one that there isn't, or that only workers run."""
        entries = data.items() if isinstance(data, Mapping) else ()
        asked = next((value for key, value in entries if str(key).casefold() == "action"), None)
        verbs: Sequence[Verb[Any, Any]] = workflow.machine_of(record).verbs
        known = {camel(verb.name).casefold(): verb for verb in verbs if not verb.by_worker}
        if not isinstance(asked, str) or asked.replace("_", "").casefold() not in known:
            names = ", ".join(camel(verb.name) for verb in known.values())
            raise ApiError(400, f"Name the action: {names}.", target="action")
        return known[asked.replace("_", "").casefold()]
