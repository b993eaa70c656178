"""The verbs of FLOW that a client runs on a registration, by the names and inputs of the wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dealreg import verbs
from dealreg.api import finding
from dealreg.api.inputs import TARGETS, Registrations, RegistrationValue, claim_of
from dealreg.api.schema import RegistrationResource, ViolationShape
from dealreg.models import Registration
from portal.api import rules as scopes
from portal.api.http.binding import bind
from portal.api.http.endpoint import Endpoint
from portal.api.http.errors import ApiError, detail
from portal.api.http.etags import expected_version
from portal.workflow import services as workflow
from portal.workflow.verbs import Verb


class DecisionValue(serializers.Serializer[Any]):
    """What reviewers and managers say with a decision; each takes what belongs to it."""

    comment = serializers.CharField(required=False, allow_blank=True, max_length=10_000)
    validatedBy = serializers.CharField(required=False, allow_blank=True, max_length=10)
    reasonCode = serializers.CharField(required=False, allow_blank=True, max_length=40)


class ActionRequest(RegistrationValue, DecisionValue):
    """An action by its name, with its inputs beside it."""

    action = serializers.CharField()


class ActionShape(serializers.Serializer[Any]):
    """An action that the client's role allows, and what stands in its way."""

    action = serializers.CharField()
    enabled = serializers.BooleanField()
    blockers = ViolationShape(many=True)


class ActionsShape(serializers.Serializer[Any]):
    value = ActionShape(many=True)


def _claim(data: Any, registration: Registration) -> Any:
    bound = bind(Registrations, {"registrations": [data]})
    return claim_of(bound["registrations"][0] or {}, registration.referral)


def _new_value(data: Any, registration: Registration) -> verbs.NewValue:
    """Of a registration's value what a revalidation changes, in the currencies it was filed in (PAYG-2)."""
    value = bind(Registrations, {"registrations": [data]})["registrations"][0] or {}
    contract = value.get("contract") or {}
    solution = next(iter(value.get("solutionDetails") or []), None) or {}
    return verbs.NewValue(contract.get("value"), solution.get("value"), contract.get("endDateTime"))


def _decision(takes: type[verbs.Comment]) -> Callable[[Any, Registration], verbs.Comment]:
    def read(data: Any, _registration: Registration) -> verbs.Comment:
        value = bind(DecisionValue, data)
        given = {field.name: value.get(camel(field.name), "") for field in fields(takes)}
        return takes(**given)

    return read


def _nothing(_data: Any, _registration: Registration) -> None:
    return None


_INPUTS: dict[str, Callable[[Any, Registration], Any]] = {
    verbs.SUBMIT.name: _claim,
    verbs.RESUBMIT.name: _claim,
    verbs.REVALIDATE.name: _new_value,
}


@dataclass(frozen=True)
class WireAction:
    """A verb as clients name it, and how its inputs are read."""

    verb: Verb[Registration, Any]
    read: Callable[[Any, Registration], Any]


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _wired(verb: Verb[Registration, Any]) -> WireAction:
    taken = _decision(verb.takes) if isinstance(verb, verbs.Reviewing) else _nothing
    return WireAction(verb, _INPUTS.get(verb.name, taken))


#: Every verb that a person may run, by its name on the wire.
ACTIONS = {camel(verb.name): _wired(verb) for verb in verbs.MACHINE.verbs if not verb.by_worker}
_BY_NAME = {name.casefold(): action for name, action in ACTIONS.items()}


class ActionsEndpoint(Endpoint):
    """/v1.0/registrations/{id}/actions"""

    scopes = {"GET": scopes.READ, "POST": scopes.REGISTER}
    targets = TARGETS | {"validated_by": "validatedBy", "reason_code": "reasonCode"}

    @extend_schema(operation_id="registration_actions", responses=ActionsShape, tags=["registrations"])
    def get(self, request: Request, id: str) -> Response:
        """What the client's role allows on this registration, with what stands in the way of each."""
        registration = finding.registration(id, self.actor)
        return Response(
            {"value": [self._shown(one) for one in workflow.available_actions(registration, self.actor, self.now)]}
        )

    def _shown(self, action: workflow.Action[Registration]) -> dict[str, Any]:
        return {
            "action": camel(action.name),
            "enabled": action.enabled,
            "blockers": [detail(blocker, self.targets) for blocker in action.blockers],
        }

    @extend_schema(
        operation_id="registration_act",
        request=ActionRequest,
        responses=RegistrationResource,
        tags=["registrations"],
    )
    def post(self, request: Request, id: str) -> Response:
        """Run one action. If-Match names the version of the registration that it was decided on (FLOW-7)."""
        registration = finding.registration(id, self.actor)
        given = _body(request.data)
        name = given.pop("action", None)
        action = _BY_NAME.get(name.casefold()) if isinstance(name, str) else None
        if action is None:
            raise ApiError(400, f"“action” is one of {', '.join(ACTIONS)}.", target="action")
        workflow.check_allowed(registration, action.verb, actor=self.actor)
        seen = expected_version(request)
        inputs = action.read(given, registration)
        workflow.run(registration, action.verb, inputs, actor=self.actor, now=self.now, expected_version=seen)
        return finding.answer(registration.pk)


def _body(data: Any) -> dict[str, Any]:
    """The body with the name of the action by itself, in whatever case it came."""
    if not isinstance(data, dict):
        raise ApiError(400, "Send an object with “action”, and the action's inputs beside it.")
    return {("action" if str(key).casefold() == "action" else key): value for key, value in data.items()}
