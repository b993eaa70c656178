"""Invoices and credit notes in the administration: read only, as they were issued (ISV-6)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone, translation
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from isvconnect.admin import filters
from isvconnect.models import Invoice
from isvconnect.services import invoices as services
from portal.accounts.admin_site import PortalAdmin, site
from portal.workflow import text


def download(content: bytes, name: str, content_type: str) -> HttpResponse:
    return HttpResponse(
        content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


CSV = "text/csv; charset=utf-8"


@admin.register(Invoice, site=site)
class InvoiceAdmin(PortalAdmin):
    list_display = ["number", "kind", "partner", "customer", "year", "value", "value_usd", "issued"]
    list_filter = ["kind", filters.PartnerFilter, filters.RunFilter]
    list_select_related = ["company", "deal__customer"]
    search_fields = ["number", "company__name", "deal__customer__name", "deal__solution__name"]
    search_help_text = _("Number, partner, customer or solution")
    date_hierarchy = "issued_at"
    ordering = ["-issued_at", "-pk"]
    list_per_page = 50
    show_full_result_count = False
    change_form_template = "admin/isvconnect/invoice.html"
    actions = ["as_csv"]
    fields = [
        *("number", "kind", "partner", "of_deal", "year", "period", "year_share", "fee", "value", "value_usd"),
        *("issued_at", "credits_invoice", "credit_note"),
    ]

    @admin.display(description=_("partner"), ordering="company__name")
    def partner(self, row: Invoice) -> str:
        return row.company.name

    @admin.display(description=_("customer"), ordering="deal__customer__name")
    def customer(self, row: Invoice) -> str:
        return row.deal.customer.name

    @admin.display(description=_("amount"))
    def value(self, row: Invoice) -> str:
        return text.money(row.amount, row.currency)

    @admin.display(description=_("amount (USD)"), ordering="amount_usd")
    def value_usd(self, row: Invoice) -> str:
        return text.money(row.amount_usd, "USD")

    @admin.display(description=_("issued"), ordering="issued_at")
    def issued(self, row: Invoice) -> str:
        return text.day(timezone.localtime(row.issued_at).date())

    @admin.display(description=_("deal"))
    def of_deal(self, row: Invoice) -> Any:
        return _link("isvdeal", row.deal_id, row.deal)

    @admin.display(description=_("period"))
    def period(self, row: Invoice) -> str:
        return f"{text.day(row.first_day)} – {text.day(row.last_day)}"

    @admin.display(description=_("share of the solution value"))
    def year_share(self, row: Invoice) -> str:
        return text.money(row.share, row.currency)

    @admin.display(description=_("fee rate"))
    def fee(self, row: Invoice) -> str:
        return text.percent(row.percent)

    @admin.display(description=_("credits the invoice"))
    def credits_invoice(self, row: Invoice) -> Any:
        return _link("invoice", row.credits_id, row.credits) if row.credits else "–"

    @admin.display(description=_("credited by"))
    def credit_note(self, row: Invoice) -> Any:
        note = Invoice.objects.filter(credits=row).first()
        return _link("invoice", note.pk, note) if note else "–"

    @admin.action(description=_("As CSV"), permissions=["view"])
    def as_csv(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> HttpResponse:
        return download(services.csv(queryset.select_related("deal", "credits")), "invoices.csv", CSV)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:number>/pdf/", view(self.pdf_view), name="isvconnect_invoice_pdf"),
            path("<int:number>/csv/", view(self.csv_view), name="isvconnect_invoice_csv"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invoice]:
        return super().get_queryset(request).select_related("deal__customer", "deal__solution", "company", "credits")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields

    def pdf_view(self, request: HttpRequest, number: int) -> HttpResponse:
        """The invoice as PDF, in the reader's language."""
        found = self._found(request, number)
        return download(services.pdf(found, translation.get_language()), f"{found.number}.pdf", "application/pdf")

    def csv_view(self, request: HttpRequest, number: int) -> HttpResponse:
        found = self._found(request, number)
        return download(services.csv([found]), f"{found.number}.csv", CSV)

    def _found(self, request: HttpRequest, number: int) -> Invoice:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = Invoice.objects.select_related("deal", "credits").filter(pk=number).first()
        if found is None:
            raise Http404
        return found

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """It has nothing to send: what is sent is refused."""
        if request.method == "POST":
            raise PermissionDenied
        return super().change_view(request, object_id, form_url, extra_context)


def _link(model: str, number: int | None, shown: Any) -> Any:
    return format_html('<a href="{}">{}</a>', reverse(f"admin:isvconnect_{model}_change", args=[number]), shown)
