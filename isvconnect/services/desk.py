"""ISV Connect deals on the desk: those that wait for a fee rate (FLOW-12, ISV-6)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from isvconnect.models import IsvDeal
from portal.accounts.rules import PROGRAMME_MANAGER
from portal.desk.rules import KINDS, CaseKind, Entering
from portal.workflow.blockers import _

ISV_DEAL = "isv_deal"
FEE_RATE = "fee_rate"


def waiting(pks: Collection[int] | None) -> Iterator[Entering]:
    """What waits for a fee rate, of these deals or of all; one query."""
    found = IsvDeal.objects.without_rate()
    if pks is not None:
        found = found.filter(pk__in=pks)
    for deal in found.select_related("solution").order_by("pk"):
        yield Entering(
            object_id=deal.pk,
            company_id=deal.company_id,
            customer_id=deal.customer_id,
            title=deal.solution.name,
            since=deal.created_at,
            reasons=(FEE_RATE,),
            value_usd=deal.solution_value_usd,
            filer_id=deal.submitted_by_id,
            words=(str(deal.public_id), deal.solution.code),
        )


KINDS.add(
    ISV_DEAL,
    CaseKind(
        code=ISV_DEAL,
        label=_("ISV Connect deals"),
        page="admin:isvconnect_isvdeal_change",
        roles=(PROGRAMME_MANAGER,),
        reasons={FEE_RATE: _("Waits for a fee rate")},
        waiting=waiting,
        is_claimed=False,
    ),
    order=30,
)
