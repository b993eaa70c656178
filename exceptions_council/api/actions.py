"""The verbs that people run on a request: answerEvidence, vote, askEvidence, declareConflict (EXC-8 to EXC-11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.response import Response

from exceptions_council.api import finding
from exceptions_council.api.schema import ExceptionResource
from exceptions_council.models import ExceptionRequest
from portal.api import rules as scopes
from portal.api.http.actions import ActionsEndpoint
from portal.api.http.schema import FREE_FORM
from referrals.api import wire


@extend_schema_view(
    get=extend_schema(operation_id="exception_actions", tags=["exceptions"]),
    post=extend_schema(operation_id="exception_act", tags=["exceptions"]),
)
class Actions(ActionsEndpoint):
    """What can be done to a request, with what stands in the way, and doing it. If-Match names the version that was
    decided on."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": scopes.READ, "POST": scopes.ASK_EXCEPTIONS}
    bodies: ClassVar[Mapping[str, Any]] = {"POST": {**FREE_FORM, "required": ["action"]}}
    answers: ClassVar[Mapping[str, Any]] = {"POST": ExceptionResource}

    def record(self, id: str) -> ExceptionRequest:
        return finding.request_of(id, self.actor)

    @property
    def context(self) -> str:  # type: ignore[override]
        return wire.url("v1.0/$metadata#Actions")

    def answer(self, record: ExceptionRequest) -> Response:
        return finding.answer(record, self.now)
