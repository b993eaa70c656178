"""A partner gives a customer licences, changes their counts, and removes plans (LIC-2, LIC-3, LIC-5 to LIC-7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied

from isvconnect.models import IsvDeal
from isvconnect.policies import may_manage_licences
from licensing.models import Licences, PlanCount, Relationship
from licensing.policies import may_change_counts
from licensing.rules import Count, remove_blockers, update_blockers
from licensing.selectors.facts import customer_facts, deal_facts, licences_of, plan_facts
from licensing.timeline import LICENCES
from licensing.verbs.base import lock_deal, lock_relationship
from portal.catalog.models import Plan
from portal.workflow.blockers import Blocker, _
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Creation, Effect, Verb, worker
from referrals.policies import acts_for_company


@dataclass(frozen=True)
class Update:
    """The form *Manage licences*: the customer, who is fixed after the first update, and absolute counts by plan.

    A plan that isn't named stays as it is. None is a count that wasn't entered. `confirmed_other_customer`: yes to the
    question whether another customer or tenant than the deal's is meant (LIC-6).
    """

    relationship: Relationship | None = None
    counts: tuple[Count, ...] = ()
    confirmed_other_customer: bool = False


def judge(deal: IsvDeal, licences: Licences | None, inputs: Update, context: Context) -> Iterator[Blocker]:
    """Everything against the update; pages ask for it as well, so that the button tells why it is disabled (LIC-2)."""
    facts = deal_facts(deal, licences, context.policy)
    yield from update_blockers(
        facts,
        inputs.counts,
        chosen=inputs.relationship.pk if inputs.relationship else None,
        customer=customer_facts(deal.company_id, inputs.relationship),
        confirmed=inputs.confirmed_other_customer,
    )


@dataclass(frozen=True)
class First:
    """The first update of a deal's licences."""

    deal: IsvDeal
    update: Update


class GiveLicences(Creation[Licences, First]):
    """The first update: from now on the customer is fixed (LIC-2).

    Raises PermissionDenied for who doesn't manage the deal's licences.
    """

    name = "give"
    label = _("Update licences")
    event = "licences.given"
    sentence = Sentence("key", "success", _("%(company)s gave %(customer)s licences: %(changes)s"), LICENCES)
    who = (acts_for_company,)

    def input_blockers(self, inputs: First, context: Context) -> Iterable[Blocker]:
        deal, update = lock_deal(inputs.deal.pk), inputs.update
        if not may_manage_licences(context.actor, deal):
            raise PermissionDenied
        if update.relationship is not None:
            update = Update(lock_relationship(update.relationship.pk), update.counts, update.confirmed_other_customer)
        if licences_of(deal) is not None:
            message = _("Somebody updated the licences of this deal meanwhile. Look at them, and decide again.")
            yield Blocker("licences_given", message, "LIC-2")
            return
        yield from judge(deal, None, update, context)

    def apply(self, inputs: First, context: Context) -> tuple[Licences, Effect]:
        assert inputs.update.relationship is not None
        record = Licences.objects.create(
            deal=inputs.deal,
            relationship=inputs.update.relationship,
            created_at=context.now,
            updated_at=context.now,
        )
        return record, _write_counts(record, inputs.update.counts)


class UpdateLicences(Verb[Licences, Update]):
    """Change counts, which are absolute, or add plans; plans that aren't named stay (LIC-2 to LIC-4)."""

    name = "update_licences"
    label = _("Update licences")
    event = "licences.updated"
    sentence = Sentence("key", "info", _("%(company)s changed licences: %(changes)s"), LICENCES)
    who = (may_change_counts,)
    primary = True

    def input_blockers(self, record: Licences, inputs: Update, context: Context) -> Iterable[Blocker]:
        return judge(record.deal, record, inputs, context)

    def apply(self, record: Licences, inputs: Update, context: Context) -> Effect:
        return _write_counts(record, inputs.counts)


def _write_counts(record: Licences, counts: Iterable[Count]) -> Effect:
    """Write what differs, and tell it by plan: from, to (LIC-5)."""
    held = {row.plan_id: row for row in PlanCount.objects.filter(licences=record)}
    plans = Plan.objects.in_bulk([plan for plan, _count in counts])
    before, after, names = {}, {}, {}
    for plan_id, count in counts:
        row, plan = held.get(plan_id), plans[plan_id]
        if count is None or (row and row.count == count):
            continue
        if row:
            PlanCount.objects.filter(pk=row.pk).update(count=count)
        else:
            PlanCount.objects.create(licences=record, plan=plan, count=count)
        before[plan.code], after[plan.code], names[plan.code] = (row.count if row else 0), count, plan.name
    return _effect(record, before, after, names)


def _effect(
    record: Licences, before: Mapping[str, int], after: Mapping[str, int], names: Mapping[str, str], **more: object
) -> Effect:
    customer = record.relationship.customer.name
    return Effect(before={"counts": before}, after={"counts": after, "plans": names, "customer": customer, **more})


@dataclass(frozen=True)
class Removal:
    """The plan's key. `confirmed`: how many assignments end, as the confirmation named it; None before it was asked."""

    plan: int
    confirmed: int | None = None


class RemovePlan(Verb[Licences, Removal]):
    """The bin: the plan goes, and with it whatever is assigned of it; the customer is told (LIC-3)."""

    name = "remove_plan"
    label = _("Remove the plan")
    event = "licences.plan_removed"
    sentence = Sentence("trash", "warning", _("%(company)s removed licences: %(changes)s"), LICENCES)
    who = (may_change_counts,)
    danger = final = quiet = True

    def input_blockers(self, record: Licences, inputs: Removal, context: Context) -> Iterable[Blocker]:
        return remove_blockers(plan_facts(record, inputs.plan), confirmed=inputs.confirmed)

    def apply(self, record: Licences, inputs: Removal, context: Context) -> Effect:
        row = PlanCount.objects.select_related("plan").get(licences=record, plan=inputs.plan)
        code, ended = row.plan.code, row.assigned
        row.delete()
        return _effect(record, {code: row.count}, {code: 0}, {code: row.plan.name}, people=ended)


@dataclass(frozen=True)
class Freeze:
    """Why: rules.DEAL_CANCELLED or rules.CONSENT_REVOKED."""

    why: str


class FreezeCounts(Verb[Licences, Freeze]):
    """Note that counts can be lowered and removed only, for the history and for both sides (LIC-7)."""

    name = "freeze"
    label = _("Freeze counts")
    event = "licences.frozen"
    sentence = Sentence("snow", "warning", _("Counts of licences are frozen: %(why)s"), LICENCES)
    who = (worker,)

    def apply(self, record: Licences, inputs: Freeze, context: Context) -> Effect:
        return Effect(after={"frozen": inputs.why, "customer": record.relationship.customer.name})


GIVE_LICENCES, UPDATE_LICENCES = GiveLicences(), UpdateLicences()
REMOVE_PLAN, FREEZE = RemovePlan(), FreezeCounts()
