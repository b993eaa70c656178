"""The desk's figures, each with the address of the list that shows its rows (FLOW-12)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from portal.desk import listing as desk
from portal.desk.models import Case
from portal.desk.rules import KINDS, Outcome
from portal.desk.selectors import figures
from portal.workflow import text


def address(**asked: Any) -> str:
    """The desk's list with these filters."""
    query = {name: ",".join(value) if isinstance(value, (list, tuple)) else value for name, value in asked.items()}
    return reverse("admin:desk_case_changelist", query={**query, "kind": ",".join(figures.kinds()), "exact": 1})


def context(now: datetime) -> dict[str, Any]:
    waiting = Case.objects.open().filter(kind__in=figures.kinds())
    found = figures.decisions(now)
    return {
        "waiting": {"count": waiting.count(), "url": address(tab=desk.OPEN)},
        "due": _split("due", desk.due_labels(), waiting, now),
        "ages": _split("age", desk.age_labels(), waiting, now),
        "reasons": list(_reasons(waiting)),
        "people": [{"pk": pk, "name": name or gettext("Workers")} for pk, name in found.people.items()],
        "weeks": [_week(week, found) for week in found.weeks],
        "outcomes": [_outcome(outcome, number, found) for outcome, number in found.by_outcome.items()],
        "decided": {"count": sum(found.by_outcome.values()), "url": _decided(found)},
        "pass_rate": found.pass_rate,
        "pass_url": _decided(found, outcome=Outcome.FINAL),
    }


def _split(name: str, labels: dict[str, str], waiting: Any, now: datetime) -> list[dict[str, Any]]:
    """What waits, by one of the list's filters: each case is in one part."""
    item = next(item for item in desk.DeskListing(now).filters_offered(None) if item.name == name)
    return [
        {
            "label": label,
            "count": waiting.filter(item.q(None, {name: code})).count(),  # type: ignore[arg-type]
            "url": address(tab=desk.OPEN, **{name: code}),
        }
        for code, label in labels.items()
    ]


def _reasons(waiting: Any) -> Iterable[dict[str, Any]]:
    """A case that has several reasons counts under each."""
    for code, (number, _oldest) in desk.DeskListing.of_reasons(waiting).items():
        kind, _separator, reason = code.partition(".")
        label = text.phrase(KINDS[kind].reasons.get(reason, reason))
        yield {"label": label, "count": number, "url": address(tab=desk.OPEN, reason=reason)}


def _decided(found: figures.Decisions, **asked: Any) -> str:
    whole = {"decided_from": found.weeks[-1].first, "decided_to": found.weeks[0].last}
    return address(tab=desk.DECIDED, **{**whole, "outcome": Outcome.DECISIONS, **asked})


def _week(week: figures.Week, found: figures.Decisions) -> dict[str, Any]:
    days = {"decided_from": week.first, "decided_to": week.last}
    cells = [
        {"count": week.by_person.get(pk, 0), "url": _decided(found, **days, decider=str(pk))} for pk in found.people
    ]
    return {"first": week.first, "cells": cells, "count": week.total, "url": _decided(found, **days)}


def _outcome(outcome: str, number: int, found: figures.Decisions) -> dict[str, Any]:
    label = text.phrase(Outcome.LABELS[outcome])
    return {"label": label, "count": number, "url": _decided(found, outcome=outcome)}
