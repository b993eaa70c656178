"""What tests of Turkish share: the catalogs, and a reader who notices English."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.http import HttpResponse

from portal import translations
from portal.accounts.models import Company, Location, User
from portal.catalog.models import AssessmentType, Solution
from portal.customers.models import Customer
from portal.events.models import Event
from portal.money.models import MonthlyRate
from referrals.models import Referral
from tests.edge import Element, parse

PLACE = re.compile(r"%\(\w+\)[sd]|%%|\{\w+\}|</?\w+")


def catalog(language: str, locale: Path = translations.LOCALE_DIR) -> Catalog:
    with (locale / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=language)


def messages(language: str) -> Iterator[Message]:
    return (message for message in catalog(language) if message.id)


def ids(message: Message) -> tuple[str, ...]:
    return message.id if isinstance(message.id, tuple) else (message.id,)


def strings(message: Message) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple) else (message.string,)


def key(message: Message) -> tuple[str | None, str]:
    return message.context, ids(message)[0]


# Reading


WORD = re.compile(r"\b[A-Za-z]{3,}\b")
#: Read aloud, hovered over or waiting in an empty field.
READ = ("aria-label", "title", "placeholder", "alt", "data-label", "data-tip", "data-error")
#: Identifiers, e-mail addresses, file names and addresses of pages.
TECHNICAL = re.compile(r"\S*\w[._@/]\w\S*")


def _english_words() -> frozenset[str]:
    """The words of the English texts that no Turkish text has."""
    known = list(messages("tr"))
    english = {word.lower() for m in known for source in ids(m) for word in WORD.findall(_plain(source))}
    turkish = {word.lower() for m in known for string in strings(m) for word in re.findall(r"\w+", _plain(string))}
    return frozenset(english - turkish)


def _plain(message: str) -> str:
    return PLACE.sub(" ", message)


class Reader:
    """Reads what a person would, and names the English words in it that are not somebody's own names."""

    def __init__(self) -> None:
        self.english = _english_words()
        assert {"the", "deal", "registration", "partner", "won", "search", "accepted"} <= self.english
        names = sorted(filter(None, self._names()), key=len, reverse=True)
        self.names = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)")

    def _names(self) -> set[str]:
        """People's and companies' own words."""
        found = {"Ortak", *(zone.replace("_", " ") for zone in zoneinfo.available_timezones())}
        for queryset, *names in (
            (Company.objects, "name"),
            (Solution.objects, "name"),
            (Customer.objects, "name", "city", "address_line1"),
            (Location.objects, "name", "city"),
            (User.objects, "first_name", "last_name"),
            (Referral.objects, "name", "reason_note"),
            (Event.objects, "comment"),
            (MonthlyRate.objects, "source"),
            (AssessmentType.objects, "name", "code"),
        ):
            found.update(value for row in queryset.values_list(*names) for value in row)
        return found

    def words(self, heard: str) -> list[str]:
        """English words, and places that nobody filled in."""
        words = WORD.findall(TECHNICAL.sub(" ", self.names.sub(" ", heard)))
        return re.findall(r"%\(\w+\)", heard) + [w for w in words if not w.isupper() and w.lower() in self.english]

    def page(self, response: HttpResponse) -> list[str]:
        return [word for heard in said(parse(response)) for word in self.words(heard)]


def said(element: Element) -> Iterator[str]:
    """Every text of a page, but those marked as another language's, and columns by the database's own names."""
    other = element.tag in {"script", "style", "code"} or element.attrs.get("lang", "tr") != "tr"
    if other or "field-changes" in element.attrs.get("class", "").split():
        return
    yield from (element.attrs[name] for name in READ if name in element.attrs)
    if element.tag == "input" and element.attrs.get("type") in {"submit", "button", "reset"}:
        yield element.attrs.get("value", "")
    for child in element.children:
        if isinstance(child, str):
            yield child
        else:
            yield from said(child)
