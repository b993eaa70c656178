"""Home: what needs you now, what ends soon, where the pipeline stands, what happened last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F, Q

from portal.accounts.rules import Actor
from portal.events.models import Event, EventQuerySet
from portal.ui import deadlines
from portal.ui.deadlines import DeadlineQuery
from portal.ui.home import MAX_ITEMS, NEEDS, Need
from portal.workflow import timeline
from referrals import rules
from referrals.models import Referral, ReferralQuerySet
from referrals.selectors import partner_side, partners
from referrals.selectors.figures import sums
from referrals.services import stage_names
from referrals.services.drafts import begun
from referrals.timeline import REMINDERS, stages_of
from referrals.verbs import new_deal_blockers

SOON = timedelta(days=30)


def context(actor: Actor, *, now: datetime) -> dict[str, Any]:
    """A handful of queries, whatever the number of deals."""
    visible = Referral.objects.visible_to(actor).filter(company_id=actor.own_company_id)
    return {
        "needs": _needs(actor, now),
        "deadlines": _deadlines(actor, now),
        "pipeline": _pipeline(visible, actor),
        "last_events": _last_events(visible, actor),
        "drafts": [] if actor.is_vendor else begun(actor)[:MAX_ITEMS],
        "is_vendor": actor.is_vendor,
        "new_deal_blockers": [] if actor.is_vendor else new_deal_blockers(actor),
        "answers": None if actor.is_vendor else partners.responsiveness_of(actor.own_company_id, now=now),
    }


def _needs(actor: Actor, now: datetime) -> list[Need]:
    """What waits for this person, the most urgent first."""
    needs = [need for find in NEEDS.values() for need in find(actor, now)]
    return sorted(needs, key=lambda need: (need.until is not None, need.until or now))


def _deadlines(actor: Actor, now: datetime) -> dict[str, Any]:
    """What is due within thirty days, the first first, and how many more there are."""
    soon = DeadlineQuery(actor, now, last=(now + SOON).date())
    shown = deadlines.first(soon, MAX_ITEMS)
    return {"shown": shown, "more": deadlines.count(soon) - len(shown)}


def _pipeline(visible: ReferralQuerySet, actor: Actor) -> dict[str, Any]:
    """Active deals by stage: how many and how much in USD, in one query.

    The vendor's are those whose sale goes on at the partner, by the partner's stage.
    """
    active = visible.filter(substatus=rules.ACCEPTED).annotate(reached=F("stage"))
    if actor.is_vendor:
        active = visible.filter(substatus=rules.ACCEPTED).annotate(reached=partner_side.stage())
        active = active.filter(reached__isnull=False)
    found: dict[int, Mapping[str, Any]] = {
        row["reached"]: row for row in active.values("reached").annotate(**sums(deals=Q())).order_by("reached")
    }
    none = {"deals": 0, "deals_usd": Decimal(0)}
    stages = [
        {"percent": percent, "label": label, **{name: found.get(percent, none)[name] for name in none}}
        for percent, label in rules.STAGES.items()
        if percent < rules.WON_STAGE
    ]
    return {
        "stages": stages,
        "deals": sum(row["deals"] for row in found.values()),
        "deals_usd": sum((row["deals_usd"] for row in found.values()), Decimal(0)),
        "most": max([row["deals_usd"] for row in found.values()] + [Decimal(1)]),
    }


def _last_events(visible: ReferralQuerySet, actor: Actor) -> list[dict[str, Any]]:
    """The company's last events, on deals this person may see; that somebody was reminded is no news of a deal. The
    vendor is told how the deals it helps with ended."""
    events = _with_people(_own_events(visible, actor))
    if actor.is_vendor:
        ended = _with_people(partner_side.outcomes(actor.own_company_id))
        events = events.union(ended).order_by("-at", "-id")[:MAX_ITEMS]
    about = Referral.objects.filter(pk__in=[e.subject_id for e in events]).select_related("engagement")
    deals = {r.pk: r for r in about.defer("search_text", "search_vector")}
    own = stage_names.of_company(actor.own_company_id)
    return [{**timeline.entry(e, stages_of(deals[e.subject_id], own)), "referral": deals[e.subject_id]} for e in events]


def _own_events(visible: ReferralQuerySet, actor: Actor) -> EventQuerySet:
    return (
        Event.objects.filter(company_id=actor.own_company_id, subject_type="referrals.referral")
        .filter(subject_id__in=visible.values("pk"))
        .exclude(verb__in=timeline.verbs(REMINDERS))
        .order_by("-at", "-id")
    )


def _with_people(events: EventQuerySet) -> EventQuerySet:
    return events.annotate(key=F("subject_id")).select_related("actor_user", "company")[:MAX_ITEMS]
