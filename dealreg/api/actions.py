"""The verbs of FLOW that a client runs on a registration, by the names and inputs of the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from dealreg import verbs
from dealreg.api import finding
from dealreg.api.inputs import TARGETS, Registrations, RegistrationValue, claim_of
from dealreg.api.schema import RegistrationResource
from dealreg.models import Registration
from portal.api import rules as scopes
from portal.api.http.actions import ActionsEndpoint, camel, shown
from portal.api.http.binding import bind
from portal.api.http.endpoint import collection
from portal.api.http.schema import FREE_FORM
from portal.workflow import services as workflow
from portal.workflow.verbs import Verb
from referrals.api import wire

#: What these verbs take is a registration as it is sent; of it, a revalidation takes the values and the end.
SENT_WHOLE = (verbs.SUBMIT, verbs.RESUBMIT)
REVALUED = ["contract", "solutionDetails"]


class _Targets(dict[str, str]):
    """Answers of the form by their paths, what decisions take by its name in camel case."""

    def get(self, name: str, default: Any = "") -> Any:
        return TARGETS.get(name) or camel(name)


class Actions(ActionsEndpoint):
    """The actions on a registration: submit, closeUnregistered, withdraw, resubmit, revalidate, passReview, and so on.

    If-Match names the version of the registration that was decided on (FLOW-7).
    """

    scopes: ClassVar[Mapping[str, str]] = {"GET": scopes.READ, "POST": scopes.REGISTER}
    targets = _Targets()
    bodies: ClassVar[Mapping[str, Any]] = {"POST": {**FREE_FORM, "required": ["action"]}}
    answers: ClassVar[Mapping[str, Any]] = {"POST": RegistrationResource}

    def record(self, id: str) -> Registration:
        return finding.registration(id, self.actor)

    def get(self, request: Request, id: str) -> Response:
        found = workflow.available_actions(self.record(id), self.actor, self.now)
        items = [{**shown(action), **_inputs(action.verb)} for action in found]
        return collection(items, context=wire.url("v1.0/$metadata#Actions"))

    def read(self, verb: Verb[Any, Any], record: Registration, data: Mapping[str, Any]) -> Any:
        if verb in SENT_WHOLE:
            return claim_of(_value(data), record.referral)
        return _new_value(_value(data)) if verb is verbs.REVALIDATE else super().read(verb, record, data)

    def answer(self, record: Registration) -> Response:
        return finding.answer(record.pk)


def _inputs(verb: Verb[Any, Any]) -> dict[str, list[str]]:
    if verb in SENT_WHOLE:
        return {"inputs": [str(name) for name in RegistrationValue().fields]}
    return {"inputs": REVALUED} if verb is verbs.REVALIDATE else {}


def _value(data: Mapping[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = bind(Registrations, {"registrations": [data]})["registrations"][0] or {}
    return value


def _new_value(value: Mapping[str, Any]) -> verbs.NewValue:
    """The values, in the currencies they were filed in, and the end (PAYG-2)."""
    contract = value.get("contract") or {}
    solution = next(iter(value.get("solutionDetails") or []), None) or {}
    return verbs.NewValue(contract.get("value"), solution.get("value"), contract.get("endDateTime"))
