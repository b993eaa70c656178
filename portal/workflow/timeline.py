"""Events as sentences: each app says how its own read, and every surface shows them alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, pgettext

from portal.accounts.services import vendor_name
from portal.events.models import Event
from portal.workflow import text
from portal.workflow.blockers import from_json

#: What fills a sentence's places besides %(company)s, whose record it is, and %(vendor)s.
Words = Callable[[Event], Mapping[str, str]]


@dataclass(frozen=True)
class Sentence:
    """How one kind of event reads: an icon, a tone (neutral, brand, info, success, warning, danger) and a msgid."""

    icon: str
    tone: str
    text: str


_known: dict[str, tuple[Sentence, Words]] = {}
_UNKNOWN = Sentence("dot", "neutral", "%(verb)s")


def describe(sentences: Mapping[str, Sentence], words: Words) -> None:
    """Say how an app's events read."""
    _known.update({verb: (sentence, words) for verb, sentence in sentences.items()})


def entry(event: Event) -> dict[str, Any]:
    """One line of a timeline, in the reader's language."""
    sentence, words = _known.get(event.verb, (_UNKNOWN, lambda _event: {}))
    company = event.company.name if event.company else ""
    params = {"company": company, "vendor": vendor_name(), "verb": event.verb, **words(event)}
    return {
        "at": event.at,
        "verb": event.verb,
        "icon": sentence.icon,
        "tone": sentence.tone,
        "text": gettext(sentence.text) % params,
        "who": event.actor_user.get_full_name() if event.actor_user else pgettext("actor", "Ortak"),
        "comment": event.comment,
        "reasons": [text.text(from_json(reason)) for reason in event.reasons],
    }
