"""The palette (Ctrl K): pages, what is found, and what can be done, on the page where it was opened and elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.urls import Resolver404, ResolverMatch, resolve, reverse
from django.utils.translation import gettext

from portal.accounts.rules import Actor, may_keep
from portal.folding import fold, tokens
from portal.pages import search
from portal.pages.deal.foot import foot
from portal.pages.models import Export
from portal.params import split_address
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


@dataclass(frozen=True)
class Opened:
    """Who opened it, when, and on which page: `here`, its address."""

    frame: Frame
    actor: Actor
    here: str
    may_upload: bool
    now: datetime

    @cached_property
    def page(self) -> ResolverMatch | None:
        try:
            return resolve(split_address(self.here).path)
        except Resolver404:
            return None

    def is_on(self, name: str) -> bool:
        return self.page is not None and self.page.url_name == name


def context(opened: Opened, typed: str) -> dict[str, Any]:
    """What the page and the dialog show."""
    found, asked = search.context(opened.actor, typed, most=MAX_LOOKED_AT), tokens(typed)
    commands = [section for each in _commands(opened) if (section := _narrowed(each, asked)).commands]
    hits = [_section(group, asked) for group in found["groups"] if group.hits]
    begins = any(fold(c.label).startswith(fold(typed)) for section in commands for c in section.commands)
    return {
        "query": found["query"],
        "sections": commands + hits if begins else hits + commands,
        "more": found["query"] if hits else "",
        "here": opened.here,
        "list": split_address(opened.here).query if opened.is_on("deals") else "",
    }


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


def _commands(opened: Opened) -> Iterator[Section]:
    if opened.page and opened.is_on("deal"):
        yield Section(gettext("This deal"), _of_deal(opened.page.kwargs["public_id"], opened.actor, opened.now))
    yield Section(gettext("Actions"), [*_begun(opened), *_switches(opened.frame)])
    yield Section(gettext("Pages"), [*_pages(opened.frame)])


def _of_deal(public_id: Any, actor: Actor, now: datetime) -> list[Command]:
    """What can be done now with the deal whose page is open: its foot bar's buttons (available_actions)."""
    visible = Referral.objects.visible_to(actor).with_context().prefetch_related("team")
    deal = visible.filter(public_id=public_id).first()
    if deal is None:
        return []
    bar = foot(deal, [find(deal, actor, now) for find in PARTS.values()], actor, now)
    buttons = [*([bar.primary] if bar.primary else []), *bar.usual, *bar.endings]
    return [Command(button.label, button.url, "chevron-right", button.in_dialog) for button in buttons]


def _begun(opened: Opened) -> Iterator[Command]:
    for offered in COMMANDS.values():
        yield from offered(opened.actor)
    if opened.may_upload:
        yield Command(gettext("Upload a file"), reverse("uploads"), "upload")
    export = reverse("export_list", args=["deals"])
    for kind, name in ((Export.Format.XLSX, "Excel"), (Export.Format.CSV, "CSV")):
        label = gettext("Export co-sell opportunities (%(format)s)") % {"format": name}
        yield Command(label, export, "download", sends=("format", kind.value))
    if may_keep(opened.actor):
        yield Command(gettext("Invite a person"), reverse("invite_person"), "person-plus")


def _switches(frame: Frame) -> Iterator[Command]:
    for language in frame.languages:
        if not language["current"]:
            code = language["code"]
            yield Command(language["label"], reverse("set_language"), "translate", sends=("language", code), lang=code)
    for theme in frame.themes:
        if theme["code"] != frame.theme:
            label = gettext("Theme: %(name)s") % {"name": theme["label"]}
            yield Command(label, reverse("set_theme"), theme["icon"], sends=("theme", theme["code"]))


def _pages(frame: Frame) -> Iterator[Command]:
    for item in frame.rail:
        yield Command(str(item["label"]), item["url"], item["icon"])
    yield Command(gettext("Notices"), reverse("notices"), "bell")
    yield Command(gettext("Your exports"), reverse("exports"), "folder2-open")
    for tab in frame.settings:
        label = gettext("Settings: %(name)s") % {"name": tab["label"]}
        yield Command(label, tab["url"], "gear")
    yield Command(gettext("Refusals and reasons"), reverse("refusals"), "question-circle")
