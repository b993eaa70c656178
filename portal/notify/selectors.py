"""Notices as their readers see them: in their language, and only while they may see the subject (REF-24)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.urls import Resolver404, resolve

from portal import paging
from portal.accounts import selectors as accounts
from portal.accounts.models import Membership, User
from portal.accounts.rules import Actor
from portal.notify import rules
from portal.notify.models import Notice
from portal.workflow import text
from portal.workflow.blockers import Blocker, Param, from_json

F = TypeVar("F")
#: Which of the given ids of a page an actor may open; the app that owns the page says so.
Openable = Callable[[Actor, Collection[Any]], Collection[Any]]
_pages: dict[str, Openable] = {}

#: Makes the link of a notice; the app that owns the page says how.
LinkMaker = Callable[[Notice], str]
_makers: dict[str, LinkMaker] = {}

#: The count in the top bar says no more than that there are many.
MAX_COUNTED = 99

#: Makes the params of a mail that are stored nowhere, such as a code.
SecretMaker = Callable[[Notice], Mapping[str, Param]]
_secret_makers: dict[str, SecretMaker] = {}
#: What stands for them wherever but in the mail.
HIDDEN = "••••••"


def leads_to(page: str) -> Callable[[Openable], Openable]:
    """Register the function that says which ids of a page (by its URL name) an actor may open."""
    return _adding_to(_pages, page)


def makes_link(category: str) -> Callable[[LinkMaker], LinkMaker]:
    """Register the function that makes the links of one category. Such links let their holder in, so they are never
    stored."""
    return _adding_to(_makers, category)


def makes_secrets(category: str) -> Callable[[SecretMaker], SecretMaker]:
    """Register the function that makes the secret params of one category's mails: only the mailbox gets them."""
    return _adding_to(_secret_makers, category)


def _adding_to(known: dict[str, F], code: str) -> Callable[[F], F]:
    def register(function: F) -> F:
        known[code] = function
        return function

    return register


def link(notice: Notice) -> str:
    """The notice's path. It may let its holder in: give it only to the reader's mailbox or browser."""
    make = _makers.get(notice.category)
    return make(notice) if make else notice.link


def openers(memberships: Iterable[Membership], links: Iterable[str]) -> dict[str, Membership | None]:
    """Map each link that this person may open to the membership to open it with (None: any membership).

    One query for each company of the reader and kind of page, however many links there are.
    """
    asked: dict[str, dict[Any, str]] = defaultdict(dict)
    opened: dict[str, Membership | None] = {}
    for link in set(links):
        page, key = _page_of(link)
        if page in _pages:
            asked[page][key] = link
        else:
            opened[link] = None
    for membership in memberships:
        actor = accounts.actor_for(membership)
        for page, keys in asked.items():
            for key in _pages[page](actor, list(keys)):
                opened.setdefault(keys[key], membership)
    return opened


def _page_of(link: str) -> tuple[str, Any]:
    """The URL name of a link's page, and the id in it."""
    try:
        match = resolve(link)
    except Resolver404:
        return "", None
    return match.url_name or "", next(iter(match.kwargs.values()), None)


def visible_notices(user: User | None, notices: Sequence[Notice]) -> list[Notice]:
    """The notices that their reader may still see. Somebody without an account sees only invitations (REF-24)."""
    if user is None:
        return [notice for notice in notices if rules.reaches_strangers(notice.category)]
    if not user.is_active:
        return []
    opened = openers(accounts.memberships(user), [notice.link for notice in notices])
    return [notice for notice in notices if notice.link in opened]


@dataclass(frozen=True)
class RenderedNotice:
    """A notice as text in the reader's language; without text if the reader may no longer see the subject."""

    notice: Notice
    category: rules.Category
    subject: str = ""
    body: str = ""

    @property
    def lines(self) -> str:
        """The text without empty lines, for lists."""
        return "\n".join(line for line in self.body.splitlines() if line.strip())

    @property
    def hidden(self) -> bool:
        return not self.subject


def rendered(notice: Notice, *, visible: bool = True, mailed: bool = False) -> RenderedNotice:
    """`mailed`: for the reader's mailbox, with what is stored nowhere (`makes_secrets`)."""
    category = rules.CATEGORIES.get(notice.category, rules.UNKNOWN)
    if not visible:
        return RenderedNotice(notice, category)
    params = {**from_json({"code": "", "message": "", "params": notice.params}).params, **_secrets(notice, mailed)}
    subject, body = _text(notice.subject, params), _text(notice.body, params)
    return RenderedNotice(notice, category, " ".join(subject.split()), body.strip())  # a comment may be missing


def _secrets(notice: Notice, mailed: bool) -> Mapping[str, Param]:
    made = _secret_makers[notice.category](notice) if notice.category in _secret_makers else {}
    return made if mailed else dict.fromkeys(made, HIDDEN)


def _text(msgid: str, params: Mapping[str, Param]) -> str:
    return text.text(Blocker("", msgid, params=params)) if msgid else ""


def page(
    user: User, memberships: Sequence[Membership], *, after: int | None, limit: int
) -> tuple[list[RenderedNotice], int]:
    """A person's notices below one, newest first, and the one to go on from, 0 at the end."""
    rows, last = paging.newest(Notice.objects.of(user.pk), "created_at", after=after, limit=limit)
    opened = openers(memberships, [notice.link for notice in rows])
    return [rendered(notice, visible=notice.link in opened) for notice in rows], last


def unread_count(user_id: int) -> int:
    """The number of unread notices, counted up to one more than MAX_COUNTED."""
    return Notice.objects.of(user_id).unread()[: MAX_COUNTED + 1].count()
