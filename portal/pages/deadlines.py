"""The page *Deadlines*: what has a day, grouped by week and day, filtered by kind and by whose it is (FLOW-8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from portal.accounts.rules import Actor
from portal.ui.deadlines import DEADLINES, Cursor, Deadline, DeadlineQuery, first
from portal.workflow import text

PAGE = 50
MINE = "mine"


@dataclass(frozen=True)
class PageQuery:
    """What the page's address says; `kind` is empty for all of them."""

    kind: str = ""
    mine: bool = False
    after: Cursor | None = None

    @classmethod
    def of(cls, params: Mapping[str, str]) -> PageQuery:
        kind = params.get("kind", "")
        return cls(
            kind=kind if kind in DEADLINES else "",
            mine=params.get("of") == MINE,
            after=Cursor.parse(params.get("after", "")),
        )

    def address(self, **changes: Any) -> str:
        query = replace(self, **{"after": None, **changes})
        values = {"kind": query.kind, "of": MINE if query.mine else "", "after": query.after and str(query.after)}
        params = urlencode({name: value for name, value in values.items() if value})
        return reverse("deadlines") + (f"?{params}" if params else "")


def context(actor: Actor, query: PageQuery, *, now: datetime) -> dict[str, Any]:
    kinds = [query.kind] if query.kind else []
    due = DeadlineQuery(actor, now, kinds=kinds, mine=query.mine, after=query.after)
    found = first(due, PAGE + 1, people=True)
    shown = found[:PAGE]
    more = query.address(after=Cursor.parse(shown[-1].cursor)) if len(found) > PAGE else ""
    return {
        "query": query,
        "weeks": _weeks(shown, timezone.localtime(now).date()),
        "more_url": more,
        "first_url": query.address() if query.after else "",
        "kinds": [{"label": "", "url": query.address(kind=""), "on": not query.kind}, *_kinds(query)],
        "whose": [
            {"label": gettext("My company's"), "url": query.address(mine=False), "on": not query.mine},
            {"label": gettext("Mine"), "url": query.address(mine=True), "on": query.mine},
        ],
    }


def _kinds(query: PageQuery) -> list[dict[str, Any]]:
    return [
        {"label": kind.label, "icon": kind.icon, "url": query.address(kind=code), "on": query.kind == code}
        for code, kind in DEADLINES.items()
    ]


def _weeks(found: list[Deadline], today: date) -> list[dict[str, Any]]:
    """Weeks from Monday on, each with its days, where the reader is."""
    return [
        {
            "id": f"week-{monday}",
            "title": _week_title(monday, today),
            "days": [
                {
                    "title": text.weekday(day),
                    "today": day == today,
                    "items": [(d, DEADLINES[d.kind].icon) for d in due],
                }
                for day, due in groupby(week, key=lambda deadline: deadline.shown_day)
            ],
        }
        for monday, week in groupby(found, key=lambda deadline: _monday(deadline.shown_day))
    ]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _week_title(monday: date, today: date) -> str:
    """The nearest weeks have names; the others go by their first day."""
    week_of = gettext("Week of %(day)s") % {"day": text.day(monday, year=monday.year != today.year)}
    weeks = (monday - _monday(today)).days // 7
    return {0: gettext("This week"), 1: gettext("Next week")}.get(weeks, week_of)
