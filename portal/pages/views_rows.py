"""A deal's stage and close date, changed where the list shows them (REF-14, REF-20, REF-21)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from portal.accounts.decorators import ActorRequest, needs_actor
from portal.pages.deals.listing import DEALS, DealListing
from portal.pages.forms import RowForm
from portal.ui.forms import add_blockers
from portal.ui.http import back, for_htmx, page_before, posted
from portal.ui.listing import cells, left
from portal.ui.listing.columns import Column
from portal.ui.listing.lists import LISTS
from portal.ui.listing.query import ListQuery
from portal.workflow.blockers import RuleViolation
from referrals import verbs
from referrals.models import Referral
from referrals.services import editing
from referrals.web.actions import get_referral, stages_of


@needs_actor
@require_http_methods(["GET", "POST"])
def edit_row(request: ActorRequest, public_id: Any) -> HttpResponse:
    """The row as a form, for whoever has no script as a page; what is refused stays open in the row with its reason.

    With `as=row` the row as the list shows it.
    """
    referral = get_referral(request, public_id)
    if not verbs.SET_STAGE.may(request.actor, referral):
        raise PermissionDenied
    if request.htmx and request.GET.get("as") == "row":
        return for_htmx(_row(request, referral))
    initial = {"stage": referral.stage, "close_date": referral.close_date, "version": referral.version}
    form = RowForm(posted(request), **stages_of(referral), initial=initial)
    if request.method == "POST" and _save(request, referral, form):
        if request.htmx:
            return for_htmx(_row(request, referral))
        messages.success(request, gettext("“%(deal)s” was changed.") % {"deal": referral.name})
        return back(request)
    status, context = 422 if form.errors else 200, {"referral": referral, "form": form}
    if request.htmx:
        context = {**context, "form": form.in_row(), "width": len(_columns(request)[1]) + 1}
        return for_htmx(render(request, "pages/_row_form.html", context, status=status))
    context["next"] = request.POST.get("next") or _come_from(request, referral)
    return for_htmx(render(request, "pages/row_form.html", context, status=status))


def _save(request: ActorRequest, referral: Referral, form: RowForm) -> bool:
    """After a conflict the form carries the version that it shows: saving again is a choice then (REF-21)."""
    if not form.is_valid():
        return False
    given = form.cleaned_data
    wanted, seen = {name: given[name] for name in ("stage", "close_date")}, given["version"]
    try:
        editing.edit_progress(referral, **wanted, seen_version=seen, actor=request.actor, now=timezone.now())
    except RuleViolation as violation:
        add_blockers(form, violation.blockers)
        if isinstance(violation, editing.Conflict):
            form.data = request.POST.copy()
            form.data["version"] = str(violation.version)
        return False
    return True


def _columns(request: ActorRequest) -> tuple[ListQuery, list[Column]]:
    """The list in which the row stands, and the columns that it shows there."""
    sent = request.POST or request.GET
    listing = LISTS.get(sent.get("of", ""), DEALS)
    asked = ListQuery.at(listing if isinstance(listing, DealListing) else DEALS, sent.get("list", ""), request.actor)
    chosen = asked.columns or left.list_view(asked.listing, request.actor).columns
    return asked, asked.listing.columns_chosen(chosen, request.actor, asked.tab)


def _row(request: ActorRequest, referral: Referral) -> HttpResponse:
    asked, shown = _columns(request)
    found = asked.listing.with_context(Referral.objects.visible_to(request.actor).filter(pk=referral.pk))
    (item,) = asked.listing.rows(list(found), request.actor)
    return HttpResponse(cells.row(asked.listing, item, shown, asked.address().removeprefix("?")))


def _come_from(request: ActorRequest, referral: Referral) -> str:
    """The list, as the page that was left shows it; else the deal."""
    before = page_before(request)
    if before and before.path in {reverse(listing.url) for listing in LISTS.values()}:
        return f"{before.path}?{before.query}"
    return reverse("deal", args=[referral.public_id])
