"""Marketplace transactions in the admin: read by everyone there, taken in and voided by programme managers (FLOW-3)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealreg.models import MarketplaceTransaction
from dealreg.rules import marketplace as rules
from dealreg.services import marketplace as services
from dealreg.services import marketplace_file
from portal import sheets
from portal.accounts.admin_site import MANAGERS, TAKEN, PortalAdmin, actor_of, site
from portal.accounts.rules import Actor
from portal.bodies import accepts_upload
from portal.money import services as money
from portal.money.forms import LARGEST_UPLOAD_BYTES, AmountField
from portal.sheets import LineError
from portal.workflow import text
from portal.workflow.blockers import RuleViolation

#: How many lines of each kind the preview shows.
MAX_SHOWN = 100


class TransactionForm(forms.ModelForm):
    """Parses a transaction and shows what the service would refuse; the service takes it in."""

    amount = AmountField(label=_("Amount"))
    currency = forms.ChoiceField(label=_("Currency"))

    class Meta:
        model = MarketplaceTransaction
        fields = ("transaction_id", "company", "customer", "solution", "date", "amount", "currency", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        currency: Any = self.fields["currency"]
        currency.choices = [(code, code) for code in money.currencies()]

    def value(self) -> services.NewTransaction:
        given = self.cleaned_data
        details = rules.Details(given["transaction_id"], given["date"], given["amount"], given["currency"])
        return services.NewTransaction(
            details, given["company"], given["customer"], given["solution"], given.get("note", "")
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            for blocker in services.new_transaction_blockers(self.value(), now=timezone.now()):
                self.add_error(blocker.field or None, text.text(blocker))
        return cleaned


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("free", _("Not matched")), ("matched", _("Matched")), ("voided", _("Voided"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[MarketplaceTransaction]
    ) -> QuerySet[MarketplaceTransaction]:
        states = {
            "free": Q(registration=None, voided_at=None),
            "matched": Q(registration__isnull=False),
            "voided": Q(voided_at__isnull=False),
        }
        return queryset.filter(states.get(self.value() or "", Q()))


class FileForm(forms.Form):
    """The file, or what was read of it when its preview is confirmed."""

    file = forms.FileField(
        label=_("CSV file"),
        required=False,
        help_text=_("UTF-8; commas, or semicolons with decimal commas. At most 1 MB; load more in parts."),
    )
    text = forms.CharField(required=False, widget=forms.HiddenInput, strip=False)

    def clean(self) -> dict[str, Any]:
        """`text` is what the file holds, or what the confirmed preview was made of."""
        cleaned = super().clean() or {}
        file = cleaned.get("file")
        if self.errors:
            return cleaned
        if file is None and not cleaned.get("text"):
            self.add_error("file", gettext("Choose a file."))
        elif file is not None and file.size > LARGEST_UPLOAD_BYTES:
            self.add_error("file", gettext("The file is larger than 1 MB; upload it in parts."))
        elif file is not None:
            try:
                cleaned["text"] = sheets.decode_sheet(file.read(), rule="FLOW-3")
            except sheets.Refused as refused:
                for error in refused.errors:
                    self.add_error("file", _line_text(error))
        return cleaned


def _line_text(error: LineError) -> str:
    return gettext("Line %(line)s: %(text)s") % {"line": error.line, "text": text.text(error.blocker)}


class VoidForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )


@admin.register(MarketplaceTransaction, site=site)
class MarketplaceTransactionAdmin(PortalAdmin):
    write_roles = MANAGERS
    taken_field = "transaction_id"
    list_display = ("transaction_id", "company", "customer", "solution", "date", "value", "source", "state")
    list_filter = (StateFilter, "source")
    list_select_related = ("company", "customer", "solution", "registration__referral")
    date_hierarchy = "date"
    search_fields = ("transaction_id", "company__name", "customer__name", "solution__name", "solution__code")
    search_help_text = _("Transaction id, partner, customer or solution")
    autocomplete_fields = ("company", "customer", "solution")
    ordering = ("-date", "-pk")
    list_per_page = 50
    show_full_result_count = False
    change_list_template = "admin/dealreg/transactions.html"
    change_form_template = "admin/dealreg/transaction.html"

    @admin.display(description=_("amount"), ordering="amount")
    def value(self, row: MarketplaceTransaction) -> str:
        return text.money(row.amount, row.currency)

    @admin.display(description=_("state"))
    def state(self, row: MarketplaceTransaction) -> str:
        if row.registration is not None:
            url = reverse("admin:dealreg_registration_change", args=[row.registration.pk])
            return format_html('{}: <a href="{}">{}</a>', gettext("Matched"), url, row.registration.referral.name)
        return gettext("Voided") if row.voided_at else gettext("Not matched")

    # A transaction stays as it was reported (FLOW-3): a wrong one is voided.
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **({} if change else {"form": TransactionForm}), **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return TransactionForm.Meta.fields
        what = ("transaction_id", "company", "customer", "solution", "date", "value", "note", "state")
        return (*what, "source", "created_at", "created_by", "voided_at", "void_reason")

    def save_model(self, request: HttpRequest, obj: MarketplaceTransaction, form: Any, change: bool) -> None:
        added = services.add_transaction(form.value(), actor=self._manager(request), now=timezone.now())
        obj.pk = added.pk

    def _manager(self, request: HttpRequest) -> Actor:
        actor = actor_of(request)
        if actor is None or not self._may(request, self.write_roles):
            raise PermissionDenied
        return actor

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("import/", view(self.import_view), name="dealreg_marketplacetransaction_import"),
            path("<int:number>/void/", view(self.void_view), name="dealreg_marketplacetransaction_void"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may_import = self._may(request, self.write_roles)
        return super().changelist_view(request, {"may_import": may_import, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may_void = self._may(request, self.write_roles)
        return super().change_view(request, object_id, form_url, {"may_void": may_void, **(extra_context or {})})

    # Voiding

    def void_view(self, request: HttpRequest, number: int) -> HttpResponse:
        """Take a wrong transaction out of the matching, with the reason."""
        actor, record = self._manager(request), MarketplaceTransaction.objects.filter(pk=number).first()
        if record is None:
            raise Http404
        form = VoidForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                services.void(record, form.cleaned_data["reason"], actor=actor, now=timezone.now())
            except RuleViolation as violation:
                for blocker in violation.blockers:
                    form.add_error(blocker.field or None, text.text(blocker))
            else:
                messages.success(request, gettext("The transaction was voided."))
                return redirect("admin:dealreg_marketplacetransaction_change", number)
        return self._page(request, "admin/dealreg/transaction_void.html", _("Void"), form=form, original=record)

    # A file of them

    @accepts_upload(2 * LARGEST_UPLOAD_BYTES)  # so that the form can say what is wrong with a file too large
    def import_view(self, request: HttpRequest) -> HttpResponse:
        """A file is shown as it would be taken in; nothing is written until that is confirmed."""
        actor = self._manager(request)
        form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
        preview = None
        if form.is_bound and form.is_valid():
            content = form.cleaned_data["text"]
            if "confirm" in request.POST and (done := self._taken_in(request, content, actor)):
                self._tell(request, done)
                return redirect("admin:dealreg_marketplacetransaction_changelist")
            preview = marketplace_file.preview(content, now=timezone.now())
        return self._page(
            request,
            "admin/dealreg/transactions_import.html",
            _("Load transactions"),
            form=form,
            columns=",".join(rules.COLUMNS),
            content=form.cleaned_data["text"] if preview else "",
            preview=preview,
            new=preview.new[:MAX_SHOWN] if preview else (),
            refused=[_line_text(error) for error in preview.refused[:MAX_SHOWN]] if preview else (),
        )

    def _taken_in(self, request: HttpRequest, content: str, actor: Actor) -> marketplace_file.Preview | None:
        """None where somebody took in one of them at the same moment: then the preview is shown anew."""
        try:
            return marketplace_file.take_in(content, actor=actor, now=timezone.now())
        except IntegrityError:
            messages.warning(request, gettext(TAKEN.message))
            return None

    def _tell(self, request: HttpRequest, done: marketplace_file.Preview) -> None:
        counts = {"new": len(done.new), "unchanged": len(done.unchanged), "refused": done.refused_lines}
        said = gettext("Transactions: %(new)s new, %(unchanged)s as before, %(refused)s refused.") % counts
        messages.success(request, said)

    def _page(self, request: HttpRequest, template: str, title: Any, **context: Any) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        return TemplateResponse(request, template, {**shared, **context})
