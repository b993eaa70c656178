"""Monthly rates in the admin: read by everyone there, uploaded by programme managers."""

from __future__ import annotations

import io
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.accounts.admin_site import MANAGERS, PortalAdmin, site, who
from portal.bodies import accepts_upload
from portal.events.models import Event
from portal.money import services as money
from portal.money.forms import LARGEST_UPLOAD_BYTES, RatesForm, line_text
from portal.money.models import MonthlyRate
from portal.policy import services as policies
from portal.programme import services

#: How many rows of each kind the preview shows.
MAX_SHOWN = 200


@admin.register(MonthlyRate, site=site)
class MonthlyRateAdmin(PortalAdmin):
    write_roles = MANAGERS
    list_display = ("currency", "published", "usd_per_unit", "source", "publication", "imported_at")
    list_filter = ("source", "currency")
    date_hierarchy = "month"
    ordering = ("-month", "currency")
    list_per_page = 50

    def get_fields(self, request: HttpRequest, obj: MonthlyRate | None = None) -> tuple[str, ...]:
        return ("currency", "published", "usd_per_unit", "source", "publication", "imported_at", "history")

    def get_readonly_fields(self, request: HttpRequest, obj: MonthlyRate | None = None) -> tuple[str, ...]:
        return self.get_fields(request, obj)

    @admin.display(description=gettext_lazy("month"), ordering="month")
    def published(self, rate: MonthlyRate) -> str:
        """A month, not its first day."""
        return f"{rate.month:%Y-%m}"

    @admin.display(description=gettext_lazy("History"))
    def history(self, rate: MonthlyRate) -> str:
        """What it was before, who changed it and when (FX-1)."""
        told = Event.objects.of_subject(rate).select_related("actor_user").order_by("-pk")[:MAX_SHOWN]
        rows = [{"event": event, "was": _number(event.before), "is": _number(event.after)} for event in told]
        return render_to_string("admin/money/monthlyrate/_history.html", {"rows": rows})

    # Rates come in by file only, so that source and publication are always kept (FX-1).
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        upload = self.admin_site.admin_view(self.upload_view)
        return [path("upload/", upload, name="money_monthlyrate_upload"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may_upload = self._may(request, self.write_roles)
        return super().changelist_view(request, {"may_upload": may_upload, **(extra_context or {})})

    @accepts_upload(2 * LARGEST_UPLOAD_BYTES)  # so that the form can say what is wrong with a file too large
    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """Rates are shown as they would be taken in; nothing is written until that is confirmed (FX-1)."""
        if not self._may(request, self.write_roles):
            raise PermissionDenied
        form = RatesForm(request.POST or None, request.FILES or None)
        preview = None
        if request.method == "POST" and form.is_valid():
            now = timezone.now()
            preview = money.preview_csv(form.cleaned_data["text"], now=now, policy=policies.current(now))
            if not preview.refused and self._confirmed(form, preview):
                given = form.cleaned_data
                file = io.BytesIO(given["text"].encode())
                file.name = given["name"]
                self._tell(request, services.upload_rates(file, confirmed=True, **who(request)))
                return redirect("admin:money_monthlyrate_changelist")
        shown = _shown(form, preview) if preview else {}
        context = {**self.admin_site.each_context(request), "title": _("Upload rates"), "form": form, "opts": self.opts}
        return render(request, "admin/money/monthlyrate/upload.html", {**context, **shown})

    def _confirmed(self, form: RatesForm, preview: money.Preview) -> bool:
        """Whether the person has seen just this, and said that what is unusual is right."""
        if "confirm" not in form.data:
            return False
        if form.cleaned_data["seen"] != preview.mark:
            form.add_error(None, _("Somebody changed rates meanwhile. Look at what the file would change now."))
            return False
        if preview.questions and not form.cleaned_data["sure"]:
            form.add_error("sure", _("Tick that these rates are right, or correct them in the file."))
            return False
        return True

    def _tell(self, request: HttpRequest, done: money.Imported) -> None:
        counts = {"created": done.created, "updated": done.updated, "unchanged": done.unchanged}
        text = _("Rates: %(created)s new, %(updated)s corrected, %(unchanged)s as before.") % counts
        messages.success(request, text)
        if done.changed:
            messages.info(request, _("Open deals are valued at the new rates within the hour."))


def _shown(form: RatesForm, preview: money.Preview) -> dict[str, Any]:
    """What the page says of a file."""
    rows = [row for row in preview.rows if row.outcome != money.UNCHANGED]
    rows.sort(key=lambda row: not row.questions)
    asked = [blocker for questions in preview.questions.values() for blocker in questions]
    return {
        "preview": preview,
        "counted": [
            (_("New:"), len(preview.of(money.NEW))),
            (_("Changed:"), len(preview.of(money.CHANGED))),
            (_("As before:"), len(preview.of(money.UNCHANGED))),
            (_("Refused lines:"), len(preview.refused)),
        ],
        "rows": rows[:MAX_SHOWN],
        "more": len(rows) > MAX_SHOWN,
        "asked": [_(blocker.message) % blocker.params for blocker in asked[:MAX_SHOWN]],
        "refused": [line_text(error) for error in preview.refused[:MAX_SHOWN]],
        "refused_more": len(preview.refused) > MAX_SHOWN,
        "content": form.cleaned_data["text"],
        "name": form.cleaned_data["name"],
    }


def _number(told: Mapping[str, Any]) -> Decimal | None:
    return Decimal(told["usd_per_unit"]) if "usd_per_unit" in told else None
