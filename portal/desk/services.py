"""The desk's cases: opened and closed with what happens to their records, claimed and released (FLOW-12, FLOW-13)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Concat

from portal import bulk
from portal.accounts.models import Company, User
from portal.accounts.rules import Actor
from portal.customers.models import Customer
from portal.desk import mails
from portal.desk.models import Case, CaseQuerySet
from portal.desk.rules import KINDS, Entering, Outcome
from portal.desk.selectors import belongs_to, claim_blocker, may_decide, searchable
from portal.events.models import Event
from portal.policy import services as policies
from portal.policy.calendar import due_day
from portal.workflow.blockers import Blocker, RuleViolation, _

# With the records


def follow(kind: str, events: Sequence[Event], outcomes: Mapping[str, str]) -> None:
    """Open a case for each record that waits now, and close those of the others, in the transaction of the change.

    `outcomes`: how a verb that took a record off the desk decided it; by any other it just ended.
    """
    last = {event.subject_id: event for event in events}
    waiting = {record.object_id: record for record in KINDS[kind].waiting(list(last))}
    there = set(Case.objects.open().filter(kind=kind, object_id__in=last).values_list("object_id", flat=True))
    _close(kind, [last[pk] for pk in there - waiting.keys()], outcomes)
    open_cases(kind, [record for pk, record in waiting.items() if pk not in there])
    mails.tell_new(kind, [last[pk] for pk in waiting.keys() - there])


def _close(kind: str, events: Iterable[Event], outcomes: Mapping[str, str]) -> None:
    """One statement for those that end alike."""
    alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for event in events:
        outcome = outcomes.get(event.verb, Outcome.ENDED)
        decider = event.actor_user_id if outcome in Outcome.DECISIONS else None
        alike[outcome, decider, event.at].append(event.subject_id)
    for (outcome, decider, at), pks in alike.items():
        gone = Case.objects.open().filter(kind=kind, object_id__in=pks)
        gone.update(closed_at=at, outcome=outcome, decider_id=decider)


def open_cases(kind: str, records: Collection[Entering]) -> int:
    """Put records on the desk; of those that are there already nothing changes. Returns how many were."""
    names = _names(records)
    cases = [_case(kind, record, names) for record in records]
    bulk.insert(cases)
    return len(cases)


def _names(records: Collection[Entering]) -> dict[type, dict[int, Any]]:
    if not records:
        return {}
    return {
        Company: Company.objects.in_bulk({record.company_id for record in records}),
        Customer: Customer.objects.in_bulk({record.customer_id for record in records}),
        User: User.objects.in_bulk({record.filer_id for record in records if record.filer_id}),
    }


def _case(kind: str, record: Entering, names: Mapping[type, Mapping[int, Any]]) -> Case:
    policy = policies.current(record.since)
    filer = names[User].get(record.filer_id or 0)
    words = (record.title, str(names[Company][record.company_id]), names[Customer][record.customer_id].name)
    return Case(
        kind=kind,
        object_id=record.object_id,
        company_id=record.company_id,
        customer_id=record.customer_id,
        title=record.title,
        reasons=list(record.reasons),
        value_usd=record.value_usd,
        filer_id=record.filer_id,
        is_marketplace=record.is_marketplace,
        is_returned=record.is_returned,
        search_text=searchable(*words, *record.words, str(filer or ""), filer.email if filer else ""),
        opened_at=record.since,
        due_on=record.due_on or due_day(record.since.date(), policy.review_days, policy),
    )


@transaction.atomic
def retract(kind: str, object_ids: Iterable[int]) -> None:
    """The decisions on these were taken back: the stays that they ended count as retracted (FLOW-9)."""
    for pk in object_ids:
        last = Case.objects.decided().of(kind, pk).order_by("-closed_at", "-pk").values("pk")[:1]
        Case.objects.filter(pk__in=last).update(outcome=Outcome.RETRACTED)


def fill(kind: str) -> int:
    """Put on the desk what waits and has no case, as from before there was a desk. Returns how many were."""
    with transaction.atomic():
        there = set(Case.objects.open().filter(kind=kind).values_list("object_id", flat=True))
        return open_cases(kind, [record for record in KINDS[kind].waiting(None) if record.object_id not in there])


def move_customer(merged: int, kept: int) -> None:
    """Cases of the customer that was merged become the other one's, whose name finds them as well (REF-5)."""
    find_by(Case.objects.filter(customer_id=merged), Customer.objects.get(pk=kept).name)
    Case.objects.filter(customer_id=merged).update(customer_id=kept)


def find_by(cases: CaseQuerySet, name: str) -> None:
    """Let a search find them by this name as well."""
    cases.update(search_text=Concat("search_text", Value(f" {searchable(name)}")))


# Claims (FLOW-13)


@transaction.atomic
def claim(case: Case, *, actor: Actor, now: datetime, take_over: bool = False) -> Case:
    """Take the case, so that nobody else works on it; again, to go on with it.

    Raises PermissionDenied, and RuleViolation if it is decided, one's own company's, or claimed by somebody else and
    not taken over on purpose.
    """
    fresh = _locked(case)
    if not may_decide(fresh, actor):
        raise PermissionDenied
    if found := _claim_blockers(fresh, actor, now, take_over=take_over):
        raise RuleViolation(found)
    _hold(fresh, actor, now)
    return fresh


def _locked(case: Case) -> Case:
    """Without whoever holds it: a row that is waited for comes with the person as joined before the wait."""
    return Case.objects.select_for_update(of=("self",)).get(pk=case.pk)


def _claim_blockers(case: Case, actor: Actor, now: datetime, *, take_over: bool) -> list[Blocker]:
    if case.closed_at is not None:
        return [DECIDED_MEANWHILE]
    if not KINDS[case.kind].is_claimed:
        return [Blocker("not_claimed", _("This is decided together; nobody claims it."), "FLOW-13")]
    if belongs_to(case, actor):
        return [OWN_COMPANY]
    taken = None if take_over else claim_blocker(case, actor, now)
    return [taken] if taken else []


DECIDED_MEANWHILE = Blocker("case_decided", _("This has left the desk; nothing is left to decide."), "FLOW-12")
OWN_COMPANY = Blocker(
    "own_companys_case", _("You belong to the company that filed this; somebody else has to review it."), "FLOW-7"
)


def _hold(case: Case, actor: Actor, now: datetime) -> None:
    if not case.is_mine(actor, now):
        case.claimed_at = now
    case.claimed_by_id, case.claim_ends_at = actor.user_id, now + policies.current(now).claimed_for
    case.save(update_fields=["claimed_by", "claimed_at", "claim_ends_at"])


def release(case: Case, *, actor: Actor, now: datetime) -> None:
    """Give up one's claim; somebody else's stays."""
    held = Case.objects.open().held_by(actor.user_id, now).filter(pk=case.pk)
    held.update(claimed_by=None, claimed_at=None, claim_ends_at=None)


def renew(case: Case, *, actor: Actor, now: datetime) -> None:
    """Whoever works on what they claimed keeps it: opening its page counts."""
    ends = now + policies.current(now).claimed_for
    Case.objects.open().held_by(actor.user_id, now).filter(pk=case.pk).update(claim_ends_at=ends)


@transaction.atomic
def take_next(queue: CaseQuerySet, *, actor: Actor, now: datetime) -> Case | None:
    """Claim the first of the queue, in its order, that is free, or already one's own; None if there is none.

    Two who ask at once never get the same: each goes past the row that the other is just taking.
    """
    free = queue.open().for_reviewer(actor).free_for(actor, now)
    found = free.select_for_update(of=("self",), skip_locked=True).first()
    if found is not None:
        _hold(found, actor, now)
    return found
