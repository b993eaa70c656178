"""What the rows of an uploaded file would do, and the kinds of files, each added by the app whose records it holds.

A row is planned first, without writing anything, and carried out when the plan is confirmed: the same verbs, twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import transaction

from portal.accounts.rules import Actor
from portal.registry import Registry
from portal.tables import Table, Unreadable
from portal.workflow import services as workflow
from portal.workflow.blockers import Blocker, RuleViolation, _
from portal.workflow.models import Record
from portal.workflow.verbs import Inputs, R, Verb

CREATE, UPDATE, UNCHANGED, REFUSED = "create", "update", "unchanged", "refused"

#: What a cell of a written file may hold.
Cell = str | int | Decimal | date | None
T = TypeVar("T")
#: What a carried-out row gives back: the public id of its deal.
CarryOut = Callable[[int | None], uuid.UUID]


@dataclass(frozen=True)
class Change:
    """A cell that changes something: its column, and what stands there in the portal and in the file."""

    column: str
    was: str
    becomes: str


@dataclass(frozen=True)
class RowPlan:
    """What one row would do.

    `title` names it to a person, `deal` and `version` are those of the record it is about, where there is one. `steps`
    are msgids. A problem's field is the column of its cell. `carry_out` takes the version that the plan was made on.
    """

    line: int
    outcome: str
    title: str = ""
    deal: uuid.UUID | None = None
    version: int | None = None
    steps: Sequence[str] = ()
    changes: Sequence[Change] = ()
    problems: Sequence[Blocker] = ()
    warnings: Sequence[Blocker] = ()
    carry_out: CarryOut | None = field(default=None, compare=False)
    #: Whether only carrying it out tells what the rules have against it.
    to_try: bool = False
    #: Columns whose cells can't be read: nothing is held against their stand-ins.
    unread: frozenset[str] = frozenset()

    def refused(self, problems: Iterable[Blocker]) -> RowPlan:
        return replace(self, outcome=REFUSED, problems=tuple(_once(problems)), carry_out=None)


def _once(problems: Iterable[Blocker]) -> Iterator[Blocker]:
    """Without what is said of the same cell twice."""
    seen = set()
    for problem in problems:
        if (key := (problem.code, problem.field)) not in seen:
            seen.add(key)
            yield problem


@dataclass(frozen=True)
class FileKind:
    """A kind of files that is downloaded, changed and uploaded again.

    `name` is that of its files, `known` are the columns that are read. `write` gives header and lines of a file of
    some deals, in their order; `plan` plans the rows of an uploaded table, without writing anything.
    """

    label: str
    name: str
    known: Sequence[str]
    may_upload: Callable[[Actor], bool]
    write: Callable[[Sequence[int], Actor], tuple[Sequence[str], Iterable[Sequence[Cell]]]]
    plan: Callable[[Table, Actor, datetime], Iterator[RowPlan]]
    #: The column of a record's field, for what somebody else changed in it.
    at: Mapping[str, str]
    #: The column with the deal's id.
    id_column: str
    #: Whether people upload such files; else the portal writes them, of what is done with many records at once.
    is_uploaded: bool = True


#: By code; added by the apps.
KINDS: Registry[FileKind] = Registry()

#: Of an unknown record and of another company's alike (ORG-6).
NOT_FOUND = _("Nothing of yours has this id.")


def not_found(column: str) -> Blocker:
    return Blocker("not_found", NOT_FOUND, "ORG-6", column)


def twice(line: int, column: str) -> Blocker:
    message = _("Row %(line)s says the same; one of the two is too many.")
    return Blocker("row_twice", message, "REF-20", column, {"line": line})


def not_allowed(column: str) -> Blocker:
    return Blocker("not_allowed", _("Your role doesn't allow this."), "ORG-2", column)


def fixed(column: str, *, rule: str) -> Blocker:
    """Of a cell that differs though its column can't be changed any more."""
    return Blocker("column_fixed", _("This can't be changed any more; write what stands in the portal."), rule, column)


def required(column: str) -> Blocker:
    return Blocker("cell_required", _("This cell can't be empty."), "REF-20", column)


# Reading


@dataclass
class ReadRow:
    """The cells of one row, read bit by bit; whatever can't be read is kept as a problem at its cell."""

    cells: Mapping[str, str]
    problems: list[Blocker] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)

    def text(self, column: str) -> str:
        return self.cells.get(column, "")

    def has(self, column: str) -> bool:
        """Whether the file has the column, and the cell something in it that can be read."""
        return bool(self.text(column)) and column not in self.unread

    def refuse(self, column: str, blocker: Blocker) -> None:
        self.problems.append(replace(blocker, field=column))
        self.unread.add(column)

    def read(self, column: str, parse: Callable[[str], T]) -> T | None:
        """What the cell says; None where it is empty or can't be read."""
        if not self.text(column) or column in self.unread:
            return None
        try:
            return parse(self.text(column))
        except Unreadable as unreadable:
            self.refuse(column, unreadable.blocker)
            return None

    def require(self, *columns: str) -> None:
        for column in columns:
            if not self.text(column):
                self.refuse(column, required(column))

    def limit(self, column: str, length: int) -> None:
        """Refuse a cell that is longer than what keeps it."""
        if len(self.text(column)) > length:
            message = _("This is longer than %(limit)s characters.")
            self.refuse(column, Blocker("cell_too_long", message, "REF-20", params={"limit": length}))


# Carrying out


@dataclass(frozen=True)
class Step:
    """A verb that a row runs. `column`: where its refusals stand, but for those whose field has a column in `at`."""

    run: Callable[[Record, Actor, datetime, int | None], Record]
    label: str
    column: str
    at: Mapping[str, str] = field(default_factory=dict)
    #: Whether what follows makes sense without it.
    leads: bool = False


def step(
    verb: Verb[R, Inputs], inputs: Inputs, column: str, at: Mapping[str, str] | None = None, *, leads: bool = False
) -> Step:
    def run(record: Record, actor: Actor, now: datetime, version: int | None) -> Record:
        same: Any = record
        changed: Record = workflow.run_from_page(same, verb, inputs, seen_version=version, actor=actor, now=now)
        return changed

    return Step(run, verb.label, column, at or {}, leads)


@transaction.atomic
def run_steps(
    record: Record, steps: Sequence[Step], *, actor: Actor, now: datetime, version: int | None = None
) -> None:
    """Run all steps of a row, or none. `version`: what the row was planned on.

    Raises Stale if the record has changed since, or RuleViolation with the reasons against all of the steps, each at
    its column.
    """
    refused: list[Blocker] = []
    for each in steps:
        try:
            record = each.run(record, actor, now, version)
            version = None  # it is locked: whatever changes now, this row changes
        except workflow.Stale:
            raise
        except RuleViolation as violation:
            refused += [at_column(blocker, each.at, each.column) for blocker in violation.blockers]
        except PermissionDenied:
            refused.append(not_allowed(each.column))
        if refused and each.leads:
            break
    if refused:
        raise RuleViolation(refused)


def at_column(blocker: Blocker, at: Mapping[str, str], column: str) -> Blocker:
    return replace(blocker, field=at.get(blocker.field, column))


class _NothingWritten(Exception):
    """Ends a trial."""


def tried(plan: RowPlan) -> RowPlan:
    """The plan with every reason that the rules have against it; whatever carrying it out writes is taken back."""
    found = list(plan.problems)
    if plan.to_try and plan.carry_out is not None:
        try:
            with transaction.atomic():
                plan.carry_out(None)
                raise _NothingWritten
        except _NothingWritten:
            pass
        except RuleViolation as violation:
            found += [blocker for blocker in violation.blockers if blocker.field not in plan.unread]
    return plan.refused(found) if found else plan
