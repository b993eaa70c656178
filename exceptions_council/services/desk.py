"""Requests for exceptions on the desk: the council votes together, so nobody claims them (FLOW-12)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from exceptions_council.models import ExceptionRequest
from exceptions_council.rules import states
from portal.accounts.rules import COUNCIL_MEMBER
from portal.desk.rules import KINDS, CaseKind, Entering
from portal.workflow.blockers import _

EXCEPTION = "exception"


def waiting(pks: Collection[int] | None) -> Iterator[Entering]:
    """What waits for the council, of these requests or of all; one query."""
    found = ExceptionRequest.objects.open()
    if pks is not None:
        found = found.filter(pk__in=pks)
    for request in found.select_related("referral__engagement").order_by("pk"):
        yield Entering(
            object_id=request.pk,
            company_id=request.referral.company_id,
            customer_id=request.referral.engagement.customer_id,
            title=request.referral.name,
            since=request.created_at,
            due_on=request.due_on,
            reasons=(request.kind,),
            value_usd=request.referral.value_usd,
            filer_id=request.submitted_by_id,
            words=(str(request.referral.public_id),),
        )


KINDS.add(
    EXCEPTION,
    CaseKind(
        code=EXCEPTION,
        label=_("Exceptions"),
        page="admin:exceptions_council_exceptionrequest_change",
        roles=(COUNCIL_MEMBER,),
        reasons=states.KINDS,
        waiting=waiting,
        is_claimed=False,
    ),
    order=20,
)
