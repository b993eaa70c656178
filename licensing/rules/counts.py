"""How many licences of which plan: what keeps them from being changed, removed or assigned (LIC-2 to LIC-4, LIC-7)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from licensing.rules.consent import is_address
from portal.workflow.blockers import Blocker, Param, _

#: Why counts are frozen (LIC-7).
DEAL_CANCELLED = "deal_cancelled"
CONSENT_REVOKED = "consent_revoked"

_FROZEN = {
    DEAL_CANCELLED: _("The deal was cancelled: counts can be lowered or removed, but not raised."),
    CONSENT_REVOKED: _("The customer took the consent back: counts can be lowered or removed, but not raised."),
}


@dataclass(frozen=True)
class PlanFacts:
    """A plan of the deal's solution, with what there is of it: 0 for one that the deal doesn't have."""

    name: str
    offered: bool = True
    count: int = 0
    assigned: int = 0


@dataclass(frozen=True)
class CustomerFacts:
    """A customer who consented, beside the one that the deal is registered for (LIC-6)."""

    customer_id: int
    name: str
    tenant_guid: uuid.UUID
    consented: bool = True


@dataclass(frozen=True)
class DealFacts:
    """What the counts of a deal are judged by. `plans`: by key. `tenant_guid`: of the deal, where it names one.

    `fixed`: the key of the relationship that the first update chose; None before. `frozen`: why, '' if they aren't.
    """

    customer_id: int
    customer_name: str
    tenant_guid: uuid.UUID | None = None
    plans: Mapping[int, PlanFacts] = field(default_factory=dict)
    fixed: int | None = None
    frozen: str = ""
    most: int = 1_000_000


#: A plan's key, and its new count; None where nothing was entered.
Count = tuple[int, int | None]


def update_blockers(
    deal: DealFacts, counts: Sequence[Count], *, chosen: int | None, customer: CustomerFacts | None, confirmed: bool
) -> Iterator[Blocker]:
    """Everything that keeps *Update licences* disabled, or refuses it, each with its reason (LIC-2 to LIC-4, LIC-6,
    LIC-7). `chosen`, `customer`: the relationship; None if none was chosen, or one that the company doesn't have."""
    yield from customer_blockers(deal, chosen=chosen, customer=customer, confirmed=confirmed)
    if not counts:
        yield Blocker("plan_required", _("Add at least one plan."), "LIC-2", "counts")
    if len({plan for plan, _count in counts}) < len(counts):
        yield Blocker("plan_twice", _("Name each plan once."), "LIC-2", "counts")
    for plan, count in counts:
        yield from _count_blockers(deal, plan, count)


def customer_blockers(
    deal: DealFacts, *, chosen: int | None, customer: CustomerFacts | None, confirmed: bool
) -> Iterator[Blocker]:
    """A customer is chosen once; one that the deal isn't registered for only after a question (LIC-2, LIC-6)."""
    if deal.fixed is not None:
        if chosen not in (None, deal.fixed):
            message = _("The customer can't be changed after the first update.")
            yield Blocker("customer_fixed", message, "LIC-2", "relationship")
        return
    if customer is None:
        yield Blocker("customer_required", _("Choose a customer who agreed."), "LIC-2", "relationship")
        return
    if not customer.consented:
        message = _("%(customer)s took the consent back. Choose another one, or invite the customer anew.")
        params: dict[str, Param] = {"customer": customer.name}
        yield Blocker("consent_revoked", message, "LIC-7", "relationship", params)
    if not confirmed:
        yield from differences(deal, customer)


def differences(deal: DealFacts, customer: CustomerFacts) -> Iterator[Blocker]:
    """What to ask before the first update: another company, or another tenant, than the deal's (LIC-6)."""
    if customer.customer_id != deal.customer_id:
        message = _("This deal is registered for %(deal_customer)s, not for %(customer)s. Confirm that you mean it.")
        params: dict[str, Param] = {"deal_customer": deal.customer_name, "customer": customer.name}
        yield Blocker("other_customer", message, "LIC-6", "confirmed_other_customer", params)
    if deal.tenant_guid not in (None, customer.tenant_guid):
        message = _(
            "This deal is registered for the tenant %(deal_tenant)s, not for %(tenant)s. Confirm that you mean it."
        )
        params = {"deal_tenant": str(deal.tenant_guid), "tenant": str(customer.tenant_guid)}
        yield Blocker("other_tenant", message, "LIC-6", "confirmed_other_customer", params)


def count_field(plan: int) -> str:
    """The input that a plan's count is entered in."""
    return f"count_{plan}"


def _count_blockers(deal: DealFacts, plan: int, count: int | None) -> Iterator[Blocker]:
    where, held = count_field(plan), deal.plans.get(plan)
    if held is None:
        yield Blocker("plan_unknown", _("This is not a plan of the deal's solution."), "LIC-2", "counts")
        return
    params: dict[str, Param] = {"plan": held.name, "assigned": held.assigned, "most": deal.most}
    if not held.offered and not held.count:
        yield Blocker("plan_not_offered", _("%(plan)s is no longer offered."), "LIC-2", where, params)
    if count is None:
        yield Blocker("count_required", _("Enter how many licences of %(plan)s."), "LIC-2", where, params)
    elif count <= 0:
        message = (
            _("Zero is no number of licences. Remove %(plan)s by its bin instead.")
            if held.count
            else _("Enter a number of licences of %(plan)s above zero, or leave the plan out.")
        )
        yield Blocker("count_not_positive", message, "LIC-3", where, params)
    elif count > deal.most:
        yield Blocker("count_too_large", _("Enter at most %(most)s licences of a plan."), "LIC-2", where, params)
    elif count < held.assigned:
        message = _("%(assigned)s licences of %(plan)s are assigned. The customer has to withdraw some first.")
        yield Blocker("count_below_assigned", message, "LIC-4", where, params)
    elif count > held.count:
        yield from frozen_blockers(deal, where)


def frozen_blockers(deal: DealFacts, where: str = "") -> Iterator[Blocker]:
    """Nothing is raised, and no plan is added, after the deal was cancelled or the consent taken back (LIC-7)."""
    if deal.frozen:
        yield Blocker("counts_frozen", _FROZEN[deal.frozen], "LIC-7", where)


def remove_blockers(held: PlanFacts | None, *, confirmed: int | None) -> Iterator[Blocker]:
    """The bin: `confirmed` is how many assignments the confirmation said would end (LIC-3)."""
    if held is None or not held.count:
        yield Blocker("plan_not_held", _("The deal has no licences of this plan."), "LIC-3", "plan")
    elif held.assigned and confirmed != held.assigned:
        message = _("%(assigned)s people lose their licence of %(plan)s. Confirm that you mean it.")
        params: dict[str, Param] = {"plan": held.name, "assigned": held.assigned}
        yield Blocker("confirm_removal", message, "LIC-3", "confirmed", params)


def addresses(emails: Iterable[str]) -> tuple[str, ...]:
    """In lower case, each once, in their order."""
    return tuple(dict.fromkeys(email.strip().lower() for email in emails if email.strip()))


def assign_blockers(held: PlanFacts | None, emails: Sequence[str], *, already: Collection[str]) -> Iterator[Blocker]:
    """`emails` as by `addresses`; those that have the plan already take no further licence (LIC-4)."""
    if held is None or not held.count:
        yield Blocker("plan_not_held", _("The deal has no licences of this plan."), "LIC-4", "plan")
        return
    if not emails:
        yield Blocker("people_required", _("Enter at least one e-mail address."), "LIC-4", "emails")
    for email in emails:
        if not is_address(email):
            message = _("%(email)s is no e-mail address.")
            yield Blocker("address_invalid", message, "LIC-4", "emails", {"email": email})
    new, free = sum(email not in already for email in emails), held.count - held.assigned
    if new > free:
        message = _("%(free)s licences of %(plan)s are free, and %(asked)s are needed.")
        params: dict[str, Param] = {"free": free, "plan": held.name, "asked": new}
        yield Blocker("licences_spent", message, "LIC-4", "emails", params)
    elif emails and not new:
        message = _("All of them have a licence of %(plan)s already.")
        yield Blocker("assigned_already", message, "LIC-4", "emails", {"plan": held.name})


def unassign_blockers(emails: Sequence[str], *, already: Collection[str]) -> Iterator[Blocker]:
    if not emails:
        yield Blocker("people_required", _("Enter at least one e-mail address."), "LIC-4", "emails")
    for email in emails:
        if email not in already:
            message = _("%(email)s has no licence of this plan.")
            yield Blocker("not_assigned", message, "LIC-4", "emails", {"email": email})
