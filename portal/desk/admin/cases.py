"""The desk: its queues, claims and saved filters (FLOW-12, FLOW-13)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.admin_site import PortalAdmin, site, who
from portal.accounts.rules import Actor
from portal.desk import listing as desk
from portal.desk import services
from portal.desk.admin import figures, passing
from portal.desk.frame import QUEUE, address_of, back_to
from portal.desk.models import Case
from portal.desk.rules import KINDS
from portal.params import whole_number
from portal.policy import services as policies
from portal.ui import services as kit
from portal.ui.http import show_refusal
from portal.ui.listing import context as list_page
from portal.ui.listing import menus
from portal.ui.listing.query import ListQuery
from portal.ui.listing.rows import listed
from portal.ui.models import SavedView
from portal.workflow.blockers import RuleViolation

_WAITING = ("deal", "customer", "company", "reason", "value", "age", "due", "claimed")
_DECIDED = ("deal", "customer", "company", "reason", "value", "outcome", "decider", "closed")


@admin.register(Case, site=site)
class CaseAdmin(PortalAdmin):
    change_list_template = "admin/desk/desk.html"
    ordering = ("due_on", "pk")

    def get_urls(self) -> list[URLPattern]:
        pages = {
            "do/": (self.act_view, "desk_act"),
            "pass/": (self.pass_view, "desk_pass"),
            "filters/": (self.filters_view, "desk_filters"),
            "figures/": (self.figures_view, "desk_figures"),
        }
        own = [path(at, self.admin_site.admin_view(view), name=name) for at, (view, name) in pages.items()]
        return [*own, *super().get_urls()]

    def _shared(self, request: HttpRequest, title: Any) -> dict[str, Any]:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return {**self.admin_site.each_context(request), "opts": self.opts, "title": title}

    # The list

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        shared = self._shared(request, _("Review desk"))
        actor, now = who(request).values()
        shown = desk.DeskListing(now)
        asked = self._asked(shown, request.GET.urlencode(), actor)
        if asked.is_elsewhere:
            return redirect(request.path + asked.address())
        columns = _DECIDED if asked.tab == desk.DECIDED else _WAITING
        context = list_page.context(actor, asked, columns, menus.FILTERS)
        context |= {
            "queues": self._queues(shown, asked, actor),
            "counts": shown.counts(actor, asked, None),
            "queue": asked.address(),
            "saved": kit.views(actor)[shown.code],
            "reviews": any(kind.is_claimed and kind.may_decide(actor) for kind in KINDS.values()),
            "review_days": policies.current(now).review_days,
        }
        return TemplateResponse(request, self.change_list_template, {**context, **shared})

    @staticmethod
    def _asked(shown: desk.DeskListing, address: str, actor: Actor) -> ListQuery:
        """In the queue asked for; a search that finds nothing there looks among what was decided."""
        asked = desk.query_of(shown, address, actor)
        counts = shown.counts(actor, asked, listed(actor, asked))
        tab = asked.tab or desk.OPEN
        if asked.query and not counts[tab] and counts[desk.DECIDED]:
            tab = desk.DECIDED
        return desk.in_tab(shown, asked, tab)

    @staticmethod
    def _queues(shown: desk.DeskListing, asked: ListQuery, actor: Actor) -> list[dict[str, Any]]:
        """The queues in their groups; a reason or another kind only if there is something, or one is looking at it."""
        today, groups = shown.now.date(), list[dict[str, Any]]()
        for group, tabs in shown.groups(actor).items():
            lines = []
            for tab, label in tabs.items():
                number, oldest = shown.counts(actor, asked, None)[tab], shown.oldest.get(tab)
                if number or tab == asked.tab or tab in desk.QUEUES or tab == desk.DECIDED:
                    line = list_page.tab_link(actor, replace(asked, order=shown.order()), tab, number)
                    age = (today - oldest.date()).days if oldest else None
                    lines.append({**line, "active": tab == asked.tab, "label": label, "age": age})
            if lines:
                groups.append({"label": group, "lines": lines})
        return groups

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A case has no page of its own: its record's."""
        if request.method != "GET" or not self.has_view_permission(request):
            raise PermissionDenied
        case = Case.objects.visible_to(who(request)["actor"]).filter(pk=whole_number(object_id) or 0).first()
        if case is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        return redirect(address_of(case))

    # Claims

    def act_view(self, request: HttpRequest) -> HttpResponse:
        """What the buttons of the bar and of the list do: claim, take over, release, take next, skip."""
        if request.method != "POST" or not self.has_view_permission(request):
            raise PermissionDenied
        acts = {
            "claim": self._claim,
            "take_over": self._take_over,
            "release": self._release,
            "next": self._next,
            "skip": self._skip,
        }
        act = acts.get(request.POST.get("do", ""))
        if act is None:
            raise BadRequest("unknown act")
        return act(request, _posted_cases(request), request.POST.get(QUEUE, ""))

    @staticmethod
    def _claim(request: HttpRequest, cases: list[Case], queue: str) -> HttpResponse:
        return _claim_each(request, cases, queue, take_over=False)

    @staticmethod
    def _take_over(request: HttpRequest, cases: list[Case], queue: str) -> HttpResponse:
        return _claim_each(request, cases, queue, take_over=True)

    @staticmethod
    def _release(request: HttpRequest, cases: list[Case], queue: str) -> HttpResponse:
        for case in cases:
            services.release(case, **who(request))
        return _where_from(request, cases, queue)

    @staticmethod
    def _next(request: HttpRequest, cases: list[Case], queue: str) -> HttpResponse:
        """The first that is free in the queue that one comes from."""
        actor, now = who(request).values()
        rows: Any = desk.queue_of(queue, actor, now).in_order()
        found = services.take_next(rows.exclude(pk__in=[case.pk for case in cases]), actor=actor, now=now)
        return _open(request, found, queue)

    @staticmethod
    def _skip(request: HttpRequest, cases: list[Case], queue: str) -> HttpResponse:
        """Leave this one to others, and take the next free one below it."""
        actor, now = who(request).values()
        if not cases:
            raise BadRequest("nothing to skip")
        services.release(cases[0], actor=actor, now=now)
        found = services.take_next(desk.queue_of(queue, actor, now).beyond(cases[0]), actor=actor, now=now)
        return _open(request, found, queue)

    # Filters, bulk pass, figures

    def filters_view(self, request: HttpRequest) -> HttpResponse:
        """Keep the filters of the desk under a name, or forget them."""
        if request.method != "POST" or not self.has_view_permission(request):
            raise PermissionDenied
        actor, now = who(request).values()
        address, name = request.POST.get(QUEUE, ""), request.POST.get("name", "").strip()
        shown = desk.DeskListing(now)
        if forgotten := whole_number(request.POST.get("forget")):
            for view in SavedView.objects.of_person(actor).filter(listing=shown.code, pk=forgotten):
                kit.delete_view(view, actor=actor)
            return redirect(back_to(address, actor, now))
        try:
            kit.save_view(shown.code, name, desk.query_of(shown, address, actor).address(), actor=actor)
        except RuleViolation as violation:
            show_refusal(request, violation)
        else:
            messages.success(request, gettext("The filters are saved as “%(name)s”.") % {"name": name})
        return redirect(back_to(address, actor, now))

    def pass_view(self, request: HttpRequest) -> HttpResponse:
        context = self._shared(request, _("Pass several"))
        context |= passing.context(request)
        return TemplateResponse(request, "admin/desk/pass.html", context, status=422 if context["form"].errors else 200)

    def figures_view(self, request: HttpRequest) -> HttpResponse:
        context = self._shared(request, _("Figures of the desk"))
        return TemplateResponse(request, "admin/desk/figures.html", {**context, **figures.context(timezone.now())})


def _posted_cases(request: HttpRequest) -> list[Case]:
    """Raises Http404 for what is no case."""
    pks = [whole_number(value) or 0 for value in request.POST.getlist("case")]
    found = Case.objects.visible_to(who(request)["actor"]).in_bulk(pks)
    if len(found) < len(set(pks)):
        raise Http404
    return [found[pk] for pk in dict.fromkeys(pks)]


def _claim_each(request: HttpRequest, cases: list[Case], queue: str, *, take_over: bool) -> HttpResponse:
    for case in cases:
        try:
            services.claim(case, take_over=take_over, **who(request))
        except RuleViolation as violation:
            show_refusal(request, violation)
    return _where_from(request, cases, queue)


def _where_from(request: HttpRequest, cases: list[Case], queue: str) -> HttpResponse:
    """To the case's page, if one comes from there; else to the list."""
    if cases and request.POST.get("from") == "page":
        return redirect(address_of(cases[0], queue))
    return redirect(back_to(queue, *who(request).values()))


def _open(request: HttpRequest, found: Case | None, queue: str) -> HttpResponse:
    if found is not None:
        return redirect(address_of(found, queue))
    messages.info(request, gettext("Nothing is left to take in this queue."))
    return redirect(back_to(queue, *who(request).values()))
