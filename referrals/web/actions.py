"""The pages of verbs on deals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from portal.accounts.decorators import ActorRequest, needs_actor
from portal.policy import services as policies
from portal.ui.verb_page import VerbPage
from referrals import rules, verbs
from referrals.models import Referral
from referrals.services import creation, stage_names
from referrals.web import team
from referrals.web.deal import asked_of
from referrals.web.forms import deal, editing
from referrals.web.wizard import choices


def get_referral(request: ActorRequest, public_id: Any, *, with_team: bool = True) -> Referral:
    """A referral that the actor may see; 404 for any other, existing or not (ORG-6).

    The team isn't loaded where it is needed only once: a verb reads both anew after locking.
    """
    visible = Referral.objects.visible_to(request.actor).with_context()
    return get_object_or_404(visible.prefetch_related("team") if with_team else visible, public_id=public_id)


# Verbs


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


def _signing(form: deal.WinForm) -> verbs.Signing:
    return verbs.Signing(**form.cleaned_data)


def _reasons(reasons: Mapping[str, str]) -> Callable[[ActorRequest, Any, Referral], deal.ReasonForm]:
    return lambda _request, data, _referral: deal.ReasonForm(data, reasons=dict(reasons))


def me(request: ActorRequest) -> list[dict[str, str]]:
    """The signed-in person as the initial values of a team row."""
    user = request.user
    return [{"first_name": user.first_name, "last_name": user.last_name, "phone": user.phone, "email": user.email}]


def _references(form: deal.ReferencesForm) -> verbs.References:
    return verbs.References(**form.cleaned_data)


def _references_form(_request: ActorRequest, data: Any, referral: Referral) -> deal.ReferencesForm:
    return deal.ReferencesForm(data, initial={"crm_id": referral.crm_id, "campaign_id": referral.campaign_id})


def _accept_form(request: ActorRequest, data: Any, referral: Referral) -> deal.AcceptForm:
    names = ("name", "value", "currency", "close_date", "crm_id", "campaign_id")
    return deal.AcceptForm(data, people=me(request), initial={name: getattr(referral, name) for name in names})


def changed_team(request: ActorRequest) -> QueryDict | None:
    """What the form holds after a button that only changes the team's rows (REF-7)."""
    offered = choices.people(request.actor) if "person" in request.POST else []
    found = team.changed(team.rows(request.POST), request.POST, offered) if request.method == "POST" else None
    if found is None:
        return None
    found.tell(request)
    data = request.POST.copy()
    for name in [name for name in data if name.startswith("team-")]:  # a draft keeps all of it
        del data[name]
    for name, values in team.as_sent(found.rows).items():
        data.setlist(name, values)
    return data


def show_team(request: ActorRequest, form: deal.TeamMixin, *, reshaped: bool) -> dict[str, Any]:
    """What stands with the rows of a form's team, and where the page opens after a button changed them (REF-7)."""
    is_adding = reshaped and "add" in request.POST
    if is_adding:
        form.team.go_on_in_last()
    most = policies.current(timezone.now()).max_team_members
    return choices.beside_team(request.actor, form.team, most=most) | {"reshaped": reshaped, "is_adding": is_adding}


def _accepting(request: ActorRequest, form: deal.AcceptForm, referral: Referral, now: datetime) -> dict[str, Any]:
    """What accepting shows besides its three questions, and what of it is unfolded: where something is to be done."""
    rows = [{name: str(member[name].value() or "").strip() for name in team.PERSON} for member in form.team]
    more = [form[name] for name in ("crm_id", "campaign_id", "notes")]
    sent = request.method == "POST"
    complete = rows and all(all(row.values()) for row in rows)
    return {
        **choices.beside_team(request.actor, form.team, most=policies.current(now).max_team_members),
        "asked": asked_of(referral),
        "people": ", ".join(filter(None, (f"{row['first_name']} {row['last_name']}".strip() for row in rows))),
        "team_changed": sent and not form.errors,
        "team_open": not complete or (sent and not form.errors) or form.team.total_error_count() > 0,
        "more_open": any(bound.errors or (sent and bound.value()) for bound in more),
    }


def stages_of(referral: Referral) -> dict[str, Any]:
    """The stages that a form offers for this deal, and what the company's own CRM calls them (REF-16)."""
    stages = dict(list(rules.stages_for(assessment=referral.is_assessment).items())[:-1])
    held = {} if referral.is_assessment else stage_names.of_company(referral.company_id)
    return {"stages": stages, "own": {stage: [name.name for name in names] for stage, names in held.items()}}


def _stage_form(_request: ActorRequest, data: Any, referral: Referral) -> deal.StageForm:
    return deal.StageForm(data, **stages_of(referral), initial={"stage": referral.stage})


def _win_form(_request: ActorRequest, data: Any, referral: Referral) -> deal.WinForm:
    return deal.WinForm(data, initial={"signed_on": referral.signed_on})


def _help_form(_request: ActorRequest, data: Any, referral: Referral) -> editing.HelpForm:
    engagement = referral.engagement
    names = ("contact_name", "contact_phone", "contact_email")
    return editing.HelpForm(data, initial={name: getattr(engagement, name) for name in names})


def _contact_form(_request: ActorRequest, data: Any, referral: Referral) -> editing.ContactForm:
    held = asdict(verbs.copies.contact_of(referral.engagement))
    return editing.ContactForm(data, initial={f"contact_{name}": value for name, value in held.items()})


_PAGES: tuple[VerbPage[Referral], ...] = (
    VerbPage(
        verbs.ACCEPT, _("The deal was accepted."), _accept_form, _acceptance, "referrals/accept.html", changed_team
    ),
    VerbPage(verbs.DECLINE, _("The deal was declined."), _reasons(rules.CLOSE_REASONS), _reason),
    VerbPage(verbs.SET_REFERENCES, _("The references were saved."), _references_form, _references),
    VerbPage(verbs.SET_STAGE, _("The sales stage was changed."), _stage_form, _stage),
    VerbPage(verbs.WIN, _("The deal was marked as won."), _win_form, _signing, "referrals/win.html"),
    VerbPage(verbs.SHARE_WITH_VENDOR, _("The deal was shared."), template="referrals/share.html"),
    VerbPage(verbs.REQUEST_HELP, _("Help was asked for."), _help_form, _help, "referrals/share.html"),
    VerbPage(verbs.EDIT_CONTACT, _("The customer's contact was changed."), _contact_form, editing.ContactForm.contact),
    VerbPage(verbs.SCHEDULE_WIN, _("The deal will be marked as won at the safe hour."), _win_form, _signing),
    VerbPage(verbs.CANCEL_WIN, _("The planned win was cancelled.")),
    VerbPage(verbs.LOSE, _("The deal was marked as lost."), _reasons(rules.CLOSE_REASONS), _reason),
    VerbPage(verbs.CLOSE_AS_ERROR, _("The deal was closed as an error."), _reasons(rules.ERROR_REASONS), _reason),
)
PAGES = {page.verb.name: page for page in _PAGES}


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

    def context(form: Any) -> dict[str, Any]:
        shown: dict[str, Any] = {"referral": referral, "win": creation.win_facts(referral, now=now)}
        if page.verb in (verbs.SHARE_WITH_VENDOR, verbs.REQUEST_HELP) and not referral.vendor_may_view:
            opened = referral.engagement.referrals.open().values("company")  # closed copies stay private (REF-11)
            shown["opened_notes"] = referral.engagement.notes.filter(shared=True, company__in=opened).count()
        if page.verb is verbs.ACCEPT:
            shown |= _accepting(request, form, referral, now)
        return shown

    return page.answer(
        request,
        referral,
        now=now,
        back=reverse("deal", args=[referral.public_id]),
        template="referrals/action.html",
        context=context,
    )
