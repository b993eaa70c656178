"""A record's history in the admin: what its events say, newest first, each changed field before and after."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db.models import DateTimeField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.admin_site import PortalAdmin, site
from portal.accounts.countries import COUNTRIES, country_choices
from portal.events.models import Event

#: So many changes of one record are shown, the newest.
SHOWN = 200


@dataclass(frozen=True)
class Change:
    """One field, as it was and as it became."""

    label: str
    before: Any
    after: Any


class HistoryAdmin(PortalAdmin):
    """`told`: the label of each verb, which may name what the event says by %(name)s. The record has no other history:
    its events are kept with the change itself."""

    told: ClassVar[Mapping[str, Any]] = {}
    #: Of columns that the model doesn't have under that name.
    columns: ClassVar[Mapping[str, Any]] = {}

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        record = self.get_object(request, object_id)
        if record is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        if not self.has_view_permission(request, record):
            raise PermissionDenied
        found = Event.objects.of_subject(record).select_related("actor_user").order_by("-at", "-pk")[:SHOWN]
        context = {
            **site.each_context(request),
            "title": _("Change history: %s") % record,
            "opts": self.opts,
            "object": record,
            "entries": [(event, self._label(event), list(self._changes(event))) for event in found],
            **(extra_context or {}),
        }
        return render(request, "admin/history.html", context)

    def _label(self, event: Event) -> str:
        known = self.told.get(event.verb)
        return str(known) % defaultdict(str, event.after) if known else event.verb

    def _changes(self, event: Event) -> Iterator[Change]:
        """The fields that people know; what else an event holds is for programs."""
        for name in sorted(event.after, key=self._place):
            value = event.after[name]
            if label := self._field_label(name):
                before = self._shown(name, event.before[name]) if name in event.before else ""
                yield Change(label, before, self._shown(name, value))

    def _place(self, name: str) -> int:
        """In the order of the record's form."""
        names = [*self.columns, *(field.name for field in self.model._meta.fields)]
        return names.index(name) if name in names else len(names)

    def _field_label(self, name: str) -> str:
        if name in self.columns:
            return str(self.columns[name])
        try:
            field: Any = self.model._meta.get_field(name)
        except FieldDoesNotExist:
            return ""
        told = not field.is_relation and not isinstance(field, DateTimeField)  # the label says what happened, and when
        return capfirst(str(field.verbose_name)) if told else ""

    def _shown(self, name: str, value: Any) -> Any:
        if value in (None, ""):
            return "–"
        if isinstance(value, bool):
            return gettext("Yes") if value else gettext("No")
        if name == "country" and value in COUNTRIES:
            return dict(country_choices(get_language() or "en"))[value]
        return self._choice(name, value)

    def _choice(self, name: str, value: Any) -> Any:
        field: Any = self.model._meta.get_field(name) if name not in self.columns else None
        return dict(getattr(field, "flatchoices", ())).get(value, value)
