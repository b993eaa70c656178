"""How a state changes, once, for every machine of the programme."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django_fsm import can_proceed

from portal.accounts.rules import Actor
from portal.events import services as events
from portal.events.models import Event
from portal.policy import services as policies
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, RuleViolation, Term, _, to_json

M = TypeVar("M", bound=models.Model)


class Record(Protocol):
    """What the workflow needs to know of a record: whose it is, and which engagement it belongs to."""

    @property
    def owner_id(self) -> int | None: ...
    @property
    def event_group(self) -> uuid.UUID | None: ...


@dataclass(frozen=True)
class Context:
    """Who acts, when, under which policy, with which inputs (None: only asking what could be done)."""

    actor: Actor
    now: datetime
    policy: Policy
    inputs: Mapping[str, Any] | None = None


def _nothing(_obj: Any, _context: Context) -> Iterable[Blocker]:
    return ()


def _no_details(_obj: Any, _context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    return {}, {}


def _no_extras(_obj: Any, _context: Context) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Verb:
    """One thing that can be done to a record.

    `name` is the model's @transition method; `event` what is written down; `blockers` every reason against it
    (also asked without inputs, for the buttons); `prepare` what the method needs beyond the inputs, computed on
    the locked row. `details`: what changes beside the row's own columns, before and after, for the event. `shared`:
    the engagement's other participants see it. `quiet`: no button of its own.
    """

    name: str
    event: str
    label: str
    blockers: Callable[[Any, Context], Iterable[Blocker]] = _nothing
    prepare: Callable[[Any, Context], dict[str, Any]] = _no_extras
    details: Callable[[Any, Context], tuple[dict[str, Any], dict[str, Any]]] = _no_details
    shared: bool = False
    quiet: bool = False
    by_worker: bool = False
    final: bool = False


@dataclass(frozen=True)
class Machine:
    """The verbs of one model, who may use them, and how its row is locked."""

    model: type[models.Model]
    verbs: Sequence[Verb]
    may: Callable[[Actor, str, Any], bool]
    lock: Callable[[int], Any]
    state: Callable[[Any], str]
    by_name: dict[str, Verb] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.by_name.update({verb.name: verb for verb in self.verbs})


_machines: dict[type[models.Model], Machine] = {}


def register(machine: Machine) -> Machine:
    _machines[machine.model] = machine
    return machine


def machines() -> list[Machine]:
    return list(_machines.values())


@dataclass(frozen=True)
class Action:
    """A verb as a surface shows it: usable if nothing blocks it."""

    verb: Verb
    blockers: tuple[Blocker, ...]

    @property
    def name(self) -> str:
        return self.verb.name

    @property
    def label(self) -> str:
        return self.verb.label

    @property
    def enabled(self) -> bool:
        return not self.blockers

    @property
    def wrong_state(self) -> bool:
        return any(b.code == "wrong_state" for b in self.blockers)


def lock(obj: M) -> M:
    """The row as it is now, locked in the order every verb locks in; for what looks at it before run()."""
    return _machines[type(obj)].lock(obj.pk)


def demand(obj: models.Model, verb: str, *, actor: Actor) -> None:
    """Raises PermissionDenied, or RuleViolation where the state does not allow the verb at all."""
    machine = _machines[type(obj)]
    if not machine.may(actor, verb, obj):
        raise PermissionDenied
    if not can_proceed(getattr(obj, verb)):
        raise RuleViolation([_wrong_state(machine, obj)])


@transaction.atomic
def run(obj: M, verb: str, *, actor: Actor, now: datetime, **inputs: Any) -> M:
    """Do `verb` to `obj` and return the row as it then is.

    The row is fetched anew and locked, so two people or workers at once do it once. Raises PermissionDenied, or
    RuleViolation with every reason. Writes exactly one event; reactions run in the same transaction.
    """
    machine = _machines[type(obj)]
    spec = machine.by_name[verb]
    fresh = machine.lock(obj.pk)
    demand(fresh, verb, actor=actor)
    context = Context(actor, now, policies.current(now), inputs)
    if blockers := tuple(spec.blockers(fresh, context)):
        raise RuleViolation(blockers)
    event, _changed = _apply(spec, fresh, context)
    if _is_versioned(machine.model):
        fresh.version += 1
    fresh.save()
    events.record([event])
    return fresh


@transaction.atomic
def run_batch(due: models.QuerySet[M], verb: str, *, actor: Actor, now: datetime, limit: int) -> int:
    """Do `verb` to up to `limit` rows of `due` as run() does to one: same columns, same events, same reactions.

    Rows that someone else holds are skipped and left for the next turn. One statement locks, one updates each group
    of rows that change alike, one writes the events, whatever the batch holds. Returns how many rows moved.
    """
    machine = _machines[due.model]
    spec = machine.by_name[verb]
    context = Context(actor, now, policies.current(now), {})
    rows = list(due.select_for_update(skip_locked=True, of=("self",))[:limit])
    written, alike = [], defaultdict(list)
    for row in rows:
        event, changed = _apply(spec, row, context)
        written.append(event)
        alike[tuple((name, getattr(row, name)) for name in changed)].append(row.pk)
    for values, pks in alike.items():
        counted = {"version": models.F("version") + 1} if _is_versioned(due.model) else {}
        due.model._default_manager.filter(pk__in=pks).update(**dict(values), **counted)
    events.record(written)
    return len(rows)


def _is_versioned(model: type[models.Model]) -> bool:
    """Whether the rows count their changes, so that a stale editor is told (REF-21)."""
    return any(f.name == "version" for f in model._meta.concrete_fields)


def _apply(spec: Verb, obj: Any, context: Context) -> tuple[Event, list[str]]:
    """Run the transition on the object in memory; what happened, and the columns that changed."""
    inputs = context.inputs or {}
    before = events.snapshot(obj)
    extras = spec.prepare(obj, context)
    more_before, more_after = spec.details(obj, context)
    getattr(obj, spec.name)(now=context.now, **inputs, **extras)
    was, became = events.changes(before, events.snapshot(obj))
    event = events.new_event(
        obj,
        spec.event,
        actor=context.actor,
        now=context.now,
        company_id=obj.owner_id,
        group=obj.event_group,
        shared=spec.shared,
        before=was | more_before,
        after=became | more_after,
        reasons=[to_json(b) for b in extras.get("reasons", ())],
        comment=inputs.get("comment", "") or "",
        policy_version=context.policy.version,
    )
    return event, list(became)


def available_actions(obj: models.Model, actor: Actor, now: datetime) -> list[Action]:
    """Every verb the actor's role allows on `obj`, each with what blocks it now; pages, admin and API render this."""
    machine = _machines[type(obj)]
    context = Context(actor, now, policies.current(now))
    actions = []
    for verb in machine.verbs:
        if verb.by_worker or not machine.may(actor, verb.name, obj):
            continue
        if can_proceed(getattr(obj, verb.name)):
            blockers = tuple(verb.blockers(obj, context))
        else:
            blockers = (_wrong_state(machine, obj),)
        actions.append(Action(verb, blockers))
    return actions


def _wrong_state(machine: Machine, obj: Any) -> Blocker:
    return Blocker(
        "wrong_state",
        _("This can't be done any more, or not yet: the record is now in the state “%(state)s”."),
        params={"state": Term(machine.state(obj))},
    )
