"""The registration of webhooks as Microsoft's clients know it (F2), and the feed of events (wire.md)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.accounts.rules import Actor
from portal.api import rules as scopes
from portal.api.http.binding import bind
from portal.api.http.endpoint import Endpoint, collection
from portal.api.http.errors import ApiError
from portal.api.http.etags import etag_of
from portal.api.http.json import instant
from portal.api.http.schema import ODATA, collection_of
from portal.events.models import Event
from portal.events.selectors import START, Cursor
from portal.params import whole_number
from portal.webhooks import rules, selectors
from portal.webhooks.models import Delivery, Webhook
from portal.webhooks.policies import may_manage
from portal.webhooks.selectors import Resource
from portal.webhooks.services import registration, signing
from portal.workflow.blockers import RuleViolation

#: Events on a page of the feed: unless told, and at most (wire.md).
PAGE, MAX_PAGE = 100, 500
#: Addresses as they stand in links.
FEED = "/v1.0/events"
CONTEXT = "v1.0/$metadata#Events"


# What is answered, for the API's description.
_TEXT: Mapping[str, Any] = {"type": "string"}
_NAMES: Mapping[str, Any] = {"type": "array", "items": _TEXT}


def _object(optional: Mapping[str, Any] | None = None, **properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {**properties, **(optional or {})}, "required": list(properties)}


_WEBHOOK = _object(WebhookUrl=_TEXT, WebhookEvents=_NAMES)
_SUBSCRIBED = _object({"Secret": _TEXT}, SubscriberId=_TEXT, WebhookUrl=_TEXT, WebhookEvents=_NAMES)
_RESULT = _object(responseCode=_TEXT, responseMessage=_TEXT, systemError={"type": "boolean"}, dateTimeUtc=_TEXT)
_RESULTS = {"type": "array", "items": _RESULT}
_TESTED = _object(correlationId=_TEXT, partnerId=_TEXT, status=_TEXT, callbackUrl=_TEXT, results=_RESULTS)
_MAYBE: Mapping[str, Any] = {"type": ["string", "null"]}
_EVENT = _object(
    **dict.fromkeys(("id", "cursor", "event", "dateTime", "resourceName", "resourceId", "resourceUri"), _TEXT),
    related={"type": "boolean"},
    **dict.fromkeys(("eTag", "actorType", "actorName"), _MAYBE),
)
_FEED = collection_of(_EVENT)
_FEED["properties"]["@odata.deltaLink"] = {"type": "string", "format": "uri"}


class RegistrationInput(serializers.Serializer[Any]):
    WebhookUrl = serializers.CharField(max_length=rules.MAX_URL_LENGTH)
    WebhookEvents = serializers.ListField(child=serializers.CharField(max_length=100), max_length=50)
    SignatureTokenToMsSignatureHeader = serializers.BooleanField(default=False)


class _WebhookEndpoint(Endpoint):
    """For who keeps the company, and for clients that were given the scope."""

    scopes: ClassVar[Mapping[str, str]] = dict.fromkeys(("GET", "POST", "PUT"), scopes.WEBHOOKS)
    targets: ClassVar[Mapping[str, str]] = {"url": "WebhookUrl", "events": "WebhookEvents"}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not may_manage(self.actor):
            raise PermissionDenied

    def webhook(self) -> Webhook:
        """The company's. Raises Http404 before it is set up."""
        found = selectors.webhook_of(self.actor)
        if found is None:
            raise Http404
        return found


class EventNames(_WebhookEndpoint):
    """The names of all events."""

    answers: ClassVar[Mapping[str, Any]] = {"GET": _NAMES}

    def get(self, request: Request) -> Response:
        return Response(list(rules.EVENTS))


class Registration(_WebhookEndpoint):
    """The company's webhook."""

    bodies: ClassVar[Mapping[str, Any]] = {"POST": RegistrationInput, "PUT": RegistrationInput}
    answers: ClassVar[Mapping[str, Any]] = {"GET": _WEBHOOK, "POST": _SUBSCRIBED, "PUT": _SUBSCRIBED}

    def get(self, request: Request) -> Response:
        return Response(_shown(self.webhook()))

    def post(self, request: Request) -> Response:
        """Set it up, or change it. Its secret is told once, when it is new."""
        webhook, new = self._save(request)
        told = {"Secret": signing.secret_of(webhook.secret_seed)} if new else {}
        return Response({"SubscriberId": str(webhook.public_id), **_shown(webhook), **told})

    def put(self, request: Request) -> Response:
        self.webhook()
        webhook, _new = self._save(request)
        return Response({"SubscriberId": str(webhook.public_id), **_shown(webhook)})

    def _save(self, request: Request) -> tuple[Webhook, bool]:
        given = bind(RegistrationInput, request.data)
        return registration.set_up(
            url=given["WebhookUrl"],
            names=given["WebhookEvents"],
            ms_signature_header=given["SignatureTokenToMsSignatureHeader"],
            actor=self.actor,
            now=self.now,
        )


def _shown(webhook: Webhook) -> dict[str, Any]:
    return {"WebhookUrl": webhook.url, "WebhookEvents": webhook.events}


class Tests(_WebhookEndpoint):
    """Test events."""

    answers: ClassVar[Mapping[str, Any]] = {"POST": _object(correlationId=_TEXT)}

    def post(self, request: Request) -> Response:
        self.webhook()
        try:
            made = registration.send_test(actor=self.actor, now=self.now)
        except RuleViolation as refused:
            until = next((b.params.get("until") for b in refused.blockers), None)
            if not isinstance(until, datetime):
                raise
            wait = max(1, round((until - self.now).total_seconds()))
            raise ApiError(429, "Two tests a minute.", headers={"Retry-After": str(wait)}) from refused
        return Response({"correlationId": str(made.public_id)})


class Test(_WebhookEndpoint):
    """What came of a test event; known for a week."""

    answers: ClassVar[Mapping[str, Any]] = {"GET": _TESTED}

    def get(self, request: Request, id: str) -> Response:
        test = self._found(id)
        return Response(
            {
                "correlationId": str(test.public_id),
                "partnerId": str(test.webhook.company.public_id),
                "status": "pending" if test.state == "waiting" else "completed",
                "callbackUrl": test.log[-1]["url"] if test.log else test.webhook.url,
                "results": [_result(attempt) for attempt in test.log],
            }
        )

    def _found(self, id: str) -> Delivery:
        own = selectors.deliveries_of(self.actor).filter(name=rules.TEST).select_related("webhook__company")
        kept = own.filter(created_at__gte=self.now - rules.KEEP_TESTS)
        try:
            found = kept.filter(public_id=uuid.UUID(id)).first()
        except ValueError:
            found = None
        if found is None:
            raise Http404
        return found


def _result(attempt: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "responseCode": "" if attempt["status"] is None else str(attempt["status"]),
        "responseMessage": attempt["answer"],
        "systemError": attempt["status"] is None,
        "dateTimeUtc": attempt["at"],
    }


class Events(Endpoint):
    """What happened to what the company may see, in an order in which a reader that keeps its place misses nothing."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": scopes.EVENTS}
    answers: ClassVar[Mapping[str, Any]] = {"GET": _FEED}

    @extend_schema(parameters=[OpenApiParameter(name, description=ODATA[name]) for name in ("$top", "$skiptoken")])
    def get(self, request: Request) -> Response:
        limit = _top(request)
        found, last, more = selectors.read_feed(_cursor(request), self.actor, limit=limit)
        link = f"{settings.BASE_URL}{FEED}?{urlencode({'$top': limit, '$skiptoken': str(last)})}"
        items = [_item(event, resource, self.actor) for event, resource in found]
        answer = collection(items, context=f"{settings.BASE_URL}/{CONTEXT}", next_link=link if more else None)
        if not more:
            answer.data["@odata.deltaLink"] = link
        return answer


def _top(request: Request) -> int:
    given = request.query_params.get("$top", str(PAGE))
    number = whole_number(given)
    if number is None or number < 1:
        raise ApiError(400, "$top must be a whole number above 0.", target="$top")
    return min(number, MAX_PAGE)


def _cursor(request: Request) -> Cursor:
    given = request.query_params.get("$skiptoken", "")
    try:
        return Cursor.parse(given) if given else START
    except ValueError:
        raise ApiError(400, "$skiptoken is none of this feed.", target="$skiptoken") from None


def _item(event: Event, resource: Resource, actor: Actor) -> dict[str, Any]:
    """Of other companies' copies only what a card shows: that something happened, and when; and of other companies'
    people nothing."""
    own = resource.own
    colleague = own and event.actor_company_id == actor.company_id
    return {
        "id": str(event.public_id),
        "cursor": str(Cursor.of(event)),
        "event": event.verb,
        "dateTime": instant(event.at),
        "resourceName": resource.name,
        "resourceId": str(resource.public_id),
        "resourceUri": f"{settings.BASE_URL}{resource.path}",
        "related": not own,
        "eTag": etag_of(event.version) if own and event.version else None,
        "actorType": event.actor_kind if colleague else None,
        "actorName": event.actor_name if colleague else None,
    }
