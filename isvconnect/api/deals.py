"""ISV Connect deals in the API: listed, read, checked, reported and corrected (wire.md)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from dealreg.api import listing
from dealreg.api.checking import own_deal
from isvconnect import verbs
from isvconnect.api import finding
from isvconnect.api.inputs import REPORTED, IsvDealPatch, IsvDealValue, correction, form_of, together
from isvconnect.api.representation import COLUMNS, in_usd, resource, year
from isvconnect.api.schema import IsvCheckShape, IsvDealPage, IsvDealResource, IsvDealShape
from isvconnect.api.tokens import INCENTIVES, STATUSES, TARGETS
from isvconnect.models import IsvDeal
from isvconnect.rules.values import IsvDealInput
from isvconnect.selectors.prefill import prefill
from isvconnect.services import deals as services
from portal.api import odata
from portal.api import rules as scopes
from portal.api.http.endpoint import Endpoint
from portal.api.http.errors import detail
from portal.api.http.etags import expected_version
from portal.api.http.json import Parser, PatchParser
from portal.workflow import services as workflow
from portal.workflow.blockers import Blocker, Money, RuleViolation
from referrals.api import patch
from referrals.api.schema import OperationShape
from referrals.models import Referral

TAGS = ["isvconnect"]
PATCHES = {"application/json": IsvDealPatch, "application/json-patch+json": OperationShape(many=True)}


def _moment(path: str, column: str, *, nullable: bool = True) -> odata.Moment:
    return odata.Moment(path=path, column=column, nullable=nullable, sortable=True)


RESOURCE = odata.Resource(
    name="IsvConnectDeals",
    fields=(
        odata.Guid(path="id", column="public_id"),
        odata.Guid(path="referralId", column="seen_referral", nullable=True),
        odata.Guid(path="organizationId", column="company__public_id"),
        odata.Text(path="mpnId", column="location__mpn_id"),
        odata.Choice(path="status", values={token: Q(status=state) for state, token in STATUSES.items()}),
        odata.Choice(path="incentive", values={token: Q(tag=tag) for tag, token in INCENTIVES.items()}),
        odata.Number(path="feePercent", column="percent", nullable=True),
        odata.Text(path="customerProfile/name", column="customer__name"),
        odata.Text(path="solution/id", column="solution__code"),
        odata.Number(path="contract/value", column="tcv"),
        odata.Number(path="contract/valueUsd", column="tcv_usd"),
        odata.Number(path="solution/value", column="solution_value"),
        odata.Number(path="solution/valueUsd", column="solution_value_usd"),
        odata.Day(path="contract/signDateTime", column="signed", sortable=True),
        odata.Day(path="contract/startDateTime", column="start", sortable=True),
        odata.Day(path="contract/endDateTime", column="end", sortable=True),
        _moment("createdDateTime", "created_at", nullable=False),
        _moment("updatedDateTime", "updated_at", nullable=False),
        _moment("invoicedDateTime", "invoiced_at"),
        _moment("completedDateTime", "completed_at"),
        _moment("cancelledDateTime", "cancelled_at"),
    ),
    properties=tuple(IsvDealShape().fields),
)


class _Reporting(Endpoint):
    """Reads a deal that is not reported yet."""

    targets = TARGETS

    def read(self, request: Request, refused: list[Blocker]) -> tuple[IsvDealInput, Referral | None]:
        """The form, and the deal that it comes from. Raises ApiError, Http404, PermissionDenied."""
        if self.actor.is_vendor:
            raise PermissionDenied
        values = patch.whole_of(request.data, REPORTED)
        named = values.get(TARGETS["referral"])
        referral = own_deal(self, named) if named else None
        held = prefill(referral, now=self.now) if referral else IsvDealInput()
        return form_of(values, held, refused, actor=self.actor, now=self.now, referral=referral), referral


class DealsEndpoint(_Reporting):
    """/v1.0/isvconnect/deals"""

    odata = True
    scopes = {"GET": scopes.READ_ISV, "POST": scopes.WRITE_ISV}

    @extend_schema(operation_id="isvconnect_deals", responses=IsvDealPage, tags=TAGS)
    def get(self, request: Request) -> Response:
        """ISV Connect deals, the newest first."""
        rows = IsvDeal.objects.visible_to(self.actor).with_seen_referral(self.actor).values("pk", *COLUMNS)
        return listing.page(request, RESOURCE, rows, resource)

    @extend_schema(
        operation_id="isvconnect_deal_report", request=IsvDealValue, responses={201: IsvDealResource}, tags=TAGS
    )
    @transaction.atomic
    def post(self, request: Request) -> Response:
        """Report a closed sale. Without `referralId` it comes from no deal."""
        refused: list[Blocker] = []
        form, referral = self.read(request, refused)
        if refused:
            given = verbs.Report(form, referral)
            context = workflow.context_of(self.actor, self.now)
            raise RuleViolation(together(refused, workflow.creation_blockers(verbs.REPORT, given, context)))
        deal = services.report(form, referral, actor=self.actor, now=self.now)
        return finding.answer(deal, self.actor, status=201)


class CheckEndpoint(_Reporting):
    """/v1.0/isvconnect/deals/check"""

    scopes = {"POST": scopes.READ_ISV}

    @extend_schema(
        operation_id="isvconnect_deal_check", request=IsvDealValue, responses={200: IsvCheckShape}, tags=TAGS
    )
    @transaction.atomic
    def post(self, request: Request) -> Response:
        """What reporting this deal would come to: violations, and the invoices there would be. Writes nothing."""
        refused: list[Blocker] = []
        form, referral = self.read(request, refused)
        found = services.check(form, referral, actor=self.actor, now=self.now)
        transaction.set_rollback(True)  # a customer that was new
        violations = together(refused, found.violations)
        return Response(
            {
                "violations": [detail(violation, TARGETS) for violation in violations],
                "incentive": INCENTIVES.get(found.tag),
                "feePercent": found.percent,
                "contractValue": _valued(found.claim.tcv, found.tcv_usd, found.rates),
                "solutionValue": _valued(found.claim.solution_value, found.solution_value_usd, found.rates),
                "invoices": [year(one) for one in found.years],
            }
        )


class DealEndpoint(Endpoint):
    """/v1.0/isvconnect/deals/{id}"""

    scopes = {"GET": scopes.READ_ISV, "PATCH": scopes.WRITE_ISV}
    targets = TARGETS
    parser_classes = (Parser, PatchParser)

    @extend_schema(operation_id="isvconnect_deal", responses=IsvDealResource, tags=TAGS)
    def get(self, request: Request, id: str) -> Response:
        """One deal, with its ETag, its contract years and what was invoiced."""
        return finding.answer(finding.deal_of(id, self.actor), self.actor)

    @extend_schema(operation_id="isvconnect_deal_correct", request=PATCHES, responses=IsvDealResource, tags=TAGS)
    @transaction.atomic
    def patch(self, request: Request, id: str) -> Response:
        """Correct a deal while it is Submitted; its contract years follow."""
        deal = finding.deal_of(id, self.actor)
        workflow.check_allowed(deal, verbs.CORRECT, actor=self.actor)
        actor, now, version = self.actor, self.now, expected_version(request)
        form = correction(deal, request.data, actor=actor, now=now)
        changed = workflow.run(deal, verbs.CORRECT, form, actor=actor, now=now, expected_version=version)
        return finding.answer(changed, actor)


def _valued(given: Money | None, usd: Any, rates: Any) -> dict[str, Any] | None:
    if given is None:
        return None
    month = rates[given.currency].month.isoformat() if given.currency in rates else ""
    return in_usd(given.amount, given.currency, usd, month)
