"""The licences of a deal in the API: absolute counts, and the bin (LIC-2 to LIC-4, LIC-6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from isvconnect.models import IsvDeal
from licensing.api import finding
from licensing.api.representation import NO_VERSION
from licensing.api.schema import LicencesShape
from licensing.api.tokens import TARGETS
from licensing.models import Licences, Relationship
from licensing.rules import Count, count_field
from licensing.selectors.facts import licences_of
from licensing.services import licences as services
from licensing.verbs import REMOVE_PLAN, Removal, Update
from portal.api import rules as scopes
from portal.api.http.binding import bind
from portal.api.http.endpoint import Endpoint
from portal.api.http.errors import ApiError
from portal.api.http.etags import expected_version
from portal.catalog.models import Plan
from portal.params import whole_number
from portal.workflow import services as workflow
from referrals.api.finding import by_public_id

TAGS = ["licensing"]
#: Of a relationship that the client names and there isn't.
UNKNOWN = 0


class PlanCountInput(serializers.Serializer[Any]):
    """How many licences of a plan there are to be, all in all."""

    planId = serializers.CharField(max_length=100)
    count = serializers.IntegerField(allow_null=True)


class LicencesInput(serializers.Serializer[Any]):
    """Counts of the plans that are named; others stay. The first PUT names the relationship, which is fixed by it."""

    relationshipId = serializers.UUIDField(required=False, allow_null=True)
    otherCustomerConfirmed = serializers.BooleanField(required=False, default=False)
    licenses = PlanCountInput(many=True, max_length=1_000)  # type: ignore[call-arg]


class LicencesEndpoint(Endpoint):
    """/v1.0/licensing/deals/{id}/licenses"""

    scopes = {"GET": scopes.READ_LICENCES, "PUT": scopes.WRITE_LICENCES}

    @property
    def targets(self) -> Mapping[str, str]:  # type: ignore[override]
        return getattr(self, "paths", TARGETS)

    @extend_schema(operation_id="licenses", responses=LicencesShape, tags=TAGS)
    def get(self, request: Request, id: str) -> Response:
        """The licences of a deal with their ETag; `"0"` before there are any."""
        return finding.licences_answer(finding.deal_of(id, self.actor))

    @extend_schema(operation_id="licenses_update", request=LicencesInput, responses=LicencesShape, tags=TAGS)
    def put(self, request: Request, id: str) -> Response:
        """Set counts, which are absolute; zero is refused, DELETE removes a plan. The customer sees them at once."""
        deal = finding.managed_deal(id, self.actor)
        version = expected_version(request, required=True)
        held = licences_of(deal)
        if held is None and version not in (None, NO_VERSION):
            raise ApiError(412, "There are no licences yet: send the eTag that you read.", target="If-Match")
        value = bind(LicencesInput, request.data)
        counts = list(_counts(deal, held, value["licenses"]))
        self.paths = {
            **TARGETS,
            **{count_field(key): f"licenses/{at}/count" for at, (key, _count) in enumerate(counts)},
        }
        form = Update(self._relationship(value, held), tuple(counts), value["otherCustomerConfirmed"])
        services.update(deal, form, actor=self.actor, now=self.now, expected_version=version)
        return finding.licences_answer(deal)

    def _relationship(self, value: Mapping[str, Any], held: Licences | None) -> Relationship | None:
        """The one that is named; of one that isn't the company's, none (ORG-6), or one that is not the fixed one."""
        if named := value.get("relationshipId"):
            try:
                return by_public_id(Relationship.objects.visible_to(self.actor).with_context(), str(named))
            except Http404:
                return Relationship(pk=UNKNOWN) if held else None
        return None


def _counts(deal: IsvDeal, held: Licences | None, given: Sequence[Mapping[str, Any]]) -> Iterator[Count]:
    """By the plans' keys; one that neither the deal nor its solution has gets a key that nothing has."""
    keys = {plan.code: plan.pk for plan in Plan.objects.filter(solution=deal.solution_id)}
    if held is not None:  # maybe of the solution that the deal had before it was corrected
        keys |= dict(held.counts.values_list("plan__code", "plan_id"))
    for at, one in enumerate(given, start=1):
        yield keys.get(one["planId"], -at), one["count"]


class PlanEndpoint(Endpoint):
    """/v1.0/licensing/deals/{id}/licenses/{planId}"""

    scopes = {"DELETE": scopes.WRITE_LICENCES}
    targets = TARGETS

    @extend_schema(
        operation_id="licenses_remove",
        parameters=[
            OpenApiParameter(
                "confirmedAssignments", int, description="How many assignments end: as many as there are now (LIC-3)"
            )
        ],
        responses={204: None},
        tags=TAGS,
    )
    def delete(self, request: Request, id: str, plan_id: str) -> Response:
        """The bin: all licences of the plan go, and whoever has one loses it."""
        deal = finding.managed_deal(id, self.actor)
        held = licences_of(deal)
        row = held.counts.filter(plan__code=plan_id).order_by("pk").first() if held else None
        if held is None or row is None:
            raise Http404
        removal = Removal(row.plan_id, whole_number(request.query_params.get("confirmedAssignments")))
        version = expected_version(request)
        workflow.run(held, REMOVE_PLAN, removal, actor=self.actor, now=self.now, expected_version=version)
        return Response(status=204)
