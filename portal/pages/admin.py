"""What happened, in the admin: read by everyone there, changed by nobody. Beside the pages of several apps, because it
says of all of them what happened, and leads to their records."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from portal.accounts.admin_site import PortalAdmin, column, moment, site, titled, who
from portal.accounts.rules import Actor
from portal.events import services
from portal.events.models import Event
from portal.events.selectors import recent_verbs
from portal.folding import fold
from portal.pages import selectors
from portal.params import whole_number
from portal.workflow import timeline


def actor(request: HttpRequest) -> Actor:
    return who(request)["actor"]


class VerbFilter(admin.SimpleListFilter):
    title = _("what")
    parameter_name = "verb"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = {verb: timeline.name(verb) for verb in recent_verbs()}
        times = Counter(names.values())  # two kinds may say the same
        named = [(verb, name if times[name] == 1 else f"{name} ({verb})") for verb, name in names.items()]
        return sorted(named, key=lambda choice: fold(choice[1].lstrip("… ")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(verb=self.value()) if self.value() else queryset


class BeforeFilter(admin.SimpleListFilter):
    """The events older than one: pages go on by key. Nobody chooses it from a list."""

    title = _("older than")
    parameter_name = "before"
    template = "admin/events/_no_choice.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("", "")]  # one without any is left out, with what it does

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        before = whole_number(self.value())
        return queryset if before is None else queryset.filter(pk__lt=before)


class OneMore(Paginator):
    """Counts no further than to one row more than a page has: that tells whether there is another."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return len(rows.values_list("pk")[: self.per_page + 1])


class Page(ChangeList):
    """The newest events, and the address of those below them; what each leads to is found in one query for all."""

    older, newest = "", ""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.full_result_count = self.result_count  # so that the page doesn't call it the number of results
        self.result_list = selectors.with_deals(self.result_list, actor(request))
        if self.multi_page:
            self.older = self.get_query_string({BeforeFilter.parameter_name: self.result_list[-1].pk})
        if BeforeFilter.parameter_name in self.params:
            self.newest = self.get_query_string(remove=[BeforeFilter.parameter_name])


@admin.register(Event, site=site)
class EventAdmin(PortalAdmin):
    list_display = ("when", "sentence", "whose", "by", "record", "said")
    list_filter = (
        VerbFilter,
        ("at", titled(admin.DateFieldListFilter, _("when"))),
        ("company", titled(admin.RelatedFieldListFilter, _("company"))),
        BeforeFilter,
    )
    list_select_related = ("company", "actor_user")
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = OneMore
    ordering = ("-pk",)
    search_fields = ("verb",)
    search_help_text = _("What happened, a company, a person, or a deal by name or id")
    fields = ("when", "sentence", column("verb", _("kind")), "whose", "by", "record", "changes", "why", "said", "under")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        """Nothing of deals that are not shared with the vendor (REF-3)."""
        return services.seen_by_vendor()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return Page

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        return selectors.find_events(queryset, search_term, actor(request)), False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Event | None:
        event = super().get_object(request, object_id, from_field)
        return selectors.with_deals([event], actor(request))[0] if event else None

    @admin.display(description=_("when"))
    def when(self, event: Event) -> str:
        return moment(event.at)

    @admin.display(description=_("what"))
    def sentence(self, event: Event) -> str:
        return selectors.sentence(event)

    @admin.display(description=_("company"))
    def whose(self, event: Event) -> str:
        return event.company.name if event.company else "–"

    @admin.display(description=_("who"))
    def by(self, event: Event) -> str:
        return event.actor_name or event.get_actor_kind_display()

    @admin.display(description=_("record"))
    def record(self, event: Event) -> str:
        """The deal that it is of; else the record's page here, if it has one."""
        if deal := getattr(event, "deal", None):
            return format_html('<a href="{}">{}</a>', reverse("deal", args=[deal.public_id]), deal.name)
        model = apps.get_model(event.subject_type)
        name = f"{capfirst(str(model._meta.verbose_name))} {event.subject_id}"
        if not site.is_registered(model):
            return name
        url = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        return format_html('<a href="{}">{}</a>', reverse(url, args=[event.subject_id]), name)

    @admin.display(description=_("changes"))
    def changes(self, event: Event) -> str:
        return render_to_string("admin/events/_changes.html", {"changes": selectors.changes(event)})

    @admin.display(description=_("reasons"))
    def why(self, event: Event) -> str:
        return "\n".join(timeline.entry(event)["reasons"]) or "–"

    @admin.display(description=_("comment"))
    def said(self, event: Event) -> str:
        return event.comment or "–"

    @admin.display(description=_("policy version"))
    def under(self, event: Event) -> str:
        return f"v{event.policy_version}"
