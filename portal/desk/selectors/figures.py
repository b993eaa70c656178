"""The desk's figures, each of the rows that its address lists (FLOW-12)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count
from django.db.models.functions import TruncWeek
from django.utils import timezone

from portal.accounts.models import User
from portal.desk.models import Case
from portal.desk.rules import KINDS, Outcome

#: How many weeks are told, this one included.
WEEKS = 8


def kinds() -> list[str]:
    """The kinds that are told of here: what one person decides. The council has reports of its own."""
    return [code for code, kind in KINDS.items() if kind.is_claimed]


@dataclass
class Week:
    """What was decided in a week, by the number of a person; 0 is the workers."""

    first: date
    by_person: dict[int, int] = field(default_factory=dict)

    @property
    def last(self) -> date:
        return self.first + timedelta(days=6)

    @property
    def total(self) -> int:
        return sum(self.by_person.values())


@dataclass(frozen=True)
class Decisions:
    """The last weeks, the newest first, and who decided in them, by name."""

    weeks: list[Week]
    people: dict[int, str]
    by_outcome: dict[str, int]

    @property
    def pass_rate(self) -> float | None:
        """Of what was passed or failed; None before the first."""
        final = sum(self.by_outcome[outcome] for outcome in Outcome.FINAL)
        return self.by_outcome[Outcome.PASSED] / final if final else None


def decisions(now: datetime) -> Decisions:
    """What was decided in the last weeks (Monday to Sunday in the reader's zone); two queries."""
    this = _monday(timezone.localtime(now).date())
    weeks = {day: Week(day) for day in (this - timedelta(weeks=n) for n in range(WEEKS))}
    by_outcome = dict.fromkeys(Outcome.DECISIONS, 0)
    for row in _rows(min(weeks)):
        week, person = weeks[row["week"].date()], row["decider"] or 0
        week.by_person[person] = week.by_person.get(person, 0) + row["number"]
        by_outcome[row["outcome"]] += row["number"]
    found = User.objects.in_bulk({pk for week in weeks.values() for pk in week.by_person})
    people = {pk: str(user) for pk, user in sorted(found.items(), key=lambda item: (str(item[1]), item[0]))}
    if any(0 in week.by_person for week in weeks.values()):
        people[0] = ""
    return Decisions(list(weeks.values()), people, by_outcome)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _rows(first: date) -> Any:
    since = timezone.make_aware(datetime.combine(first, datetime.min.time()))
    found = Case.objects.decided().filter(kind__in=kinds(), outcome__in=Outcome.DECISIONS, closed_at__gte=since)
    week = found.annotate(week=TruncWeek("closed_at")).values("week", "decider", "outcome")
    return week.annotate(number=Count("pk")).order_by()
