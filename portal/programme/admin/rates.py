"""Monthly rates in the admin: read by everyone there, uploaded by programme managers."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from portal.accounts.admin_site import MANAGERS, PortalAdmin, site, who
from portal.bodies import accepts_upload
from portal.money import services as money
from portal.money.forms import LARGEST_UPLOAD_BYTES, RatesForm
from portal.money.models import MonthlyRate
from portal.programme import services


@admin.register(MonthlyRate, site=site)
class MonthlyRateAdmin(PortalAdmin):
    write_roles = MANAGERS
    list_display = ("currency", "month", "usd_per_unit", "source", "publication", "imported_at")
    list_filter = ("source", "currency")
    date_hierarchy = "month"
    ordering = ("-month", "currency")
    list_per_page = 50

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
        """Upload a CSV of rates; every error is shown by line and then nothing is written."""
        if not self._may(request, self.write_roles):
            raise PermissionDenied
        form = RatesForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                done = services.upload_rates(form.cleaned_data["file"], **who(request))
            except money.RatesFileRefused as refused:
                for error in refused.errors:
                    text = _(error.blocker.message) % error.blocker.params
                    form.add_error("file", _("Line %(line)s: %(text)s") % {"line": error.line, "text": text})
            else:
                self._tell(request, done)
                return redirect("admin:money_monthlyrate_changelist")
        context = {**self.admin_site.each_context(request), "title": _("Upload rates"), "form": form, "opts": self.opts}
        return render(request, "admin/money/monthlyrate/upload.html", context)

    def _tell(self, request: HttpRequest, done: money.Imported) -> None:
        counts = {"created": done.created, "updated": done.updated, "unchanged": done.unchanged}
        text = _("Rates: %(created)s new, %(updated)s corrected, %(unchanged)s as before.") % counts
        messages.success(request, text)
        if done.changed:
            messages.info(request, _("Open deals are valued at the new rates within the hour."))
