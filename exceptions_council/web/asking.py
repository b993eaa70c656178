"""The form of a request: checked and kept while it is typed, confirmed, and sent once for each deal (EXC-1, EXC-6)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from dealreg.selectors.documents import panel
from exceptions_council.models import ExceptionDraft, ExceptionRequest
from exceptions_council.policies import may_ask
from exceptions_council.rules import ExceptionInput
from exceptions_council.selectors import requests as selectors
from exceptions_council.selectors.requests import KindOffer
from exceptions_council.services import drafts
from exceptions_council.services import requests as services
from exceptions_council.web.forms import ExceptionForm, day_of, initial_of
from portal.accounts.decorators import ActorRequest, needs_actor
from portal.policy import services as policies
from portal.policy.calendar import due_day
from portal.policy.rules import Policy
from portal.ui import live
from portal.ui.forms import (
    add_blockers,
    as_if_sent,
    saved_meanwhile,
    without_errors,
)
from portal.ui.http import posted, stamp_shown
from portal.workflow import text
from portal.workflow.blockers import RuleViolation
from referrals.models import Referral
from referrals.web.actions import get_referral

#: Earlier deals that the field of a re-registration suggests.
MAX_EARLIER = 50


@dataclass
class _Page:
    """The form's page of one deal, in one request."""

    request: ActorRequest
    referral: Referral
    draft: ExceptionDraft | None

    #: Whether the page says what a colleague's draft holds.
    told_draft: bool = False

    def __post_init__(self) -> None:
        self.now = timezone.now()

    @cached_property
    def policy(self) -> Policy:
        return policies.current(self.now)

    @cached_property
    def offers(self) -> list[KindOffer]:
        """With the dates that are typed, or that a link filled in: whether they are refused depends on them (EXC-2)."""
        said = self.request.POST if self.request.method == "POST" else self.request.GET
        dates = ExceptionInput(signed=day_of(said.get("signed")), start=day_of(said.get("start")))
        return selectors.kind_offers(self.referral, dates, now=self.now)

    @cached_property
    def earlier(self) -> list[Referral]:
        """The company's other deals with this customer, which this one may replace; the newest first (EXC-13)."""
        own = Referral.objects.visible_to(self.request.actor).filter(
            company_id=self.referral.company_id, engagement__customer_id=self.referral.engagement.customer_id
        )
        return list(own.exclude(pk=self.referral.pk).order_by("-created_at")[:MAX_EARLIER])

    def form(self, data: Any = None, given: Mapping[str, str] | None = None) -> ExceptionForm:
        kinds = [offer.kind for offer in self.offers if offer.enabled]
        saved = self.draft.answers if self.draft else None
        kind = selectors.first_offer(self.offers).kind
        first = initial_of(self.referral, given or {}, saved, kind=kind, earlier=self.earlier)
        current = selectors.current_values(selectors.registration_of(self.referral))
        return ExceptionForm(data, kinds=kinds, current=current, initial=first)


def _own(request: ActorRequest, public_id: uuid.UUID) -> Referral:
    """The actor's own deal, whose exception they may ask for. Raises Http404 for others', PermissionDenied (EXC-10)."""
    referral = get_referral(request, public_id)
    if referral.company_id != request.actor.company_id or request.actor.is_vendor:
        raise Http404
    if not may_ask(request.actor, referral):
        raise PermissionDenied
    return referral


def _asked(referral: Referral) -> ExceptionRequest | None:
    return ExceptionRequest.objects.filter(referral=referral).first()


@needs_actor
@require_http_methods(["GET", "POST"])
def ask(request: ActorRequest, public_id: uuid.UUID) -> HttpResponse:
    """The form; its button leads to the confirmation, which comes back here. One that was asked is shown instead."""
    referral = _own(request, public_id)
    if asked := _asked(referral):
        return redirect("exception", asked.public_id)
    page = _Page(request, referral, drafts.draft_of(referral))
    form = page.form(posted(request), request.GET.dict())
    if request.method == "GET" or "edit" in request.POST:
        form.is_valid()
        without_errors(form) if form.is_bound else None
        return render(request, "exceptions/ask.html", _context(page, form))
    saves = "save" in request.POST
    done = _save(page, form) if saves else _send(page, form)
    left = live.left_in(request.POST) if saves else live.ALL
    return done or render(request, "exceptions/ask.html", _context(page, form, left=left), status=422)


def _send(page: _Page, form: ExceptionForm) -> HttpResponse | None:
    """Ask for the confirmation, or send the request; None if it is refused, with everything that is wrong (EXC-3)."""
    readable = form.is_valid()
    found = services.check(page.referral, form.value(), now=page.now)
    add_blockers(form, [b for b in found if b.field not in form.errors])
    if found or not readable:
        return None
    shown: dict[str, Any] = {
        "answers": form.typed(),
        "base": page.request.POST.get("draft"),
        "actor": page.request.actor,
    }
    try:
        if "confirmed" not in page.request.POST:
            services.check_draft(page.referral, **shown)
            return render(page.request, "exceptions/confirm.html", _confirmation(page, form))
        asked = services.ask_as_shown(page.referral, form.value(), **shown, now=page.now)
    except drafts.SavedMeanwhile as saved:
        draft: Any = saved.draft
        page.draft, page.told_draft = draft, True
        live.tell_draft(form, draft, page.form(draft.answers))
        return None
    except RuleViolation as violation:
        add_blockers(form, violation.blockers)
        return None
    messages.success(page.request, gettext("The request was sent to the exception council."))
    return redirect("exception", asked.public_id)


def _confirmation(page: _Page, form: ExceptionForm) -> dict[str, Any]:
    """What becomes final, with everything that was typed, hidden, so that it can be sent or changed again."""
    kinds = dict(form.fields["kind"].choices)  # type: ignore[attr-defined]
    return {
        "referral": page.referral,
        "hidden": [(name, page.request.POST[name]) for name in ("draft", *form.typed()) if name in page.request.POST],
        "kind": kinds[form.value().kind],
        "asked": [(form[name].label, _shown(form, name)) for name in ("term", "tcv", "signed", "start", "end")],
        "justification": form.value().justification,
        "panel": panel(page.referral, page.request.actor, page.now),
        "due_on": due_day(page.now.date(), page.policy.exception_decision_days, page.policy),
        "decision_days": page.policy.exception_decision_days,
        "back": reverse("ask_exception", args=[page.referral.public_id]),
    }


def _shown(form: ExceptionForm, name: str) -> str:
    value = getattr(form.value().asked, name)
    if value is None or name == "term":
        return str(dict(form.fields["term"].choices).get(value, "")) if value else ""  # type: ignore[attr-defined]
    return text.show(value)


def _save(page: _Page, form: ExceptionForm) -> HttpResponse | None:
    """Keep the form as a draft; None if somebody saved another one since this page was opened."""
    form.is_valid()  # whatever it holds is kept
    try:
        _keep(page, form)
    except drafts.SavedMeanwhile:
        without_errors(form)
        form.add_error(None, saved_meanwhile(page.draft and page.draft.saved_by))
        page.told_draft = True
        return None
    except RuleViolation as violation:
        add_blockers(form, violation.blockers)
        return None
    messages.success(page.request, gettext("The draft was saved."))
    return redirect("ask_exception", page.referral.public_id)


def _keep(page: _Page, form: ExceptionForm) -> None:
    """Save the draft, unless another one was saved since. Raises SavedMeanwhile, PermissionDenied, RuleViolation."""
    base = page.request.POST.get("draft", "")
    page.draft = drafts.keep(page.referral, form.typed(), actor=page.request.actor, now=page.now, base=base)
    page.told_draft = True


def _context(page: _Page, form: ExceptionForm, *, left: str = "", unsaved: str = "") -> dict[str, Any]:
    checked = page.form(form.data if form.is_bound else as_if_sent(form))
    checked.is_valid()
    reasons = [] if any(offer.enabled for offer in page.offers) else selectors.first_offer(page.offers).blockers
    return {
        "referral": page.referral,
        "form": form,
        "offers": page.offers,
        "reasons": reasons,
        "draft": page.draft,
        "stamp": stamp_shown(page.request, drafts.stamp(page.draft), told=page.told_draft),
        "unsaved": unsaved,
        "earlier": page.earlier,
        "panel": panel(page.referral, page.request.actor, page.now),
        "most": page.policy.exception_max_length,
        "length": len(checked.value().justification.strip()),
        "decision_days": page.policy.exception_decision_days,
        "due_on": due_day(page.now.date(), page.policy.exception_decision_days, page.policy),
        **_checked(page, checked, left),
    }


def _checked(page: _Page, form: ExceptionForm, left: str) -> dict[str, Any]:
    """The dry run: what is wrong stands at its field, as far as that was left (EXC-1 to EXC-5)."""
    found = services.check(page.referral, form.value(), now=page.now)
    ready = not found and not form.errors
    return {"checked": form, "ready": ready, **live.settle(form, found, left=left)}


@needs_actor
@require_POST
def check(request: ActorRequest, public_id: uuid.UUID) -> HttpResponse:
    """The dry run while somebody types: the side card and the fields' errors; what was typed is kept as the draft."""
    referral = _own(request, public_id)
    page, unsaved = _Page(request, referral, drafts.draft_of(referral)), ""
    form = page.form(request.POST)
    form.is_valid()
    try:
        if live.has_news(form, page.draft):
            _keep(page, form)
    except drafts.SavedMeanwhile:
        unsaved = saved_meanwhile(page.draft and page.draft.saved_by)
    except RuleViolation as violation:  # sent at this very moment
        unsaved = text.text(violation.blockers[0])
    context = _context(page, form, left=live.left_in(request.POST), unsaved=unsaved)
    return render(request, "exceptions/check.html", context)
