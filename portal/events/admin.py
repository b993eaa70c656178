"""What happened, in the admin: read by everyone there, changed by nobody."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal.accounts.admin_site import PortalAdmin, column, site, titled
from portal.events import services
from portal.events.models import Event

#: The filter offers the verbs of this many events, the newest: asking all of them would read the whole table.
RECENT = 10_000


class VerbFilter(admin.SimpleListFilter):
    title = _("what")
    parameter_name = "verb"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        recent = Event.objects.filter(pk__in=Event.objects.order_by("-pk").values("pk")[:RECENT])
        return [(verb, verb) for verb in recent.order_by("verb").values_list("verb", flat=True).distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(verb=self.value()) if self.value() else queryset


WHEN = column("at", _("when"))
WHAT = column("verb", _("what"))
WHOSE = column("company", _("company"))
COMMENT = column("comment", _("comment"))


@admin.register(Event, site=site)
class EventAdmin(PortalAdmin):
    list_display = (WHEN, WHAT, WHOSE, "who", COMMENT)
    list_filter = (
        VerbFilter,
        ("at", titled(admin.DateFieldListFilter, _("when"))),
        ("company", titled(admin.RelatedFieldListFilter, _("company"))),
    )
    list_select_related = ("company", "actor_user")
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-pk",)
    fields = (
        WHEN,
        WHAT,
        WHOSE,
        "who",
        "subject",
        "changes",
        "why",
        COMMENT,
        column("policy_version", _("policy version")),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        """Nothing of deals that are not shared with the vendor (REF-3)."""
        return services.seen_by_vendor()

    @admin.display(description=_("who"))
    def who(self, event: Event) -> str:
        return event.actor_name or event.get_actor_kind_display()

    @admin.display(description=_("record"))
    def subject(self, event: Event) -> str:
        return f"{event.subject_type} {event.subject_id}"

    @admin.display(description=_("changes"))
    def changes(self, event: Event) -> str:
        """One line a column, by the names the database knows; not those that a model keeps for its own company."""
        kept: frozenset[str] = getattr(apps.get_model(event.subject_type), "own_columns", frozenset())
        changed = {name: value for name, value in event.after.items() if name not in kept}
        lines = (f"{name}: {event.before.get(name)} → {value}" for name, value in changed.items())
        return "\n".join(lines) or "–"

    @admin.display(description=_("reasons"))
    def why(self, event: Event) -> str:
        return ", ".join(f"{reason['rule']} {reason['code']}" for reason in event.reasons) or "–"
