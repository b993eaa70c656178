"""The runs that issue invoices: what each issued, and what the next one will (ISV-6)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from isvconnect.admin import filters
from isvconnect.models import InvoiceRun, Tag
from isvconnect.selectors import next_run
from portal.accounts.admin_site import PortalAdmin, moment, site
from portal.ui.templatetags.ortak import badge, number

#: How many invoices the page of the next run lists.
MAX_SHOWN = 100


@admin.register(InvoiceRun, site=site)
class InvoiceRunAdmin(PortalAdmin):
    list_display = ("started_at", "ended", "invoices", "invoiced_deals", "rated_deals", "waiting")
    date_hierarchy = "started_at"
    ordering = ("-started_at", "-pk")
    fields = ("started_at", "ended", "invoices", "invoiced_deals", "rated_deals", "waiting", "waiting_now")
    list_per_page = 50
    show_full_result_count = False
    change_list_template = "admin/isvconnect/runs.html"

    @admin.display(description=_("finished (UTC)"), ordering="finished_at")
    def ended(self, run: InvoiceRun) -> Any:
        if run.finished_at is None:
            return badge("warning", gettext("Not finished"))
        return moment(run.finished_at)

    @admin.display(description=_("invoices issued"), ordering="issued")
    def invoices(self, run: InvoiceRun) -> Any:
        return _link(run.issued, filters.invoices(run=run.pk))

    @admin.display(description=_("deals"), ordering="deals")
    def invoiced_deals(self, run: InvoiceRun) -> Any:
        return _link(run.deals, filters.deals(run=run.pk))

    @admin.display(description=_("deals that got a fee rate"), ordering="rated")
    def rated_deals(self, run: InvoiceRun) -> Any:
        return _link(run.rated, filters.deals(rated=run.pk))

    @admin.display(description=_("deals that wait for a fee rate now"))
    def waiting_now(self, run: InvoiceRun) -> Any:
        return _link(sum(next_run.waiting_by_tag().values()), filters.deals(next="rate"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.next_view)
        return [path("next/", view, name="isvconnect_invoicerun_next"), *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.fields

    def next_view(self, request: HttpRequest) -> HttpResponse:
        """What the next run issues, what falls due after it, and what waits for a fee rate."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        today = timezone.now().date()
        waiting, lines = next_run.waiting_by_tag(), list(next_run.lines(today))
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "title": _("Next run")}
        context = {
            "spans": [(due, filters.deals(next=due.span)) for due in next_run.forecast(today)],
            "waiting": [
                (Tag(tag).label, count, filters.deals(next="rate", tag__exact=tag)) for tag, count in waiting.items()
            ],
            "lines": lines[:MAX_SHOWN],
            "count": len(lines),
            "totals": next_run.total(lines),
        }
        return TemplateResponse(request, "admin/isvconnect/next_run.html", {**shared, **context})


def _link(count: int, url: str) -> Any:
    return format_html('<a href="{}">{}</a>', url, number(count)) if count else "0"
