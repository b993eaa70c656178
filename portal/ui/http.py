"""How pages of every app answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.encoding import iri_to_uri
from django.utils.http import MAX_URL_REDIRECT_LENGTH, url_has_allowed_host_and_scheme

from portal.accounts.decorators import ActorRequest
from portal.params import split_address, whole_number
from portal.workflow import text
from portal.workflow.blockers import RuleViolation


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: nothing, as long as its page is only looked at."""
    return request.POST if request.method == "POST" else None


def version_shown(request: HttpRequest, version: int, *, told: bool = False) -> int:
    """The version that the page shows and its form sends back (FLOW-7): the one it came with, until the person was
    `told` what was changed since. A button that only looks again makes nobody agree with what they didn't see."""
    sent = whole_number(request.POST.get("version"))
    return version if told or sent is None else sent


def stamp_shown(request: HttpRequest, stamp: str, *, told: bool = False) -> str:
    """As version_shown(), of the draft that the page knows (REG-19)."""
    return stamp if told else request.POST.get("draft", stamp)


def form_page(request: HttpRequest, template: str, form: BaseForm, **context: Any) -> HttpResponse:
    """The page of a form; it comes back with what was typed and the status 422 if that was refused."""
    return render(request, template, {"form": form, **context}, status=422 if form.errors else 200)


def done(request: HttpRequest, message: str, to: str, *args: Any) -> HttpResponse:
    """Say what was done, and go on to a page."""
    messages.success(request, message)
    return redirect(to, *args)


def show_refusal(request: HttpRequest, violation: RuleViolation) -> None:
    """Say on the next page why a button that has no form could not do what it says."""
    for blocker in violation.blockers:
        messages.error(request, text.text(blocker))


def redirect_to(request: ActorRequest, url: str) -> HttpResponse:
    """Redirect to another page; from a dialog the whole browser page must go there."""
    return HttpResponse(headers={"HX-Redirect": url}) if request.htmx else redirect(url)


def for_htmx(response: HttpResponse) -> HttpResponse:
    """The same address answers htmx otherwise than the browser itself."""
    patch_vary_headers(response, ["HX-Request"])
    return response


def page_before(request: HttpRequest) -> SplitResult | None:
    """The address of this portal's page whose link was followed; None where it was another's, or isn't told."""
    before = split_address(request.headers.get("Referer", ""))
    return before if before.netloc == request.get_host() else None


def back(request: HttpRequest) -> HttpResponse:
    """Where the person was; never to another host.

    The query says nothing of the host, and that of a list is longer than the 2,048 characters which Django looks at
    where its search and its filters are long. What no browser would be sent to leads home.
    """
    target = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(
        target.partition("?")[0], allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return HttpResponseRedirect(target if safe and len(iri_to_uri(target)) <= MAX_URL_REDIRECT_LENGTH else "/")
