"""A deal's conversation as its page shows it: events and notes, the newest first, by group, and *load more*."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from portal.accounts.rules import Actor
from portal.params import whole_number
from portal.workflow import timeline
from portal.workflow.blockers import _
from referrals.models import Note, Referral
from referrals.selectors import notes
from referrals.selectors.history import NOTE_ADDED, Summary, events_of, summary
from referrals.services import stage_names
from referrals.timeline import changes_of, stages_of


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


@dataclass(frozen=True)
class Conversation:
    """What the page shows of a deal's past, and the past at a glance."""

    context: dict[str, Any]
    past: Summary


def conversation(referral: Referral, actor: Actor, copies: Sequence[Referral], query: TimelineQuery) -> Conversation:
    """Four queries, whatever happened; one more to go on from an event."""
    seen = events_of(referral, actor, copies)
    past = summary(seen)
    shown = seen.filter(verb__in=timeline.verbs(query.group)) if query.group else seen
    own = referral.company_id == actor.company_id
    names = stage_names.of_company(actor.own_company_id) if own else {}
    changes = changes_of(referral, repriced=past.currency.get(referral.pk)) if own else None
    entries, more = timeline.page(shown, before=query.before, also=stages_of(referral, names), changes=changes)
    _add_notes(entries, referral, actor, copies)
    context = {
        "timeline": entries,
        "timeline_more": query.address(referral, before=more) if more else "",
        "timeline_top": query.address(referral) if query.before else "",
        "timeline_groups": _groups(referral, query, timeline.counts(past.verbs)),
    }
    return Conversation(context, past)


def _groups(referral: Referral, query: TimelineQuery, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "code": group or "all",
            "label": label,
            "count": counts[group] if group else sum(counts.values()),
            "url": query.address(referral, group=group),
            "active": group == query.group,
        }
        for group, label in {"": _("All"), **timeline.GROUPS}.items()
    ]


def _add_notes(entries: Iterable[dict[str, Any]], referral: Referral, actor: Actor, copies: Iterable[Referral]) -> None:
    """Put each note at the event that tells of it; both were written with one change (REF-23)."""
    told = [entry for entry in entries if entry["verb"] == NOTE_ADDED]
    found = notes.readable(referral, actor, copies).filter(at__in={entry["at"] for entry in told})
    written: dict[tuple[Any, ...], list[Note]] = {}
    for note in found:
        written.setdefault((note.at, note.company_id, note.author_id, note.shared), []).append(note)
    for entry in told:  # both newest first
        ones = written.get((entry["at"], *entry["author"]))
        entry["note"] = ones.pop(0) if ones else None
