"""The pages of the registration form: checked while it is typed, filed, corrected, or closed without registering."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dealreg import rules, verbs
from dealreg.models import Registration, Status
from dealreg.selectors.registration import eligible_solutions
from dealreg.services import registration as services
from dealreg.web.forms import RegistrationForm, initial_of
from portal.accounts.decorators import ActorRequest, needs_actor
from portal.workflow import services as workflow
from portal.workflow.blockers import Blocker, RuleViolation
from referrals.models import Referral
from referrals.policies import may_register
from referrals.web.actions import get_referral, redirect_to
from referrals.web.forms.deal import EmptyForm, add_blockers


def _load(request: ActorRequest, public_id: Any) -> tuple[Referral, Registration | None]:
    """The actor's own deal and its registration, if any. The vendor's people use the admin instead."""
    referral = get_referral(request, public_id)
    if referral.company_id != request.actor.company_id or request.actor.is_vendor:
        raise Http404
    return referral, Registration.objects.with_context().filter(referral=referral).first()


@needs_actor
@require_http_methods(["GET", "POST"])
def registration(request: ActorRequest, public_id: Any) -> HttpResponse:
    """The form's page; before the deal is won it is a try-out that saves nothing (REG-15)."""
    referral, filed = _load(request, public_id)
    solutions = eligible_solutions(referral)
    data = request.POST if request.method == "POST" else None
    form = RegistrationForm(data, solutions=solutions, initial=initial_of(referral, filed))
    if request.method == "POST" and form.is_valid() and filed is not None:
        try:
            _send(request, filed, form)
        except RuleViolation as violation:
            add_blockers(form, violation.blockers)
        else:
            messages.success(request, gettext("The registration was filed; it is being checked."))
            return redirect("deal", referral.public_id)
    context = _context(request, referral, filed, form, solutions)
    return render(request, "dealreg/registration.html", context, status=422 if form.errors else 200)


def _send(request: ActorRequest, filed: Registration, form: RegistrationForm) -> None:
    verb = verbs.RESUBMIT if filed.status == Status.ACTION_REQUIRED else verbs.SUBMIT
    claim = verbs.Claim(form.value(), form.cleaned_data["solution"])
    workflow.run(filed, verb, claim, actor=request.actor, now=timezone.now())


def _context(
    request: ActorRequest, referral: Referral, filed: Registration | None, form: RegistrationForm, solutions: list[Any]
) -> dict[str, Any]:
    validated = RegistrationForm(form.data, solutions=solutions) if form.is_bound else _as_if_sent(form, solutions)
    validated.is_valid()
    return {
        "referral": referral,
        "registration": filed,
        "form": form,
        "solutions": solutions,
        "may_register": may_register(request.actor, referral),
        "resubmitting": filed is not None and filed.status == Status.ACTION_REQUIRED,
        **_validated(request, referral, validated),
    }


def _as_if_sent(form: RegistrationForm, solutions: list[Any]) -> RegistrationForm:
    """The form bound to its initial values, so that it can be checked before anything is typed."""
    shown = {name: form[name].value() for name in form.fields}
    return RegistrationForm({k: v for k, v in shown.items() if v not in (None, "")}, solutions=solutions)


def _validated(request: ActorRequest, referral: Referral, form: RegistrationForm) -> dict[str, Any]:
    """The dry run for the page: violations at their fields, unanswered questions beside the form."""
    judgement = services.check(referral, form.value(), actor=request.actor, now=timezone.now())
    missing = [b for b in judgement.violations if b.field and _is_open(b)]
    add_blockers(form, [b for b in judgement.violations if b.field and b not in missing])
    return {
        "validated": form,
        "judgement": judgement,
        "general": [b for b in judgement.violations if not b.field],
        "missing": [form.fields[b.field].label for b in missing if b.field in form.fields],
        "route_text": _route_text(judgement.route),
        "reviewed": judgement.route is not None and judgement.route.state != Status.APPROVED,
    }


def _is_open(blocker: Blocker) -> bool:
    """Whether this is an unanswered question; it is listed beside the form, not shown as a field's error."""
    return blocker.code.endswith("_required") or blocker.code == "contract_names_missing"


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
    """The dry run while somebody types: renders the side card and the fields' errors, saves nothing (REG-15)."""
    referral, filed = _load(request, public_id)
    solutions = eligible_solutions(referral)
    form = RegistrationForm(request.POST, solutions=solutions)
    return render(request, "dealreg/check.html", _context(request, referral, filed, form, solutions))


@needs_actor
@require_http_methods(["GET", "POST"])
def close_unregistered(request: ActorRequest, public_id: Any) -> HttpResponse:
    """Close without registering, because the solution doesn't qualify (REG-2)."""
    referral, filed = _load(request, public_id)
    form = EmptyForm(request.POST or None)
    if filed is None or not verbs.CLOSE_UNREGISTERED.may(request.actor, filed):
        raise Http404
    action = workflow.available_action(filed, verbs.CLOSE_UNREGISTERED, request.actor, timezone.now())
    violations = action.blockers
    if request.method == "POST":
        try:
            workflow.run(filed, verbs.CLOSE_UNREGISTERED, actor=request.actor, now=timezone.now())
        except RuleViolation as violation:
            violations = violation.blockers
        else:
            messages.success(request, gettext("The deal was closed without registering."))
            return redirect_to(request, reverse("deal", args=[referral.public_id]))
    context = {
        "referral": referral,
        "verb": action.name,
        "heading": gettext(action.label),
        "submit": gettext(action.label),
        "final": action.verb.final,
        "kind": "danger",
        "violations": violations,
        "form": form,
        "cancel_url": reverse("deal", args=[referral.public_id]),
    }
    return render(request, "dealreg/close.html", context, status=422 if request.method == "POST" else 200)


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
