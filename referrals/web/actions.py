"""The pages of verbs on deals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from portal.accounts.decorators import ActorRequest, needs_actor
from portal.params import whole_number
from portal.ui.forms import add_blockers
from portal.ui.http import posted
from portal.ui.http import redirect_to as redirect_to
from portal.workflow import services as workflow
from portal.workflow import text
from portal.workflow.blockers import RuleViolation
from portal.workflow.verbs import Verb
from referrals import rules, verbs
from referrals.models import Referral
from referrals.selectors.recipients import reach
from referrals.services import creation, stage_names
from referrals.web.forms import deal, editing


def get_referral(request: ActorRequest, public_id: Any, *, with_team: bool = True) -> Referral:
    """A referral that the actor may see; 404 for any other, existing or not (ORG-6).

    The team isn't loaded where it is needed only once: a verb reads both anew after locking.
    """
    visible = Referral.objects.visible_to(request.actor).with_context()
    return get_object_or_404(visible.prefetch_related("team") if with_team else visible, public_id=public_id)


# Verbs


@dataclass(frozen=True)
class Page:
    """How one verb's page looks: its form, the form's values that the verb takes, and its texts."""

    verb: Verb[Referral, Any]
    form: Callable[[ActorRequest, Any, Referral], django_forms.Form]
    inputs: Callable[[Any], Any]
    done: Any
    template: str = "referrals/action.html"


def _acceptance(form: deal.AcceptForm) -> verbs.Acceptance:
    names = ("name", "close_date", "crm_id", "campaign_id", "notes")
    given = {name: form.cleaned_data[name] for name in names}
    return verbs.Acceptance(value=form.money(), team=form.members(), **given)


def _reason(form: deal.ReasonForm) -> verbs.Reason:
    return verbs.Reason(**form.cleaned_data)


def _stage(form: deal.StageForm) -> verbs.Stage:
    return verbs.Stage(**form.cleaned_data)


def _help(form: editing.HelpForm) -> verbs.HelpRequest:
    data = form.cleaned_data
    return verbs.HelpRequest(data["help_code"], form.contact(), notes=data["comment"])


def _nothing(_form: deal.EmptyForm) -> None:
    return None


def _reasons(reasons: Mapping[str, str]) -> Callable[[ActorRequest, Any, Referral], deal.ReasonForm]:
    return lambda _request, data, _referral: deal.ReasonForm(data, reasons=dict(reasons))


def me(request: ActorRequest) -> list[dict[str, str]]:
    """The signed-in person as the initial values of a team row."""
    user = request.user
    return [{"first_name": user.first_name, "last_name": user.last_name, "phone": user.phone, "email": user.email}]


def _accept_form(request: ActorRequest, data: Any, referral: Referral) -> deal.AcceptForm:
    names = ("name", "value", "currency", "close_date")
    return deal.AcceptForm(data, people=me(request), initial={name: getattr(referral, name) for name in names})


def _stage_form(_request: ActorRequest, data: Any, referral: Referral) -> deal.StageForm:
    stages = dict(list(rules.stages_for(assessment=referral.is_assessment).items())[:-1])
    held = {} if referral.is_assessment else stage_names.of_company(referral.company_id)
    own = {stage: [name.name for name in names] for stage, names in held.items()}
    return deal.StageForm(data, stages=stages, own=own, initial={"stage": referral.stage})


def _help_form(_request: ActorRequest, data: Any, referral: Referral) -> editing.HelpForm:
    engagement = referral.engagement
    names = ("contact_name", "contact_phone", "contact_email")
    return editing.HelpForm(data, initial={name: getattr(engagement, name) for name in names})


def _empty(_request: ActorRequest, data: Any, referral: Referral) -> deal.EmptyForm:
    return deal.EmptyForm(data)


_WAYS = (
    Page(verbs.ACCEPT, _accept_form, _acceptance, gettext_lazy("The deal was accepted."), "referrals/accept.html"),
    Page(verbs.DECLINE, _reasons(rules.CLOSE_REASONS), _reason, gettext_lazy("The deal was declined.")),
    Page(verbs.SET_STAGE, _stage_form, _stage, gettext_lazy("The sales stage was changed.")),
    Page(verbs.WIN, _empty, _nothing, gettext_lazy("The deal was marked as won."), "referrals/win.html"),
    Page(verbs.SHARE_WITH_VENDOR, _empty, _nothing, gettext_lazy("The deal was shared."), "referrals/share.html"),
    Page(verbs.REQUEST_HELP, _help_form, _help, gettext_lazy("Help was asked for."), "referrals/share.html"),
    Page(verbs.SCHEDULE_WIN, _empty, _nothing, gettext_lazy("The deal will be marked as won at the safe hour.")),
    Page(verbs.CANCEL_WIN, _empty, _nothing, gettext_lazy("The planned win was cancelled.")),
    Page(verbs.LOSE, _reasons(rules.CLOSE_REASONS), _reason, gettext_lazy("The deal was marked as lost.")),
    Page(
        verbs.CLOSE_AS_ERROR, _reasons(rules.ERROR_REASONS), _reason, gettext_lazy("The deal was closed as an error.")
    ),
)
PAGES: Mapping[str, Page] = {page.verb.name: page for page in _WAYS}


@needs_actor
@require_http_methods(["GET", "POST"])
def act(request: ActorRequest, public_id: Any, verb: str) -> HttpResponse:
    """The page of one verb: its form, a warning if it is final, and the reasons if it isn't possible."""
    referral = get_referral(request, public_id, with_team=request.method == "GET")
    page, now = PAGES.get(verb.replace("-", "_")), timezone.now()
    if page is None:
        raise Http404
    if not page.verb.may(request.actor, referral):
        raise PermissionDenied
    form = page.form(request, posted(request), referral)
    if request.method == "POST" and form.is_valid():
        seen, inputs = whole_number(request.POST.get("version")), page.inputs(form)
        try:
            workflow.run_from_page(referral, page.verb, inputs, seen_version=seen, actor=request.actor, now=now)
        except RuleViolation as violation:
            return _act_page(request, page, referral, form, now, violation)
        messages.success(request, page.done)
        return redirect_to(request, reverse("deal", args=[referral.public_id]))
    return _act_page(request, page, referral, form, now)


def _act_page(
    request: ActorRequest,
    page: Page,
    referral: Referral,
    form: Any,
    now: datetime,
    violation: RuleViolation | None = None,
) -> HttpResponse:
    """The page, first opened or refused; everything typed is kept."""
    action = workflow.available_action(referral, page.verb, request.actor, now)
    if violation is not None:  # what stands in the way whatever is typed is on the page already
        add_blockers(form, [b for b in violation.blockers if b not in action.blockers])
    label = text.phrase(action.label)
    context = {
        "referral": referral,
        "verb": action.name,
        "heading": label,
        "submit": label,
        "final": action.verb.final,
        "kind": "danger" if action.verb.danger else "primary",
        "violations": action.blockers,
        "form": form,
        "version": referral.version,
        "cancel_url": reverse("deal", args=[referral.public_id]),
        "win": creation.win_facts(referral, now=now),
    }
    if isinstance(form, deal.TeamMixin):
        context["reach"] = reach(request.actor, form.team.addresses())
    return render(request, page.template, context, status=422 if request.method == "POST" else 200)
