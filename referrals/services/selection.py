"""What is done with many deals of the list at once (REF-20): the same verbs, one transaction and one result for each.

A selection is a table as uploaded files are: looked at first, so that one sees what would be refused and why, then
carried out by a worker.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.utils.translation import gettext

from portal.accounts.rules import Actor
from portal.params import as_uuid, whole_number
from portal.row_plans import KINDS, UNCHANGED, UPDATE, Change, FileKind, RowPlan, Step, not_found, run_steps, step
from portal.tables import Table, csv_file
from portal.workflow.blockers import _
from referrals import rules, verbs
from referrals.models import Referral
from referrals.verbs import copies

CODE = "selection"
ID, STAGE = "Referral ID", "Stage"
MEMBER = ("First name", "Last name", "Phone", "E-mail")


def stage_table(deals: Iterable[uuid.UUID], stage: int) -> bytes:
    """Set the stage of each."""
    return csv_file((ID, STAGE), ((str(deal), stage) for deal in deals))


def member_table(deals: Iterable[uuid.UUID], member: rules.Member) -> bytes:
    """Add the person to the team of each."""
    person = (member.first_name, member.last_name, member.phone, member.email)
    return csv_file((ID, *MEMBER), ((str(deal), *person) for deal in deals))


def _plan(table: Table, actor: Actor, now: datetime) -> Iterator[RowPlan]:
    """What is done with each deal. Nothing is written."""
    ids = [found for _line, cells in table.rows if (found := as_uuid(cells.get(ID, "")))]
    own = Referral.objects.visible_to(actor).filter(public_id__in=ids, company_id=actor.own_company_id)
    held = {deal.public_id: deal for deal in own.with_context().prefetch_related("team")}
    for line, cells in table.rows:
        deal = held.get(as_uuid(cells.get(ID, "")) or uuid.UUID(int=0))
        plan = RowPlan(line, UNCHANGED, title=deal.name if deal else cells.get(ID, ""))
        yield _planned(plan, deal, cells, actor, now) if deal else plan.refused([not_found(ID)])


def _planned(plan: RowPlan, deal: Referral, cells: Mapping[str, str], actor: Actor, now: datetime) -> RowPlan:
    plan = replace(plan, deal=deal.public_id, version=deal.version)
    change, steps = _member(deal, cells) if cells.get(MEMBER[-1]) else _stage(deal, cells)
    if change.was == change.becomes:
        return plan

    def carry_out(version: int | None) -> uuid.UUID:
        run_steps(deal, steps, actor=actor, now=now, version=version)
        return deal.public_id

    labels = [each.label for each in steps]
    return replace(plan, outcome=UPDATE, steps=labels, changes=[change], carry_out=carry_out, to_try=True)


def _stage(deal: Referral, cells: Mapping[str, str]) -> tuple[Change, Sequence[Step]]:
    stage = whole_number(cells.get(STAGE)) or 0
    names, column = rules.stages_for(assessment=deal.is_assessment), gettext("Stage")
    change = Change(column, gettext(names[deal.stage]), gettext(names[stage]) if stage in names else str(stage))
    return change, [step(verbs.SET_STAGE, verbs.Stage(stage), column)]


def _member(deal: Referral, cells: Mapping[str, str]) -> tuple[Change, Sequence[Step]]:
    person, column = rules.Member(*(cells.get(name, "") for name in MEMBER)), gettext("Team")
    held = [rules.Member(m.first_name, m.last_name, m.phone, m.email, m.title) for m in deal.team.all()]
    there = person.email.lower() in {member.email.lower() for member in held}
    team = held if there else [*held, person]
    change = Change(column, "\n".join(copies.members(held)), "\n".join(copies.members(team)))
    return change, [step(verbs.EDIT_TEAM, verbs.Team(team), column)]


def _no_file(_pks: Sequence[int], _actor: Actor) -> tuple[Sequence[str], Iterable[Sequence[str]]]:
    return (), ()


KINDS.add(
    CODE,
    FileKind(
        _("Selected deals"),
        CODE,
        (ID, STAGE, *MEMBER),
        lambda actor: actor.user_id is not None,
        _no_file,
        _plan,
        {"stage": _("Stage"), "team": _("Team")},
        ID,
        is_uploaded=False,
    ),
    order=30,
)
