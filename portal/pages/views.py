"""The list of deals, the deal page, insights, and the switches of the top bar."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import retarget

from portal.accounts import services as accounts
from portal.accounts.decorators import ActorRequest, needs_actor
from portal.accounts.middleware import COMPANY_KEY
from portal.accounts.models import User
from portal.accounts.rules import Actor
from portal.pages import search as search_page
from portal.pages.deal import context as deal_page
from portal.pages.deal.timeline import TimelineQuery
from portal.pages.deals.cells import star
from portal.pages.deals.listing import DEALS, favorites_tab
from portal.pages.deals.rows import neighbours
from portal.pages.insights import charts
from portal.pages.insights.listing import COUNTED
from portal.pages.insights.period import MONTHS, asked_period
from portal.pages.models import Export
from portal.pages.services import exports as services
from portal.pages.services import uploads
from portal.params import as_uuid
from portal.row_plans import KINDS
from portal.tables import csv_file
from portal.ui.forms import add_blockers
from portal.ui.frame import THEME_COOKIE
from portal.ui.http import back, for_htmx, page_before, redirect_to
from portal.ui.listing import left, page
from portal.ui.listing.files import CONTENT_TYPES
from portal.ui.listing.lists import LISTS, Listing
from portal.ui.listing.picked import picked
from portal.ui.listing.query import ListQuery
from portal.ui.period import Period
from portal.workflow import services as workflow
from portal.workflow.blockers import RuleViolation
from portal.workflow.text import phrase
from referrals import rules, verbs
from referrals.models import Referral
from referrals.policies import may_change
from referrals.selectors.figures import Figures
from referrals.services import favorites
from referrals.web.actions import get_referral
from referrals.web.forms.deal import NoteForm
from referrals.web.wizard.choices import people

YEAR = 365 * 24 * 3600
MAX_EXPORTS = 20
#: The id of the file's state in the bar below the list; htmx names it in HX-Target.
IN_BAR = "export-in-bar"


@needs_actor
@require_GET
def search(request: ActorRequest) -> HttpResponse:
    """The search of the top bar; as one types, its first hits under the field."""
    query = request.GET.get("q", "")
    if request.htmx and not request.htmx.history_restore_request:
        context = search_page.context(request.actor, query, most=search_page.MAX_BELOW)
        return for_htmx(render(request, "pages/search.html#below", context))
    return for_htmx(render(request, "pages/search.html", search_page.context(request.actor, query)))


@needs_actor
@require_GET
def deals(request: ActorRequest) -> HttpResponse:
    return page.respond(request, DEALS, "pages/deals.html", _beside_deals)


def _beside_deals(actor: Actor) -> dict[str, Any]:
    return {
        "new_deal_blockers": [] if actor.is_vendor else verbs.new_deal_blockers(actor),
        "may_upload": uploads.may_upload(actor),
        "export_more": "pages/_deals_to_edit.html",
        "stars_url": reverse("star_row"),
        "selected_url": reverse("change_selected"),
        "stages": list(rules.STAGES.items())[:-1],
        "people": people(actor),
    }


@needs_actor
@require_POST
def favorite(request: ActorRequest, public_id: Any) -> HttpResponse:
    """Put the person's star on or off, only on deals they see (REF-19)."""
    referral = get_referral(request, public_id)
    starred = favorites.set_favorite(referral, actor=request.actor, on=request.POST.get("on") == "yes")
    if not request.htmx:
        return back(request)
    return render(request, "pages/_star.html", {"referral": referral, "starred": starred})


@needs_actor
@require_POST
def star_row(request: ActorRequest) -> HttpResponse:
    """A star in the list, on or off; the tab of favorites counts along."""
    starred = "star" in request.POST
    public_id = as_uuid(request.POST.get("star" if starred else "unstar", ""))
    if public_id is None:
        raise Http404
    referral = get_referral(request, public_id)
    favorites.set_favorite(referral, actor=request.actor, on=starred)
    if not request.htmx:
        return back(request)
    asked = ListQuery.at(DEALS, request.POST.get("list", ""), request.actor)
    context = {"star": star(referral, starred=starred), "tab": favorites_tab(request.actor, asked)}
    return retarget(render(request, "pages/_star_of_row.html", context), f'.o-star[value="{referral.public_id}"]')


@needs_actor
@require_GET
def deal(request: ActorRequest, public_id: Any) -> HttpResponse:
    """The whole page; for htmx its timeline, filtered otherwise, or the rows of it that follow an event."""
    referral = get_referral(request, public_id)
    shown = TimelineQuery.of(request.GET.dict())
    if request.htmx and (shown.before or request.htmx.target == "timeline"):
        name = "pages/_timeline.html#rows" if shown.before else "pages/_timeline.html"
        return for_htmx(render(request, name, deal_page.timeline_context(referral, request.actor, shown)))
    return for_htmx(_deal_page(request, referral, shown))


def _deal_page(
    request: ActorRequest, referral: Referral, shown: TimelineQuery, note_form: NoteForm | None = None
) -> HttpResponse:
    """`note_form`: a note that was refused."""
    context = deal_page.context(referral, request.actor, now=timezone.now(), query=shown, note_form=note_form)
    asked = _list_come_from(request, shown.listed)
    context |= {"beside": neighbours(referral, request.actor, asked), "listed": asked and asked.address()[1:]}
    return render(request, "pages/deal.html", context, status=422 if note_form else 200)


def _list_come_from(request: ActorRequest, address: str) -> ListQuery | None:
    """The list that a deal was opened from: as the address says, else the page whose link was followed."""
    if address:
        return ListQuery.at(DEALS, address, request.actor)
    before = page_before(request)
    if before is None or before.path != reverse("deals"):
        return None
    if before.query:
        return ListQuery.at(DEALS, before.query, request.actor)
    return ListQuery.of(DEALS, {}, request.actor, kept=left.list_view(DEALS, request.actor).query)


@needs_actor
@require_POST
def add_note(request: ActorRequest, public_id: Any) -> HttpResponse:
    """Add to the thread, shared or for the own company only (REF-23); what is refused stands there as it was typed."""
    referral = get_referral(request, public_id)
    if not may_change(request.actor, referral):
        raise PermissionDenied
    form = NoteForm(request.POST, closed=referral.is_closed)
    if form.is_valid():
        try:
            verb = verbs.ADD_NOTE if form.cleaned_data["shared"] else verbs.ADD_PRIVATE_NOTE
            note = verbs.NewNote(form.cleaned_data["text"])
            workflow.run(referral, verb, note, actor=request.actor, now=timezone.now())
            return redirect(reverse("deal", args=[referral.public_id]) + "#notes")
        except RuleViolation as violation:
            add_blockers(form, violation.blockers)
    return _deal_page(request, referral, TimelineQuery.of(request.GET.dict()), form)


# What the deals came to


@needs_actor
@require_GET
def insights(request: ActorRequest) -> HttpResponse:
    """Of the period that the address says (REF-17)."""
    today = timezone.now().date()
    asked = asked_period(request.GET, today=today)
    if asked.is_elsewhere:
        return redirect(request.path + asked.period.as_custom)
    context = {
        **charts.context(request.actor, asked.period),
        "asked": asked,
        "periods": [Period.back(months, today=today) for months in MONTHS],
    }
    return render(request, "pages/insights.html", context)


@needs_actor
@require_GET
def insights_deals(request: ActorRequest) -> HttpResponse:
    """The deals that a figure counts."""
    return page.respond(request, COUNTED, "pages/insights_deals.html")


@needs_actor
@require_GET
def insights_csv(request: ActorRequest, code: str) -> HttpResponse:
    """One chart's table as a file; an address that can't be meant is answered by the page, which says why."""
    if code not in charts.offered(request.actor):
        raise Http404
    asked = asked_period(request.GET, today=timezone.now().date())
    if not asked.form.is_valid():
        return redirect(f"{reverse('insights')}?{request.GET.urlencode()}")
    figures = Figures(request.actor, asked.period)
    made = charts.chart(code, figures, asked.period, request.actor)
    response = HttpResponse(csv_file(*made.file), CONTENT_TYPES["csv"])
    name = f"{code}-{asked.period.first}-{asked.period.last}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# How lists look, and the files made of them


def _listing(code: str) -> Listing:
    if code not in LISTS:
        raise Http404
    return LISTS[code]


@needs_actor
@require_GET
def list_suggestions(request: ActorRequest, code: str) -> HttpResponse:
    """What the filters' fields suggest: hundreds of values, which only who filters needs."""
    return render(request, "listing/_suggestions.html", {"suggested": _listing(code).suggested(request.actor)})


@needs_actor
@require_POST
def choose_columns(request: ActorRequest, code: str) -> HttpResponse:
    """What a list shows of each row (REF-20); *reset* goes back to the usual columns."""
    codes = [] if "reset" in request.POST else request.POST.getlist("column")
    listing, actor = _listing(code), request.actor
    asked = ListQuery.at(listing, request.POST.get("list", ""), actor)
    if asked.view:  # they are the view's, and change with it
        shown = tuple(column.code for column in listing.columns_chosen(codes, actor, asked.tab))
        return redirect(reverse(listing.url) + asked.address(columns=shown))
    left.choose_columns(listing, codes, actor=actor)
    return back(request)


@needs_actor
@require_POST
def export_list(request: ActorRequest, code: str) -> HttpResponse:
    """Have a worker make a file of a list, or of the rows ticked in it (REF-20); with `edit` one of deals that is
    changed and uploaded again, by its kind and format (F3)."""
    listing = _listing(code)
    holds, _dot, edited = request.POST.get("edit", "").rpartition(".")
    kind = edited or request.POST.get("format", "")
    may_edit = listing is DEALS and holds in KINDS and KINDS[holds].is_uploaded and not request.actor.is_vendor
    if kind not in Export.Format.values or (holds and not may_edit):
        raise Http404
    asked = ListQuery.at(listing, request.POST.get("list", ""), request.actor)
    chosen = _chosen(request, asked)
    if chosen is None:
        messages.error(request, gettext("None of the rows that you ticked is there any more."))
        return redirect_to(request, reverse(listing.url) + asked.address())
    export = services.request_export(
        asked.address().removeprefix("?"),
        listing=code,
        kind=kind,
        holds=holds,
        chosen=chosen,
        actor=request.actor,
        now=timezone.now(),
    )
    if request.htmx:
        return _export_state(request, _export(request, export.public_id), "bar")
    return redirect("export", export.public_id)


def _chosen(request: ActorRequest, asked: ListQuery) -> list[uuid.UUID] | None:
    """The rows that were ticked; empty where all that is listed is meant, None if none of them is there."""
    if "all" in request.POST or "row" not in request.POST:
        return []
    return picked(request.POST, asked, request.actor, most=Export.MAX_ROWS) or None


@needs_actor
@require_GET
def exports(request: ActorRequest) -> HttpResponse:
    """One's own files, the newest first."""
    newest = Export.objects.visible_to(request.actor).defer("content").order_by("-created_at", "-pk")
    return render(request, "pages/exports.html", {"exports": newest.with_state()[:MAX_EXPORTS]})


@needs_actor
@require_GET
def export(request: ActorRequest, public_id: Any) -> HttpResponse:
    """How far a file is; htmx asks again every second until it is done, on its page and in the bar below a list."""
    part = "bar" if request.htmx.target == IN_BAR else "progress" if request.htmx else ""
    return _export_state(request, _export(request, public_id), part)


def _export_state(request: ActorRequest, found: Export, part: str) -> HttpResponse:
    """The page, or the part of it that htmx asks for: on the page itself, or in the bar below the list."""
    name, listing = f"pages/export.html{'#' * bool(part)}{part}", LISTS[found.listing]
    context = {
        "export": found,
        "list_title": phrase(listing.title),
        "list_url": f"{reverse(listing.url)}?{found.query['list']}",
        "counted": listing.counted(found.done),
        "aim": listing.counted(found.aim),
        "most": listing.counted(Export.MAX_ROWS),
        "may_upload": uploads.may_upload(request.actor),
        "until": (found.finished_at or found.created_at) + services.KEPT,
    }
    return for_htmx(render(request, name, context))


@needs_actor
@require_GET
def download_export(request: ActorRequest, public_id: Any) -> HttpResponse:
    found = _export(request, public_id)
    if not found.is_ready:
        return redirect("export", found.public_id)
    response = HttpResponse(bytes(Export.objects.get(pk=found.pk).content or b""), CONTENT_TYPES[found.format])
    response["Content-Disposition"] = f'attachment; filename="{found.file_name}"'
    return response


def _export(request: ActorRequest, public_id: Any) -> Export:
    return get_object_or_404(Export.objects.visible_to(request.actor).with_state(), public_id=public_id)


# The top bar's switches


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    code = request.POST.get("language", "")
    if code not in dict(settings.LANGUAGES):
        raise Http404
    response = back(request)
    if isinstance(request.user, User):
        accounts.set_preference(request.user, language=code)
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, code, max_age=YEAR, samesite="Lax")
    return response


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    theme = request.POST.get("theme", "")
    if theme not in User.Theme.values:
        raise Http404
    response = back(request)
    if isinstance(request.user, User):
        accounts.set_preference(request.user, theme=theme)
    response.set_cookie(THEME_COOKIE, theme, max_age=YEAR, samesite="Lax")
    return response


@needs_actor
@require_POST
def switch_company(request: ActorRequest) -> HttpResponse:
    """Act for another of one's companies; a company one doesn't belong to is unknown (ORG-6)."""
    chosen = request.POST.get("company", "")
    membership = next((m for m in request.memberships if str(m.company.public_id) == chosen), None)
    if membership is None:
        raise Http404
    request.session[COMPANY_KEY] = membership.company_id
    return redirect("home")
