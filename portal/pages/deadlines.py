"""The page *Deadlines*: what has a day, grouped by week and day, filtered by kind and by whose it is (FLOW-8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from portal.accounts.rules import Actor
from portal.ui.deadlines import DEADLINES, Cursor, Deadline, DeadlineQuery, count, first
from portal.workflow import text

PAGE = 50
MINE = "mine"
#: How far home looks ahead.
SOON = timedelta(days=30)


@dataclass(frozen=True)
class PageQuery:
    """What the page's address says; `kind` is empty for all of them."""

    kind: str = ""
    mine: bool = False
    #: Only those that home counts.
    soon: bool = False
    after: Cursor | None = None

    @classmethod
    def of(cls, params: Mapping[str, str]) -> PageQuery:
        kind = params.get("kind", "")
        return cls(
            kind=kind if kind in DEADLINES else "",
            mine=params.get("of") == MINE,
            soon=params.get("days") == str(SOON.days),
            after=Cursor.parse(params.get("after", "")),
        )

    def address(self, **changes: Any) -> str:
        query = replace(self, **{"after": None, **changes})
        values = {
            "kind": query.kind,
            "of": MINE if query.mine else "",
            "days": SOON.days if query.soon else "",
            "after": query.after and str(query.after),
        }
        params = urlencode({name: value for name, value in values.items() if value})
        return reverse("deadlines") + (f"?{params}" if params else "")

    def deadlines(self, actor: Actor, now: datetime) -> DeadlineQuery:
        kinds, last = [self.kind] if self.kind else None, (now + SOON).date() if self.soon else None
        return DeadlineQuery(actor, now, last, kinds, mine=self.mine, after=self.after)


def context(actor: Actor, query: PageQuery, *, now: datetime) -> dict[str, Any]:
    due = query.deadlines(actor, now)
    counts = count(replace(due, after=None))
    found = first(due, PAGE + 1, counts=counts, people=True)
    shown = found[:PAGE]
    more = query.address(after=Cursor.parse(shown[-1].cursor)) if len(found) > PAGE else ""
    return {
        "query": query,
        "count": sum(counts.values()),
        "ahead": [
            {"label": label, "url": query.address(soon=soon), "on": query.soon == soon}
            for soon, label in ((False, gettext("Any time")), (True, _soon()))
        ],
        "weeks": _weeks(shown, timezone.localtime(now).date()),
        "more_url": more,
        "first_url": query.address() if query.after else "",
        "kinds": [{"label": "", "url": query.address(kind=""), "on": not query.kind}, *_kinds(query)],
        "whose": [
            {"label": gettext("My company's"), "url": query.address(mine=False), "on": not query.mine},
            {"label": gettext("Mine"), "url": query.address(mine=True), "on": query.mine},
        ],
    }


def _soon() -> str:
    return ngettext("Next %(count)s day", "Next %(count)s days", SOON.days) % {"count": SOON.days}


def _kinds(query: PageQuery) -> list[dict[str, Any]]:
    return [
        {"label": kind.label, "icon": kind.icon, "url": query.address(kind=code), "on": query.kind == code}
        for code, kind in DEADLINES.items()
    ]


def _weeks(found: list[Deadline], today: date) -> list[dict[str, Any]]:
    """Weeks from Monday on, each with its days, where the reader is.

    East of Greenwich a day of UTC has hours to go when it is over: it ends today.
    """
    days = [(max(deadline.shown_day, today), deadline) for deadline in found]
    return [
        {
            "id": f"week-{monday}",
            "title": _week_title(monday, today),
            "days": [
                {
                    "title": text.weekday(day),
                    "today": day == today,
                    "items": [(deadline, DEADLINES[deadline.kind].icon) for _day, deadline in due],
                }
                for day, due in groupby(week, key=itemgetter(0))
            ],
        }
        for monday, week in groupby(days, key=lambda dated: _monday(dated[0]))
    ]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _week_title(monday: date, today: date) -> str:
    """The nearest weeks have names; the others go by their first day."""
    week_of = gettext("Week of %(day)s") % {"day": text.day(monday, year=monday.year != today.year)}
    weeks = (monday - _monday(today)).days // 7
    return {0: gettext("This week"), 1: gettext("Next week")}.get(weeks, week_of)
