"""The form of a deal (ISV-3): it parses, rules check, verbs write. Its fields are the questions' columns."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import fields
from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from isvconnect.models import IsvDeal
from isvconnect.rules.checks import REQUIRED
from isvconnect.rules.values import CUSTOMER_TENANT, IsvDealInput
from portal.accounts.models import Location
from portal.catalog.models import Solution
from portal.customers.models import Customer
from portal.days import DayField
from portal.money.forms import AmountField, currency_choices
from portal.ui.forms import TextArea
from portal.workflow.blockers import Money
from referrals.web.wizard.forms import CustomerFields

_COLUMNS: dict[str, Any] = {column.name: column for column in IsvDeal._meta.concrete_fields}
#: Every question has the column of its name, and a second one for an amount's currency.
QUESTIONS = [
    name
    for question in fields(IsvDealInput)
    for name in (question.name, f"{question.name}_currency")
    if name in _COLUMNS
]
AMOUNTS = ("tcv", "solution_value")


def _field(name: str) -> forms.Field:
    """The field for a question's column; none is required: the rules report all that is missing (ISV-3)."""
    column = _COLUMNS[name]
    given: dict[str, Any] = {"label": column.verbose_name, "help_text": column.help_text, "required": False}
    match column:
        case models.DateField():
            return DayField(**given)
        case models.DecimalField():
            return AmountField(**given)
        case models.UUIDField():
            error = {"invalid": _("This is no tenant id: give it as 8-4-4-4-12 digits and letters from a to f.")}
            return forms.UUIDField(error_messages=error, **given)
        case models.EmailField():
            return forms.EmailField(**given)
    if column.choices:
        return forms.ChoiceField(choices=column.choices, widget=forms.RadioSelect, **given)
    if name.endswith("_currency"):
        return forms.ChoiceField(**given)
    return forms.CharField(max_length=column.max_length, **given)


class IsvDealForm(CustomerFields):
    """The questions of ISV-3. `fixed`: those that are answered already and not asked."""

    required_by_rules = REQUIRED | CustomerFields.required_by_rules
    #: What tells a form that was sent twice from two deals.
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4, required=False)

    def __init__(
        self,
        *args: Any,
        places: Collection[Location],
        solutions: Collection[Solution],
        fixed: IsvDealInput | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.given = fixed or IsvDealInput()
        self.fields["customer"].required = False
        column = _COLUMNS["location"]
        self.fields["location"] = forms.ModelChoiceField(
            label=column.verbose_name,
            help_text=_("It decides who sees the deal and can't be changed later."),
            required=False,
            empty_label=_("Choose a location") if len(places) != 1 else None,
            queryset=Location.objects.filter(pk__in=[place.pk for place in places]),
        )
        column = _COLUMNS["solution"]
        self.fields["solution"] = forms.ModelChoiceField(
            label=column.verbose_name,
            help_text=column.help_text,
            required=False,
            empty_label=_("Choose a solution"),
            to_field_name="public_id",
            queryset=Solution.objects.filter(pk__in=[solution.pk for solution in solutions]).order_by("name"),
        )
        self.fields |= {name: _field(name) for name in QUESTIONS if name not in self.fields}
        currencies = currency_choices()  # asked for once, not at every look at a field
        for name in AMOUNTS:
            self.fields[f"{name}_currency"].choices = currencies  # type: ignore[attr-defined]
        for name in self._fixed():
            del self.fields[name]

    def _fixed(self) -> Iterable[str]:
        if self.given.location:
            yield "location"
        if self.given.customer:
            yield from ("country", "customer_search", "customer")

    def clean(self) -> dict[str, Any]:
        """A tenant id is asked for where it is the customer's; otherwise what is typed there is no error."""
        data = super().clean() or self.cleaned_data
        if data.get("tenant") != CUSTOMER_TENANT:
            self.errors.pop("tenant_guid", None)
            data["tenant_guid"] = None
        return data

    def value(self) -> IsvDealInput:
        """What was understood of the form; what could not be read counts as not given, its error stands beside it."""
        return IsvDealInput(**{question.name: self._answer(question.name) for question in fields(IsvDealInput)})

    def _answer(self, name: str) -> Any:
        if name not in self.fields:
            return getattr(self.given, name)
        read = self.cleaned_data.get(name)
        if name in AMOUNTS:
            currency = self.cleaned_data.get(f"{name}_currency")
            return Money(read, currency) if read is not None and currency else None
        if isinstance(read, models.Model):
            return read.pk
        return read if read not in (None, "") else getattr(IsvDealInput(), name)


def initial_of(known: IsvDealInput) -> dict[str, Any]:
    """What is known already (ISV-4), or was stated before, as the form's initial values."""
    found: dict[str, Any] = {question.name: getattr(known, question.name) for question in fields(IsvDealInput)}
    for name in AMOUNTS:
        money: Money | None = found[name]
        if money is not None:
            found |= {name: money.amount, f"{name}_currency": money.currency}
    if known.tcv and not known.solution_value:
        found["solution_value_currency"] = known.tcv.currency
    if known.solution:
        found["solution"] = Solution.objects.filter(pk=known.solution).first()
    if known.customer and (customer := Customer.objects.filter(pk=known.customer).first()):
        found |= {"customer": customer.public_id, "customer_search": customer.name, "country": customer.country}
    return {name: value for name, value in found.items() if value not in (None, "")}


class CancelForm(forms.Form):
    """Why a deal is cancelled, and whether what was issued is credited (ISV-5)."""

    reason = TextArea(label=_("Reason"), help_text=_("The partner reads it."))
    credit_issued = forms.BooleanField(
        label=_("Credit the issued invoices in full, each by a credit note"), required=False
    )

    def __init__(self, data: Any, *, has_invoices: bool) -> None:
        super().__init__(data)
        if not has_invoices:
            del self.fields["credit_issued"]
