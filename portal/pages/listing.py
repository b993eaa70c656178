"""The list of deals: tabs with counts, search, status, and pages by key instead of number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q

from dealreg.models import Registration
from portal.accounts.rules import Actor
from portal.customers.rules import fold
from referrals import rules
from referrals.models import Referral, ReferralQuerySet, Substatus
from referrals.services import new_deal_blockers

PAGE_SIZE = 50
INBOUND, OUTBOUND = "inbound", "outbound"


@dataclass(frozen=True)
class Asked:
    """What the address asks for; anything it can't mean is left out."""

    tab: str
    query: str
    status: str
    after: tuple[datetime, int] | None

    @classmethod
    def of(cls, params: Mapping[str, str], *, default_tab: str) -> Asked:
        return cls(
            tab=params["tab"] if params.get("tab") in (INBOUND, OUTBOUND) else default_tab,
            query=params.get("q", "").strip()[:100],
            status=params["status"] if params.get("status") in rules.SUBSTATUSES else "",
            after=_key(params.get("after", "")),
        )

    def link(self, **changes: Any) -> str:
        """The address with some of it changed; always from the top of the list unless `after` is given."""
        values = {"tab": self.tab, "q": self.query, "status": self.status, **changes}
        return "?" + urlencode({key: value for key, value in values.items() if value})


def _key(after: str) -> tuple[datetime, int] | None:
    """The last row shown: when it was created, and its number among those of the same instant."""
    at, _separator, pk = after.partition("_")
    try:
        moment = datetime.fromisoformat(at)
        return (moment, int(pk)) if moment.tzinfo and 0 <= int(pk) < 2**63 else None
    except ValueError:
        return None


def context(actor: Actor, params: Mapping[str, str]) -> dict[str, Any]:
    """Everything the page shows; the same number of queries whatever the number of deals."""
    visible = Referral.objects.visible_to(actor).of_company(actor)
    asked = Asked.of(params, default_tab=INBOUND if actor.is_vendor else OUTBOUND)
    found = _search(visible, asked.query)
    counts = found.aggregate(inbound=Count("pk", filter=_inbound(actor)), outbound=Count("pk", filter=~_inbound(actor)))
    rows = found.filter(_inbound(actor) if asked.tab == INBOUND else ~_inbound(actor))
    if asked.status:
        rows = rows.filter(substatus=asked.status)
    if asked.after is not None:
        rows = rows.below(*asked.after)
    page = list(rows.with_context().newest_first()[: PAGE_SIZE + 1])
    shown, more = page[:PAGE_SIZE], len(page) > PAGE_SIZE
    return {
        "asked": asked,
        "tabs": [
            {"code": tab, "url": asked.link(tab=tab, status=""), "count": counts[tab], "active": asked.tab == tab}
            for tab in (INBOUND, OUTBOUND)
        ],
        "statuses": [{"code": s.value, "label": s.label, "url": asked.link(status=s.value)} for s in Substatus],
        "all_url": asked.link(status=""),
        "rows": _rows(shown, actor),
        "more_url": asked.link(after=f"{shown[-1].created_at.isoformat()}_{shown[-1].pk}") if more else "",
        "new_deal_blockers": [] if actor.is_vendor else new_deal_blockers(actor),
        "is_vendor": actor.is_vendor,
    }


def _inbound(actor: Actor) -> Q:
    """A vendor's own copies are inbound; what it may merely view, partner-led deals, is listed beside them."""
    if actor.is_vendor:
        return Q(company_id=actor.own_company_id)
    return Q(invited_by__isnull=False)


def _search(rows: ReferralQuerySet, query: str) -> ReferralQuerySet:
    if not query:
        return rows
    return rows.filter(
        Q(name__icontains=query)
        | Q(crm_id__icontains=query)
        | Q(engagement__customer__search_text__contains=fold(query))
    )


def _rows(referrals: list[Referral], actor: Actor) -> list[dict[str, Any]]:
    """Each deal with its registration and, for a partner, the vendor's answer: two queries for the whole page."""
    registrations = {
        r.referral_id: r
        for r in Registration.objects.filter(referral__in=referrals, referral__company_id=actor.own_company_id)
    }
    engagements = [r.engagement_id for r in referrals]
    vendor = {
        r.engagement_id: r
        for r in Referral.objects.filter(engagement_id__in=engagements, company__kind="vendor").only(
            "engagement_id", "substatus"
        )
    }
    return [
        {
            "referral": r,
            "deal_type": rules.DEAL_TYPES[r.engagement.deal_type],
            "stage": rules.stages_for(assessment=r.is_assessment)[r.stage],
            "registration": registrations.get(r.pk),
            "vendor": vendor.get(r.engagement_id) if not actor.is_vendor else None,
        }
        for r in referrals
    ]
