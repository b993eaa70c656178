"""What others did to the person's deals since they were last here; on home, and all of it on a page of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, F
from django.urls import reverse

from portal import paging
from portal.accounts.rules import Actor
from portal.events.models import Event, EventQuerySet
from portal.params import whole_number
from portal.ui.home import MAX_ITEMS
from portal.ui.listing.filters import FIRST_YEAR, LAST_YEAR
from portal.workflow import timeline
from portal.workflow.blockers import _
from referrals.models import Referral, ReferralQuerySet
from referrals.selectors import partner_side
from referrals.selectors.history import news
from referrals.services import stage_names
from referrals.timeline import REMINDERS, stages_of

#: How far the page looks back if it isn't told.
USUAL = timedelta(days=30)


@dataclass(frozen=True)
class ChangesQuery:
    """What the page's address says; anything that can't be meant is left out."""

    since: datetime
    kind: str = ""
    before: int = 0

    @classmethod
    def of(cls, params: Mapping[str, str], now: datetime) -> ChangesQuery:
        kind = params.get("kind", "")
        return cls(
            since=_instant(params.get("since", "")) or now - USUAL,
            kind=kind if kind in _groups() else "",
            before=whole_number(params.get("before")) or 0,
        )

    def address(self, **changes: Any) -> str:
        query = replace(self, **{"before": 0, **changes})
        values = {"since": query.since.isoformat(), "kind": query.kind, "before": query.before}
        return f"{reverse('changes')}?{urlencode({name: value for name, value in values.items() if value})}"


def _instant(typed: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(typed)
    except ValueError:
        return None
    return at if at.tzinfo and FIRST_YEAR <= at.year <= LAST_YEAR else None


def _groups() -> dict[str, str]:
    """The kinds of news: that somebody was reminded is none."""
    return {code: label for code, label in timeline.GROUPS.items() if code != REMINDERS}


def _found(actor: Actor, query: ChangesQuery) -> EventQuerySet:
    groups = [query.kind] if query.kind else _groups()
    return news(actor, query.since).filter(verb__in=[verb for group in groups for verb in timeline.verbs(group)])


def _kinds(actor: Actor, query: ChangesQuery) -> list[dict[str, Any]]:
    """How many there are of each kind, and of all; one query."""
    rows = _found(actor, replace(query, kind="")).order_by().values_list("verb").annotate(Count("pk"))
    counts = timeline.counts(dict(rows))
    kinds = {"": (_("All"), sum(counts.values())), **{code: (label, counts[code]) for code, label in _groups().items()}}
    return [
        {"code": code, "label": label, "count": count, "url": query.address(kind=code), "on": code == query.kind}
        for code, (label, count) in kinds.items()
        if count or not code
    ]


def context(actor: Actor, query: ChangesQuery) -> dict[str, Any]:
    """The page; *load more* asks for what follows an event."""
    events = _found(actor, query).select_related("actor_user", "company")
    shown, last = paging.newest(events, "at", after=query.before, limit=timeline.PAGE)
    return {
        "query": query,
        "kinds": _kinds(actor, query),
        "entries": _entries(shown, actor),
        "more_url": query.address(before=last) if last else "",
        "first_url": query.address() if query.before else "",
    }


def on_home(visible: ReferralQuerySet, actor: Actor, since: datetime | None) -> dict[str, Any]:
    """The news by kind, and the latest; where there is none, the last events, whoever's they are."""
    kinds = _kinds(actor, ChangesQuery(since)) if since else []
    if since and kinds[0]["count"]:
        events = _found(actor, ChangesQuery(since)).select_related("actor_user", "company").order_by("-at", "-pk")
        shown = _entries(events[:MAX_ITEMS], actor)
    else:
        shown = _last_events(visible, actor)
    return {"since": since, "news": kinds[1:], "news_all": kinds[0] if kinds else None, "last_events": shown}


def _entries(events: Iterable[Event], actor: Actor) -> list[dict[str, Any]]:
    """Each with the company's own copy of the deal that it is about."""
    listed = list(events)
    own_copies = Referral.objects.visible_to(actor).filter(company_id=actor.own_company_id)
    about = own_copies.filter(engagement__public_id__in={event.group for event in listed})
    deals: dict[Any, Referral] = {deal.engagement.public_id: deal for deal in about.with_context()}
    own = stage_names.of_company(actor.own_company_id)
    return [
        {**timeline.entry(event, stages_of(deal, own)), "referral": deal}
        for event in listed
        if (deal := deals.get(event.group))
    ]


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
