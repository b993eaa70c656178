"""The verbs that people run on an ISV Connect deal: the partner corrects, programme managers cancel (ISV-5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import transaction
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from isvconnect import verbs
from isvconnect.api import finding
from isvconnect.api.inputs import IsvDealPatch, correction
from isvconnect.api.schema import IsvDealResource
from isvconnect.api.tokens import TARGETS
from isvconnect.models import IsvDeal
from portal.api import rules as scopes
from portal.api.http.actions import ActionsEndpoint, camel, shown
from portal.api.http.endpoint import collection
from portal.api.http.schema import FREE_FORM
from portal.workflow import services as workflow
from portal.workflow.verbs import Verb
from referrals.api import wire


class _Targets(dict[str, str]):
    """Answers of the form by their paths, what else verbs take by its name in camel case."""

    def get(self, name: str, default: Any = "") -> Any:
        return TARGETS.get(name) or camel(name)


@extend_schema_view(
    get=extend_schema(operation_id="isvconnect_deal_actions", tags=["isvconnect"]),
)
class Actions(ActionsEndpoint):
    """What can be done to a deal, with what stands in the way, and doing it. `correct` takes what a PATCH takes.
    If-Match names the version that was decided on."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": scopes.READ_ISV, "POST": scopes.WRITE_ISV}
    targets = _Targets()
    bodies: ClassVar[Mapping[str, Any]] = {"POST": {**FREE_FORM, "required": ["action"]}}
    answers: ClassVar[Mapping[str, Any]] = {"POST": IsvDealResource}

    def record(self, id: str) -> IsvDeal:
        return finding.deal_of(id, self.actor)

    def get(self, request: Request, id: str) -> Response:
        found = workflow.available_actions(self.record(id), self.actor, self.now)
        items = [{**shown(action), **_inputs(action.verb)} for action in found]
        return collection(items, context=wire.url("v1.0/$metadata#Actions"))

    @extend_schema(operation_id="isvconnect_deal_act", tags=["isvconnect"])
    @transaction.atomic
    def post(self, request: Request, id: str) -> Response:
        """Whole or not at all: a refused correction leaves no new customer in the directory."""
        return super().post(request, id)

    def read(self, verb: Verb[Any, Any], record: IsvDeal, data: Mapping[str, Any]) -> Any:
        if verb is verbs.CORRECT:
            workflow.check_allowed(record, verb, actor=self.actor)
            return correction(record, data, actor=self.actor, now=self.now)
        return super().read(verb, record, data)

    def answer(self, record: IsvDeal) -> Response:
        return finding.answer(record, self.actor)


def _inputs(verb: Verb[Any, Any]) -> dict[str, list[str]]:
    return {"inputs": [str(name) for name in IsvDealPatch().fields]} if verb is verbs.CORRECT else {}
