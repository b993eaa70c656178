"""The settings of a company's webhook and what was delivered; and, for every receiver, the signing certificates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal import paging
from portal.accounts.decorators import ActorRequest, company_admin_required
from portal.params import whole_number
from portal.ui.forms import saved
from portal.ui.http import done, form_page, posted, show_refusal
from portal.webhooks import rules, selectors
from portal.webhooks.forms import WebhookForm
from portal.webhooks.models import Delivery, SigningKey, Webhook
from portal.webhooks.services import registration, signing
from portal.workflow import text
from portal.workflow.blockers import RuleViolation

#: Deliveries on a page.
PAGE = 25


@require_GET
def certificate(request: HttpRequest, public_id: Any) -> HttpResponse:
    """For everybody: it says with which public key a delivery is verified."""
    key = get_object_or_404(SigningKey, public_id=public_id)
    return HttpResponse(key.certificate, content_type="application/x-pem-file")


def _who(request: ActorRequest) -> dict[str, Any]:
    return {"actor": request.actor, "now": timezone.now()}


def _webhook(request: ActorRequest) -> Webhook:
    found = selectors.webhook_of(request.actor)
    if found is None:
        raise Http404
    return found


@company_admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def webhook(request: ActorRequest) -> HttpResponse:
    """The webhook, and what was sent. Its secret is shown once, on the page after it was set up."""
    found = selectors.webhook_of(request.actor)
    form = WebhookForm(posted(request), webhook=found)
    made: list[tuple[Webhook, bool]] = []
    if saved(form, lambda: made.append(_save(request, form))):
        changed, new = made[0]
        return _secret(request, changed) if new else done(request, gettext("The webhook was saved."), "webhook")
    before = whole_number(request.GET.get("before"))
    deliveries, more = paging.newest(
        selectors.deliveries_of(request.actor), "created_at", after=before or None, limit=PAGE
    )
    more_url = f"{reverse('webhook')}?before={more}" if more else ""
    context = {"webhook": found, "deliveries": deliveries, "more_url": more_url, "down": _down(found)}
    return form_page(request, "webhooks/webhook.html", form, **context)


def _save(request: ActorRequest, form: WebhookForm) -> tuple[Webhook, bool]:
    given = form.cleaned_data
    return registration.set_up(
        url=given["url"], names=given["events"], ms_signature_header=given["ms_signature_header"], **_who(request)
    )


def _down(found: Webhook | None) -> datetime | None:
    """Since when the receiver has given no answer."""
    return found.down_since if found and not found.paused_at else None


def _secret(request: ActorRequest, found: Webhook) -> HttpResponse:
    context = {"webhook": found, "secret": signing.secret_of(found.secret_seed)}
    return render(request, "webhooks/secret.html", context)


@company_admin_required
@require_POST
def renew_secret(request: ActorRequest) -> HttpResponse:
    _webhook(request)
    return _secret(request, registration.renew_secret(**_who(request)))


def _run(request: ActorRequest, change: Callable[..., object], message: str) -> HttpResponse:
    _webhook(request)
    try:
        change(**_who(request))
    except RuleViolation as violation:
        show_refusal(request, violation)
        return redirect("webhook")
    return done(request, message, "webhook")


@company_admin_required
@require_POST
def pause(request: ActorRequest) -> HttpResponse:
    return _run(request, registration.pause, gettext("The webhook is paused. What happens meanwhile is kept for it."))


@company_admin_required
@require_POST
def resume(request: ActorRequest) -> HttpResponse:
    return _run(request, registration.resume, gettext("The webhook goes on with what has waited."))


@company_admin_required
@require_POST
def send_test(request: ActorRequest) -> HttpResponse:
    return _run(request, registration.send_test, gettext("The test is on its way. Below you see what came of it."))


def _delivery(request: ActorRequest, public_id: Any) -> Delivery:
    return get_object_or_404(selectors.deliveries_of(request.actor), public_id=public_id)


@company_admin_required
@require_GET
def delivery(request: ActorRequest, public_id: Any) -> HttpResponse:
    """What was sent, each attempt, and what the receiver said."""
    found = _delivery(request, public_id)
    context = {
        "delivery": found,
        "told": text.phrase(rules.EVENTS.get(found.name, found.name)),
        "resource": f"{settings.BASE_URL}{found.resource_path}",
        "body": signing.body_of(found).decode(),
        "attempts": [*_attempts(found.log)],
    }
    return render(request, "webhooks/delivery.html", context)


def _attempts(log: list[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The newest first, with words for what went wrong."""
    for attempt in reversed(log):
        error = text.phrase(rules.ERRORS[attempt["error"]]) if attempt["error"] in rules.ERRORS else ""
        yield {**attempt, "at": datetime.fromisoformat(attempt["at"]), "error": error}


@company_admin_required
@require_POST
def replay(request: ActorRequest, public_id: Any) -> HttpResponse:
    found = _delivery(request, public_id)
    if not registration.replay(found, **_who(request)):
        return done(request, gettext("It waits to be sent already."), "delivery", found.public_id)
    return done(request, gettext("It is sent once more."), "delivery", found.public_id)
