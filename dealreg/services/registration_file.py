"""A file of deal registrations: downloaded, changed in a spreadsheet, and uploaded again (F3.2).

A row files the registration of its deal, or corrects one that was sent back; *No* under the deployment on Azure gives
it up. What is wrong with it the form's own rules say (REG-15).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet

from dealreg import rules, verbs
from dealreg.models import NOT_REGISTERED, Registration, Status
from dealreg.policies import may_file
from dealreg.rules import states
from dealreg.selectors.registration import wrong_state
from portal import tables
from portal.accounts.rules import Actor, creating_scope
from portal.money import services as money
from portal.row_plans import (
    KINDS,
    UNCHANGED,
    UPDATE,
    Cell,
    Change,
    FileKind,
    ReadRow,
    RowPlan,
    Step,
    not_allowed,
    not_found,
    run_steps,
    step,
    twice,
)
from portal.tables import Table
from portal.workflow.blockers import Blocker, Money, _
from referrals.models import Referral

ID, TYPE, REASON = "Referral ID", "Registration Type", "Registration Status Reason"
MARKETPLACE, MARKETPLACE_DATE = "Is Marketplace Transacted", "Marketplace Transaction Date"
DEPLOYED = "Is Deployed on Azure"
TCV, TCV_CURRENCY, TERM = "Contract Value", "Contract Currency", "Contract Term"
SIGNED, START, END = "Contract Sign Date", "Contract Start Date", "Contract End Date"
SOLUTION_VALUE, SOLUTION_CURRENCY = "Solution Value", "Solution Currency"
TENANT, PRICING = "Primary Deployment On", "Pricing Model"
HEADER = (
    *(ID, "Registration Date", TYPE, "Registration Status", REASON, MARKETPLACE, MARKETPLACE_DATE, DEPLOYED),
    *(TCV, TCV_CURRENCY, TERM, SIGNED, START, END, SOLUTION_VALUE, SOLUTION_CURRENCY, TENANT, PRICING),
    *("Review Pending Date", "Action Required Date", "Passed Date", "Failed Date", "Approved Date", "Errors"),
)
#: What the partner states, by the question's column.
STATED = {
    "marketplace": MARKETPLACE,
    "marketplace_date": MARKETPLACE_DATE,
    "deployment": DEPLOYED,
    "tcv": TCV,
    "tcv_currency": TCV_CURRENCY,
    "term": TERM,
    "signed": SIGNED,
    "start": START,
    "end": END,
    "solution_value": SOLUTION_VALUE,
    "solution_value_currency": SOLUTION_CURRENCY,
    "tenant": TENANT,
    "pricing": PRICING,
}
#: The only type there is (F3.2).
CO_SELL = "AzureIPCoSell"
_TERMS = {"perpetual": Registration.Term.PERPETUAL, "finite": Registration.Term.FINITE}
_TENANTS = {"customer": Registration.Tenant.CUSTOMER, "partner": Registration.Tenant.PARTNER}
_PRICINGS = {"payasyougo": Registration.Pricing.PAYG, "other": Registration.Pricing.OTHER}
_NAMES = {
    Registration.Term.PERPETUAL: "Perpetual",
    Registration.Term.FINITE: "Finite",
    Registration.Tenant.CUSTOMER: "Customer",
    Registration.Tenant.PARTNER: "Partner",
    Registration.Pricing.PAYG: "PayAsYouGo",
    Registration.Pricing.OTHER: "Other",
}
STEP = 500

# Writing


def write(pks: Sequence[int], actor: Actor) -> tuple[Sequence[str], Iterable[Sequence[Cell]]]:
    """Header and lines of a file of the registrations that these deals have."""
    return HEADER, _lines(pks, actor)


def _lines(pks: Sequence[int], actor: Actor) -> Iterator[Sequence[Cell]]:
    for start in range(0, len(pks), STEP):
        batch = pks[start : start + STEP]
        found = {row.referral_id: row for row in _own(actor).filter(referral__in=batch)}
        for pk in batch:
            if pk in found:
                cells = _cells(found[pk])
                yield [cells.get(column, "") for column in HEADER]


def _own(actor: Actor) -> QuerySet[Registration]:
    own = Registration.objects.visible_to(actor).filter(referral__company_id=actor.own_company_id)
    return own.select_related("referral").prefetch_related("referral__team")


def _cells(registration: Registration) -> dict[str, Cell]:
    first = registration.first_submitted_at
    decided = {Status.REVIEW_PASSED: "Passed Date", Status.MARKETPLACE_PASSED: "Passed Date"}
    decided |= {Status.REVIEW_FAILED: "Failed Date", Status.MARKETPLACE_FAILED: "Failed Date"}
    cells: dict[str, Cell] = {
        ID: str(registration.referral.public_id),
        "Registration Date": _day(first),
        TYPE: CO_SELL,
        "Registration Status": states.WIRE_TOKENS[registration.status],
        REASON: " ".join(part for part in (registration.reason_code, registration.comment) if part),
        "Review Pending Date": _day(registration.review_pending_at),
        "Action Required Date": _day(registration.action_required_at),
        "Approved Date": _day(registration.approved_at),
    }
    if name := decided.get(Status(registration.outcome or registration.status)) if registration.decided_at else None:
        cells[name] = _day(registration.decided_at)
    return cells | _stated(registration)


def _day(moment: datetime | None) -> date | None:
    """The UTC day, as every day of the programme."""
    return moment.date() if moment else None


def _stated(registration: Registration) -> dict[str, Cell]:
    """The answers there are; none as long as nothing was filed."""
    return {column: _cell(name, getattr(registration, name)) for name, column in STATED.items()}


def _cell(name: str, value: Any) -> Cell:
    if value is None or value == "":
        return ""
    if name == "deployment":
        return "Yes" if value == Registration.Deployment.AZURE else "No"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    cell: Cell = _NAMES.get(value, value)
    return cell


# Reading


@dataclass
class _Known:
    currencies: Mapping[str, str]
    decimal_comma: bool


def _read(cells: Mapping[str, str], known: _Known) -> tuple[ReadRow, dict[str, Any]]:
    """The row, and what could be read of the answers, by the questions' columns."""
    row = ReadRow(cells)
    parse = {
        "marketplace": tables.yes_no,
        "marketplace_date": tables.day,
        "deployment": _deployment,
        "tcv": lambda cell: tables.amount(cell, decimal_comma=known.decimal_comma),
        "tcv_currency": lambda cell: tables.choice(cell, known.currencies, "USD, EUR, TRY, …"),
        "term": lambda cell: tables.choice(cell, _TERMS, "Perpetual, Finite"),
        "signed": tables.day,
        "start": tables.day,
        "end": tables.day,
        "solution_value": lambda cell: tables.amount(cell, decimal_comma=known.decimal_comma),
        "solution_value_currency": lambda cell: tables.choice(cell, known.currencies, "USD, EUR, TRY, …"),
        "tenant": lambda cell: tables.choice(cell, _TENANTS, "Customer, Partner"),
        "pricing": lambda cell: tables.choice(cell, _PRICINGS, "PayAsYouGo, Other"),
    }
    values = {name: row.read(STATED[name], reader) for name, reader in parse.items()}
    row.read(TYPE, lambda cell: tables.choice(cell, {CO_SELL.casefold(): CO_SELL}, CO_SELL))
    return row, values


def _deployment(cell: str) -> str:
    return Registration.Deployment.AZURE if tables.yes_no(cell) else Registration.Deployment.OTHER


# Planning


def plan(table: Table, actor: Actor, now: datetime) -> Iterator[RowPlan]:
    """The plan of each row, in their order. Nothing is written."""
    known = _Known({code.casefold(): code for code in money.currencies()}, table.decimal_comma)
    deals = _deals(table, actor)
    seen: dict[str, int] = {}
    for line, cells in table.rows:
        row, values = _read(cells, known)
        name = row.text(ID).casefold()
        made = RowPlan(line, UNCHANGED, title=row.text(ID))
        if not name:
            row.require(ID)
            yield made.refused(row.problems)
        elif name in seen:
            yield made.refused([twice(seen[name], ID)])
        elif name not in deals:
            yield made.refused([not_found(ID)])
        else:
            yield _plan(made, row, values, *deals[name], actor, now)
        seen.setdefault(name, line)


def _deals(table: Table, actor: Actor) -> dict[str, tuple[Referral, Registration | None]]:
    """The deals that the file names and the actor sees, with their registrations."""
    ids = set()
    for _line, cells in table.rows:
        try:
            ids.add(uuid.UUID(cells.get(ID, "")))
        except ValueError:
            continue
    own = Referral.objects.visible_to(actor).filter(public_id__in=ids, company_id=actor.own_company_id)
    referrals = list(own.only("public_id", "name", "version", "company_id"))
    mine = Registration.objects.with_context().filter(referral__in=[referral.pk for referral in referrals])
    found = {registration.referral_id: registration for registration in mine}
    return {str(referral.public_id): (referral, found.get(referral.pk)) for referral in referrals}


def _plan(
    made: RowPlan,
    row: ReadRow,
    values: dict[str, Any],
    referral: Referral,
    registration: Registration | None,
    actor: Actor,
    now: datetime,
) -> RowPlan:
    made = replace(made, title=referral.name, deal=referral.public_id)
    changes = _changes(row, values, registration)
    if not changes or (_gives_up(values) and registration is not None and registration.outcome == NOT_REGISTERED):
        return made.refused(row.problems) if row.problems else made
    if registration is None:
        message = _("This deal can't be registered, or not yet; its page says what is missing.")
        return made.refused([*row.problems, Blocker("not_registrable", message, "ELIG-9", ID)])
    if not may_file(actor, registration):
        return made.refused([not_allowed(ID)])
    steps = [_step(row, values, registration)]
    made = replace(made, outcome=UPDATE, version=registration.version, changes=changes, problems=row.problems)
    made = replace(made, steps=[each.label for each in steps])

    def carry_out(version: int | None) -> uuid.UUID:
        run_steps(registration, steps, actor=actor, now=now, version=version)
        return referral.public_id

    return replace(made, carry_out=carry_out, to_try=True, unread=frozenset(row.unread))


def _changes(row: ReadRow, values: Mapping[str, Any], registration: Registration | None) -> list[Change]:
    """The answers that differ. An empty cell says nothing where nothing was answered, or where none is asked."""
    held = {} if registration is None else {name: getattr(registration, name) for name in STATED}
    found = []
    for name, column in STATED.items():
        current = held.get(name)
        if column not in row.cells or values[name] == current or (not row.text(column) and current in (None, "")):
            continue
        was = _cell(name, current)
        shown = tables.american(was) if isinstance(was, date) else str(was)
        if row.text(column) or column in row.unread or current not in (None, ""):
            found.append(Change(column, shown, row.text(column)))
    return found


def _gives_up(values: Mapping[str, Any]) -> bool:
    return values["deployment"] == Registration.Deployment.OTHER


def _step(row: ReadRow, values: Mapping[str, Any], registration: Registration) -> Step:
    """File it, correct it, or give it up (REG-2); in any other state the form's own refusal says why not."""
    came_back = registration.status == Status.ACTION_REQUIRED
    if _gives_up(values) and wrong_state(registration) is None:
        return step(verbs.WITHDRAW if came_back else verbs.CLOSE_UNREGISTERED, None, DEPLOYED)
    at = STATED | {"payg_year_value": TCV}
    return step(verbs.RESUBMIT if came_back else verbs.SUBMIT, _answers(row, values, registration), ID, at)


def _answers(row: ReadRow, values: Mapping[str, Any], registration: Registration) -> rules.RegistrationInput:
    """The row's answers; of columns that the file doesn't have those there were. What a file can't say (which solution,
    what it renews, a year's value) stays, and sending it confirms the contract's names (REG-17), as it does everywhere
    that knows no tick."""
    stated = {name: values[name] if STATED[name] in row.cells else getattr(registration, name) for name in STATED}
    tcv, value = stated.pop("tcv"), stated.pop("solution_value")
    currency, value_currency = stated.pop("tcv_currency"), stated.pop("solution_value_currency")
    answers = {name: None if answer == "" else answer for name, answer in stated.items()}
    return replace(
        registration.claim,
        **answers,
        tcv=Money(tcv, currency) if tcv is not None and currency else None,
        solution_value=Money(value, value_currency) if value is not None and value_currency else None,
        contract_names_confirmed=True,
    )


def may_upload(actor: Actor) -> bool:
    """Whoever may register deals (ORG-3)."""
    return not actor.is_vendor and bool(creating_scope(actor))


REGISTRATIONS = KINDS.add(
    "registrations",
    FileKind(_("Registrations"), "registrations", HEADER, may_upload, write, plan, STATED, ID),
    order=20,
)
