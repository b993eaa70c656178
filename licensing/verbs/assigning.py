"""The customer's admin gives licences to their people, and takes them back (LIC-4).

Events tell numbers: they are kept for good and partners read them, so no address of the customer's people is in one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from licensing.models import Assignment, Licences, PlanCount
from licensing.policies import may_assign
from licensing.rules import addresses, assign_blockers, unassign_blockers
from licensing.selectors.facts import plan_facts
from licensing.timeline import LICENCES
from portal.workflow.blockers import Blocker, _
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Effect, Verb


@dataclass(frozen=True)
class People:
    """The plan's key, and the addresses; spaces around them, their case and repetitions don't count."""

    plan: int
    emails: tuple[str, ...]


class Assign(Verb[Licences, People]):
    """Give each of them a licence; who has one already keeps it. Never more than counted (LIC-4)."""

    name = "assign"
    label = _("Assign licences")
    event = "licences.assigned"
    sentence = Sentence("person-plus", "neutral", _("The customer assigned licences of %(plan)s: %(people)s"), LICENCES)
    who = (may_assign,)
    primary = True

    def input_blockers(self, record: Licences, inputs: People, context: Context) -> Iterable[Blocker]:
        emails = addresses(inputs.emails)
        return assign_blockers(plan_facts(record, inputs.plan), emails, already=_already(record, inputs.plan, emails))

    def apply(self, record: Licences, inputs: People, context: Context) -> Effect:
        row, emails = _row(record, inputs.plan), addresses(inputs.emails)
        already = _already(record, inputs.plan, emails)
        new = [email for email in emails if email not in already]
        Assignment.objects.bulk_create(Assignment(plan_count=row, email=email, created_at=context.now) for email in new)
        return _changed(record, row, len(new))


class Unassign(Verb[Licences, People]):
    """Take their licences back (LIC-4)."""

    name = "unassign"
    label = _("Withdraw licences")
    event = "licences.unassigned"
    sentence = Sentence("person-dash", "neutral", _("The customer withdrew licences of %(plan)s: %(people)s"), LICENCES)
    who = (may_assign,)

    def input_blockers(self, record: Licences, inputs: People, context: Context) -> Iterable[Blocker]:
        emails = addresses(inputs.emails)
        return unassign_blockers(emails, already=_already(record, inputs.plan, emails))

    def apply(self, record: Licences, inputs: People, context: Context) -> Effect:
        row, emails = _row(record, inputs.plan), addresses(inputs.emails)
        ended, _kinds = Assignment.objects.filter(plan_count=row, email__in=emails).delete()
        return _changed(record, row, -ended)


def _row(record: Licences, plan: int) -> PlanCount:
    return PlanCount.objects.select_related("plan").get(licences=record, plan=plan)


def _already(record: Licences, plan: int, emails: Iterable[str]) -> set[str]:
    rows = Assignment.objects.filter(plan_count__licences=record, plan_count__plan=plan, email__in=list(emails))
    return set(rows.values_list("email", flat=True))


def _changed(record: Licences, row: PlanCount, by: int) -> Effect:
    """Count it; a database constraint holds that never more are assigned than there are."""
    was, now = row.assigned, row.assigned + by
    PlanCount.objects.filter(pk=row.pk).update(assigned=now)
    code = row.plan.code
    after = {"assigned": {code: now}, "plans": {code: row.plan.name}, "people": abs(by)}
    return Effect(before={"assigned": {code: was}}, after=after)


ASSIGN, UNASSIGN = Assign(), Unassign()
