"""A team's rows as a form sends them, and the buttons that only change the rows (REF-7)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.http import QueryDict

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


def changed(
    team: list[dict[str, str]], posted: Mapping[str, Any], offered: Iterable[dict[str, str]]
) -> tuple[list[dict[str, str]], str] | None:
    """The rows after the button that was pressed, and where on the page to go on; None where it wasn't one of these.

    `offered`: whom *Add* beside a name may add. A button for somebody who isn't there any more changes nothing.
    """
    if not _BUTTONS & posted.keys():
        return None
    removed = whole_number(posted.get("remove"))
    if removed is not None:
        return [row for n, row in enumerate(team) if n != removed], "#people"
    if person := next((p for p in offered if p["email"] == posted.get("person")), None):
        return [*(row for row in team if any(row.values())), person][:MAX_ROWS], "#offered"
    if "add" not in posted or len(team) >= MAX_ROWS:
        return team, ""
    return [*team, dict.fromkeys(PERSON, "")], f"#id_team-{len(team)}-first_name"
