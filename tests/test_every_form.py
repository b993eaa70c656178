"""Every page with a form, in both languages: no default sentence of a framework and no `---------` reaches a person
(ui.md). Each form is sent empty and with answers that nobody can read; what it changes is undone."""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterable, Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import django
from django.db import transaction
from django.test import Client
from django.urls import reverse

from portal.accounts.models import User
from referrals.web.wizard.draft import STEPS
from tests import test_roles, test_roles_by_link
from tests.edge import Element, parse

LOCALES = Path(django.__file__).parent
#: Whose pages hold all forms: a partner's, their account admin's, the vendor's seller's and a reviewer's.
PEOPLE = ("owner", "admin", "seller", "review")
#: Of the admin's pages, those that the portal itself draws.
OWN_ADMIN = {"admin:index", "admin:dealreg_registration_change", "admin:exceptions_council_exceptionrequest_change"}
#: Sent once, they end the visit or the sign-in that the walk goes on with.
LEFT_ALONE = ("/accounts/logout/", "/company/switch/")
JUNK = "?!"
#: Where Django's sentences are filled in.
PLACE = re.compile(r"%\(\w+\)[sd]")


class Sentences:
    """Looked for on every page: by their parts first, as nearly none is there and patterns are slow to say so."""

    def __init__(self, sentences: Iterable[str]) -> None:
        self.known = {one: [part for part in PLACE.split(one) if part.strip()] for one in sorted(sentences)}

    def first_in(self, text: str) -> str:
        likely = (one for one, parts in self.known.items() if all(part in text for part in parts))
        return next((one for one in likely if re.search(".{1,80}?".join(map(re.escape, self.known[one])), text)), "")


def default_sentences(language: str) -> Sentences:
    """Django's, in its words for the language; the portal has its own."""
    found: set[str] = set()
    for place in ("conf", "contrib/auth", "contrib/admin"):
        theirs = gettext.translation("django", LOCALES / place / "locale", ["tr"])
        for key, said in vars(theirs)["_catalog"].items():
            msgid = key[0] if isinstance(key, tuple) else key
            found |= {msgid if language == "en" else said} if isinstance(msgid, str) and msgid.endswith(".") else set()
    return Sentences(sentence for sentence in found if len(sentence.split()) > 2)


class Walk:
    """What is wrong on the pages that somebody opens, and on the answers to the forms they hold."""

    def __init__(self) -> None:
        self.defaults = {language: default_sentences(language) for language in ("en", "tr")}
        self.wrong: set[str] = set()
        self.forms: set[tuple[str, str]] = set()
        self.sent = 0
        self.days: set[str] = set()

    def look(self, name: str, client: Client, address: str) -> None:
        """Open the page in English; send each of its forms empty in English, and unreadable in Turkish."""
        page = self.read(name, client.get(address, headers={"accept-language": "en"}), "en")
        for form in page.all("form") if page else ():
            where = form.attrs.get("action") or address
            key = re.sub(r"[0-9a-f-]{8,}|\d+", "#", where), " ".join(sorted(form.fields()))
            if form.attrs.get("method") != "post" or where.startswith(LEFT_ALONE) or key in self.forms:
                continue
            self.forms.add(key)
            for language, answers in (("en", emptied(form)), ("tr", unreadable(form))):
                self.send(f"{name} sent to {where}", client, where, answers, language)

    def send(self, name: str, client: Client, address: str, answers: dict[str, Any], language: str) -> None:
        cookies = SimpleCookie(client.cookies)
        with transaction.atomic():
            User.objects.update(language=language)
            response = client.post(address, answers, headers={"accept-language": language})
            transaction.set_rollback(True)
        client.cookies = cookies
        self.sent += 1
        self.read(name, response, language)

    def read(self, name: str, response: Any, language: str) -> Element | None:
        if "html" not in response.headers.get("Content-Type", "") or not response.content:
            return None
        page = parse(response)
        if found := self.defaults[language].first_in(page.text):
            self.wrong.add(f"{name}: {found}")
        self.find_other_days(name, page)
        for option in (option for choice in page.all("select") for option in choice.all("option")):
            if not re.search(r"\w", option.text):
                self.wrong.add(f"{name}: a choice says “{option.text}”")
        return page

    def find_other_days(self, name: str, page: Element) -> None:
        """Fields of days that are not the portal's own: a browser's, or the framework's (decision 0046)."""
        for field in page.all("input"):
            if field.attrs.get("type") == "date" or "vDateField" in field.attrs.get("class", ""):
                self.wrong.add(f"{name}: another kind of day field: {field.attrs.get('name')}")
        self.days |= {field.attrs["name"] for field in page.all("input") if "data-day" in field.attrs}


def _open_fields(form: Element) -> Iterator[str]:
    """The names of what a person fills in."""
    for field in (*form.all("input"), *form.all("select"), *form.all("textarea")):
        if field.attrs.get("name") and field.attrs.get("type") not in {"hidden", "submit", "file"}:
            yield field.attrs["name"]


def emptied(form: Element) -> dict[str, Any]:
    open_fields = set(_open_fields(form))
    return {name: value for name, value in form.fields().items() if name not in open_fields}


def unreadable(form: Element) -> dict[str, Any]:
    return form.fields() | dict.fromkeys(_open_fields(form), JUNK)


def pages(rows: Iterable[Any], actor: str, answers: Iterable[str]) -> Iterator[Any]:
    return (row for row in rows if row.method == "GET" and row.expected.get(actor) in answers)


def test_no_form_speaks_in_a_framework_s_words(world: test_roles.World) -> None:
    walk = Walk()
    User.objects.update(language="en")
    clients = {actor: world.live.browser(test_roles.ACTORS[actor]) for actor in PEOPLE}
    seen: set[Any] = set()
    for actor, client in clients.items():
        for row in pages(test_roles.ROWS, actor, ("200", "open")):
            if (row.route, row.subject) not in seen and (not row.route.startswith("admin") or row.route in OWN_ADMIN):
                seen.add((row.route, row.subject))
                walk.look(f"{actor}: {row.spoken}", client, world.address(row))
    for name in ("deals", "insights_deals", "exceptions", "isv_deals"):
        walk.look(f"filters of {name}", clients["owner"], reverse(name) + "?menu=filters")
    for step in STEPS:
        walk.look(f"new deal: {step}", clients["owner"], reverse("new_deal_step", args=[world.things["draft"], step]))
    anonymous = world.live.browser(None)
    for row in pages(test_roles.ROWS, "anon", ("200",)):
        walk.look(f"nobody: {row.spoken}", anonymous, world.address(row))
    for actor in ("manag", "counc"):
        browser = world.live.browser(test_roles.ACTORS[actor])
        for row in pages(test_roles.ROWS, actor, ("200", "open")):
            if row.route.startswith("admin") and (row.route, row.subject) not in seen:
                seen.add((row.route, row.subject))
                response = browser.get(world.address(row))
                if "html" in response.headers.get("Content-Type", ""):
                    walk.find_other_days(f"{actor}: {row.spoken}", parse(response))
    assert walk.days >= {"close_date", "close_from", "created_to", "decided_to", "due_on", "effective_from", "date"}
    links = test_roles_by_link.World(world.cast)
    for row in pages(test_roles_by_link.rows(), "admin", ("200",)):
        address = reverse(row.route, args=links.args[row.route, row.subject])
        walk.look(f"the customer: {row.route}", links.browsers["admin"], address)
    assert walk.sent > 100
    assert not walk.wrong, "\n".join(sorted(walk.wrong))
