"""Renders events as sentences: each app registers how its events read, and every surface uses that."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, pgettext

from portal import paging
from portal.accounts.selectors import vendor_name
from portal.events.models import Event, EventQuerySet
from portal.folding import fold
from portal.registry import Registry
from portal.workflow import text
from portal.workflow.blockers import from_json

#: A place in a sentence.
PLACE = re.compile(r"%\(\w+\)s")
#: What fills a sentence's places besides %(company)s, whose record it is, and %(vendor)s.
Params = Callable[[Event], Mapping[str, str]]


@dataclass(frozen=True)
class Change:
    """What an event changed, in words: the field's label, what it held before and afterwards; either may be empty."""

    label: str
    old: str
    new: str


#: What an event changed, as far as the reader may know it.
Changes = Callable[[Event], list[Change]]


#: What a deal's timeline is filtered by, with their labels (msgids): each of its verbs is in one group.
GROUPS: Registry[str] = Registry()
#: So much history on a page; *load more* goes on.
PAGE = 20


@dataclass(frozen=True)
class Sentence:
    """How one kind of event reads: an icon, a tone (neutral, brand, info, success, warning, danger) and a msgid; and
    its group on a deal's timeline, if it stands there."""

    icon: str
    tone: str
    text: str
    group: str = ""


_known: dict[str, tuple[Sentence, Params]] = {}
_UNKNOWN = Sentence("dot", "neutral", "%(verb)s")


def describe(sentences: Mapping[str, Sentence], params: Params) -> None:
    """Register how an app's events read."""
    _known.update({verb: (sentence, params) for verb, sentence in sentences.items()})


def verbs(group: str) -> list[str]:
    """The verbs of a group."""
    return [verb for verb, (sentence, _params) in _known.items() if sentence.group == group]


def verbs_saying(typed: str) -> list[str]:
    """The verbs whose sentence, in the reader's language, or whose code contains what was typed."""
    asked = fold(typed)
    return [
        verb
        for verb, (sentence, _params) in _known.items()
        if asked in fold(PLACE.sub("", gettext(sentence.text))) or typed in verb
    ]


def name(verb: str) -> str:
    """What events of a kind say in the reader's language, with dots for what differs; its code if no app tells it."""
    return PLACE.sub("…", gettext(_known[verb][0].text)) if verb in _known else verb


def counts(by_verb: Mapping[str, int]) -> dict[str, int]:
    """The number of events in each group, of the numbers for each verb."""
    return {group: sum(by_verb.get(verb, 0) for verb in verbs(group)) for group in GROUPS}


def page(
    found: EventQuerySet,
    *,
    before: int | None = None,
    limit: int = PAGE,
    also: Params | None = None,
    changes: Changes | None = None,
) -> tuple[list[dict[str, Any]], int]:
    """The entries below one event, newest first, and the event to go on from; 0 at the end."""
    events, last = paging.newest(found.select_related("actor_user", "company"), "at", after=before, limit=limit)
    return [entry(event, also, changes) for event in events], last


def entry(event: Event, also: Params | None = None, changes: Changes | None = None) -> dict[str, Any]:
    """One line of a timeline in the reader's language; `also` adds details that the event doesn't hold, `changes`
    what it changed."""
    sentence, of_app = _known.get(event.verb, (_UNKNOWN, lambda _event: {}))
    company = event.company.name if event.company else ""
    params = {
        "company": company,
        "vendor": vendor_name(),
        "verb": event.verb,
        **of_app(event),
        **(also(event) if also else {}),
    }
    return {
        "at": event.at,
        "verb": event.verb,
        "icon": sentence.icon,
        "tone": sentence.tone,
        "text": gettext(sentence.text) % params,
        "who": event.actor_name or pgettext("actor", "Ortak"),
        "comment": event.comment,
        "reasons": [text.text(from_json(reason)) for reason in event.reasons],
        "changes": changes(event) if changes else [],
        "company": company,
        "author": (event.company_id, event.actor_user_id, event.shared),
    }
