"""A deal's timeline as its page shows it: the newest events, filtered by group, and *load more*."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from portal.accounts.rules import Actor
from portal.params import whole_number
from portal.workflow import timeline
from portal.workflow.blockers import _
from referrals.models import Referral
from referrals.selectors.history import events_of
from referrals.services import stage_names
from referrals.timeline import stages_of


@dataclass(frozen=True)
class TimelineQuery:
    """What the deal page's address says of the timeline; anything that can't be meant is left out."""

    group: str = ""
    before: int = 0
    #: The list the deal was opened from, as the address holds it.
    listed: str = ""

    @classmethod
    def of(cls, params: Mapping[str, str]) -> TimelineQuery:
        group = params.get("timeline", "")
        return cls(
            group=group if group in timeline.GROUPS else "",
            before=whole_number(params.get("before")) or 0,
            listed=params.get("list", ""),
        )

    def address(self, referral: Referral, **changes: Any) -> str:
        query = replace(self, **{"before": 0, **changes})
        values = {"list": query.listed, "timeline": query.group, "before": query.before}
        params = urlencode({name: value for name, value in values.items() if value})
        return reverse("deal", args=[referral.public_id]) + (f"?{params}" if params else "")


def context(referral: Referral, actor: Actor, copies: Iterable[Referral], query: TimelineQuery) -> dict[str, Any]:
    """Three queries, whatever happened; one more to go on from an event."""
    seen = events_of(referral, actor, copies)
    shown = seen.filter(verb__in=timeline.verbs(query.group)) if query.group else seen
    own = stage_names.of_company(actor.own_company_id) if referral.company_id == actor.company_id else {}
    entries, more = timeline.page(shown, before=query.before, also=stages_of(referral, own))
    counts = timeline.counts(seen)
    return {
        "timeline": entries,
        "timeline_more": query.address(referral, before=more) if more else "",
        "timeline_top": query.address(referral) if query.before else "",
        "timeline_groups": [
            {
                "code": group or "all",
                "label": label,
                "count": counts[group] if group else sum(counts.values()),
                "url": query.address(referral, group=group),
                "active": group == query.group,
            }
            for group, label in {"": _("All"), **timeline.GROUPS}.items()
        ],
    }
