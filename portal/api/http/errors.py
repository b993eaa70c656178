"""The error body of the API (F1.10): one shape for every refusal, with all violated rules in `details`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404
from django.utils import translation
from rest_framework import exceptions, status
from rest_framework.response import Response

from portal.api.odata.errors import QueryError
from portal.workflow import text
from portal.workflow.blockers import Blocker, RuleViolation
from portal.workflow.services import Stale

#: F1.10 bounds a message.
MAX_MESSAGE = 1024

#: What clients key on, by status (F1.10).
CODES = {
    400: "invalidRequest",
    401: "unauthenticated",
    403: "accessDenied",
    404: "itemNotFound",
    405: "invalidRequest",
    406: "invalidRequest",
    409: "invalidRequest",
    412: "preconditionFailed",
    413: "invalidRequest",
    415: "invalidRequest",
    422: "invalidRequest",
    429: "generalException",
    503: "serviceNotAvailable",
}
NOT_FOUND = "There is no such resource, or you may not see it."


class ApiError(Exception):
    """A refusal as the API answers it; `details` as in wire.md: code, target, message, rule."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "",
        target: str = "",
        details: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status, self.message, self.code, self.target, self.details = status, message, code, target, details
        self.headers = dict(headers or {})
        super().__init__(message)


def body(
    status: int, message: str, *, code: str = "", target: str = "", details: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The body of a refusal."""
    error = {
        "code": code or CODES.get(status, "generalException"),
        "message": message[:MAX_MESSAGE],
        "target": target,
        "innerError": None,
        "details": list(details),
    }
    return {"error": error}


def _path(targets: Mapping[str, str] | None, field: str) -> str:
    return field if targets is None else targets.get(field, field)


def detail(blocker: Blocker, targets: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A violated rule as a detail, in English: clients key on codes. `targets`: wire paths of our fields."""
    with translation.override("en"):
        message = text.text(blocker)
    found: dict[str, Any] = {
        "code": blocker.code,
        "target": _path(targets, blocker.field),
        "message": message[:MAX_MESSAGE],
        "rule": blocker.rule,
    }
    if blocker.details:
        found["details"] = [detail(inner, targets) for inner in blocker.details]
    return found


def violation(refused: RuleViolation, targets: Mapping[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    """The answer to refused rules: 412 for an old version, 409 for the wrong state, else 422."""
    details = [detail(blocker, targets) for blocker in refused.blockers]
    codes = set(refused.codes)
    if isinstance(refused, Stale) or codes == {"conflict"}:
        changed = getattr(refused, "changes", {})
        for name, (was, is_now) in changed.items():
            details.append({"code": "changed", "target": _path(targets, name), "was": was, "now": is_now})
        return 412, body(412, details[0]["message"], code="resourceModified", details=details)
    status = 409 if codes == {"wrong_state"} else 422
    message = details[0]["message"] if details else "Refused."
    return status, body(status, message, target=details[0]["target"] if details else "", details=details)


def handle(exception: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler. What it doesn't know is a fault of ours, and stays a 500 with its traceback."""
    targets = getattr(context.get("view"), "targets", None)
    match exception:
        case ApiError():
            given: dict[str, Any] = {"code": exception.code, "target": exception.target, "details": exception.details}
            data = body(exception.status, exception.message, **given)
            return Response(data, exception.status, headers=exception.headers)
        case QueryError():
            return Response(body(400, str(exception), target=exception.target), 400)
        case RuleViolation():
            code, data = violation(exception, targets)
            return Response(data, code)
        case exceptions.PermissionDenied():
            return Response(body(403, str(exception.detail)), 403)
        case PermissionDenied():
            return Response(body(403, "Your role or scope doesn't allow this."), 403)
        case Http404():
            return Response(body(404, NOT_FOUND), 404)
        case BadRequest():
            return Response(body(400, "The request can't be read."), 400)
        case exceptions.ValidationError():
            return _invalid(exception)
        case exceptions.APIException():
            return _refused(exception)
    return None


def _invalid(refused: exceptions.ValidationError) -> Response:
    details = problems(refused)
    first = details[0] if details else {"message": "The request can't be read.", "target": ""}
    return Response(body(400, first["message"], target=first["target"], details=details), 400)


def problems(refused: exceptions.ValidationError, target: str = "") -> list[dict[str, Any]]:
    """What serializers refuse as details, each with the path of its field; `target`: where the value stood."""
    return list(_below(refused.get_full_details(), target))


def problem(code: str, target: str, message: str) -> dict[str, Any]:
    """A detail that no rule stands behind."""
    return {"code": code, "target": target, "message": message, "rule": ""}


def _below(found: Any, target: str) -> Iterator[dict[str, Any]]:
    match found:
        case {"message": message, "code": code}:
            yield problem(str(code), target, str(message))
        case dict():
            for name, inner in found.items():
                yield from _below(inner, _joined(target, name))
        case list():
            for position, inner in enumerate(found):
                yield from _below(inner, target if "code" in inner else _joined(target, position))


def _joined(target: str, name: object) -> str:
    return target if name == "non_field_errors" else f"{target}/{name}" if target else str(name)


def _refused(refused: exceptions.APIException) -> Response:
    code = refused.status_code
    headers = {}
    if wait := getattr(refused, "wait", None):  # of Throttled
        headers["Retry-After"] = str(max(1, round(wait)))
    if code == status.HTTP_401_UNAUTHORIZED:
        headers["WWW-Authenticate"] = getattr(refused, "auth_header", "Bearer")
    return Response(body(code, str(refused.detail)), code, headers=headers)
