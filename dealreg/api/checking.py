"""Eligibility of a deal, and the check of a registration before it is sent (REG-15): what the deal's page shows."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dealreg.api.inputs import TARGETS, Registrations, RegistrationValue, claim_of
from dealreg.api.representation import annual_value
from dealreg.api.schema import AnnualValueShape, ViolationShape
from dealreg.models import Registration
from dealreg.rules import Judgement, states
from dealreg.rules.criteria import Criterion
from dealreg.services import registration as services
from portal.api import rules as scopes
from portal.api.http.binding import bind
from portal.api.http.endpoint import Endpoint
from portal.api.http.errors import detail
from portal.api.http.json import instant
from portal.workflow import text
from referrals.api import finding
from referrals.models import Referral


class CriterionShape(serializers.Serializer[Any]):
    """A criterion of ELIG: how it stands, and who or what can still settle it."""

    code = serializers.CharField()
    rule = serializers.CharField()
    state = serializers.ChoiceField(["met", "notMet", "notYet"])
    needed = serializers.CharField()
    actual = serializers.CharField()
    settledBy = serializers.ChoiceField(["you", "vendor", "time", "nobody"], allow_null=True)
    settledAt = serializers.DateTimeField(allow_null=True)
    message = serializers.CharField()


class EligibilityShape(serializers.Serializer[Any]):
    eligible = serializers.BooleanField()
    criteria = CriterionShape(many=True)


class RouteReason(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()


class RouteShape(serializers.Serializer[Any]):
    """Where the registration would go; the state is null while there are violations."""

    state = serializers.ChoiceField(
        ["Approved", "ReviewPending", "MarketplaceValidationPending"], allow_null=True, required=True
    )
    reasons = RouteReason(many=True)


class CheckShape(serializers.Serializer[Any]):
    violations = ViolationShape(many=True)
    annualContractValue = AnnualValueShape(allow_null=True)
    route = RouteShape()


def own_deal(endpoint: Endpoint, id: str) -> Referral:
    """A deal of the client's company. Raises Http404; PermissionDenied for other copies it may see, which it doesn't
    register."""
    referral = finding.referral(id, endpoint.actor)
    if referral.company_id != endpoint.actor.company_id or endpoint.actor.is_vendor:
        raise PermissionDenied
    return referral


class EligibilityEndpoint(Endpoint):
    """GET …/referrals/{id}/eligibility"""

    scopes = {"GET": scopes.READ}

    @extend_schema(operation_id="referral_eligibility", responses=EligibilityShape, tags=["registrations"])
    def get(self, request: Request, id: str) -> Response:
        """The criteria of co-sell deal registration, each with what it needs and what there is."""
        referral = own_deal(self, id)
        registration = Registration.objects.filter(referral=referral).first()
        found = services.eligibility(referral, registration, now=self.now)
        return Response({"eligible": found.eligible, "criteria": [_shown(one) for one in found.criteria]})


def _shown(one: Criterion) -> dict[str, Any]:
    return {
        "code": one.code,
        "rule": one.rule,
        "state": one.state,
        "needed": text.text(one.needed),
        "actual": text.text(one.actual),
        "settledBy": one.settled_by or None,
        "settledAt": instant(one.settled_at),
        "message": text.text(one.message),
    }


class CheckEndpoint(Endpoint):
    """POST …/referrals/{id}/registrations/check"""

    scopes = {"POST": scopes.READ}

    @extend_schema(
        operation_id="registration_check",
        request=RegistrationValue,
        responses=CheckShape,
        tags=["registrations"],
    )
    def post(self, request: Request, id: str) -> Response:
        """What filing this registration would come to: violations, or the route. Writes nothing."""
        referral = own_deal(self, id)
        data = bind(Registrations, {"registrations": [request.data]})
        claim = claim_of(data["registrations"][0] or {}, referral)
        return Response(as_wire(services.check(referral, claim, actor=self.actor, now=self.now)))


def as_wire(found: Judgement) -> dict[str, Any]:
    """A judgement in the shape of wire.md."""
    annual, currency = found.acv, found.acv.currency if found.acv else ""
    route = found.route
    return {
        "violations": [detail(violation, TARGETS) for violation in found.violations],
        "annualContractValue": annual_value(annual.amount, currency, found.acv_usd, found.rate_month)
        if annual
        else None,
        "route": {
            "state": states.WIRE_TOKENS[route.state] if route else None,
            "reasons": [{"code": one.code, "message": text.text(one)} for one in (route.reasons if route else ())],
        },
    }
