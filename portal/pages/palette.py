"""The palette (Ctrl K): pages, what is found, and what can be done, on the page where it was opened and elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.urls import Resolver404, ResolverMatch, resolve, reverse
from django.utils.translation import gettext

from portal.accounts.rules import Actor, may_keep
from portal.folding import fold, tokens
from portal.pages import search
from portal.pages.deal.foot import Button, foot
from portal.pages.models import Export
from portal.pages.services import uploads
from portal.ui.frame import Frame
from portal.ui.palette import COMMANDS, Command
from portal.workflow import text
from referrals.models import Referral
from referrals.web.deal import PARTS
from referrals.web.search import Group, Hit

#: So many hits of each kind, and so many are looked at for those whose own name has what was typed.
MAX_HITS, MAX_LOOKED_AT = 5, search.MAX_HITS


@dataclass(frozen=True)
class Section:
    """Lines of one kind under their title: commands, or a group of the search."""

    title: str
    commands: Sequence[Command] = ()
    group: Group | None = None
    hits: Sequence[Hit] = ()


def context(frame: Frame, actor: Actor, typed: str, *, here: str, now: datetime) -> dict[str, Any]:
    """What the page and the dialog show; `here` is the address of the page that it was opened on."""
    place = _place(here)
    found = search.context(actor, typed, most=MAX_LOOKED_AT)
    commands = [section for section in _commands(frame, actor, place, here, now) if section.commands]
    asked = tokens(typed)
    shown = [section for section in (_narrowed(section, asked) for section in commands) if section.commands]
    hits = [_section(group, asked) for group in found["groups"] if group.hits]
    begins = any(fold(c.label).startswith(fold(typed)) for section in shown for c in section.commands)
    return {
        "query": found["query"],
        "sections": shown + hits if begins else hits + shown,
        "more": found["query"] if hits else "",
        "here": here,
        "list": urlsplit(here).query if place and place.url_name == "deals" else "",
    }


def _place(here: str) -> ResolverMatch | None:
    try:
        return resolve(urlsplit(here).path)
    except Resolver404:
        return None


def _narrowed(section: Section, asked: Sequence[str]) -> Section:
    """Of its commands those that have, for every word typed, a word that begins with it."""
    return Section(section.title, [c for c in section.commands if _has(c.label, asked)])


def _has(label: str, asked: Sequence[str]) -> bool:
    words = tokens(label)
    return all(any(word.startswith(part) for word in words) for part in asked)


def _section(group: Group, asked: Sequence[str]) -> Section:
    """Those first that have it in their own name, and not only in a note or in somebody's name."""
    hits = sorted(group.hits, key=lambda hit: not _has(hit.name, asked))
    return Section(text.phrase(group.label), group=group, hits=hits[:MAX_HITS])


def _commands(
    frame: Frame, actor: Actor, place: ResolverMatch | None, here: str, now: datetime
) -> Iterator[Section]:
    if place and place.url_name == "deal":
        yield Section(gettext("This deal"), _of_deal(place.kwargs["public_id"], actor, now))
    yield Section(gettext("Actions"), [*_begun(actor), *_switches(frame)])
    yield Section(gettext("Pages"), [*_pages(frame, actor)])


def _of_deal(public_id: Any, actor: Actor, now: datetime) -> list[Command]:
    """What can be done now with the deal whose page is open: its foot bar's buttons (available_actions)."""
    visible = Referral.objects.visible_to(actor).with_context().prefetch_related("team")
    deal = visible.filter(public_id=public_id).first()
    if deal is None:
        return []
    bar = foot(deal, [find(deal, actor, now) for find in PARTS.values()], actor, now)
    first: Iterable[Button] = [bar.primary] if bar.primary else []
    return [
        Command(button.label, button.url, "chevron-right", button.in_dialog)
        for button in (*first, *bar.usual, *bar.endings)
    ]


def _begun(actor: Actor) -> Iterator[Command]:
    for offered in COMMANDS.values():
        yield from offered(actor)
    if uploads.may_upload(actor):
        yield Command(gettext("Upload a file"), reverse("uploads"), "upload")
    export = reverse("export_list", args=["deals"])
    for kind, name in ((Export.Format.XLSX, "Excel"), (Export.Format.CSV, "CSV")):
        label = gettext("Export co-sell opportunities (%(format)s)") % {"format": name}
        yield Command(label, export, "download", sends=("format", kind.value))
    if may_keep(actor):
        yield Command(gettext("Invite a person"), reverse("invite_person"), "person-plus")


def _switches(frame: Frame) -> Iterator[Command]:
    for language in frame.languages:
        if not language["current"]:
            label = gettext("Language: %(name)s") % {"name": language["label"]}
            yield Command(label, reverse("set_language"), "translate", sends=("language", language["code"]))
    for theme in frame.themes:
        if theme["code"] != frame.theme:
            label = gettext("Theme: %(name)s") % {"name": theme["label"]}
            yield Command(label, reverse("set_theme"), theme["icon"], sends=("theme", theme["code"]))


def _pages(frame: Frame, actor: Actor) -> Iterator[Command]:
    for item in frame.rail:
        yield Command(str(item["label"]), item["url"], item["icon"])
    yield Command(gettext("Notices"), reverse("notices"), "bell")
    yield Command(gettext("Your exports"), reverse("exports"), "folder2-open")
    for tab in frame.settings:
        label = gettext("Settings: %(name)s") % {"name": tab["label"]}
        yield Command(label, tab["url"], "gear")
    yield Command(gettext("Refusals and reasons"), reverse("refusals"), "question-circle")
