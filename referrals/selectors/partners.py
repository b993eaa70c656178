"""Finds partners to invite, in the co-sell ecosystem: first those that fit, and answer quickly (REF-9, REF-22)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from urllib.parse import urlencode

from django.db import connection, models
from django.db.models import Exists, Func, OuterRef, Q, Subquery, Value
from django.db.models.functions import Now

from portal.accounts import selectors as accounts
from portal.accounts.models import Company, Location, RoleGrant
from portal.accounts.rules import REFERRALS_ADMIN, Actor
from portal.catalog.models import Solution
from portal.customers.rules import fold
from portal.policy import services as policies
from referrals import rules
from referrals.models import Referral

#: What was received within the time that counts, and is answered or too late to be; a mistake nobody had to answer.
_RESPONSIVENESS = """
SELECT r.company_id,
       count(*) FILTER (WHERE r.substatus <> 'Expired') AS answered,
       count(*) AS received,
       percentile_cont(0.5) WITHIN GROUP (
           ORDER BY extract(epoch FROM coalesce(r.accepted_at, r.closed_at) - r.created_at) / 3600
       ) FILTER (WHERE r.substatus <> 'Expired') AS hours
FROM referrals_referral r
WHERE r.company_id = ANY(%(companies)s) AND r.invited_by_id IS NOT NULL
  AND r.created_at > %(now)s - make_interval(months => %(months)s)
  AND r.substatus <> 'Received' AND (r.substatus <> 'Error' OR r.accepted_at IS NOT NULL)
GROUP BY r.company_id
"""

_RANKED = f"""
SELECT c.id, a.answered, a.received, a.hours
FROM accounts_company c LEFT JOIN ({_RESPONSIVENESS}) a ON a.company_id = c.id
WHERE c.id = ANY(%(companies)s)
ORDER BY EXISTS (
        SELECT FROM catalog_solution s
        WHERE s.publisher_id = c.id AND s.published AND s.co_sell_ready AND s.kind = ANY(%(kinds)s)
    ) DESC,
    EXISTS (
        SELECT FROM referrals_referral r JOIN referrals_engagement e ON e.id = r.engagement_id
        JOIN customers_customer customer ON customer.id = e.customer_id
        WHERE r.company_id = c.id AND r.invited_by_id IS NOT NULL AND r.accepted_at IS NOT NULL
            AND customer.country = %(country)s
    ) DESC,
    coalesce(a.answered::numeric / a.received, 0) DESC, a.hours NULLS LAST, array_position(%(companies)s, c.id)
LIMIT %(limit)s
"""  # noqa: S608  every word of it is ours


@dataclass(frozen=True)
class Responsiveness:
    """How a company has answered the deals that it received in the last months, 12 by the policy (REF-22)."""

    received: int = 0
    answered: int = 0
    median_hours: float | None = None
    #: How many months count.
    months: int = 0

    @property
    def share(self) -> float:
        """The share of deals answered in time, 0 to 1; 0 for a company that never received a deal."""
        return self.answered / self.received if self.received else 0.0

    @property
    def typical_time(self) -> timedelta:
        """The median time to answer, rounded up to hours, and from two days on to days; at least an hour."""
        hours = max(1, ceil(self.median_hours or 0))
        return timedelta(hours=hours) if hours < 48 else timedelta(days=ceil(hours / 24))


@dataclass(frozen=True)
class Fit:
    """What a partner is sought for: the country of the customer, and the kinds of the deal's solutions (REF-22)."""

    country: str = ""
    kinds: tuple[str, ...] = ()

    @property
    def query(self) -> str:
        """As an address holds it."""
        return urlencode({"country": self.country, "kind": self.kinds}, doseq=True)


def sought(country: str, kinds: Iterable[str] = ()) -> Fit:
    """From what an address or a form holds; what can be no country or kind counts for nothing."""
    return Fit(country if country.isalpha() else "", tuple(k for k in kinds if k in Solution.Kind.values))


def fit_of(referral: Referral) -> Fit:
    """What a partner has to fit who is invited to this deal."""
    return Fit(referral.engagement.customer.country, kinds(s.solution for s in referral.solutions.all()))


def kinds(solutions: Iterable[Solution]) -> tuple[str, ...]:
    return tuple(sorted({solution.kind for solution in solutions}))


def responsiveness(company_ids: list[int], *, now: datetime) -> dict[int, Responsiveness]:
    """The responsiveness of each company that received deals; one query (REF-22)."""
    return {pk: answers for pk, answers in _read(_RESPONSIVENESS, company_ids, now) if answers.received}


def _read(statement: str, company_ids: Sequence[int], now: datetime, **more: Any) -> list[tuple[int, Responsiveness]]:
    months = policies.current(now).responsiveness_months
    given: dict[str, Any] = {"companies": list(company_ids), "now": now, "months": months, **more}
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        rows = cursor.fetchall()
    return [(pk, Responsiveness(received or 0, answered or 0, hours, months)) for pk, answered, received, hours in rows]


def responsiveness_of(company_id: int, *, now: datetime) -> Responsiveness:
    """One company's responsiveness, as the company and those who look for a partner see it (REF-22)."""
    none = Responsiveness(months=policies.current(now).responsiveness_months)
    return responsiveness([company_id], now=now).get(company_id, none)


def answers(*, in_time: bool) -> Q:
    """The deals that count in a company's responsiveness; `in_time`: of those, the answered ones (REF-22)."""
    months = Func(
        Value(policies.by_database_clock().responsiveness_months),
        template="make_interval(months => %(expressions)s)",
        output_field=models.DurationField(),
    )
    found = Q(invited_by__isnull=False, created_at__gt=Now() - months) & ~Q(substatus=rules.RECEIVED)
    found &= ~Q(substatus=rules.ERROR, accepted_at__isnull=True)
    return found & ~Q(substatus=rules.EXPIRED) if in_time else found


def ecosystem(country: str = "") -> models.QuerySet[Company]:
    """Partners that can be invited: open ones with a co-sell-ready solution and somebody who could answer (REF-9,
    REF-22).

    For a customer in a `country` that is somebody who administers the location where the deal would arrive (ORG-4).
    """
    ready = Solution.objects.co_sell_ready().filter(publisher=OuterRef("pk"))
    answering = RoleGrant.objects.filter(
        role=REFERRALS_ADMIN,
        membership__company=OuterRef("pk"),
        membership__is_active=True,
        membership__user__is_active=True,
    )
    if country:
        places = accounts.nearest_first(country).filter(company=OuterRef("membership__company"))
        answering = answering.filter(Q(location=None) | Q(location=Subquery(places.values("pk")[:1])))
    return Company.objects.partners().open().filter(Exists(ready), Exists(answering))


def suggest(
    text: str, *, actor: Actor, now: datetime, fit: Fit = Fit(), limit: int = 20
) -> list[tuple[Company, Responsiveness]]:
    """Partners whose name begins with `text`, or all of them: first those that fit, then those that answer quickly
    (REF-22). Three queries, which bring no more than names and `limit` companies."""
    letters, names = fold(text), ecosystem(fit.country).exclude(pk=actor.own_company_id).values_list("pk", "name")
    found = sorted((fold(name), pk) for pk, name in names if fold(name).startswith(letters))
    ranked = _read(_RANKED, [pk for _n, pk in found], now, kinds=list(fit.kinds), country=fit.country, limit=limit)
    companies = Company.objects.in_bulk([pk for pk, _answers in ranked])
    return [(companies[pk], answers) for pk, answers in ranked]


def partner_ids(company_ids: Iterable[int]) -> dict[int, list[str]]:
    """The partner ids (MPN) of the companies, by which the API invites them; one query."""
    found: dict[int, list[str]] = {}
    places = Location.objects.filter(company__in=company_ids).order_by("pk")
    for company_id, mpn_id in places.values_list("company_id", "mpn_id"):
        found.setdefault(company_id, []).append(mpn_id)
    return found
