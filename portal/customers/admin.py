"""The customer directory in the admin: searched by everyone there, kept by programme managers."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.admin_site import MANAGERS, PortalAdmin, site, who
from portal.customers import rules, services
from portal.customers.models import Customer
from portal.workflow.blockers import RuleViolation

DETAILS = tuple(rules.LENGTHS)
#: Who named it, and what the programme made of that.
ORIGIN = ("added_by", "confirmed_at", "merged_into")


class NewCustomerForm(forms.ModelForm):
    """Parses a new entry and shows what the service would refuse; the service makes it."""

    country = forms.ChoiceField(label=_("country"))
    duns = forms.CharField(label=_("D-U-N-S number"), required=False, max_length=20)

    class Meta:
        model = Customer
        fields = (*DETAILS, "managed")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        country: Any = self.fields["country"]
        country.choices = rules.country_choices(get_language() or "en")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            cleaned.update(rules.tidied(**{name: cleaned[name] for name in DETAILS}))
            for blocker in services.new_entry_blockers({name: cleaned[name] for name in DETAILS}):
                self.add_error(blocker.field or None, gettext(blocker.message) % blocker.params)
        return cleaned


class NamedCustomerForm(forms.ModelForm):
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
class CustomerAdmin(PortalAdmin):
    write_roles = MANAGERS
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
            return NewCustomerForm
        if _waits(obj) and self.has_change_permission(request, obj):
            kwargs["form"] = NamedCustomerForm
        return super().get_form(request, obj, change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Customer | None = None) -> tuple[str, ...]:
        """An entry's name and place never change: deals stand on them (REF-5)."""
        return () if obj is None else (*DETAILS, *ORIGIN, "created_at", "updated_at")

    def get_fields(self, request: HttpRequest, obj: Customer | None = None) -> tuple[str, ...]:
        if obj is None:
            return (*DETAILS, "managed")
        merging = ("into",) if _waits(obj) and self.has_change_permission(request, obj) else ()
        return (*DETAILS, "managed", *merging, *ORIGIN, "created_at", "updated_at")

    @admin.action(description=_("Take into the directory"), permissions=["change"])
    def confirm_named(self, request: HttpRequest, queryset: QuerySet[Customer]) -> None:
        """What companies named; an entry that is there already is merged instead, on its page."""
        for customer in queryset:
            try:
                services.confirm(customer, **who(request))
            except RuleViolation as refused:
                told = "; ".join(gettext(blocker.message) % blocker.params for blocker in refused.blockers)
                self.message_user(request, f"{customer}: {told}", messages.ERROR)

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        if change and form.cleaned_data.get("into"):
            services.merge(obj, into=form.cleaned_data["into"], **who(request))
        elif change:
            services.set_managed(obj, managed=form.cleaned_data["managed"], **who(request))
        else:
            obj.pk = services.create_customer(**form.cleaned_data, **who(request)).pk
