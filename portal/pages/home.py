"""Home: what needs you now, what ends soon, where the pipeline stands, what happened last."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Sum
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealreg.models import Registration, RegistrationQuerySet, Status
from portal.accounts.rules import REVIEWER, Actor
from portal.events.models import Event
from portal.policy import services as policies
from portal.workflow import timeline
from referrals import rules
from referrals.models import Referral, ReferralQuerySet
from referrals.selectors import partners
from referrals.services import stage_names
from referrals.services.drafts import begun
from referrals.timeline import stages_of
from referrals.verbs import new_deal_blockers

#: How many of each kind the page shows; the list has all of them.
MAX_ITEMS = 8
_ICONS = {"inbound": "envelope", "action": "pencil", "register": "award", "review": "clipboard-check"}
SOON = timedelta(days=30)


def context(actor: Actor, *, now: datetime) -> dict[str, Any]:
    """A handful of queries, whatever the number of deals."""
    visible = Referral.objects.visible_to(actor).filter(company_id=actor.own_company_id)
    registrations = Registration.objects.visible_to(actor).filter(referral__company_id=actor.own_company_id)
    return {
        "needs": _needs(actor, visible, registrations, now),
        "deadlines": _deadlines(visible, now),
        "pipeline": _pipeline(visible),
        "last_events": _last_events(visible, actor),
        "drafts": [] if actor.is_vendor else begun(actor)[:MAX_ITEMS],
        "is_vendor": actor.is_vendor,
        "new_deal_blockers": [] if actor.is_vendor else new_deal_blockers(actor),
        "answers": None if actor.is_vendor else partners.responsiveness_of(actor.own_company_id, now=now),
    }


def _needs(
    actor: Actor, visible: ReferralQuerySet, registrations: RegistrationQuerySet, now: datetime
) -> list[dict[str, Any]]:
    """What waits for this person, the most urgent first."""
    window = timedelta(days=policies.current(now).registration_window_days)
    needs = [
        *(
            _need("inbound", _("Answer this deal"), r, until=r.expires_at)
            for r in visible.filter(substatus=rules.RECEIVED).with_context().order_by("expires_at")[:MAX_ITEMS]
        ),
        *(
            _need("action", _("Correct the registration and resubmit"), r.referral, note=r.comment)
            for r in registrations.filter(status=Status.ACTION_REQUIRED)
            .with_context()
            .order_by("action_required_at")[:MAX_ITEMS]
        ),
        *(
            _need("register", _("Register this won deal"), r.referral, until=(r.referral.closed_at or now) + window)
            for r in registrations.to_register().with_context().order_by("referral__closed_at")[:MAX_ITEMS]
        ),
    ]
    if actor.is_vendor and actor.has(REVIEWER):
        needs.extend(_reviews())
    return sorted(needs, key=lambda need: (need["until"] is not None, need["until"] or now))


def _need(
    kind: str, title: Any, referral: Referral, *, until: datetime | None = None, note: str = ""
) -> dict[str, Any]:
    return {
        "kind": kind,
        "icon": _ICONS[kind],
        "title": title,
        "name": referral.name,
        "customer": referral.engagement.customer.name,
        "money": referral.money,
        "until": until,
        "note": note,
        "url": reverse("deal", args=[referral.public_id]),
    }


def _reviews() -> list[dict[str, Any]]:
    """A reviewer's queue, oldest first, each leading into the admin."""
    waiting = Registration.objects.filter(status=Status.REVIEW_PENDING).with_context().order_by("review_pending_at")
    return [
        {
            **_need("review", _("Review this registration"), r.referral),
            "url": reverse("admin:dealreg_registration_change", args=[r.pk]),
            "since": r.review_pending_at,
        }
        for r in waiting[:MAX_ITEMS]
    ]


def _deadlines(visible: ReferralQuerySet, now: datetime) -> list[Referral]:
    """Open deals whose close date or answer is due within thirty days."""
    ending = visible.filter(substatus=rules.ACCEPTED, close_date__range=(now.date(), (now + SOON).date()))
    return list(ending.with_context().order_by("close_date")[:MAX_ITEMS])


def _pipeline(visible: ReferralQuerySet) -> dict[str, Any]:
    """Active deals by stage: how many and how much in USD, in one query."""
    found = {
        row["stage"]: (row["count"], int(row["usd"] or 0))
        for row in visible.filter(substatus=rules.ACCEPTED)
        .values("stage")
        .annotate(count=Count("pk"), usd=Sum("value_usd"))
        .order_by("stage")
    }
    stages = []
    for percent, label in rules.STAGES.items():
        if percent < rules.WON_STAGE:
            count, usd = found.get(percent, (0, 0))
            stages.append({"percent": percent, "label": label, "count": count, "usd": usd})
    return {
        "stages": stages,
        "count": sum(count for count, _usd in found.values()),
        "usd": sum(usd for _count, usd in found.values()),
        "most": max([usd for _count, usd in found.values()] + [1]),
    }


def _last_events(visible: ReferralQuerySet, actor: Actor) -> list[dict[str, Any]]:
    """The company's last events, on deals this person may see; that somebody was reminded is no news of a deal."""
    events = (
        Event.objects.filter(company_id=actor.own_company_id, subject_type="referrals.referral")
        .filter(subject_id__in=visible.values("pk"))
        .exclude(verb__in=timeline.verbs(timeline.REMINDERS))
        .annotate(key=F("subject_id"))
        .select_related("actor_user", "company")
        .order_by("-at", "-id")[:MAX_ITEMS]
    )
    about = Referral.objects.filter(pk__in=[e.subject_id for e in events]).select_related("engagement")
    deals = {r.pk: r for r in about.defer("search_text", "search_vector")}
    own = stage_names.of_company(actor.own_company_id)
    return [{**timeline.entry(e, stages_of(deals[e.subject_id], own)), "referral": deals[e.subject_id]} for e in events]
