"""The pages that invite partners and edit a deal's sections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from portal.accounts.decorators import ActorRequest, needs_actor
from portal.catalog.models import Solution
from portal.ui.forms import add_blockers, without_errors
from portal.ui.http import posted, redirect_to
from portal.workflow import services as workflow
from portal.workflow.blockers import RuleViolation
from portal.workflow.verbs import Verb
from referrals import verbs
from referrals.models import Referral
from referrals.selectors import partners
from referrals.services import editing
from referrals.web.actions import changed_team, get_referral, show_team
from referrals.web.forms.editing import DetailsForm, InviteForm, SolutionsForm, TeamForm, people
from referrals.web.wizard import choices


def _action(request: ActorRequest, referral: Referral, verb: Verb[Referral, Any]) -> workflow.Action[Referral]:
    """The verb with its blockers. Raises PermissionDenied if the role doesn't allow it."""
    return workflow.available_action(referral, verb, request.actor, timezone.now())


def _back(request: ActorRequest, referral: Referral, done: str) -> HttpResponse:
    messages.success(request, done)
    return redirect_to(request, reverse("deal", args=[referral.public_id]))


def _page(
    request: HttpRequest,
    template: str,
    referral: Referral,
    action: workflow.Action[Referral],
    form: Any,
    *,
    is_refused: bool,
    **more: Any,
) -> HttpResponse:
    context = {
        "referral": referral,
        "violations": action.blockers,
        "form": form,
        "cancel_url": reverse("deal", args=[referral.public_id]),
        **more,
    }
    return render(request, template, context, status=422 if is_refused else 200)


def _refused(request: ActorRequest, form: Any, violation: RuleViolation, action: workflow.Action[Referral]) -> None:
    """Show the reasons of a refusal; blockers that existed before are on the page already.

    After a conflict the form carries the version that it shows, so that saving again is a conscious choice (REF-21).
    """
    add_blockers(form, [b for b in violation.blockers if b not in action.blockers])
    if isinstance(violation, editing.Conflict):
        form.data = request.POST.copy()
        form.data["version"] = str(violation.version)


# Inviting


@needs_actor
@require_http_methods(["GET", "POST"])
def invite_partner(request: ActorRequest, public_id: Any) -> HttpResponse:
    """Invite one partner; the button *Find* and those of the team keep everything typed, and only change what is shown
    (REF-7, REF-9)."""
    referral, changed = get_referral(request, public_id), changed_team(request)
    action = _action(request, referral, verbs.INVITE_PARTNER)
    looking = changed is not None or "find" in request.POST
    form = InviteForm(
        changed or posted(request),
        partners=partners.ecosystem().exclude(pk=referral.company_id),
        solutions=Solution.objects.choosable().order_by("name"),
        people=people(referral.team.all()),
        initial={"value": referral.value, "currency": referral.currency, "close_date": referral.close_date},
    )
    if looking:
        without_errors(form)
    elif request.method == "POST" and form.is_valid():
        try:
            workflow.run(referral, verbs.INVITE_PARTNER, form.invitation(), actor=request.actor, now=timezone.now())
        except RuleViolation as violation:
            _refused(request, form, violation, action)
        else:
            return _back(request, referral, gettext("The partner was invited."))
    now, chosen, fit = timezone.now(), form["partner"].value(), partners.fit_of(referral)
    found = partners.suggest(form["partner_search"].value() or "", actor=request.actor, now=now, fit=fit)
    more = {"partners": choices.with_chosen(found, chosen, now=now), "fit": fit, "chosen": chosen}
    more |= show_team(request, form, reshaped=changed is not None)
    is_refused = request.method == "POST" and not looking
    return _page(request, "referrals/invite.html", referral, action, form, is_refused=is_refused, **more)


@needs_actor
@require_GET
def suggest_partners(request: ActorRequest) -> HttpResponse:
    """Partners by the first letters of their names; those that fit and answer quickly come first (REF-22)."""
    now, chosen = timezone.now(), request.GET.get("partner")
    fit = partners.sought(request.GET.get("country", ""), request.GET.getlist("kind"))
    found = partners.suggest(request.GET.get("partner_search", ""), actor=request.actor, now=now, fit=fit)
    context = {"partners": choices.with_chosen(found, chosen, now=now), "chosen": chosen}
    return render(request, "referrals/_partners.html#partners", context)


# Editing


def _edit(
    request: ActorRequest,
    referral: Referral,
    verb: Verb[Referral, Any],
    form: Any,
    save: Callable[..., Referral],
    *,
    wanted: Callable[[], Any],
    done: str,
    reshaped: bool = False,
    **more: Any,
) -> HttpResponse:
    """The page of one section; whoever saves second sees both versions and chooses (REF-21).

    `reshaped`: a button was pressed that only changes the form.
    """
    action, is_sent = _action(request, referral, verb), request.method == "POST" and not reshaped
    if reshaped:
        without_errors(form)
    if is_sent and form.is_valid():
        seen = form.cleaned_data["version"]
        try:
            save(referral, wanted(), seen_version=seen, actor=request.actor, now=timezone.now())
        except RuleViolation as violation:
            _refused(request, form, violation, action)
        else:
            return _back(request, referral, done)
    return _page(
        request, f"referrals/{verb.name}.html", referral, action, form, is_refused=is_sent, reshaped=reshaped, **more
    )


@needs_actor
@require_http_methods(["GET", "POST"])
def edit_details(request: ActorRequest, public_id: Any) -> HttpResponse:
    """Edit the details (REF-6, REF-21)."""
    referral = get_referral(request, public_id)
    held = asdict(verbs.details_of(referral)) | {"version": referral.version}
    form, done = DetailsForm(posted(request), initial=held), gettext("The details were changed.")
    return _edit(request, referral, verbs.EDIT_DETAILS, form, editing.edit_details, wanted=form.details, done=done)


@needs_actor
@require_http_methods(["GET", "POST"])
def edit_team(request: ActorRequest, public_id: Any) -> HttpResponse:
    """Edit the team, by the wizard's buttons; nothing is kept before *Save* (REF-7, REF-21)."""
    referral, changed = get_referral(request, public_id), changed_team(request)
    held, first = people(referral.team.all()), {"version": referral.version}
    form, done = TeamForm(changed or posted(request), people=held, initial=first), gettext("The team was changed.")
    more, save = show_team(request, form, reshaped=changed is not None), editing.edit_team
    return _edit(request, referral, verbs.EDIT_TEAM, form, save, wanted=form.members, done=done, **more)


@needs_actor
@require_http_methods(["GET", "POST"])
def edit_solutions(request: ActorRequest, public_id: Any) -> HttpResponse:
    """Edit the solutions (REF-8, REF-21)."""
    referral = get_referral(request, public_id)
    held = [line.solution for line in referral.solutions.select_related("solution")]
    # What is on the deal stays choosable, even where it has left the market since.
    choosable = Solution.objects.choosable() | Solution.objects.filter(pk__in=[s.pk for s in held])
    first = {"solutions": [str(s.public_id) for s in held], "version": referral.version}
    form = SolutionsForm(posted(request), choosable=choosable.order_by("name"), initial=first)
    done = gettext("The solutions were changed.")
    save = editing.edit_solutions
    return _edit(request, referral, verbs.EDIT_SOLUTIONS, form, save, wanted=form.chosen, done=done)
