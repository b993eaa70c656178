"""Fee rates in the administration: read by everybody there, kept by programme managers (ISV-6)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from isvconnect.models import FeeRate
from isvconnect.selectors import next_run
from isvconnect.services import fee_rates as services
from portal.accounts.admin_site import MANAGERS, PortalAdmin, site, who
from portal.workflow import text
from portal.workflow.blockers import RuleViolation

WHICH = ("tag", "effective_from")
#: How many invoices the preview lists.
MAX_SHOWN = 100
ADD = reverse_lazy("admin:isvconnect_feerate_add")


class RateForm(forms.ModelForm):
    """Parses a rate and shows what the service would refuse; the service writes it."""

    class Meta:
        model = FeeRate
        fields = (*WHICH, "percent")

    def rate(self) -> dict[str, Any]:
        """What the service takes; of a rate that there is only the percentage changes."""
        return {name: self.cleaned_data.get(name, getattr(self.instance, name)) for name in (*WHICH, "percent")}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            field = "effective_from" if "effective_from" in self.fields else "percent"
            for blocker in services.setting_blockers(**self.rate()):
                self.add_error(field, text.text(blocker))
        return cleaned


class PreviewForm(RateForm):
    """A rate that is looked at may be one that there is already."""

    def validate_unique(self) -> None: ...

    def validate_constraints(self) -> None: ...


@admin.register(FeeRate, site=site)
class FeeRateAdmin(PortalAdmin):
    write_roles = MANAGERS
    taken_field = "effective_from"
    form = RateForm
    list_display = ("tag", "effective_from", "fee")
    list_filter = ("tag",)
    ordering = ("tag", "-effective_from")
    change_list_template = "admin/isvconnect/rates.html"
    change_form_template = "admin/isvconnect/rate.html"

    @admin.display(description=_("fee"), ordering="percent")
    def fee(self, row: FeeRate) -> str:
        return text.percent(row.percent)

    def get_readonly_fields(self, request: HttpRequest, obj: FeeRate | None = None) -> tuple[str, ...]:
        """Which rate it is stays; a wrong one is removed, and the right one added."""
        return () if obj is None else WHICH

    def save_model(self, request: HttpRequest, obj: FeeRate, form: Any, change: bool) -> None:
        obj.pk = services.set_rate(**form.rate(), **who(request)).pk

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("preview/", view(self.preview_view), name="isvconnect_feerate_preview"),
            path("<int:number>/remove/", view(self.remove_view), name="isvconnect_feerate_remove"),
            *super().get_urls(),
        ]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """What the next run issues with the rate that was typed. Writes nothing."""
        self._manages(request)
        form = PreviewForm(request.POST)
        if not form.is_valid():
            return self._page(request, "rate_preview", _("Preview"), status=422, form=form)
        given = form.rate()
        rates = {**next_run.rates_of(given["tag"]), given["effective_from"]: given["percent"]}
        found = next_run.preview(given["tag"], rates, timezone.now())
        known = FeeRate.objects.filter(tag=given["tag"], effective_from=given["effective_from"]).first()
        return self._page(
            request,
            "rate_preview",
            _("Preview"),
            form=form,
            rate=FeeRate(**given),
            preview=found,
            shown=found.lines[:MAX_SHOWN],
            save_url=reverse("admin:isvconnect_feerate_change", args=[known.pk]) if known else ADD,
        )

    def remove_view(self, request: HttpRequest, number: int) -> HttpResponse:
        """Take a rate back, where nothing was invoiced at it; else the page says why not."""
        self._manages(request)
        rate = FeeRate.objects.filter(pk=number).first()
        if rate is None:
            raise Http404
        blockers = services.removal_blockers(rate)
        if request.method == "POST":
            try:
                services.remove_rate(rate, **who(request))
            except RuleViolation as violation:
                blockers = violation.blockers
            else:
                messages.success(request, gettext("The fee rate was removed."))
                return redirect("admin:isvconnect_feerate_changelist")
        return self._page(request, "rate_remove", _("Remove the fee rate"), rate=rate, blockers=blockers)

    def _manages(self, request: HttpRequest) -> None:
        """Raises PermissionDenied."""
        if not self._may(request, self.write_roles):
            raise PermissionDenied

    def _page(self, request: HttpRequest, template: str, title: Any, status: int = 200, **context: Any) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        page = f"admin/isvconnect/{template}.html"
        return TemplateResponse(request, page, {**shared, **context}, status=status)
