"""Marketplace transactions: taken in, voided, and matched to the registrations that wait for one (FLOW-3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction

from dealreg import verbs
from dealreg.models import MarketplaceTransaction, Registration, RegistrationQuerySet
from dealreg.rules import marketplace as rules
from dealreg.selectors import marketplace as selectors
from dealreg.verbs.marketplace import NEVER_CAME
from portal import bulk
from portal.accounts.models import Company
from portal.accounts.policies import check_runs_programme
from portal.accounts.rules import SYSTEM, Actor
from portal.catalog.models import Solution
from portal.customers.models import Customer
from portal.events import services as events
from portal.events.models import Event
from portal.outage import send_soon
from portal.policy import services as policies
from portal.workflow import services as workflow
from portal.workflow.blockers import Blocker, RuleViolation, _

ADDED, VOIDED, RELEASED = "transaction.added", "transaction.voided", "transaction.released"
Source = MarketplaceTransaction.Source


# Taking in


@dataclass(frozen=True)
class NewTransaction:
    """A sale on the marketplace, as somebody reports it."""

    details: rules.Details
    company: Company
    customer: Customer
    solution: Solution
    note: str = ""


def new_transaction_blockers(new: NewTransaction, *, now: datetime) -> list[Blocker]:
    """Everything that keeps it from being taken in."""
    blockers = rules.blockers(new.details, today=now.date())
    if new.company.is_vendor:
        blockers.append(Blocker("not_a_partner", _("Only a partner's sales are matched."), "FLOW-3", "company"))
    if MarketplaceTransaction.objects.filter(transaction_id=new.details.transaction_id).exists():
        message = _("There is a transaction with this id already.")
        blockers.append(Blocker("transaction_known", message, "FLOW-3", "transaction_id"))
    return blockers


@transaction.atomic
def add_transaction(
    new: NewTransaction, *, actor: Actor, now: datetime, source: Source = Source.ADMIN
) -> MarketplaceTransaction:
    """Take in one transaction. Raises PermissionDenied, RuleViolation, or IntegrityError if somebody was faster."""
    check_runs_programme(actor)
    if blockers := new_transaction_blockers(new, now=now):
        raise RuleViolation(blockers)
    return add_transactions([new], actor=actor, now=now, source=source)[0]


@transaction.atomic
def add_transactions(
    given: Sequence[NewTransaction], *, actor: Actor, now: datetime, source: Source
) -> list[MarketplaceTransaction]:
    """Take in transactions that nothing is wrong with; a worker matches them right after the commit.

    Raises PermissionDenied, or IntegrityError if one was taken in meanwhile.
    """
    check_runs_programme(actor)
    rows = [_row(new, actor=actor, now=now, source=source) for new in given]
    bulk.insert(rows)
    events.record([_event(row, ADDED, actor=actor, now=now, after=events.snapshot(row)) for row in rows])
    if rows:
        transaction.on_commit(_match_soon, robust=True)
    return rows


def _match_soon() -> None:
    """By name: the tasks stand above the services."""
    send_soon("dealreg.tasks.match_marketplace")


def _row(new: NewTransaction, *, actor: Actor, now: datetime, source: Source) -> MarketplaceTransaction:
    return MarketplaceTransaction(
        **vars(new.details),
        company=new.company,
        customer=new.customer,
        solution=new.solution,
        note=new.note,
        source=source,
        created_at=now,
        created_by_id=actor.user_id,
    )


def _event(row: MarketplaceTransaction, verb: str, *, actor: Actor, now: datetime, **what: Any) -> Event:
    """The programme's own record, as rates are: of no company."""
    return events.new_event(row, verb, actor=actor, now=now, company_id=None, **what)


@transaction.atomic
def void(record: MarketplaceTransaction, reason: str, *, actor: Actor, now: datetime) -> MarketplaceTransaction:
    """Take a wrong transaction out of the matching, while no registration has it.

    Raises PermissionDenied, or RuleViolation.
    """
    check_runs_programme(actor)
    fresh = MarketplaceTransaction.objects.select_for_update().get(pk=record.pk)
    if blockers := list(_void_blockers(fresh, reason.strip())):
        raise RuleViolation(blockers)
    before = events.snapshot(fresh)
    fresh.voided_at, fresh.void_reason = now, reason.strip()
    fresh.save(update_fields=["voided_at", "void_reason"])
    was, became = events.changes(before, events.snapshot(fresh))
    events.record([_event(fresh, VOIDED, actor=actor, now=now, before=was, after=became, comment=fresh.void_reason)])
    return fresh


def _void_blockers(record: MarketplaceTransaction, reason: str) -> Iterable[Blocker]:
    if record.registration_id is not None:
        yield Blocker("transaction_matched", _("A registration has this transaction already."), "FLOW-3")
    if record.voided_at is not None:
        yield Blocker("transaction_voided", _("This transaction was voided already."), "FLOW-3")
    if not reason:
        yield Blocker("reason_required", _("Write why it is voided."), "FLOW-3", "reason")


# Matching


def match_waiting(*, now: datetime, limit: int = 5000) -> int:
    """Give every waiting registration the transaction that is its own by FLOW-3. Returns how many got one.

    The pairs are found once, for all; then each batch is a transaction of its own. Two workers at once share the work:
    what one has locked, the other leaves out.
    """
    waiting = selectors.waiting()
    found = rules.assign(waiting, selectors.offered(waiting, now=now), policies.current(now))
    pairs = iter(found.items())
    matched = 0
    while batch := dict(islice(pairs, limit)):
        matched += _match(batch, now=now)
    return matched


@transaction.atomic
def _match(pairs: Mapping[int, int], *, now: datetime) -> int:
    """Match these pairs of registrations and transactions, but for those that somebody else is just changing."""
    free = MarketplaceTransaction.objects.free().filter(pk__in=pairs.values()).select_for_update(skip_locked=True)
    locked = {sale.pk: sale for sale in map(verbs.Sale._make, free.values_list(*verbs.Sale._fields))}
    given = {registration: locked[key] for registration, key in pairs.items() if key in locked}
    due = _for_decision(Registration.objects.awaiting_transaction().filter(pk__in=given)).order_by("pk")
    return workflow.run_batch(
        due, verbs.MATCH, verbs.Found(transactions=given), actor=SYSTEM, now=now, limit=len(given)
    )


def fail_overdue(*, now: datetime, limit: int = 1000) -> int:
    """Fail one batch of registrations whose transaction never came. Returns how many."""
    due = _for_decision(selectors.overdue(now=now))
    return workflow.run_batch(due, verbs.NO_MATCH, NEVER_CAME, actor=SYSTEM, now=now, limit=limit)


def _for_decision(registrations: RegistrationQuerySet) -> RegistrationQuerySet:
    """With what a decision changes, and what its event tells of the sale: what isn't read isn't loaded."""
    return registrations.with_sale().only(
        *("status", "decided_from", "reason_code", "comment", "validated_by", "decided_at", "close_due_at"),
        *("updated_at", "version", "marketplace_date", "referral"),
    )


# Going back


@transaction.atomic
def release(registrations: RegistrationQuerySet, *, actor: Actor, now: datetime) -> None:
    """Take back the transactions of these registrations, which wait again; they are free for others."""
    given = MarketplaceTransaction.objects.select_for_update().filter(registration__in=registrations)
    rows = list(given.order_by("pk"))
    written = [_released(row, actor=actor, now=now) for row in rows]
    MarketplaceTransaction.objects.bulk_update(rows, ["registration", "released_from"])
    events.record(written)


def _released(row: MarketplaceTransaction, *, actor: Actor, now: datetime) -> Event:
    before = events.snapshot(row)
    row.released_from_id, row.registration_id = row.registration_id, None
    was, became = events.changes(before, events.snapshot(row))
    return _event(row, RELEASED, actor=actor, now=now, before=was, after=became)
