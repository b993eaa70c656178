"""How a state changes; all machines of the programme share this."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, overload

from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django_fsm import can_proceed

from portal import bulk, once
from portal.accounts.rules import Actor
from portal.events import services as events
from portal.events.models import Event
from portal.policy import services as policies
from portal.workflow import timeline
from portal.workflow.blockers import Blocker, RuleViolation, Term, _, to_json
from portal.workflow.models import Record
from portal.workflow.verbs import Context, Creation, Described, Effect, Inputs, Machine, R, Verb

_machines: dict[type[Record], Machine[Any]] = {}


def register(machine: Machine[R]) -> Machine[R]:
    """Register a model's verbs, and the sentences of their events."""
    _machines[machine.model] = machine
    timeline.describe({verb.event: verb.sentence for verb in machine.every}, machine.params)
    return machine


def machines() -> list[Machine[Any]]:
    return list(_machines.values())


def machine_of(record: R) -> Machine[R]:
    return _machines[type(record)]


def lock(record: R) -> R:
    """Lock the row and return it as it is now, in the same locking order as verbs; for changes that are no verb."""
    return machine_of(record).lock(record.pk)


def check_allowed(record: R, verb: Verb[R, Any], *, actor: Actor) -> None:
    """Raises PermissionDenied, or RuleViolation if the record's state doesn't allow the verb."""
    if not verb.may(actor, record):
        raise PermissionDenied
    if not _state_allows(verb, record):
        raise RuleViolation([wrong_state(machine_of(record).state(record))])


class Stale(RuleViolation):
    """The caller saw an older version of the record (REF-21; the API answers 412).

    `changes`: for each changed column, its value in that version and now; empty if only related rows changed.
    """

    def __init__(self, changes: Mapping[str, tuple[object, object]], *, version: int) -> None:
        self.changes, self.version = changes, version
        message = _("Somebody changed this meanwhile. Look at it as it is now, and decide again.")
        super().__init__([Blocker("stale", message, "REF-21")])


@dataclass(frozen=True)
class Action(Generic[R]):
    """A verb on a record as pages show it; it can be used if it has no blockers."""

    verb: Verb[R, Any]
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


def context_of(actor: Actor, now: datetime) -> Context:
    """A context for acting now, under the policy in force."""
    return Context(actor, now, policies.current(now))


@overload
def run(
    record: R,
    verb: Verb[R, None],
    inputs: None = None,
    *,
    actor: Actor,
    now: datetime,
    expected_version: int | None = ...,
) -> R: ...
@overload
def run(
    record: R, verb: Verb[R, Inputs], inputs: Inputs, *, actor: Actor, now: datetime, expected_version: int | None = ...
) -> R: ...
@overload
def run(record: None, verb: Creation[R, Inputs], inputs: Inputs, *, actor: Actor, now: datetime) -> R: ...


@transaction.atomic
@once.scope()
def run(
    record: Any,
    verb: Any,
    inputs: Any = None,
    *,
    actor: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> Any:
    """Run the verb with its whole effect, and return the changed record.

    The row is fetched anew and locked, so that of two simultaneous calls only one succeeds. Raises PermissionDenied;
    Stale if the caller expected an older version; RuleViolation with every reason. Writes one event; reactions run in
    the same transaction, after the effect is written.
    """
    context = context_of(actor, now)
    if record is None:
        return _create(verb, inputs, context)
    return _change(record, verb, inputs, context, expected_version)


def run_from_page(
    record: R, verb: Verb[R, Inputs], inputs: Inputs, *, seen_version: int | None, actor: Actor, now: datetime
) -> R:
    """run() for a page that showed this version (None: it doesn't say).

    If only what belongs to the record changed since, such as a note, the verb is run all the same. Raises as run().
    """
    try:
        return run(record, verb, inputs, actor=actor, now=now, expected_version=seen_version)
    except Stale as stale:
        if stale.changes:
            raise
        return run(record, verb, inputs, actor=actor, now=now, expected_version=stale.version)


def creation_blockers(verb: Creation[R, Inputs], inputs: Inputs, context: Context) -> tuple[Blocker, ...]:
    """Every reason against creating the record, as run() would find them."""
    return (*verb.blockers(context), *verb.input_blockers(inputs, context))


def _create(verb: Creation[R, Inputs], inputs: Inputs, context: Context) -> R:
    if not verb.may(context.actor):
        raise PermissionDenied
    if blockers := creation_blockers(verb, inputs, context):
        raise RuleViolation(blockers)
    record, effect = verb.apply(inputs, context)
    events.record([event_of(verb, record, effect, context), *effect.events])
    return record


@bulk.uncollected()
@transaction.atomic
@once.scope()
def create_batch(verb: Creation[R, Inputs], given: Iterable[Inputs], *, actor: Actor, now: datetime) -> list[R]:
    """Create a record of each of these, unless something stands against it, with the same rows, events and reactions as
    run() for each; one insert of the records, and one of the events. Raises PermissionDenied, IntegrityError."""
    if not verb.may(actor):
        raise PermissionDenied
    policy = policies.current(now)
    made = []
    for inputs in given:
        context = Context(actor, now, policy)
        if not creation_blockers(verb, inputs, context):
            made.append((*verb.make(inputs, context), context))
    bulk.insert([record for record, _effect, _context in made])
    written = [(event_of(verb, record, effect, context), effect.events) for record, effect, context in made]
    events.record([event for event, more in written for event in (event, *more)])
    return [record for record, _effect, _context in made]


@once.scope()
def run_on_locked(record: R, verb: Verb[R, Inputs], inputs: Inputs, *, actor: Actor, now: datetime) -> R:
    """run() on a record that the caller has just locked, in the transaction in which it goes on. Raises as run()."""
    return _change_locked(record, verb, inputs, context_of(actor, now), None)


def _change(record: R, verb: Verb[R, Inputs], inputs: Inputs, context: Context, expected_version: int | None) -> R:
    return _change_locked(lock(record), verb, inputs, context, expected_version)


def _change_locked(
    fresh: R, verb: Verb[R, Inputs], inputs: Inputs, context: Context, expected_version: int | None
) -> R:
    check_allowed(fresh, verb, actor=context.actor)
    check_version(fresh, expected_version)
    if blockers := (*verb.blockers(fresh, context), *verb.input_blockers(fresh, inputs, context)):
        raise RuleViolation(blockers)
    event, more, _changed = _apply(verb, fresh, inputs, context)
    fresh.save()
    verb.settle([fresh], context)
    events.record([event, *more])
    return fresh


@overload
def run_batch(
    due: models.QuerySet[R], verb: Verb[R, None], inputs: None = None, *, actor: Actor, now: datetime, limit: int
) -> int: ...
@overload
def run_batch(
    due: models.QuerySet[R], verb: Verb[R, Inputs], inputs: Inputs, *, actor: Actor, now: datetime, limit: int
) -> int: ...


@bulk.uncollected()
@transaction.atomic
@once.scope()
def run_batch(
    due: models.QuerySet[Any], verb: Any, inputs: Any = None, *, actor: Actor, now: datetime, limit: int
) -> int:
    """Run `verb` on up to `limit` rows of `due`, with the same columns, events and reactions as run() for each.

    Rows locked by others are skipped until the next call. Whatever the size of the batch, there is one statement to
    lock, one update per group of equal changes, and one insert of events. Returns how many rows changed.
    """
    context = context_of(actor, now)
    machine = _machines[due.model]
    rows = machine.hold(list(due.select_for_update(skip_locked=True, of=machine.locked_with)[:limit]))
    first = list({row.event_group or row.pk: row for row in reversed(rows)}.values())[::-1]
    events.record(_apply_all(verb, first, inputs, context))
    if rest := len(rows) - len(first):  # more copies of the same deals: each counts what the one before did (REF-21)
        return len(first) + run_batch(due, verb, inputs, actor=actor, now=now, limit=rest)
    return len(first)


def _apply_all(verb: Verb[R, Inputs], rows: Sequence[R], inputs: Inputs, context: Context) -> list[Event]:
    """Do it to locked rows of different groups, one UPDATE for those that change alike; the events, not yet saved."""
    written: list[Event] = []
    alike: dict[str, tuple[dict[str, Any], list[R]]] = {}
    for row in rows:
        event, more, changed = _apply(verb, row, inputs, context)
        written += [event, *more]
        values = {name: getattr(row, name) for name in dict.fromkeys([*changed, *sorted(row.bookkeeping)])}
        alike.setdefault(repr(values), (values, []))[1].append(row)  # JSON can't be a key itself
    for values, changed_rows in alike.values():
        counted = {**values, "version": models.F("version") + 1}
        found = type(changed_rows[0])._default_manager.filter(pk__in=[row.pk for row in changed_rows])
        found.update(**counted)
    verb.settle(rows, context)
    return written


def _apply(
    verb: Verb[R, Inputs], record: R, inputs: Inputs, context: Context
) -> tuple[Event, Iterable[Event], list[str]]:
    """Apply the verb to the row in memory. Returns its event, further events, and the changed columns."""
    before = events.snapshot(record)
    effect = verb.apply(record, inputs, context)
    record.touch(context.now, context.actor)
    was, became = events.changes(before, events.snapshot(record))
    return event_of(verb, record, effect, context, was, became), effect.events, list(became)


def check_version(record: Record, expected: int | None) -> None:
    """Raises Stale if the caller saw another version of the locked record; None: they didn't say which."""
    if expected is not None and record.version != expected:
        raise Stale(changes_since(record, expected), version=record.version)


def event_of(
    verb: Described,
    record: Record,
    effect: Effect,
    context: Context,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> Event:
    """The verb's event about the record, unsaved. `before`, `after`: the changed columns."""
    return events.new_event(
        record,
        verb.event,
        actor=context.actor,
        now=context.now,
        company_id=None if verb.internal else record.owner_id,
        group=record.event_group,
        shared=verb.shared,
        version=record.version,
        before={**(before or {}), **effect.before},
        after={**(after or {}), **effect.after},
        reasons=[to_json(blocker) for blocker in effect.reasons],
        comment=effect.comment,
        policy_version=context.policy.version,
    )


def changes_since(record: Record, version: int) -> dict[str, tuple[object, object]]:
    """Each changed column's value in that version and now, computed from the events."""
    found: dict[str, tuple[object, object]] = {}
    for event in Event.objects.of_subject(record).filter(version__gt=version).order_by("version"):
        for name, value in event.after.items():
            found[name] = (found[name][0] if name in found else event.before.get(name), value)
    return {name: pair for name, pair in found.items() if pair[0] != pair[1] and name not in record.bookkeeping}


def available_actions(record: R, actor: Actor, now: datetime) -> list[Action[R]]:
    """Every verb that the actor's role allows on the record, with its current blockers; surfaces offer these."""
    context = context_of(actor, now)
    verbs = [verb for verb in machine_of(record).verbs if not verb.by_worker and verb.may(actor, record)]
    return [_action(verb, record, context) for verb in verbs]


def available_action(record: R, verb: Verb[R, Any], actor: Actor, now: datetime) -> Action[R]:
    """One verb with its current blockers. Raises PermissionDenied if the actor's role doesn't allow it."""
    if not verb.may(actor, record):
        raise PermissionDenied
    return _action(verb, record, context_of(actor, now))


def _action(verb: Verb[R, Any], record: R, context: Context) -> Action[R]:
    if _state_allows(verb, record):
        return Action(verb, tuple(verb.blockers(record, context)))
    return Action(verb, (wrong_state(machine_of(record).state(record)),))


def _state_allows(verb: Described, record: Record) -> bool:
    """Whether the state machine allows the verb now; verbs without a transition are always allowed."""
    move = getattr(record, verb.name, None)
    return move is None or can_proceed(move)


def wrong_state(state: str) -> Blocker:
    """The refusal of a verb that a record in this state (a msgid) doesn't allow; it has no button then."""
    message = _("This can't be done any more, or not yet: the record is now in the state “%(state)s”.")
    return Blocker("wrong_state", message, params={"state": Term(state)})
