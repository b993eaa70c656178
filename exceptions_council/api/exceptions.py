"""Requests for exceptions in the API: listed, read, checked and sent (wire.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from dealreg.api import listing
from exceptions_council.api import finding
from exceptions_council.api.inputs import ExceptionValue, form_of
from exceptions_council.api.representation import COLUMNS, resource
from exceptions_council.api.schema import ExceptionCheckShape, ExceptionPage, ExceptionResource, ExceptionShape
from exceptions_council.api.tokens import KINDS, STATUSES, TARGETS
from exceptions_council.selectors import requests as selectors
from exceptions_council.services import requests as services
from portal.accounts.rules import Actor
from portal.api import odata
from portal.api import rules as scopes
from portal.api.http.binding import bind
from portal.api.http.endpoint import Endpoint
from portal.api.http.errors import detail
from portal.api.http.json import midnight
from portal.policy import services as policies
from portal.policy.calendar import due_day
from referrals.api import finding as referrals
from referrals.models import Referral

TAGS = ["exceptions"]


def _moment(path: str, column: str, *, nullable: bool = False) -> odata.Moment:
    return odata.Moment(path=path, column=column, nullable=nullable, sortable=True)


RESOURCE = odata.Resource(
    name="Exceptions",
    fields=(
        odata.Guid(path="id", column="public_id"),
        odata.Guid(path="referralId", column="referral__public_id"),
        odata.Guid(path="engagementId", column="referral__engagement__public_id"),
        odata.Guid(path="organizationId", column="referral__company__public_id"),
        odata.Choice(path="kind", values={token: Q(kind=kind) for kind, token in KINDS.items()}),
        odata.Choice(path="status", values={token: Q(status=state) for state, token in STATUSES.items()}),
        _moment("createdDateTime", "created_at"),
        _moment("updatedDateTime", "updated_at"),
        _moment("evidenceDueDateTime", "evidence_due_at", nullable=True),
        _moment("decidedDateTime", "decided_at", nullable=True),
        odata.Day(path="dueDateTime", column="due_on"),
        odata.Day(path="openUntilDateTime", column="open_until", nullable=True),
    ),
    properties=tuple(ExceptionShape().fields),
)


def _own_deal(public_id: str, actor: Actor) -> Referral:
    """Raises Http404; PermissionDenied for a deal that is seen and not the client's own."""
    referral = referrals.referral(public_id, actor)
    if referral.company_id != actor.company_id or actor.is_vendor:
        raise PermissionDenied
    return referral


class _Asking(Endpoint):
    """Reads a request that is not sent yet."""

    targets = TARGETS

    def read(self, request: Request) -> tuple[Referral, Mapping[str, Any]]:
        """The deal, and the body by the names of the wire. Raises ValidationError, Http404, PermissionDenied."""
        value = bind(ExceptionValue, request.data)
        return _own_deal(value["referralId"], self.actor), value


class ExceptionsEndpoint(_Asking):
    """/v1.0/exceptions"""

    odata = True
    scopes = {"GET": scopes.READ, "POST": scopes.ASK_EXCEPTIONS}

    @extend_schema(operation_id="exceptions", responses=ExceptionPage, tags=TAGS)
    def get(self, request: Request) -> Response:
        """Requests for exceptions, the newest first."""
        rows = finding.visible(self.actor).values("pk", *COLUMNS)
        return listing.page(request, RESOURCE, rows, resource)

    @extend_schema(operation_id="exception_ask", request=ExceptionValue, responses={201: ExceptionResource}, tags=TAGS)
    def post(self, request: Request) -> Response:
        """Send a request to the council: one for each deal, ever. The decision on it is final."""
        referral, value = self.read(request)
        asked = services.ask(referral, form_of(value), actor=self.actor, now=self.now)
        return finding.answer(asked, self.now, status=201)


class ExceptionCheckEndpoint(_Asking):
    """/v1.0/exceptions/check"""

    scopes = {"POST": scopes.READ}

    @extend_schema(
        operation_id="exception_check", request=ExceptionValue, responses={200: ExceptionCheckShape}, tags=TAGS
    )
    def post(self, request: Request) -> Response:
        """What sending this request would come to, and which kinds the deal can ask for. Writes nothing."""
        referral, value = self.read(request)
        form, policy = form_of(value), policies.current(self.now)
        violations = services.check(referral, form, now=self.now)
        offers = selectors.kind_offers(referral, form, now=self.now)
        due_on = due_day(self.now.date(), policy.exception_decision_days, policy)
        return Response(
            {
                "violations": [detail(violation, TARGETS) for violation in violations],
                "kinds": [
                    {
                        "kind": KINDS[offer.kind],
                        "enabled": offer.enabled,
                        "blockers": [detail(blocker, TARGETS) for blocker in offer.blockers],
                    }
                    for offer in offers
                ],
                "dueDateTime": midnight(due_on),
            }
        )


class ExceptionEndpoint(Endpoint):
    """/v1.0/exceptions/{id}"""

    scopes = {"GET": scopes.READ}

    @extend_schema(operation_id="exception", responses=ExceptionResource, tags=TAGS)
    def get(self, request: Request, id: str) -> Response:
        """One request, with its ETag, what was asked and answered, and the letter once it is decided."""
        return finding.answer(finding.request_of(id, self.actor), self.now)
