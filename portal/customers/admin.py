"""The customer directory in the admin: searched by everyone there, kept by programme managers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.admin_site import MANAGERS, PortalAdmin, site, who
from portal.customers import rules, services
from portal.customers.models import Customer

DETAILS = tuple(rules.LENGTHS)


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


@admin.register(Customer, site=site)
class CustomerAdmin(PortalAdmin):
    write_roles = MANAGERS
    list_display = ("name", "city", "state", "country", "duns", "managed")
    list_filter = ("managed",)
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
        return super().get_form(request, obj, change, **kwargs) if change else NewCustomerForm

    def get_readonly_fields(self, request: HttpRequest, obj: Customer | None = None) -> tuple[str, ...]:
        """An entry's name and place never change: deals stand on them (REF-5)."""
        return () if obj is None else (*DETAILS, "created_at", "updated_at")

    def get_fields(self, request: HttpRequest, obj: Customer | None = None) -> tuple[str, ...]:
        return (*DETAILS, "managed", *(("created_at", "updated_at") if obj else ()))

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        if change:
            services.set_managed(obj, managed=form.cleaned_data["managed"], **who(request))
        else:
            obj.pk = services.create_customer(**form.cleaned_data, **who(request)).pk
