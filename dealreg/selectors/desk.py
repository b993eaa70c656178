"""Registrations as cases of the reviewers' desk (FLOW-12)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from dealreg.models import Registration, Status
from portal.desk.rules import Entering
from portal.workflow.blockers import _

REGISTRATION = "registration"
#: What waits for a reviewer.
WAITING = (Status.REVIEW_PENDING, Status.MARKETPLACE_PENDING)
#: Why, by the codes of the reasons of a route (FLOW-2 to FLOW-4).
REASONS: Mapping[str, str] = {
    "acv_above_review_limit": _("High contract value"),
    "several_partners": _("Several partners"),
    "pay_as_you_go": _("Pay-as-you-go"),
    "won_early": _("Won early"),
    "registered_before": _("Registered before"),
    "dates_not_approved": _("Other dates than approved"),
    "additional_review": _("Another company's record"),
    "corrected": _("Corrected"),
    "marketplace_sale": _("Marketplace sale"),
    "selected_for_review": _("Selected by a reviewer"),
    "selected_at_random": _("Selected sample"),
}


def waiting(pks: Collection[int] | None) -> Iterator[Entering]:
    """What waits for a reviewer, of these registrations or of all; one query."""
    found = Registration.objects.filter(status__in=WAITING)
    if pks is not None:
        found = found.filter(pk__in=pks)
    for registration in found.select_related("referral__engagement", "solution").order_by("pk"):
        yield _entering(registration)


def _entering(registration: Registration) -> Entering:
    deal, solution = registration.referral, registration.solution
    is_marketplace = registration.status == Status.MARKETPLACE_PENDING
    filed, sent_back = registration.submitted_at, registration.action_required_at
    assert filed is not None
    until = registration.marketplace_until if is_marketplace else None
    since = registration.marketplace_again_at if is_marketplace else registration.review_pending_at
    return Entering(
        object_id=registration.pk,
        company_id=deal.company_id,
        customer_id=deal.engagement.customer_id,
        title=deal.name,
        since=since or filed,
        due_on=until.date() if until else None,
        reasons=tuple(dict.fromkeys(reason.code for reason in registration.reasons)),
        value_usd=registration.acv_usd,
        filer_id=registration.submitted_by_id,
        words=(str(deal.public_id), solution.name if solution else "", solution.code if solution else ""),
        is_marketplace=is_marketplace,
        is_returned=sent_back is not None and filed > sent_back,
    )
