"""The pages on which deals are moved on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from portal.accounts.edge import ActorRequest, needs_actor
from portal.workflow import services as workflow
from portal.workflow import text
from portal.workflow.blockers import RuleViolation
from referrals import forms, forms_after, rules, services, sharing, stage_names
from referrals.models import Referral
from referrals.people import reach


def get_referral(request: ActorRequest, public_id: Any) -> Referral:
    """The referral the actor may see, else 404 as for one that doesn't exist (ORG-6)."""
    visible = Referral.objects.visible_to(request.actor).with_context().prefetch_related("team")
    return get_object_or_404(visible, public_id=public_id)


def redirect_to(request: ActorRequest, url: str) -> HttpResponse:
    """On to another page; from a dialog the browser itself must go."""
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(headers={"HX-Redirect": url})
    return redirect(url)


# Verbs


@dataclass(frozen=True)
class Page:
    """How one verb looks: its form, and the words around it."""

    form: Callable[[ActorRequest, Any, Referral], django_forms.Form]
    call: Callable[..., Referral]
    done: Any
    template: str = "referrals/action.html"


def _accept(referral: Referral, *, form: forms.AcceptForm, **who: Any) -> Referral:
    data = form.cleaned_data
    return services.accept(
        referral,
        name=data["name"],
        value=form.money(),
        close_date=data["close_date"],
        crm_id=data["crm_id"],
        campaign_id=data["campaign_id"],
        notes=data["notes"],
        team=form.members(),
        **who,
    )


def _with_fields(service: Callable[..., Referral]) -> Callable[..., Referral]:
    return lambda referral, *, form, **who: service(referral, **form.cleaned_data, **who)


def _reasons(reasons: Mapping[str, str]) -> Callable[[ActorRequest, Any, Referral], forms.ReasonForm]:
    return lambda _request, data, _referral: forms.ReasonForm(data, reasons=dict(reasons))


def me(request: ActorRequest) -> list[dict[str, str]]:
    """The person at the browser, as a row of a team."""
    user = request.user
    return [{"first_name": user.first_name, "last_name": user.last_name, "phone": user.phone, "email": user.email}]  # type: ignore[union-attr]


def _accept_form(request: ActorRequest, data: Any, referral: Referral) -> forms.AcceptForm:
    names = ("name", "value", "currency", "close_date")
    return forms.AcceptForm(data, people=me(request), initial={name: getattr(referral, name) for name in names})


def _stage_form(_request: ActorRequest, data: Any, referral: Referral) -> forms.StageForm:
    stages = dict(list(rules.stages_for(assessment=referral.is_assessment).items())[:-1])
    held = {} if referral.is_assessment else stage_names.of_company(referral.company_id)
    own = {stage: [name.name for name in names] for stage, names in held.items()}
    return forms.StageForm(data, stages=stages, own=own, initial={"stage": referral.stage})


def _help_form(_request: ActorRequest, data: Any, referral: Referral) -> forms_after.HelpForm:
    engagement = referral.engagement
    names = ("contact_name", "contact_phone", "contact_email")
    return forms_after.HelpForm(data, initial={name: getattr(engagement, name) for name in names})


def _request_help(referral: Referral, *, form: forms_after.HelpForm, **who: Any) -> Referral:
    data = form.cleaned_data
    return sharing.request_help(
        referral, help_code=data["help_code"], contact=form.contact(), notes=data["comment"], **who
    )


def _empty(_request: ActorRequest, data: Any, referral: Referral) -> forms.EmptyForm:
    return forms.EmptyForm(data)


PAGES: Mapping[str, Page] = {
    "accept": Page(_accept_form, _accept, gettext_lazy("The deal was accepted."), "referrals/accept.html"),
    "decline": Page(
        _reasons(rules.CLOSE_REASONS), _with_fields(services.decline), gettext_lazy("The deal was declined.")
    ),
    "set_stage": Page(_stage_form, _with_fields(services.set_stage), gettext_lazy("The sales stage was changed.")),
    "win": Page(_empty, _with_fields(services.win), gettext_lazy("The deal was marked as won."), "referrals/win.html"),
    "share_with_vendor": Page(
        _empty, _with_fields(sharing.share_with_vendor), gettext_lazy("The deal was shared."), "referrals/share.html"
    ),
    "request_help": Page(_help_form, _request_help, gettext_lazy("Help was asked for."), "referrals/share.html"),
    "schedule_win": Page(
        _empty, _with_fields(services.schedule_win), gettext_lazy("The deal will be marked as won at the safe hour.")
    ),
    "cancel_win": Page(_empty, _with_fields(services.cancel_win), gettext_lazy("The planned win was cancelled.")),
    "lose": Page(
        _reasons(rules.CLOSE_REASONS), _with_fields(services.lose), gettext_lazy("The deal was marked as lost.")
    ),
    "close_as_error": Page(
        _reasons(rules.ERROR_REASONS),
        _with_fields(services.close_as_error),
        gettext_lazy("The deal was closed as an error."),
    ),
}


@needs_actor
@require_http_methods(["GET", "POST"])
def act(request: ActorRequest, public_id: Any, verb: str) -> HttpResponse:
    """One verb's page: what it asks, what becomes final, and why it can't be done if so."""
    referral = get_referral(request, public_id)
    verb = verb.replace("-", "_")
    page, now = PAGES.get(verb), timezone.now()
    action = next((a for a in workflow.available_actions(referral, request.actor, now) if a.name == verb), None)
    if page is None:
        raise Http404
    if action is None:
        raise PermissionDenied
    form = page.form(request, request.POST if request.method == "POST" else None, referral)
    if request.method == "POST" and form.is_valid():
        try:
            page.call(referral, form=form, actor=request.actor, now=now)
        except RuleViolation as violation:
            # What stood in the way before is on the page already.
            forms.add_blockers(form, [b for b in violation.blockers if b not in action.blockers])
        else:
            messages.success(request, page.done)
            return redirect_to(request, reverse("deal", args=[referral.public_id]))
    status = 422 if request.method == "POST" else 200
    context = _act_context(referral, action, form, now)
    if isinstance(form, forms.TeamMixin):
        context["reach"] = reach(request.actor, form.team.addresses())
    return render(request, page.template, context, status=status)


def _act_context(referral: Referral, action: workflow.Action, form: Any, now: Any) -> dict[str, Any]:
    return {
        "referral": referral,
        "verb": action.name,
        "heading": text.phrase(action.label),
        "submit": text.phrase(action.label),
        "final": action.verb.final,
        "kind": "danger" if action.name in {"decline", "close_as_error", "lose"} else "primary",
        "violations": action.blockers,
        "form": form,
        "cancel_url": reverse("deal", args=[referral.public_id]),
        "win": services.win_facts(referral, now=now),
    }
