"""The page on which the vendor's sellers send a deal to a partner (REF-10)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from portal.accounts.decorators import ActorRequest, needs_actor
from portal.catalog.models import Solution
from portal.ui.forms import add_blockers, without_errors
from portal.ui.http import posted
from portal.workflow.blockers import RuleViolation
from referrals.models import Referral
from referrals.policies import may_send
from referrals.selectors import partners
from referrals.services import creation, drafts
from referrals.web.forms.sending import SendForm
from referrals.web.wizard import choices
from referrals.web.wizard.lookups import customers


@needs_actor
@require_http_methods(["GET", "POST"])
def send_deal(request: ActorRequest) -> HttpResponse:
    """Customer, deal and partner on one page; the button *Find* only searches and keeps everything typed."""
    if not may_send(request.actor):
        raise PermissionDenied
    finding = "find" in request.POST
    form = SendForm(posted(request), partners=partners.ecosystem(), solutions=Solution.objects.choosable())
    if finding:
        without_errors(form)
    elif request.method == "POST" and form.is_valid() and (referral := _send(request, form)):
        messages.success(request, gettext("The deal was sent."))
        return redirect("deal", referral.public_id)
    status = 422 if request.method == "POST" and not finding else 200
    return render(request, "referrals/send.html", {**_choices(request, form), "finding": finding}, status=status)


def _send(request: ActorRequest, form: SendForm) -> Referral | None:
    try:
        return creation.send_deal(form.deal(), actor=request.actor, now=timezone.now())
    except RuleViolation as violation:
        add_blockers(form, violation.blockers)
        return None


def _choices(request: ActorRequest, form: SendForm) -> dict[str, Any]:
    """The choices for the form as it stands: customers and partners found, the partner's solutions."""
    now, partner = timezone.now(), form["partner"].value()
    fit = partners.sought(form["country"].value() or "")
    found = partners.suggest(form["partner_search"].value() or "", actor=request.actor, now=now, fit=fit)
    picked = [str(value) for value in form["solutions"].value() or []]
    return {
        "form": form,
        "customers": customers(form, request.actor),
        "partners": choices.with_chosen(found, partner, now=now),
        "fit": fit,
        "chosen": partner,
        "solutions": [(s, str(s.public_id) in picked) for s in _of(partner)],
        "partner_chosen": bool(partner),
    }


def _of(partner: Any) -> QuerySet[Solution]:
    """The partner's solutions that can be put on a deal; none without a partner."""
    if not partner or not drafts.is_id(str(partner)):
        return Solution.objects.none()
    return Solution.objects.choosable().filter(publisher__public_id=partner).order_by("name")


@needs_actor
@require_GET
def partner_solutions(request: ActorRequest) -> HttpResponse:
    """The solutions of the partner just chosen, as choices for the form."""
    if not may_send(request.actor):
        raise PermissionDenied
    partner, picked = request.GET.get("partner", ""), request.GET.getlist("solutions")
    found = [(s, str(s.public_id) in picked) for s in _of(partner)]
    return render(request, "referrals/send.html#solutions", {"solutions": found, "partner_chosen": bool(partner)})
