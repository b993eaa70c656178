"""What the rows of a file of co-sell opportunities would do: create a deal, change one, or nothing (F3.1).

Whatever a row does, a verb does, and whatever is refused, the rules refuse: here is only what a cell stands for.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from portal.accounts.models import Location
from portal.accounts.rules import Actor
from portal.customers import services as customers
from portal.customers.models import Customer
from portal.money import services as money
from portal.row_plans import (
    CREATE,
    UNCHANGED,
    UPDATE,
    Change,
    RowPlan,
    at_column,
    not_allowed,
    not_found,
    run_steps,
    step,
    twice,
)
from portal.tables import Table
from portal.workflow import services as workflow
from portal.workflow.blockers import Blocker, Money, _
from portal.workflow.verbs import Context
from referrals import rules, verbs
from referrals.models import Referral
from referrals.policies import may_change
from referrals.services import creation
from referrals.services import stage_names as names
from referrals.services.deal_file import columns as c
from referrals.services.deal_file import held as held_cells
from referrals.services.deal_file.changing import plan_change
from referrals.services.deal_file.held import Held
from referrals.services.deal_file.lookup import Lookup, entry
from referrals.services.deal_file.reading import DealRow, Known, meant, read
from referrals.verbs import NewDeal

#: What a new deal's key is made of, with its company and what the row says.
_NAMESPACE = uuid.UUID("0192f0c4-6a3e-7c51-9d2b-1f3a5b7c9d0e")
#: What is asked for in any case when a deal is created (F3.1), besides what the rules require.
_MANDATORY = (
    *(c.NAME, c.CUSTOMER, c.COUNTRY, c.VALUE, c.CURRENCY, c.CLOSE_DATE, c.HELP_REQUIRED, c.CONSENT, c.INTENT),
)
#: What a row says of a deal; the rest is the portal's own, or nothing it has a use for.
_MEANT = tuple(
    column
    for column in (*c.AT.values(), *c.ENTRY.values(), c.LAST_NAME, c.STATUS, c.SUBSTATUS, c.HELP_REQUIRED, c.SHARE)
)
_SAID = tuple(dict.fromkeys((*_MEANT, c.HELP_NOTES, c.INTENT, c.CRM_ID, c.CAMPAIGN_ID, *c.SOLUTIONS, *c.MEMBERS)))


def plan(table: Table, actor: Actor, now: datetime) -> Iterator[RowPlan]:
    """The plan of each row, in their order. Nothing is written."""
    known = Known(set(money.currencies()), names.folded(actor.own_company_id), table.decimal_comma)
    held = _held(table, actor)
    rows = [(line, _read(cells, held, known)) for line, cells in table.rows]
    lookup = Lookup.of([row for _line, row in rows], actor)
    keys = {line: _key(row, actor) for line, row in rows if not row.text(c.ID)}
    created = _created(keys.values(), actor)
    context = workflow.context_of(actor, now)
    seen: dict[str, int] = {}
    for line, row in rows:
        identity = row.text(c.ID).casefold() or str(keys[line])
        if identity in seen:
            yield _plan(line, row).refused([twice(seen[identity], c.ID if row.text(c.ID) else c.NAME)])
            continue
        seen[identity] = line
        if row.text(c.ID):
            yield _change(_plan(line, row), row, held.get(row.text(c.ID).casefold()), lookup, actor, now)
        elif keys[line] in created:
            yield replace(_plan(line, row), deal=created[keys[line]], steps=[_("Created by an earlier upload")])
        else:
            yield _new(_plan(line, row), row, keys[line], lookup, context)


def _plan(line: int, row: DealRow) -> RowPlan:
    return RowPlan(line, UNCHANGED, title=row.text(c.NAME) or row.text(c.ID))


def _held(table: Table, actor: Actor) -> dict[str, Held]:
    """The deals that the file names and the actor sees, by their ids as the file may write them."""
    ids = set()
    for _line, cells in table.rows:
        try:
            ids.add(uuid.UUID(cells.get(c.ID, "")))
        except ValueError:
            continue
    own = Referral.objects.visible_to(actor).filter(public_id__in=ids, company_id=actor.own_company_id)
    return {str(held.referral.public_id): held for held in held_cells.load(own, actor)}


def _read(cells: Mapping[str, str], held: Mapping[str, Held], known: Known) -> DealRow:
    """The row; of a deal that is there already only the cells that differ from what the portal holds."""
    mine = held.get(cells.get(c.ID, "").casefold())
    if mine is None:
        return read(cells, known)
    same = {column for column, cell in cells.items() if _plain(cell) == _plain(mine.text(column))}
    return read(cells, known, but=same)


def _plain(cell: str) -> str:
    return "\n".join(cell.strip().splitlines())


# Changing


def _change(plan: RowPlan, row: DealRow, held: Held | None, lookup: Lookup, actor: Actor, now: datetime) -> RowPlan:
    """A row with an id: what differs from the deal."""
    if held is None:
        return plan.refused([not_found(c.ID)])
    referral = held.referral
    plan = replace(plan, title=referral.name, deal=referral.public_id, version=referral.version)
    found = plan_change(row, held, lookup, now=now)
    if not found.steps:
        return plan.refused(row.row.problems) if row.row.problems else plan
    plan = replace(plan, outcome=UPDATE, steps=[each.label for each in found.steps], changes=found.changes)
    plan = replace(plan, problems=row.row.problems, warnings=found.warnings)
    if not may_change(actor, referral):
        return plan.refused([not_allowed(c.ID)])

    def carry_out(version: int | None) -> uuid.UUID:
        run_steps(referral, found.steps, actor=actor, now=now, version=version)
        return referral.public_id

    return replace(plan, carry_out=carry_out, to_try=True, unread=frozenset(_unread(row)))


# Creating


def _key(row: DealRow, actor: Actor) -> uuid.UUID:
    """The same row of the same company has the same key, whatever file it stands in: it creates one deal."""
    said = json.dumps([actor.own_company_id, meant(row, _SAID)], sort_keys=True)
    return uuid.uuid5(_NAMESPACE, said)


def _created(keys: Iterable[uuid.UUID], actor: Actor) -> dict[uuid.UUID, uuid.UUID]:
    own = Referral.objects.filter(
        company_id=actor.own_company_id,
        engagement__started_by_id=actor.own_company_id,
        engagement__creation_key__in=list(keys),
    )
    return dict(own.values_list("engagement__creation_key", "public_id"))


def _new(plan: RowPlan, row: DealRow, key: uuid.UUID, lookup: Lookup, context: Context) -> RowPlan:
    """A row without an id: a new deal."""
    row.row.require(*_MANDATORY)
    _check_new(row)
    customer = lookup.customer_of(row)
    deal = _new_deal(row, key, customer, lookup, context)
    stage = row.values.get(c.STAGE) or rules.FIRST_STAGE
    found = list(row.row.problems)
    unread = _unread(row)
    for blocker in workflow.creation_blockers(verbs.CREATE, deal, context):
        placed = at_column(blocker, c.AT, c.NAME)
        if placed.field not in unread:
            found.append(placed)
    if stage != rules.FIRST_STAGE:
        wrong = rules.stage_blockers(stage, current=rules.FIRST_STAGE, assessment=False)
        found += [at_column(blocker, c.AT, c.STAGE) for blocker in wrong]
    if found:
        return plan.refused(found)
    said = [Change(column, "", row.text(column)) for column in _SAID if row.text(column)]
    plan = replace(plan, outcome=CREATE, steps=[verbs.CREATE.label], changes=said)
    if customer is None:
        plan = replace(plan, warnings=[_NEW_CUSTOMER])

    @transaction.atomic
    def carry_out(_version: int | None) -> uuid.UUID:
        who: dict[str, Any] = {"actor": context.actor, "now": context.now}
        named = customers.match_or_add(**entry(row), **who)  # type: ignore[arg-type]
        made = creation.create_deal(replace(deal, customer=named), **who)
        if made.stage != stage:
            steps = [step(verbs.SET_STAGE, verbs.Stage(stage), c.STAGE, c.AT)]
            run_steps(made, steps, **who)
        return made.public_id

    return replace(plan, carry_out=carry_out)


_NEW_CUSTOMER = Blocker(
    "",
    _("A new customer: only your company sees the entry until %(vendor)s confirms it; it isn't managed until then."),
    "REF-5",
    c.CUSTOMER,
)


def _check_new(row: DealRow) -> None:
    """What the file asks for besides the rules of the deal (F3.1)."""
    if row.values.get(c.CONSENT) is False:
        message = _("This must be %(answer)s: the contact has to agree that these details are shared.")
        row.row.refuse(c.CONSENT, Blocker("consent_not_given", message, "REF-5", params={"answer": "Yes"}))
    if row.values.get(c.HELP_REQUIRED):
        row.row.require(c.HELP)
    elif row.values.get(c.HELP_REQUIRED) is False:
        row.row.require(c.SHARE)
    born = {c.STATUS: ("New", "Active"), c.SUBSTATUS: (rules.ACCEPTED,)}
    for column, allowed in born.items():
        if row.values.get(column) not in (None, *allowed):
            message = _("A new deal begins as %(status)s; it is changed once it has an id.")
            row.row.refuse(column, Blocker("new_deal_status", message, "REF-10", params={"status": "New, Accepted"}))


def _new_deal(row: DealRow, key: uuid.UUID, customer: Customer | None, lookup: Lookup, context: Context) -> NewDeal:
    """The deal, with stand-ins for what could not be read: it is refused in any case."""
    values, today = row.values, context.now.date()
    wants_help = bool(values.get(c.HELP_REQUIRED))
    location = lookup.location_of(row)
    return NewDeal(
        customer=customer or Customer(),
        location=location or Location(),
        name=row.text(c.NAME),
        value=Money(values.get(c.VALUE) or Decimal(0), values.get(c.CURRENCY) or "USD"),
        close_date=values.get(c.CLOSE_DATE) or today,
        team=list(row.members.values()),
        solutions=lookup.solutions_of(row),
        help_code=(values.get(c.HELP) if wants_help else None) or rules.NO_HELP,
        vendor_may_view=bool(values.get(c.SHARE)),
        contact=row.contact(),
        crm_id=row.text(c.CRM_ID),
        campaign_id=row.text(c.CAMPAIGN_ID),
        notes=row.text(c.NOTES),
        help_notes=row.text(c.HELP_NOTES),
        marketplace_intent=values.get(c.INTENT) or Referral.Intent.UNDECIDED,
        key=key,
    )


def _unread(row: DealRow) -> set[str]:
    """The columns of which nothing more is said: one person of the team that can't be read speaks for all of it."""
    unread = set(row.row.unread)
    for columns in (c.SOLUTIONS, c.MEMBERS, (c.FIRST_NAME, c.LAST_NAME, c.PHONE, c.EMAIL)):
        if unread & set(columns):
            unread |= set(columns)
    return unread
