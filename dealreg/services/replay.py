"""Derives every decision on a registration anew from what was kept, and tells what differs (FLOW-7).

Kept are the events, with the columns that each changed and the policy's version; the rates; the transactions and the
samples. Nothing is asked that may have changed since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import Q

from dealreg import rules
from dealreg.models import MarketplaceTransaction, Registration, RegistrationQuerySet
from dealreg.rules import marketplace, reopening, revalidation, sample, states
from dealreg.rules.acv import UsdRate
from dealreg.selectors import routing
from portal import once
from portal.events.models import Event
from portal.events.services import snapshot
from portal.policy import services as policies
from portal.policy.rules import Policy
from portal.workflow.blockers import to_json

#: So many registrations are looked at together.
BATCH = 500


@dataclass(frozen=True)
class Difference:
    """What was kept of a decision, and what follows from the rest; `verb` is empty for the row as it stands now."""

    registration: UUID
    verb: str
    at: datetime | None
    what: str
    kept: object
    derived: object

    def __str__(self) -> str:
        when = f"{self.verb} at {self.at:%Y-%m-%d %H:%M:%S}" if self.at else "as it stands"
        return f"{self.registration}, {when}: {self.what} is {self.kept!r}, and follows as {self.derived!r}"


#: The name of what is compared, what was kept, and what follows.
Compared = tuple[str, object, object]


@dataclass(frozen=True)
class Step:
    """One event of a registration: `past` is the registration as it was after it, `before` what was known before."""

    past: Registration
    event: Event
    before: Mapping[str, Any]
    policy: Policy
    transactions: Mapping[str, MarketplaceTransaction]

    @property
    def kept(self) -> Mapping[str, Any]:
        """What else the decision followed from."""
        return routing.kept_at(self.past, self.event.version)

    @property
    def by_worker(self) -> bool:
        return self.event.actor_kind == Event.ActorKind.SYSTEM


@once.scope()
def replay(registrations: RegistrationQuerySet) -> tuple[int, list[Difference]]:
    """Look at each of these registrations; returns how many events were replayed, and all differences."""
    count, found = 0, list[Difference]()
    rows = registrations.with_context().select_related("sample", "marketplace_transaction")
    rows = rows.order_by("pk")
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        last = batch[-1].pk
        told = events_of(batch)
        transactions = transactions_of(told)
        for row in batch:
            events = told.get(row.pk, [])
            count += len(events)
            found += _differences(row, events, transactions)
    return count, found


def events_of(batch: Sequence[Registration]) -> dict[int, list[Event]]:
    kind = Registration._meta.label_lower
    found = Event.objects.filter(subject_type=kind, subject_id__in=[row.pk for row in batch])
    ordered = found.order_by("subject_id", "pk")
    return {key: list(events) for key, events in groupby(ordered, key=lambda event: event.subject_id)}


def transactions_of(told: Mapping[int, Iterable[Event]]) -> dict[str, MarketplaceTransaction]:
    """The transactions that the events name."""
    names = {event.after.get("transaction") for events in told.values() for event in events} - {None, ""}
    return MarketplaceTransaction.objects.in_bulk(names, field_name="transaction_id")


def _differences(
    row: Registration, events: Sequence[Event], transactions: Mapping[str, MarketplaceTransaction]
) -> Iterator[Difference]:
    held = snapshot(row)
    known = _at_first(events, held)
    for step in steps(row, events, transactions, known):
        for what, kept, derived in _compared(step):
            if kept != derived:
                yield Difference(row.public_id, step.event.verb, step.event.at, what, kept, derived)
    for what, kept, derived in _as_it_stands(row, held, known, events):
        if kept != derived:
            yield Difference(row.public_id, "", None, what, kept, derived)


def steps(
    row: Registration,
    events: Sequence[Event],
    transactions: Mapping[str, MarketplaceTransaction],
    known: dict[str, Any] | None = None,
) -> Iterator[Step]:
    """Each event with the registration as it was then; `known` ends as the columns that the events told."""
    held = snapshot(row)
    known = _at_first(events, held) if known is None else known
    for event in events:
        before = dict(known)
        known.update({name: value for name, value in event.after.items() if name in held})
        yield Step(_past(row, known), event, before, policies.by_version(event.policy_version), transactions)


def _at_first(events: Sequence[Event], held: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that ever changed, as they were before the first event that changed them."""
    first: dict[str, Any] = {}
    told: set[str] = set()
    for event in events:
        first.update({name: was for name, was in event.before.items() if name in held and name not in told})
        told.update(event.before, event.after)
    return first


def _past(row: Registration, known: Mapping[str, Any]) -> Registration:
    """The registration with the columns as the events told them."""
    columns = row._meta.concrete_fields
    told = {c.attname: c.to_python(known[c.attname]) for c in columns if c.attname in known}
    past = Registration(**{c.attname: told.get(c.attname, getattr(row, c.attname)) for c in columns})
    past.referral = row.referral
    return past


def _compared(step: Step) -> Iterator[Compared]:
    """What is compared of every event, and what of those of its kind."""
    yield "policy_version", step.event.policy_version, policies.current(step.event.at).version
    for name, value in step.event.before.items():
        if name in step.before:
            yield f"{name} before", value, step.before[name]
    yield from _CHECKS.get(step.event.verb, _nothing)(step)


def _nothing(step: Step) -> Iterator[Compared]:
    """People's own decisions, and what decides nothing."""
    yield from ()


def _as_it_stands(
    row: Registration, held: Mapping[str, Any], known: Mapping[str, Any], events: Sequence[Event]
) -> Iterator[Compared]:
    for name, value in known.items():
        yield name, held[name], value
    if row.sample:
        drawn = any(e.verb == "registration.selected" and e.actor_kind == Event.ActorKind.SYSTEM for e in events)
        yield "chosen at random", drawn, sample.is_chosen(row.sample.seed, row.public_id, row.sample.percent)
    given = getattr(row, "marketplace_transaction", None)
    yield "transaction", given.transaction_id if given else "", _last_given(events)


def _last_given(events: Sequence[Event]) -> str:
    """The transaction that the last match gave, unless retracting took it back."""
    name = ""
    for event in events:
        if "transaction" in event.after:
            name = event.after["transaction"]
        elif event.after.get("status") == states.MARKETPLACE_PENDING:
            name = ""
    return name


# The decisions


def _opening(step: Step) -> Iterator[Compared]:
    """ELIG-10: every criterion was met."""
    for criterion in step.event.after.get("criteria", []):
        yield f"criterion {criterion['code']}", criterion["state"], "met"


def facts_of(step: Step) -> rules.RegistrationFacts:
    """What the form was judged by, with the rates and the solutions that were kept."""
    past, event, deal = step.past, step.event, step.past.referral
    invited = deal.vendor_invited_at
    rates = {
        currency: UsdRate(Decimal(rate["usd_per_unit"]), date.fromisoformat(rate["month"]))
        for currency, rate in past.rates.items()
    }
    return rules.RegistrationFacts(
        today=event.at.date(),
        created=deal.created_at.date(),
        vendor_invited=invited.date() if invited else None,
        first_filed=_corrected(step),
        rates=rates,
        exception_granted=step.kept.get("exception_granted", False),
        replaced_tenant=step.kept.get("replaced_tenant", ""),
        solutions=tuple(step.kept.get("solutions", past.open_solutions)),
        renewable={past.renews_id: past.solution_id or 0} if past.renews_id else {},
    )


def _corrected(step: Step) -> date | None:
    """The day of the first submission, where this is not it."""
    first = step.past.first_submitted_at
    return first.date() if first and step.event.verb not in _FIRST else None


#: What is judged as a first submission is.
_FIRST = ("registration.submitted", "registration.routed", "registration.revalidated")


def _figures(step: Step) -> Iterator[Compared]:
    """REG-5, FX-2: the amounts follow from the claim and the rates that were kept."""
    yield from _amounts(step, rules.judge(step.past.claim, facts_of(step), step.policy))


def _amounts(step: Step, found: rules.Judgement) -> Iterator[Compared]:
    past = step.past
    yield "acv", past.acv, found.acv.amount if found.acv else None
    yield "acv_usd", past.acv_usd, found.acv_usd
    yield "tcv_usd", past.tcv_usd, found.tcv_usd
    yield "solution_value_usd", past.solution_value_usd, found.solution_value_usd
    yield "policy_version", past.policy_version, step.event.policy_version


def _claim(step: Step) -> Iterator[Compared]:
    """REG: nothing stood in the way of the form, and its figures."""
    found = rules.judge(step.past.claim, facts_of(step), step.policy)
    yield "violations", [blocker.code for blocker in found.violations], []
    yield from _amounts(step, found)


def _route(step: Step) -> Iterator[Compared]:
    """FLOW-2, FLOW-3: the state and its reasons follow from the claim, its figures, and what was kept besides."""
    yield from _reasons(step)
    past = step.past
    if past.status == states.MARKETPLACE_PENDING:
        assert past.marketplace_date is not None
        until = marketplace.wait_until(past.marketplace_date, step.event.at, step.policy)
        yield "marketplace_until", past.marketplace_until, until


def _reasons(step: Step) -> Iterator[Compared]:
    """AUTO: the reasons follow from the claim and what was kept of the other companies."""
    past, kept = step.past, routing.routing_of(step.kept)
    if kept is None:
        yield "what it was routed by", None, "kept"
        return
    assert past.acv_usd is not None
    facts = replace(facts_of(step), **vars(kept))
    found = rules.route_for(past.claim, facts, past.acv_usd, step.policy)
    if step.event.verb == "registration.routed":
        yield "status", past.status, found.state
    yield "route_reasons", past.route_reasons, [to_json(reason) for reason in found.reasons]


def _resubmission(step: Step) -> Iterator[Compared]:
    yield from _claim(step)
    past, before = step.past, _past(step.past, step.before).claim
    if past.is_reopened:
        yield "changed", [b.field for b in reopening.foreign_corrections(before, past.claim)], []
    elif past.is_revalidation:
        yield "changed", [b.field for b in revalidation.foreign_changes(before, past.claim)], []
    if past.is_revalidation:
        yield from _revalidated_value(step)
    yield from _reasons(step)


def _revalidation(step: Step) -> Iterator[Compared]:
    """PAYG-1, PAYG-2: at its time, once, with a value that is large enough."""
    yield from _figures(step)
    past, first = step.past, step.past.first_submitted_at
    assert first is not None
    again = bool(step.before.get("revalidated_at"))
    found = revalidation.revalidation_blockers(
        past.pricing, first.date(), step.event.at.date(), revalidated=again, policy=step.policy
    )
    yield "violations", [blocker.code for blocker in found], []
    yield from _revalidated_value(step)
    yield from _reasons(step)


def _revalidated_value(step: Step) -> Iterator[Compared]:
    found = revalidation.revalidated_value_blockers(step.past.tcv_usd, step.policy)
    yield "value", [blocker.code for blocker in found], []


def _match(step: Step) -> Iterator[Compared]:
    """FLOW-3: the transaction that the event names is of the same sale, near enough, and no free one was nearer."""
    named = step.event.after.get("transaction")
    if not named:
        yield "confirmed by a person", not step.by_worker, True
        return
    found = step.transactions.get(named)
    yield "transaction", named, found.transaction_id if found else None
    if found is None:
        return
    yield "transaction_date", step.event.after["transaction_date"], found.date.isoformat()
    waiting = _waiting(step.past)
    offered = marketplace.Offered(found.pk, found.sale, found.date)
    yield "fits", marketplace.fits(waiting, offered, step.policy), True
    if step.by_worker:
        nearer = [t.transaction_id for t in _free(step) if _before(waiting, t, found)]
        yield "nearer", nearer, []


def _no_match(step: Step) -> Iterator[Compared]:
    """FLOW-3: by the worker only when the time was over, and only without a transaction."""
    if step.by_worker:
        assert step.past.marketplace_until is not None
        yield "time is over", step.past.marketplace_until <= step.event.at, True
        yield "transactions", [t.transaction_id for t in _free(step)], []


def _waiting(past: Registration) -> marketplace.Waiting:
    assert past.marketplace_date is not None
    assert past.submitted_at is not None
    assert past.solution_id is not None
    sale = (past.referral.company_id, past.referral.engagement.customer_id, past.solution_id)
    return marketplace.Waiting(past.pk, sale, past.marketplace_date, past.submitted_at)


def _free(step: Step) -> list[MarketplaceTransaction]:
    """Transactions that the registration could have had then: known at that time, never given and not voided yet."""
    waiting, at = _waiting(step.past), step.event.at
    company, customer, solution = waiting.sale
    never_given = MarketplaceTransaction.objects.filter(registration=None, released_from=None, created_at__lt=at)
    return list(
        never_given.filter(
            Q(voided_at=None) | Q(voided_at__gt=at),
            company=company,
            customer=customer,
            solution=solution,
            date__range=marketplace.window(waiting.expected, step.policy),
        )
    )


def _before(waiting: marketplace.Waiting, one: MarketplaceTransaction, other: MarketplaceTransaction) -> bool:
    def key(row: MarketplaceTransaction) -> tuple[int, date, int]:
        return abs((row.date - waiting.expected).days), row.date, row.pk

    return key(one) < key(other)


def _close(step: Step) -> Iterator[Compared]:
    """FLOW, close: when it was due, with the state it left as its outcome."""
    due = step.event.before.get("close_due_at")
    if due is not None:
        yield "was due", datetime.fromisoformat(due) <= step.event.at, True
    failed = step.before.get("status") == states.REVIEW_FAILED
    if failed and _past(step.past, step.before).is_revalidation:
        yield from _restored(step)
    elif step.by_worker:
        yield "outcome", step.past.outcome, step.event.before.get("status")


def _restored(step: Step) -> Iterator[Compared]:
    """PAYG-3, EXC-12: it ends with the figures and the outcome that it had."""
    held = snapshot(step.past)
    for name in held.keys() & step.before["previous"].keys():
        yield name, held[name], step.before["previous"][name]


def _withdrawal(step: Step) -> Iterator[Compared]:
    if step.before.get("previous"):
        yield from _restored(step)
    else:
        yield "outcome", step.past.outcome, states.NOT_REGISTERED


def _unanswered(step: Step) -> Iterator[Compared]:
    """FLOW, fail_unanswered: when the time to correct it was over."""
    yield "time is over", datetime.fromisoformat(step.event.before["action_due_at"]) <= step.event.at, True
    if step.before.get("previous"):
        yield from _restored(step)


def _selection(step: Step) -> Iterator[Compared]:
    """FLOW-4: within the days before it would have closed."""
    due = datetime.fromisoformat(step.event.before["close_due_at"])
    yield "in time", due <= step.event.at + step.policy.select_within, True


def _retraction(step: Step) -> Iterator[Compared]:
    """FLOW, retract: back to the state that the decision left."""
    yield "status", step.past.status, step.event.before["decided_from"]


_CHECKS: Mapping[str, Callable[[Step], Iterator[Compared]]] = {
    "registration.opened": _opening,
    "registration.submitted": _claim,
    "registration.resubmitted": _resubmission,
    "registration.revalidated": _revalidation,
    "registration.routed": _route,
    "registration.matched": _match,
    "registration.not_matched": _no_match,
    "registration.closed": _close,
    "registration.withdrawn": _withdrawal,
    "registration.unanswered": _unanswered,
    "registration.selected": _selection,
    "registration.retracted": _retraction,
}
