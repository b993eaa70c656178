"""A team's rows as a form sends them, and the buttons that only change the rows (REF-7)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext

from portal.folding import fold
from portal.params import whole_number
from referrals.web.forms.deal import MAX_ROWS

PERSON = ("first_name", "last_name", "phone", "email")
_BUTTONS = {"remove", "person", "add"}
_ROW = re.compile(r"team-(\d{1,3})-(\w+)")


def rows(posted: QueryDict) -> list[dict[str, str]]:
    """The team's rows in order, however many the formset claims to have."""
    found: dict[int, dict[str, str]] = {}
    for name in posted:
        if (match := _ROW.fullmatch(name)) and match[2] in PERSON:
            found.setdefault(int(match[1]), {})[match[2]] = str(posted[name])
    return [{name: found[n].get(name, "") for name in PERSON} for n in sorted(found)][:MAX_ROWS]


def as_sent(team: list[dict[str, str]]) -> dict[str, list[str]]:
    """The rows as POST data for a formset."""
    cells = {f"team-{n}-{name}": [row.get(name, "")] for n, row in enumerate(team) for name in PERSON}
    return {"team-TOTAL_FORMS": [str(len(team))], "team-INITIAL_FORMS": ["0"], **cells}


@dataclass(frozen=True)
class Changed:
    """The rows after a button, where on the page to go on, and who was to be added and is on the list already."""

    rows: list[dict[str, str]]
    place: str = ""
    listed: str = ""

    def tell(self, request: HttpRequest) -> None:
        if self.listed:
            messages.info(request, gettext("%(person)s is on the list already.") % {"person": self.listed})


def changed(team: list[dict[str, str]], posted: Mapping[str, Any], offered: Iterable[dict[str, str]]) -> Changed | None:
    """The rows after the button that was pressed; None where it wasn't one of these.

    `offered`: whom *Add* beside a name may add. A button for somebody who isn't there any more changes nothing.
    """
    if not _BUTTONS & posted.keys():
        return None
    removed = whole_number(posted.get("remove"))
    if removed is not None:
        return Changed([row for n, row in enumerate(team) if n != removed], "#people")
    if person := next((p for p in offered if p["email"] == posted.get("person")), None):
        return _added([row for row in team if any(row.values())], person)
    if "add" not in posted or len(team) >= MAX_ROWS:
        return Changed(team)
    return Changed([*team, dict.fromkeys(PERSON, "")], f"#id_team-{len(team)}-first_name")


def _added(team: list[dict[str, str]], person: dict[str, str]) -> Changed:
    """With one row more, or with what is missing in the row where the person's address was typed by hand."""
    same = [n for n, row in enumerate(team) if fold(row["email"]) == fold(person["email"])]
    if not same:
        return Changed([*team, person][:MAX_ROWS], "#offered")
    typed = {name: value for name, value in team[same[0]].items() if value.strip()}
    rows = [*team[: same[0]], {**person, **typed, "email": person["email"]}, *team[same[0] + 1 :]]
    name = f"{person['first_name']} {person['last_name']}"
    return Changed([row for n, row in enumerate(rows) if n not in same[1:]], "#people", name)
