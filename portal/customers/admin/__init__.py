"""The customer directory in the admin: searched by everyone there, kept by programme managers."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.admin_site import MANAGERS, said, site, who
from portal.customers import rules, services
from portal.customers.admin.imports import CustomerImport
from portal.customers.models import Customer
from portal.workflow.blockers import Blocker, RuleViolation

DETAILS = tuple(rules.LENGTHS)
#: Who named it, and what the programme made of that.
ORIGIN = ("added_by", "confirmed_at", "merged_into")


class CustomerForm(forms.ModelForm):
    """Parses an entry and shows what the service would refuse; the service writes it. Another of this name in the
    country is asked about: it may be a sister company, or the same one twice (REF-5)."""

    country = forms.ChoiceField(label=capfirst(_("country")))
    duns = forms.CharField(label=_("D-U-N-S number"), required=False, max_length=20)
    both_meant = forms.BooleanField(
        label=_("Another customer of this name is meant"), required=False, widget=forms.HiddenInput
    )

    class Meta:
        model = Customer
        fields = (*DETAILS, "managed")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        country: Any = self.fields.get("country")
        if country is not None:
            country.choices = rules.country_choices(get_language() or "en")
        if self.instance.pk is not None and (settled := services.settled(self.instance)):
            for blocker in rules.settled_blockers(settled, self.fields):
                self.fields[blocker.field].disabled = True
                self.fields[blocker.field].help_text = said(blocker)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and DETAILS[0] in cleaned:
            given = rules.tidied(**{name: cleaned[name] for name in DETAILS})
            cleaned.update(given)
            for blocker in self._blockers(given):
                self.add_error(blocker.field or None, said(blocker))
            if not self.errors:
                self._ask(given)
        return cleaned

    def _blockers(self, given: dict[str, str]) -> list[Blocker]:
        if self.instance.pk is None:
            return services.new_entry_blockers(given)
        return services.correction_blockers(self.instance, given)

    def _ask(self, given: dict[str, str]) -> None:
        """Who keeps name and country is asked about nothing."""
        held = self.instance
        kept = (rules.search_text(held.name), held.country) == (rules.search_text(given["name"]), given["country"])
        if kept or (other := services.same_named(given, known=held.pk)) is None:
            return
        self.fields["both_meant"].widget = forms.CheckboxInput()
        if not self.cleaned_data["both_meant"]:
            self.add_error("name", said(rules.same_named(other.name, other.place)))


class NamedCustomerForm(CustomerForm):
    """An entry that a company named in the API: the programme says which one of the directory it is, if it is one."""

    into = forms.CharField(
        label=_("merge into"), required=False, max_length=40, help_text=_("The D-U-N-S number or the id of the entry")
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if given := cleaned.get("into", "").strip():
            cleaned["into"] = kept = _entry(given)
            blockers = services.merge_blockers(self.instance, kept) if kept else []
            for text in [gettext(b.message) for b in blockers] if kept else [gettext("There is no such entry.")]:
                self.add_error("into", text)
        return cleaned


def _entry(given: str) -> Customer | None:
    if numbered := Customer.objects.filter(import_key=f"duns:{rules.tidy_duns(given)}").first():
        return numbered
    try:
        return Customer.objects.filter(public_id=uuid.UUID(given)).first()
    except ValueError:
        return None


def _waits(customer: Customer | None) -> bool:
    return customer is not None and not customer.confirmed and customer.merged_into_id is None


@admin.register(Customer, site=site)
class CustomerAdmin(CustomerImport):
    write_roles = MANAGERS
    told: ClassVar = {
        services.ADDED: _("Added"),
        services.IMPORTED: _("Imported"),
        services.NAMED: _("Named by a company"),
        services.CONFIRMED: _("Taken into the directory"),
        services.MERGED: _("%(name)s was merged into it"),
        services.CHANGED: _("Corrected"),
        services.MANAGED_CHANGED: _("Management changed"),
    }
    list_display = ("name", "city", "state", "country", "duns", "managed")
    list_filter = ("managed", ("added_by", admin.EmptyFieldListFilter), ("confirmed_at", admin.EmptyFieldListFilter))
    actions = ("confirm_named",)
    list_per_page = 50
    # Counting a million rows for a number that nobody reads.
    show_full_result_count = False
    search_fields = ("name",)
    search_help_text = _("The beginning of the name, or a whole D-U-N-S number")
    ordering = ("-pk",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        if not search_term.strip():
            return queryset, False
        number = f"duns:{rules.tidy_duns(search_term)}"
        found = Q(search_text__startswith=rules.search_text(search_term)) | Q(import_key=number)
        return queryset.filter(found), False

    def get_form(
        self, request: HttpRequest, obj: Customer | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        if not change:
            return CustomerForm
        if self.has_change_permission(request, obj):
            kwargs["form"] = NamedCustomerForm if _waits(obj) else CustomerForm
        return super().get_form(request, obj, change, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        """What was merged into another entry is history."""
        return super().has_change_permission(request, obj) and (obj is None or obj.merged_into_id is None)

    def get_readonly_fields(self, request: HttpRequest, obj: Customer | None = None) -> tuple[str, ...]:
        """Name and place are corrected with history; what decisions stand on, its form keeps (REF-5)."""
        return () if obj is None else (*ORIGIN, "created_at", "updated_at")

    def get_fields(self, request: HttpRequest, obj: Customer | None = None) -> tuple[str, ...]:
        may = self.has_change_permission(request, obj)
        if obj is None:
            return (*DETAILS, "both_meant", "managed")
        merging = ("into",) if _waits(obj) and may else ()
        asking = ("both_meant",) if may else ()
        return (*DETAILS, *asking, "managed", *merging, *ORIGIN, "created_at", "updated_at")

    @admin.action(description=_("Take into the directory"), permissions=["change"])
    def confirm_named(self, request: HttpRequest, queryset: QuerySet[Customer]) -> None:
        """What companies named; an entry that is there already is merged instead, on its page."""
        for customer in queryset:
            try:
                services.confirm(customer, **who(request))
            except RuleViolation as refused:
                told = "; ".join(said(blocker) for blocker in refused.blockers)
                self.message_user(request, f"{customer}: {told}", messages.ERROR)

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        given = {name: form.cleaned_data[name] for name in DETAILS}
        managed = form.cleaned_data["managed"]
        if change and form.cleaned_data.get("into"):
            services.merge(obj, into=form.cleaned_data["into"], **who(request))
        elif change:
            services.correct(obj, **given, **who(request))
            services.set_managed(obj, managed=managed, **who(request))
        else:
            obj.pk = services.create_customer(managed=managed, **given, **who(request)).pk
