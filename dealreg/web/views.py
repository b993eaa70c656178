"""The pages of the registration form: checked and kept while it is typed, filed, corrected, or closed without
registering."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dealreg import rules
from dealreg.models import Registration, RegistrationDraft, Status
from dealreg.selectors.documents import panel
from dealreg.selectors.registration import eligible_solutions, renewable, wrong_state
from dealreg.services import drafts
from dealreg.services import registration as services
from dealreg.web.forms import CORRECTED, QUESTIONS, RegistrationForm, initial_of
from dealreg.web.ways import WAYS, Way
from portal.accounts.decorators import ActorRequest, needs_actor
from portal.catalog.models import Solution
from portal.params import whole_number
from portal.ui import live
from portal.ui.forms import (
    add_blockers,
    as_if_sent,
    conflicts,
    saved_meanwhile,
    without_errors,
)
from portal.ui.http import stamp_shown, version_shown
from portal.workflow import services as workflow
from portal.workflow import text
from portal.workflow.blockers import Blocker, RuleViolation
from referrals.models import Referral
from referrals.policies import may_register
from referrals.web.actions import get_referral


def _load(request: ActorRequest, public_id: Any) -> tuple[Referral, Registration | None]:
    """The actor's own deal and its registration, if any. The vendor's people use the admin instead."""
    referral = get_referral(request, public_id)
    if referral.company_id != request.actor.company_id or request.actor.is_vendor:
        raise Http404
    return referral, Registration.objects.with_context().filter(referral=referral).first()


@dataclass
class _Page:
    """The form's page of one deal, in one request."""

    request: ActorRequest
    referral: Referral
    filed: Registration | None
    draft: RegistrationDraft | None
    #: Whether the page says what somebody else has changed meanwhile, of what was filed and of the draft.
    told: bool = False
    told_draft: bool = False

    @cached_property
    def solutions(self) -> list[Solution]:
        return eligible_solutions(self.referral, self.filed)

    @cached_property
    def may_save(self) -> bool:
        """Whether this person may send the form now, and so keep a draft of it (REG-19)."""
        filable = self.filed is not None and wrong_state(self.filed) is None
        return filable and may_register(self.request.actor, self.referral)

    @cached_property
    def renewals(self) -> list[Registration]:
        return list(renewable(self.referral).filter(solution__in=self.solutions))

    def form(self, data: Any = None) -> RegistrationForm:
        first = initial_of(self.referral, self.filed, self.draft, self.solutions)
        only = CORRECTED if self.reopened else QUESTIONS
        return RegistrationForm(data, solutions=self.solutions, renewals=self.renewals, only=only, initial=first)

    @property
    def reopened(self) -> bool:
        """Whether an approved exception opened it to be corrected (EXC-9)."""
        return self.filed is not None and self.filed.status == Status.ACTION_REQUIRED and self.filed.is_reopened

    def ways(self, violations: Collection[Blocker], answers: Mapping[str, Any]) -> list[Way]:
        """What else can be done about what is refused, for who may file it."""
        if not self.may_save:
            return []
        found = [find(self.referral, violations, answers, timezone.now()) for find in WAYS.values()]
        return [way for way in found if way]


def _page(request: ActorRequest, public_id: Any) -> _Page:
    referral, filed = _load(request, public_id)
    draft = RegistrationDraft.objects.select_related("saved_by").filter(registration=filed).first() if filed else None
    return _Page(request, referral, filed, draft)


@needs_actor
@require_http_methods(["GET", "POST"])
def registration(request: ActorRequest, public_id: Any) -> HttpResponse:
    """The form's page; before the deal is won it is a try-out that saves nothing (REG-15)."""
    page, left = _page(request, public_id), live.left_in(request.POST)
    form = page.form(request.POST if request.method == "POST" else None)
    if request.method == "POST" and page.filed is None:
        context = _context(page, form, left=" ".join(form.fields))
        return render(request, "dealreg/registration.html", context | {"form": context["validated"]})
    if request.method == "POST":
        done = _save(page, form) if "save" in request.POST else _send(page, form)
        if done:
            return done
        left = left if "save" in request.POST else live.ALL
    context = _context(page, form, left=left)
    return render(request, "dealreg/registration.html", context, status=422 if form.errors else 200)


def _send(page: _Page, form: RegistrationForm) -> HttpResponse | None:
    """Submit the form; None if it was refused, with everything that is wrong at its fields (REG-14, REG-15)."""
    request, filed = page.request, page.filed
    assert filed is not None
    now, seen = timezone.now(), whole_number(request.POST.get("version"))
    shown: dict[str, Any] = {"seen_version": seen, "base": request.POST.get("draft"), "answers": form.typed()}
    try:
        if form.is_valid():
            services.file(filed, form.value(), **shown, actor=request.actor, now=now)
            messages.success(request, gettext("The registration was filed; it is being checked."))
            return redirect("deal", page.referral.public_id)
        found = services.check(page.referral, form.value(), actor=request.actor, now=now).violations
        add_blockers(form, [b for b in found if b.field not in form.errors])
    except drafts.SavedMeanwhile as saved:
        draft: Any = saved.draft
        page.draft, page.told_draft = draft, True
        live.tell_draft(form, draft, page.form(draft.answers))
    except workflow.Stale as stale:
        page.filed, page.told = Registration.objects.with_context().get(referral=page.referral), True
        add_blockers(form, [*stale.blockers, *conflicts(page.filed, stale.changes, QUESTIONS)])
    except RuleViolation as violation:
        add_blockers(form, violation.blockers)
    return None


def _save(page: _Page, form: RegistrationForm) -> HttpResponse | None:
    """Keep the form as a draft (REG-19); None if somebody saved another one since this page was opened."""
    assert page.filed is not None
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
    return redirect("registration", page.referral.public_id)


def _keep(page: _Page, form: RegistrationForm) -> None:
    """Save the draft, unless another one was saved since. Raises SavedMeanwhile, PermissionDenied, RuleViolation."""
    assert page.filed is not None
    base, actor = page.request.POST.get("draft", ""), page.request.actor
    page.draft = drafts.keep(page.filed, form.typed(), form.value(), actor=actor, now=timezone.now(), base=base)
    page.told_draft = True


def _context(page: _Page, form: RegistrationForm, *, left: str, unsaved: str = "") -> dict[str, Any]:
    validated = page.form(form.data) if form.is_bound else page.form(as_if_sent(form))
    validated.is_valid()
    return {
        "referral": page.referral,
        "registration": page.filed,
        "form": form,
        "version": version_shown(page.request, page.filed.version, told=page.told) if page.filed else "",
        "draft": page.draft,
        "stamp": stamp_shown(page.request, drafts.stamp(page.draft), told=page.told_draft),
        "unsaved": unsaved,
        "may_save": page.may_save,
        "panel": panel(page.referral, page.request.actor, timezone.now()),
        "resubmitting": page.filed is not None and page.filed.status == Status.ACTION_REQUIRED,
        "reopened": page.reopened,
        **_validated(page, validated, left),
    }


def _validated(page: _Page, form: RegistrationForm, left: str) -> dict[str, Any]:
    """The dry run for the page: what is wrong at the fields that were left, and the route as far as it is known."""
    judgement = services.check(page.referral, form.value(), actor=page.request.actor, now=timezone.now())
    ways = page.ways(judgement.violations, dict(form.cleaned_data))  # which lose what is refused
    violations, to_come = _parted(judgement)
    # A deal that was closed without a registration goes nowhere, whatever is answered.
    route = judgement.expected if page.filed or not page.referral.is_closed else judgement.route
    return {
        "validated": form,
        "judgement": judgement,
        "ways": ways,
        "route": route,
        "route_text": _route_text(route),
        "reviewed": route is not None and route.state != Status.APPROVED,
        "to_come": to_come,
        **live.settle(form, violations, left=left),
    }


def _parted(judgement: rules.Judgement) -> tuple[list[Blocker], list[Blocker]]:
    """What is wrong, and what only comes later: the criteria that nobody has to correct anything for (ELIG)."""
    eligibility = judgement.facts.eligibility
    if eligibility is None:
        return list(judgement.violations), []
    criteria = eligibility.criteria
    unmet = tuple(criterion.message for criterion in criteria if criterion.state == "notMet")
    found = [replace(b, details=unmet) if b.code == "not_eligible" else b for b in judgement.violations]
    to_come = [criterion.message for criterion in criteria if criterion.state == "notYet"]
    return [b for b in found if b.code != "not_eligible" or unmet], to_come


def _route_text(route: rules.Route | None) -> str:
    if route is None:
        return ""
    return {
        Status.APPROVED: gettext("would be approved automatically"),
        Status.REVIEW_PENDING: gettext("would go to the review team"),
        Status.MARKETPLACE_PENDING: gettext("would go to marketplace validation"),
    }[Status(route.state)]


@needs_actor
@require_POST
def check(request: ActorRequest, public_id: Any) -> HttpResponse:
    """The dry run while somebody types: renders the side card and the fields' errors (REG-15), and keeps what was
    typed as the company's draft (REG-19)."""
    page, unsaved = _page(request, public_id), ""
    form = page.form(request.POST)
    form.is_valid()
    if page.may_save and live.has_news(form, page.draft):
        try:
            _keep(page, form)
        except drafts.SavedMeanwhile:
            unsaved = saved_meanwhile(page.draft and page.draft.saved_by)
        except RuleViolation as violation:  # filed at this very moment
            unsaved = text.text(violation.blockers[0])
    context = _context(page, form, left=live.left_in(request.POST), unsaved=unsaved)
    return render(request, "dealreg/check.html", context)


@needs_actor
@require_GET
def deal_state(request: ActorRequest, public_id: Any) -> HttpResponse:
    """Asked every second while a registration is being checked; sends the browser on when the worker is done."""
    referral = get_referral(request, public_id)
    registration = Registration.objects.filter(
        referral=referral, referral__company_id=request.actor.own_company_id
    ).first()
    if registration is None or not registration.is_being_routed:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return HttpResponse(status=204)
