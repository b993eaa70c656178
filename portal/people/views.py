"""Settings: a company's people, roles and locations for who keeps them, and everybody's own profile (ORG-1, ORG-2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.accounts import invites, selectors, services
from portal.accounts.decorators import ActorRequest, company_admin_required, needs_actor
from portal.accounts.models import Company, Invite, Location, Membership, RoleGrant, User
from portal.accounts.rules import may_keep
from portal.params import whole_number
from portal.people import forms, timeline
from portal.policy import services as policies
from portal.ui.forms import saved
from portal.ui.http import done, form_page, posted, show_refusal
from portal.workflow.blockers import RuleViolation
from portal.workflow.timeline import page


def _company(request: ActorRequest) -> Company:
    return Company.objects.get(pk=request.actor.own_company_id)


def _who(request: ActorRequest) -> dict[str, Any]:
    return {"actor": request.actor, "now": timezone.now()}


def _members(request: ActorRequest) -> QuerySet[Membership]:
    """The own company's; everybody else's don't exist (ORG-6)."""
    grants = Prefetch("grants", RoleGrant.objects.select_related("location").order_by("role", "location__name"))
    own = Membership.objects.filter(company_id=request.actor.own_company_id)
    return own.select_related("user", "company").prefetch_related(grants)


@needs_actor
@require_GET
def settings(request: ActorRequest) -> HttpResponse:
    return redirect("people" if may_keep(request.actor) else "profile")


# People


@company_admin_required
@require_GET
def people(request: ActorRequest) -> HttpResponse:
    before = whole_number(request.GET.get("before"))
    history, more = page(timeline.of_company(request.actor), before=before)
    more_url = f"{reverse('people')}?before={more}" if more else ""
    if request.htmx and before is not None:
        return render(request, "components/history_card.html#rows", {"history": history, "more_url": more_url})
    members = _members(request).order_by("-is_active", "user__first_name", "user__last_name", "pk")
    context = {"members": members, "invites": _invites(request), "history": history, "more_url": more_url}
    return render(request, "people/people.html", context)


def _invites(request: ActorRequest) -> list[dict[str, Any]]:
    """What waits for an answer, with its roles in words."""
    now = timezone.now()
    names = dict(Location.objects.filter(company_id=request.actor.own_company_id).values_list("pk", "name"))
    waiting = Invite.objects.waiting().filter(company_id=request.actor.own_company_id)
    return [
        {
            "invite": invite,
            "expired": invite.expires_at <= now,
            "roles": [timeline.role_text(g["role"], names.get(g["location_id"])) for g in invite.grants],
        }
        for invite in waiting.select_related("invited_by").order_by("-created_at")
    ]


@company_admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def invite_person(request: ActorRequest) -> HttpResponse:
    company = _company(request)
    initial = {"language": request.actor.language, "email": request.GET.get("email", "")}
    form = forms.InviteForm(posted(request), company=company, initial=initial)
    given = {"company": company, **_who(request)}
    if saved(form, lambda: invites.create(**form.details(), **given)):
        email = form.cleaned_data["email"]
        return done(request, gettext("The invitation to %(email)s is on its way.") % {"email": email}, "people")
    days = policies.current(timezone.now()).invitation_link_days
    return form_page(request, "people/invite_person.html", form, link_days=days)


def _invite(request: ActorRequest, public_id: Any) -> Invite:
    return get_object_or_404(Invite, company_id=request.actor.own_company_id, public_id=public_id)


@company_admin_required
@require_POST
def resend_invite(request: ActorRequest, public_id: Any) -> HttpResponse:
    return _answer_invite(request, public_id, invites.resend, gettext("The invitation to %(email)s is sent again."))


@company_admin_required
@require_POST
def revoke_invite(request: ActorRequest, public_id: Any) -> HttpResponse:
    return _answer_invite(request, public_id, invites.revoke, gettext("The invitation to %(email)s was taken back."))


def _answer_invite(request: ActorRequest, public_id: Any, verb: Callable[..., Invite], message: str) -> HttpResponse:
    invite = _invite(request, public_id)
    try:
        verb(invite, **_who(request))
    except RuleViolation as violation:
        show_refusal(request, violation)
        return redirect("people")
    return done(request, message % {"email": invite.email}, "people")


@company_admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def member(request: ActorRequest, pk: int) -> HttpResponse:
    """A member's roles, and whether they have access at all."""
    found = get_object_or_404(_members(request), pk=pk)
    form = forms.RolesForm(posted(request), company=found.company, held=selectors.grants_of(found))
    if saved(form, lambda: services.change_roles(found, form.grants(), **_who(request))):
        return done(request, gettext("The roles of %(person)s were saved.") % {"person": found.user}, "people")
    return form_page(request, "people/member.html", form, member=found, own=found.user_id == request.actor.user_id)


@company_admin_required
@require_POST
def deactivate_member(request: ActorRequest, pk: int) -> HttpResponse:
    return _set_active(request, pk, active=False, message=gettext("%(person)s has no access any more."))


@company_admin_required
@require_POST
def reactivate_member(request: ActorRequest, pk: int) -> HttpResponse:
    return _set_active(request, pk, active=True, message=gettext("%(person)s has access again."))


def _set_active(request: ActorRequest, pk: int, *, active: bool, message: str) -> HttpResponse:
    found = get_object_or_404(_members(request), pk=pk)
    try:
        services.set_active(found, active=active, **_who(request))
    except RuleViolation as violation:
        show_refusal(request, violation)
        return redirect("member", found.pk)
    own = found.user_id == request.actor.user_id
    return done(request, message % {"person": found.user}, "home" if own else "people")


# Locations


@company_admin_required
@require_GET
def locations(request: ActorRequest) -> HttpResponse:
    places = Location.objects.filter(company_id=request.actor.own_company_id).order_by("name")
    return render(request, "people/locations.html", {"places": places})


@company_admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def add_location(request: ActorRequest) -> HttpResponse:
    company = _company(request)
    form = forms.NewPlaceForm(posted(request), initial={"country": company.country})
    if saved(form, lambda: services.add_location(company=company, **form.cleaned_data, **_who(request))):
        message = gettext("The location was added. Give people roles there under People.")
        return done(request, message, "locations")
    return form_page(request, "people/location.html", form, place=None)


@company_admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_location(request: ActorRequest, pk: int) -> HttpResponse:
    place = get_object_or_404(Location, pk=pk, company_id=request.actor.own_company_id)
    form = forms.PlaceForm(posted(request), initial={"name": place.name, "city": place.city})
    if saved(form, lambda: services.change_location(place, **form.cleaned_data, **_who(request))):
        return done(request, gettext("The location was saved."), "locations")
    return form_page(request, "people/location.html", form, place=place)


# Oneself


@needs_actor
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: ActorRequest) -> HttpResponse:
    user = User.objects.get(pk=request.actor.user_id or 0)
    form = forms.ProfileForm(posted(request), instance=user)
    if saved(form, lambda: services.change_profile(user, **form.cleaned_data, **_who(request))):
        return done(request, gettext("Your profile was saved."), "profile")
    return form_page(request, "people/profile.html", form)
