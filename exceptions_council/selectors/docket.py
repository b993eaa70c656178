"""What waits for the council, and what it has done: docket, similar requests, reports (EXC-7, EXC-8, EXC-15)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Q, Value, When

from exceptions_council.models import ExceptionRequest, ExceptionRequestQuerySet, Status
from exceptions_council.policies import may_vote
from exceptions_council.rules import states
from exceptions_council.selectors.council import DECIDING, tally_of
from portal.accounts.models import Membership
from portal.accounts.rules import Actor
from portal.events.models import Event
from portal.policy import services as policies

#: The ages of open requests, in days: from, and to before; None: no end.
AGES: Mapping[str, tuple[int, int | None]] = {"0-7": (0, 8), "8-14": (8, 15), "15-21": (15, 22), "22": (22, None)}
#: How many similar requests a page shows.
MAX_SIMILAR = 8


def to_vote(found: ExceptionRequestQuerySet, actor: Actor) -> ExceptionRequestQuerySet:
    """Those that wait for this member's vote: with the council, not voted on, and nothing keeps them out (EXC-8)."""
    if not may_vote(actor) or actor.user_id is None:
        return found.none()
    own = Membership.objects.filter(user_id=actor.user_id, is_active=True)
    decided = Event.objects.filter(verb__in=DECIDING, actor_user_id=actor.user_id, subject_type="dealreg.registration")
    return (
        found.filter(status__in=(Status.SUBMITTED, Status.IN_REVIEW))
        .exclude(votes__member_id=actor.user_id)
        .exclude(conflicts__member_id=actor.user_id)
        .exclude(referral__company__in=own.values("company"))
        .exclude(referral__registration__in=decided.values("subject_id"))
    )


def of_age(found: ExceptionRequestQuerySet, age: str, today: date) -> ExceptionRequestQuerySet:
    """Those asked for so many days (UTC) ago; all of them for an age that isn't known."""
    if age not in AGES:
        return found
    first, last = AGES[age]
    midnight = datetime.combine(today + timedelta(days=1), time(tzinfo=UTC))
    found = found.filter(created_at__lt=midnight - timedelta(days=first))
    return found.filter(created_at__gte=midnight - timedelta(days=last)) if last is not None else found


def too_few(now: datetime) -> list[int]:
    """The open requests that too few may vote on, still: those that were noted, looked at anew (EXC-15)."""
    noted = ExceptionRequest.objects.open().filter(too_few_at__isnull=False).select_related("referral__registration")
    policy = policies.current(now)
    return [request.pk for request in noted if tally_of(request, policy).too_few]


def similar(request: ExceptionRequest) -> list[ExceptionRequest]:
    """Others of the same customer, partner or kind; those that share the most come first, then the newest."""
    deal = request.referral
    shared = (
        Q(referral__engagement__customer_id=deal.engagement.customer_id),
        Q(referral__company_id=deal.company_id),
        Q(kind=request.kind),
    )
    each = (Case(When(one, then=Value(1)), default=Value(0), output_field=IntegerField()) for one in shared)
    likeness: Any = sum(each, start=Value(0))
    others = ExceptionRequest.objects.exclude(pk=request.pk).filter(shared[0] | shared[1] | shared[2])
    rows = others.select_related("referral__company", "referral__engagement__customer").annotate(likeness=likeness)
    return list(rows.order_by("-likeness", "-created_at", "-pk")[:MAX_SIMILAR])


# Reports


@dataclass(frozen=True)
class Decided:
    """What was decided, of one group: how many were approved and denied, and half of them in how many days."""

    key: Any
    label: str
    approved: int
    denied: int
    median_days: float

    @property
    def total(self) -> int:
        return self.approved + self.denied


def open_by_age(today: date) -> dict[str, int]:
    """How many open requests are how old."""
    return {age: of_age(ExceptionRequest.objects.open(), age, today).count() for age in AGES}


def waiting() -> dict[str, int]:
    """How many open requests there are in each state."""
    rows = ExceptionRequest.objects.open().values("status").annotate(count=Count("pk")).order_by()
    found = {row["status"]: row["count"] for row in rows}
    return {state: found.get(state, 0) for state in states.OPEN}


def decided() -> tuple[Decided | None, list[Decided], list[Decided]]:
    """Everything that was decided: altogether (None if there is nothing), by kind, and by partner; two figures each,
    and the median of the days from the request to the decision."""
    rows = list(
        ExceptionRequest.objects.decided().values(
            "kind", "status", took=F("decided_at") - F("created_at"), company=F("referral__company_id"),
            name=F("referral__company__name"),
        )
    )  # fmt: skip
    kinds = {kind: [row for row in rows if row["kind"] == kind] for kind in states.KINDS}
    partners: dict[int, list[Any]] = {}
    for row in sorted(rows, key=lambda row: (row["name"], row["company"])):
        partners.setdefault(row["company"], []).append(row)
    return (
        _decided("", "", rows) if rows else None,
        [_decided(kind, states.KINDS[kind], found) for kind, found in kinds.items() if found],
        [_decided(company, found[0]["name"], found) for company, found in partners.items()],
    )


def _decided(key: Any, label: str, rows: Iterable[Mapping[str, Any]]) -> Decided:
    found = list(rows)
    outcomes = [row["status"] for row in found]
    days = median(row["took"] / timedelta(days=1) for row in found)
    return Decided(key, label, outcomes.count(Status.APPROVED), outcomes.count(Status.DENIED), round(days, 1))


def needs_managers(now: datetime) -> dict[str, int]:
    """What programme managers were told of, and is so still (EXC-7, EXC-15)."""
    return {"overdue": ExceptionRequest.objects.overdue(now.date()).count(), "too_few": len(too_few(now))}
