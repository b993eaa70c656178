"""The filters of the lists of ISV Connect, and their addresses."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from isvconnect.models import Invoice, InvoiceRun, IsvDeal, Status
from isvconnect.selectors import next_run
from portal.accounts.models import Company
from portal.params import whole_number


def deals(**asked: Any) -> str:
    """The list of deals with these filters."""
    return reverse("admin:isvconnect_isvdeal_changelist", query=asked)


def invoices(**asked: Any) -> str:
    """The list of invoices with these filters."""
    return reverse("admin:isvconnect_invoice_changelist", query=asked)


class StateFilter(admin.SimpleListFilter):
    """Each state, and RD's two groups of them (ISV-5)."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("In progress")), ("closed", _("Closed")), *Status.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[IsvDeal]) -> QuerySet[IsvDeal]:
        found: Any = queryset
        match self.value():
            case None:
                return queryset
            case "open":
                return found.in_progress()
            case "closed":
                return found.closed()
        return queryset.filter(status=self.value())


class NextFilter(admin.SimpleListFilter):
    """What is to be issued next, and what waits for a fee rate (ISV-6)."""

    title = _("next invoice")
    parameter_name = "next"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(code, _(span.label)) for code, span in next_run.SPANS.items()] + [("rate", _("Waits for a fee rate"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[IsvDeal]) -> QuerySet[IsvDeal]:
        found: Any = queryset
        if self.value() == "rate":
            return found.without_rate()
        return next_run.due(found, self.value() or "", timezone.now().date()) if self.value() else queryset


class PartnerFilter(admin.SimpleListFilter):
    """Partners who ever reported a deal."""

    title = _("partner")
    parameter_name = "partner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        found = Company.objects.filter(pk__in=IsvDeal.objects.values("company")).order_by("name", "pk")
        return [(str(pk), name) for pk, name in found.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(company_id=whole_number(self.value()) or 0) if self.value() else queryset


class RunFilter(admin.SimpleListFilter):
    """What a run of the workers issued; its page leads here."""

    title = _("run")
    parameter_name = "run"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        runs = InvoiceRun.objects.filter(issued__gt=0)[:10]
        return [(str(run.pk), str(run)) for run in runs]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        issued = Invoice.objects.filter(run_id=whole_number(self.value()) or 0)
        if queryset.model is Invoice:
            return queryset.filter(pk__in=issued)
        return queryset.filter(pk__in=issued.values("deal"))


class RatedFilter(RunFilter):
    """The deals that got their fees in a run."""

    title = _("fees set in the run")
    parameter_name = "rated"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(run.pk), str(run)) for run in InvoiceRun.objects.filter(rated__gt=0)[:10]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        run = InvoiceRun.objects.filter(pk=whole_number(self.value()) or 0).first()
        return queryset.filter(pk__in=next_run.rated_in(run)) if run else queryset.none()
