"""Finds partners to invite, in the co-sell ecosystem; those that answer quickly come first (REF-9, REF-22)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.db import connection, models
from django.db.models import Exists, OuterRef

from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.catalog.models import Solution
from portal.customers.rules import fold

YEAR = timedelta(days=365)

_RESPONSIVENESS = """
SELECT r.company_id,
       count(*) FILTER (WHERE r.substatus <> 'Expired') AS answered,
       count(*) AS received,
       percentile_cont(0.5) WITHIN GROUP (
           ORDER BY extract(epoch FROM coalesce(r.accepted_at, r.closed_at) - r.created_at) / 3600
       ) FILTER (WHERE r.substatus <> 'Expired') AS hours
FROM referrals_referral r
WHERE r.company_id = ANY(%(companies)s) AND r.invited_by_id IS NOT NULL
  AND r.created_at > %(since)s AND r.substatus NOT IN ('Received', 'Error')
GROUP BY r.company_id
"""


@dataclass(frozen=True)
class Responsiveness:
    """How a company has answered the deals that it received in the last 12 months (REF-22)."""

    received: int = 0
    answered: int = 0
    median_hours: float | None = None

    @property
    def share(self) -> float:
        """The share of deals answered in time, 0 to 1; 0 for a company that never received a deal."""
        return self.answered / self.received if self.received else 0.0

    @property
    def hours(self) -> int:
        """The median time to answer in hours, rounded up; at least one."""
        return max(1, ceil(self.median_hours or 0))


def responsiveness(company_ids: list[int], *, now: datetime) -> dict[int, Responsiveness]:
    """The responsiveness of each company that received deals; one query (REF-22)."""
    with connection.cursor() as cursor:
        cursor.execute(_RESPONSIVENESS, {"companies": company_ids, "since": now - YEAR})
        return {
            row[0]: Responsiveness(received=row[2], answered=row[1], median_hours=row[3]) for row in cursor.fetchall()
        }


def responsiveness_of(company_id: int, *, now: datetime) -> Responsiveness:
    """One company's responsiveness, as the company and those who look for a partner see it (REF-22)."""
    return responsiveness([company_id], now=now).get(company_id, Responsiveness())


def ecosystem() -> models.QuerySet[Company]:
    """Partners that can be invited: those with a co-sell-ready solution (REF-9)."""
    ready = Solution.objects.co_sell_ready().filter(publisher=OuterRef("pk"))
    return Company.objects.partners().filter(Exists(ready))


def suggest(text: str, *, actor: Actor, now: datetime, limit: int = 20) -> list[tuple[Company, Responsiveness]]:
    """Partners whose name begins with `text`, or all of them; those that answer quickly come first (REF-22)."""
    folded = fold(text)
    found = [c for c in ecosystem().exclude(pk=actor.own_company_id) if fold(c.name).startswith(folded)]
    known = responsiveness([c.pk for c in found], now=now)
    ranked = [(company, known.get(company.pk, Responsiveness())) for company in found]
    ranked.sort(key=lambda pair: (-pair[1].share, pair[1].median_hours or float("inf"), fold(pair[0].name)))
    return ranked[:limit]
