"""Reads the rows of a file of co-sell opportunities: what each cell says, or what is wrong with it (F3.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from portal import tables
from portal.params import as_uuid
from portal.row_plans import ReadRow
from portal.tables import Unreadable
from portal.workflow.blockers import Blocker, _
from referrals import rules
from referrals.models import Engagement, Referral, TeamMember
from referrals.rules import stage_names
from referrals.services.deal_file import columns as c

#: Of what is kept as it is typed: the columns that hold it.
_LENGTHS = {
    c.NAME: (Referral, "name"),
    c.CRM_ID: (Referral, "crm_id"),
    c.CAMPAIGN_ID: (Referral, "campaign_id"),
    c.PHONE: (Engagement, "contact_phone"),
    c.EMAIL: (Engagement, "contact_email"),
}


@dataclass(frozen=True)
class Known:
    """What cells may name: currencies, and the company's own names of stages (REF-16)."""

    currencies: Collection[str]
    stage_names: Mapping[str, int]
    decimal_comma: bool = False


@dataclass
class DealRow:
    """One row, read. A value is None where its cell is empty, or unread."""

    row: ReadRow
    values: dict[str, Any] = field(default_factory=dict)
    #: By column, of the cells that hold something.
    solutions: dict[str, str] = field(default_factory=dict)
    members: dict[str, rules.Member] = field(default_factory=dict)

    def text(self, column: str) -> str:
        return self.row.text(column)

    def contact(self) -> rules.Contact:
        name = f"{self.text(c.FIRST_NAME)} {self.text(c.LAST_NAME)}".strip()
        consent = bool(self.values.get(c.CONSENT))
        return rules.Contact(name, self.text(c.PHONE), self.text(c.EMAIL), consent=consent)

    def reason(self, substatus: str) -> tuple[str, str]:
        """Reason code and explanation; a text without a number is *other* (REF-17)."""
        found = re.fullmatch(r"(\d+)\b[\s.:;,–-]*(.*)", self.text(c.REASON), re.DOTALL)
        if found:
            return c.reasons_of(substatus).get(found[1], ""), found[2]
        return ("other", self.text(c.REASON)) if self.text(c.REASON) else ("", "")


def parsers(known: Known) -> Mapping[str, Callable[[str], Any]]:
    """How the cells of each column are read that isn't simply text."""
    currencies = {code.casefold(): code for code in known.currencies}
    helps = dict(c.HELP_CODES) | {code.casefold(): code for code in c.HELP_CODES.values()}
    yes_no = tables.yes_no
    return {
        c.ID: as_uuid,
        c.VALUE: lambda cell: tables.amount(cell, decimal_comma=known.decimal_comma),
        c.CURRENCY: lambda cell: tables.choice(cell, currencies, "USD, EUR, TRY, …"),
        c.CLOSE_DATE: tables.day,
        c.STATUS: lambda cell: tables.choice(cell, c.STATUSES, ", ".join(c.STATUSES.values())),
        c.SUBSTATUS: lambda cell: tables.choice(cell, c.SUBSTATUSES, ", ".join(rules.SUBSTATUSES)),
        c.STAGE: lambda cell: _stage(cell, known.stage_names),
        c.HELP_REQUIRED: yes_no,
        c.SHARE: yes_no,
        c.CONSENT: yes_no,
        c.HELP: lambda cell: tables.choice(cell, helps, "1–6"),
        c.INTENT: lambda cell: tables.choice(cell, c.INTENTS, ", ".join(c.INTENT_NAMES.values())),
    }


def read(cells: Mapping[str, str], known: Known, *, but: Collection[str] = ()) -> DealRow:
    """Read all cells of a row `but` those whose columns are named: these stand in the portal just so."""
    found = DealRow(ReadRow(cells))
    row = found.row
    for column, parse in parsers(known).items():
        if column not in but:
            found.values[column] = row.read(column, parse)
    for column, (model, name) in _LENGTHS.items():
        row.limit(column, _length(model, name))
    if row.has(c.EMAIL) and c.EMAIL not in but:
        row.read(c.EMAIL, _email)
    if len(found.contact().name) > _length(Engagement, "contact_name"):
        row.limit(c.FIRST_NAME, 0)
    for column in c.SOLUTIONS:
        if row.text(column):
            found.solutions[column] = tables.parts(row.text(column))[0]
    for column in c.MEMBERS:
        if (member := row.read(column, _member)) is not None:
            found.members[column] = member
    return found


def _length(model: Any, name: str) -> int:
    return int(model._meta.get_field(name).max_length)


def _stage(cell: str, names: Mapping[str, int]) -> int:
    stage = stage_names.stage_of(cell, names)
    if stage is None and cell.strip("% ") == str(rules.WON_STAGE):
        return rules.WON_STAGE
    if stage is None:
        message = _("“%(name)s” is no stage: give a percentage, Qualify, Develop, Propose or Close, or your own name.")
        raise Unreadable(Blocker("unknown_stage", message, "REF-16", params={"name": cell[:100]}))
    return stage


def _email(cell: str) -> str:
    try:
        validate_email(cell)
    except ValidationError:
        message = _("“%(value)s” is not an e-mail address.")
        raise Unreadable(Blocker("email_invalid", message, "REF-7", params={"value": cell[:100]})) from None
    return cell


def _member(cell: str) -> rules.Member:
    """A person of the team: first name, last name, phone, e-mail (REF-7)."""
    parts = tables.parts(cell)
    if len(parts) != len(("first", "last", "phone", "email")):
        message = _("Write first name, last name, phone and e-mail, between commas.")
        raise Unreadable(Blocker("member_unreadable", message, "REF-7"))
    member = rules.Member(*parts)
    names = ("first_name", "last_name", "phone", "email")
    for name, part in zip(names, parts, strict=True):
        if len(part) > _length(TeamMember, name):
            message = _("This is longer than %(limit)s characters.")
            raise Unreadable(Blocker("cell_too_long", message, "REF-7", params={"limit": _length(TeamMember, name)}))
    if member.email:
        _email(member.email)
    return member


def meant(found: DealRow, columns: Collection[str]) -> dict[str, str]:
    """What the row says, whatever way it is written: by it the same row is known again."""
    said = {column: found.values.get(column) or found.text(column) for column in columns if found.text(column)}
    return {column: _plain(value) for column, value in said.items()}


def _plain(value: object) -> str:
    match value:
        case Decimal():
            return f"{value:.2f}"
        case date():
            return value.isoformat()
    return "\n".join(str(value).splitlines())
