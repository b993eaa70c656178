"""The home page, put together: needs, deadlines, pipeline, answers, and what happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import F, Q
from django.urls import reverse

from portal.accounts.models import Membership
from portal.accounts.rules import Actor, reading_scope
from portal.pages.deadlines import PageQuery
from portal.pages.deals import filters
from portal.pages.deals.rows import ALL
from portal.pages.home import changes, steps
from portal.ui import deadlines
from portal.ui.deadlines import DEADLINES, DeadlineQuery
from portal.ui.home import MAX_ITEMS, MAX_NEEDS, NEEDS, Need, counted
from referrals import rules
from referrals.models import Referral, ReferralQuerySet
from referrals.selectors import partner_side, partners
from referrals.selectors.figures import sums
from referrals.services.drafts import begun
from referrals.verbs import new_deal_blockers


def context(actor: Actor, *, membership: Membership | None = None, now: datetime) -> dict[str, Any]:
    """A handful of queries, whatever the number of deals. `membership`: what is kept of the person's visits."""
    visible = Referral.objects.visible_to(actor).filter(company_id=actor.own_company_id)
    drafts = [] if actor.is_vendor else begun(actor)
    blockers = [] if actor.is_vendor else new_deal_blockers(actor)
    return {
        **_work(actor, now),
        "pipeline": _pipeline(visible, actor),
        **changes.on_home(visible, actor, membership.told_until if membership else None),
        "drafts": drafts[:MAX_ITEMS],
        "drafts_count": len(drafts),
        "is_vendor": actor.is_vendor,
        "new_deal_blockers": blockers,
        "answers": None if actor.is_vendor else _answers(actor, now),
        "steps": None if actor.is_vendor or not membership else steps.shown(actor, membership),
    }


def rows(**only: object) -> str:
    """The list of the own deals that a figure counts."""
    return f"{reverse('deals')}?{urlencode({'tab': ALL, **only, 'exact': 1}, safe=',')}"


def _work(actor: Actor, now: datetime) -> dict[str, Any]:
    """What waits for this person, the most urgent first; what is due within thirty days; of each kind how many."""
    page = PageQuery(soon=True)
    soon = page.deadlines(actor, now)
    waiting = {f"need:{code}": kind.find(actor, now) for code, kind in NEEDS.items()}
    counts = counted({**waiting, **deadlines.by_kind(soon)})
    return {**_needs(actor, now, counts), "deadlines": _deadlines(soon, page, counts)}


def _needs(actor: Actor, now: datetime, counts: Mapping[str, int]) -> dict[str, Any]:
    there = {code: kind for code, kind in NEEDS.items() if counts[f"need:{code}"]}
    found: list[Need] = [need for kind in there.values() for need in kind.first(actor, now)]
    kinds: list[dict[str, Any]] = [
        {"label": kind.label, "count": counts[f"need:{code}"], "url": kind.page() if kind.page else rows(needs=code)}
        for code, kind in there.items()
    ]
    return {
        "needs": sorted(found, key=lambda need: need.urgency)[:MAX_NEEDS],
        "needs_count": sum(kind["count"] for kind in kinds),
        "needs_kinds": kinds,
    }


def _deadlines(soon: DeadlineQuery, page: PageQuery, counts: Mapping[str, int]) -> dict[str, Any]:
    shown = deadlines.first(soon, MAX_ITEMS, counts=counts)
    kinds: list[dict[str, Any]] = [
        {"label": kind.label, "count": counts[code], "url": page.address(kind=code)}
        for code, kind in DEADLINES.items()
        if counts[code]
    ]
    count = sum(kind["count"] for kind in kinds)
    return {"shown": shown, "count": count, "more": count - len(shown), "kinds": kinds, "url": page.address()}


def _pipeline(visible: ReferralQuerySet, actor: Actor) -> dict[str, Any]:
    """Active deals by stage: how many and how much in USD, in one query.

    The vendor's are those whose sale goes on at the partner, by the partner's stage.
    """
    active, of_stage, of_all = visible.filter(substatus=rules.ACCEPTED).annotate(reached=F("stage")), "stage", {}
    if actor.is_vendor:
        active = visible.filter(substatus=rules.ACCEPTED).annotate(reached=partner_side.stage())
        active, of_stage, of_all = active.filter(reached__isnull=False), "sale", {"sale": filters.OPEN}
    found: dict[int, Mapping[str, Any]] = {
        row["reached"]: row for row in active.values("reached").annotate(**sums(deals=Q())).order_by("reached")
    }
    none = {"deals": 0, "deals_usd": Decimal(0)}
    stages = [
        {
            "percent": percent,
            "label": label,
            "url": rows(status=rules.ACCEPTED, **{of_stage: percent}),
            **{name: found.get(percent, none)[name] for name in none},
        }
        for percent, label in rules.STAGES.items()
        if percent < rules.WON_STAGE
    ]
    return {
        "stages": stages,
        "url": rows(status=rules.ACCEPTED, **of_all),
        "deals": sum(row["deals"] for row in found.values()),
        "deals_usd": sum((row["deals_usd"] for row in found.values()), Decimal(0)),
        "most": max([row["deals_usd"] for row in found.values()] + [Decimal(1)]),
    }


def _answers(actor: Actor, now: datetime) -> dict[str, Any]:
    """How the company answers; who doesn't see all of its deals is shown none of them for it (ORG-2)."""
    found, entire = partners.responsiveness_of(actor.own_company_id, now=now), reading_scope(actor).entire_company
    return {
        "found": found,
        "received_url": rows(answers=filters.COUNTED) if entire else "",
        "answered_url": rows(answers=filters.IN_TIME) if entire else "",
    }
