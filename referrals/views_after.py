"""The pages of deals that exist: inviting partners, editing sections beside others."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from portal.accounts.edge import ActorRequest, needs_actor
from portal.catalog.models import Solution
from portal.workflow import services as workflow
from portal.workflow.blockers import RuleViolation
from referrals import editing, offers, partners, sharing
from referrals.forms import add_blockers, unjudged
from referrals.forms_after import DetailsForm, InviteForm, SeenDetailsForm, SolutionsForm, TeamForm, people
from referrals.machine import DETAILS
from referrals.models import Referral
from referrals.people import reach
from referrals.views import get_referral, redirect_to


def _action(request: ActorRequest, referral: Referral, verb: str) -> workflow.Action:
    """What stands in the way of the verb; PermissionDenied where the role doesn't have it."""
    for action in workflow.available_actions(referral, request.actor, timezone.now()):
        if action.name == verb:
            return action
    raise PermissionDenied


def _back(request: ActorRequest, referral: Referral, done: str) -> HttpResponse:
    messages.success(request, done)
    return redirect_to(request, reverse("deal", args=[referral.public_id]))


def _page(
    request: HttpRequest, template: str, referral: Referral, action: workflow.Action, form: Any, **more: Any
) -> HttpResponse:
    context = {
        "referral": referral,
        "violations": action.blockers,
        "form": form,
        "cancel_url": reverse("deal", args=[referral.public_id]),
        **more,
    }
    return render(
        request, template, context, status=422 if request.method == "POST" and "find" not in request.POST else 200
    )


def _refused(form: Any, violation: RuleViolation, action: workflow.Action) -> None:
    """What was wrong with what was sent; what stood in the way before is on the page already."""
    add_blockers(form, [b for b in violation.blockers if b not in action.blockers])


def _with(request: HttpRequest, name: str, values: list[str]) -> QueryDict:
    """What was sent with one hidden field renewed: saving again is then a choice made in full sight (REF-21)."""
    data = request.POST.copy()
    data.setlist(name, values)
    return data


# Inviting


@needs_actor
@require_http_methods(["GET", "POST"])
def invite_partner(request: ActorRequest, public_id: Any) -> HttpResponse:
    """Invite one partner; *find* only searches and keeps everything typed (REF-9)."""
    referral = get_referral(request, public_id)
    action = _action(request, referral, "invite_partner")
    finding = "find" in request.POST
    form = InviteForm(
        request.POST if request.method == "POST" else None,
        partners=partners.ecosystem().exclude(pk=referral.company_id),
        solutions=Solution.objects.choosable().order_by("name"),
        people=people(referral.team.all()),
        initial={"value": referral.value, "currency": referral.currency, "close_date": referral.close_date},
    )
    if finding:
        unjudged(form)
    elif request.method == "POST" and form.is_valid():
        try:
            sharing.invite_partner(referral, form.invitation(), actor=request.actor, now=timezone.now())
        except RuleViolation as violation:
            _refused(form, violation, action)
        else:
            return _back(request, referral, gettext("The partner was invited."))
    found = partners.suggest(form["partner_search"].value() or "", actor=request.actor, now=timezone.now())
    return _page(
        request, "referrals/invite.html", referral, action, form, partners=found, chosen=form["partner"].value()
    )


@needs_actor
@require_GET
def suggest_partners(request: ActorRequest) -> HttpResponse:
    """Partners by the first letters, the more responsive first (REF-22)."""
    now, chosen = timezone.now(), request.GET.get("partner")
    found = partners.suggest(request.GET.get("partner_search", ""), actor=request.actor, now=now)
    context = {"partners": offers.with_chosen(found, chosen, now=now), "chosen": chosen}
    return render(request, "referrals/_partners.html#partners", context)


# Editing


@needs_actor
@require_http_methods(["GET", "POST"])
def edit_details(request: ActorRequest, public_id: Any) -> HttpResponse:
    """The details; whoever saves second sees both versions and chooses (REF-21)."""
    referral = get_referral(request, public_id)
    action = _action(request, referral, "edit_details")
    data, held = request.POST if request.method == "POST" else None, {n: getattr(referral, n) for n in DETAILS}
    form, seen = DetailsForm(data, initial=held), SeenDetailsForm(data, initial=held)
    if request.method == "POST" and form.is_valid() and seen.is_valid():
        try:
            editing.edit_details(
                referral, seen=seen.cleaned_data, wanted=form.cleaned_data, actor=request.actor, now=timezone.now()
            )
        except RuleViolation as violation:
            _refused(form, violation, action)
            if isinstance(violation, editing.Conflict):
                seen = SeenDetailsForm(initial=seen.cleaned_data | violation.current)
        else:
            return _back(request, referral, gettext("The details were changed."))
    return _page(request, "referrals/edit_details.html", referral, action, form, seen=seen)


@needs_actor
@require_http_methods(["GET", "POST"])
def edit_team(request: ActorRequest, public_id: Any) -> HttpResponse:
    """The team (REF-7, REF-21)."""
    referral = get_referral(request, public_id)
    action, held = _action(request, referral, "edit_team"), people(referral.team.all())
    form = TeamForm(request.POST if request.method == "POST" else None, people=held, initial={"seen": held})
    if request.method == "POST" and form.is_valid():
        try:
            editing.edit_team(
                referral, seen=form.seen_members(), team=form.members(), actor=request.actor, now=timezone.now()
            )
        except RuleViolation as violation:
            _refused(form, violation, action)
            if isinstance(violation, editing.Conflict):
                form.data = _with(request, "seen", [json.dumps(held)])
        else:
            return _back(request, referral, gettext("The team was changed."))
    told = reach(request.actor, form.team.addresses())
    return _page(request, "referrals/edit_team.html", referral, action, form, reach=told)


@needs_actor
@require_http_methods(["GET", "POST"])
def edit_solutions(request: ActorRequest, public_id: Any) -> HttpResponse:
    """The solutions (REF-8, REF-21)."""
    referral = get_referral(request, public_id)
    action = _action(request, referral, "edit_solutions")
    held = [line.solution for line in referral.solutions.select_related("solution")]
    # What is on the deal stays choosable, even where it has left the market since.
    choosable = Solution.objects.choosable() | Solution.objects.filter(pk__in=[s.pk for s in held])
    ids = [str(s.public_id) for s in held]
    form = SolutionsForm(
        request.POST if request.method == "POST" else None,
        choosable=choosable.order_by("name"),
        initial={"solutions": ids, "seen": ids},
    )
    if request.method == "POST" and form.is_valid():
        try:
            editing.edit_solutions(
                referral,
                seen=form.cleaned_data["seen"],
                solutions=list(form.cleaned_data["solutions"]),
                actor=request.actor,
                now=timezone.now(),
            )
        except RuleViolation as violation:
            _refused(form, violation, action)
            if isinstance(violation, editing.Conflict):
                form.data = _with(request, "seen", ids)
        else:
            return _back(request, referral, gettext("The solutions were changed."))
    return _page(request, "referrals/edit_solutions.html", referral, action, form)
