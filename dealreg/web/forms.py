"""The registration form and the reviewer's decision: forms parse, rules check, services write."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dealreg import rules
from dealreg.models import Registration
from portal.catalog.models import Solution
from portal.money.forms import AmountField
from referrals.models import Referral
from referrals.web.forms.deal import DateInput, currency_choices

YES_NO = [("yes", _("Yes")), ("no", _("No"))]


def _yes(value: str) -> bool:
    return value == "yes"


class RegistrationForm(forms.Form):
    """The fields of REG. No field is required here: the rules report everything missing at once (REG-14)."""

    solution = forms.ModelChoiceField(
        label=_("Solution"),
        queryset=Solution.objects.none(),
        to_field_name="public_id",
        required=False,
        empty_label=None,
    )
    marketplace = forms.TypedChoiceField(
        label=_("Is it a marketplace transaction?"),
        choices=YES_NO,
        coerce=_yes,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
    )
    marketplace_date = forms.DateField(label=_("Estimated transaction date"), required=False, widget=DateInput())
    deployment = forms.ChoiceField(
        label=_("Where is the solution deployed?"),
        choices=Registration.Deployment.choices,
        required=False,
        widget=forms.RadioSelect,
    )
    tenant = forms.ChoiceField(
        label=_("Tenant type"), choices=Registration.Tenant.choices, required=False, widget=forms.RadioSelect
    )
    pricing = forms.ChoiceField(
        label=_("Pricing model"), choices=Registration.Pricing.choices, required=False, widget=forms.RadioSelect
    )
    term = forms.ChoiceField(
        label=_("Contract term"), choices=Registration.Term.choices, required=False, widget=forms.RadioSelect
    )
    signed = forms.DateField(
        label=_("Contract signed"),
        required=False,
        widget=DateInput(),
        help_text=_("Pay-as-you-go: the date of the first invoice."),
    )
    start = forms.DateField(
        label=_("Contract start"),
        required=False,
        widget=DateInput(),
        help_text=_("The day the customer starts to use the solution; it may be before the signing."),
    )
    end = forms.DateField(
        label=_("Contract end"),
        required=False,
        widget=DateInput(),
        help_text=_("Empty for a perpetual contract. Pay-as-you-go: the date of the last or latest invoice."),
    )
    tcv = AmountField(
        label=_("Total contract value"),
        required=False,
        help_text=_("Software and services, without hardware."),
    )
    tcv_currency = forms.ChoiceField(label=_("Currency"), choices=currency_choices, required=False)
    solution_value = AmountField(
        label=_("Solution value"),
        required=False,
        help_text=_("The part of the total contract value that is for the solution, without one-off implementation."),
    )
    solution_value_currency = forms.ChoiceField(label=_("Currency"), choices=currency_choices, required=False)
    contract_names_confirmed = forms.BooleanField(
        label=_("The signed contract names my company and the eligible solution."), required=False
    )

    def __init__(self, *args: Any, solutions: list[Solution], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["solution"].queryset = Solution.objects.filter(pk__in=[s.pk for s in solutions])  # type: ignore[attr-defined]
        currencies = currency_choices()  # asked for once, not at every look at a field
        for name in ("tcv_currency", "solution_value_currency"):
            self.fields[name].choices = currencies  # type: ignore[attr-defined]

    def value(self) -> rules.RegistrationInput:
        """What was understood of the form; what could not be read counts as not given, its error stands beside it."""
        return Registration(**self.cleaned_data).claim


def initial_of(referral: Referral, registration: Registration | None) -> dict[str, Any]:
    """The initial values of the form: the last answers, else what the deal itself says."""
    if registration is None or registration.first_submitted_at is None:
        return {
            "tcv_currency": referral.currency,
            "solution_value_currency": referral.currency,
            "tcv": referral.value,
            "marketplace": {"yes": "yes", "no": "no"}.get(referral.marketplace_intent),
        }
    stated = {name: getattr(registration, name) for name in RegistrationForm.base_fields if name != "solution"}
    stated["marketplace"] = "yes" if registration.marketplace else "no"
    stated["solution"] = registration.solution.public_id if registration.solution else None
    return stated
