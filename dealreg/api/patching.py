"""What a PATCH of a referral does to its registration: files it, or corrects and resubmits it (F1.7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from dealreg import verbs
from dealreg.api.inputs import TARGETS, Registrations, claim_of
from dealreg.api.representation import STATED, stated
from dealreg.models import Registration
from dealreg.rules import states
from dealreg.services import registration as services
from portal.accounts.rules import Actor
from portal.api import rules as scopes
from portal.api.http.binding import bind
from portal.api.http.errors import ApiError
from portal.workflow import services as workflow
from portal.workflow.blockers import RuleViolation
from portal.workflow.services import wrong_state
from referrals.api.parts import PATCH_ROOTS, ROOT_SCOPES, Operation
from referrals.models import Referral

NEW = ("registrations", "-")
#: What a correction may change: all but the currency of the contract, and which solution it is (F1.7).
_FIXED = {TARGETS["tcv_currency"], TARGETS["solution"]}
_PATHS = {tuple(path.casefold().split("/")): path.split("/")[2:] for path in TARGETS.values() if path not in _FIXED}


def change(referral: Referral, operations: Sequence[Operation], actor: Actor, now: datetime) -> None:
    """Raises PermissionDenied; ApiError for a path there isn't; ValidationError; RuleViolation that names paths."""
    done = _file if any(operation.steps == NEW for operation in operations) else _correct
    try:
        done(referral, operations, actor, now)
    except RuleViolation as refused:
        raise RuleViolation(replace(b, field=TARGETS.get(b.field, b.field)) for b in refused.blockers) from None


def _file(referral: Referral, operations: Sequence[Operation], actor: Actor, now: datetime) -> None:
    if len(operations) != 1 or operations[0].op.casefold() != "add":
        raise ApiError(400, "A registration is added by one operation, “add”, alone.", target=operations[0].path)
    services.submit(referral, _claim(operations[0].value, referral), actor=actor, now=now)


def _correct(referral: Referral, operations: Sequence[Operation], actor: Actor, now: datetime) -> None:
    """All operations on what stands there, judged as a whole: the resubmission (REG-20)."""
    changes = [(_keys(operation), operation.value) for operation in operations]
    registration = Registration.objects.with_context().filter(referral=referral).first()
    if registration is None:
        raise RuleViolation([wrong_state(states.REGISTRATION_STATES[states.REGISTRATION_PENDING])])
    workflow.check_allowed(registration, verbs.RESUBMIT, actor=actor)
    value: Any = stated(Registration.objects.values(*STATED).get(pk=registration.pk))
    for keys, given in changes:
        place = value
        for key in keys[:-1]:
            place = place[int(key) if key.isdigit() else key]
        place[keys[-1]] = given
    workflow.run(registration, verbs.RESUBMIT, _claim(value, referral), actor=actor, now=now)


def _keys(operation: Operation) -> list[str]:
    """Where in the registration the operation leads. Raises ApiError."""
    if operation.op.casefold() not in ("add", "replace"):
        raise ApiError(400, "Only “add” and “replace” are done to a registration.", target=operation.path)
    keys = _PATHS.get(operation.steps)
    if keys is None:
        raise ApiError(400, "There is no such path, or it can't be changed.", target=operation.path)
    return keys


def _claim(value: Any, referral: Referral) -> Any:
    data = bind(Registrations, {"registrations": [value]})
    return claim_of(data["registrations"][0] or {}, referral)


PATCH_ROOTS.add("registrations", change, order=10)
ROOT_SCOPES["registrations"] = scopes.REGISTER
