"""The form with which the vendor's sellers send a deal to a partner (REF-10)."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Company
from portal.catalog.models import Solution
from referrals.forms import DateInput, MoneyMixin, SolutionField
from referrals.forms_after import help_choices
from referrals.forms_new import CustomerFields
from referrals.sending import SendInput


class SendForm(CustomerFields, MoneyMixin):
    """The customer, the deal, the partner, and what is wanted from it."""

    creation_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    name = forms.CharField(label=_("Deal name"), max_length=200)
    close_date = forms.DateField(label=_("Estimated close date"), widget=DateInput())
    partner_search = forms.CharField(
        label=_("Partner"), max_length=100, required=False, help_text=_("Type the first letters of the name.")
    )
    partner = forms.ModelChoiceField(
        label=_("Partner"),
        queryset=Company.objects.none(),
        to_field_name="public_id",
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose the partner from the list."),
            "invalid_choice": _("This partner can't be invited; choose one from the list."),
        },
    )
    solutions = SolutionField(
        label=_("Solutions this partner brings"),
        queryset=Solution.objects.none(),
        to_field_name="public_id",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    help_code = forms.ChoiceField(
        label=_("What help do you want from this partner?"),
        choices=lambda: help_choices(asked_for=True),
        widget=forms.RadioSelect,
    )
    notes = forms.CharField(label=_("Notes for the partner"), required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, partners: Any, solutions: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["partner"].queryset = partners  # type: ignore[attr-defined]
        self.fields["solutions"].queryset = solutions  # type: ignore[attr-defined]

    def deal(self) -> SendInput:
        data = self.cleaned_data
        names = ("customer", "partner", "name", "close_date", "help_code", "notes")
        return SendInput(**{name: data[name] for name in names}, value=self.money(), solutions=list(data["solutions"]))
