"""The forms of a new deal, one per step of the wizard (REF-5..8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Location
from portal.catalog.models import AssessmentType
from portal.customers.models import Customer
from portal.days import DayField
from portal.policy.rules import Policy
from portal.ui.forms import CountryField, TextArea, named
from portal.workflow import text
from portal.workflow.blockers import Blocker, Money
from referrals import rules
from referrals.models import Referral
from referrals.web.forms.deal import MoneyMixin, SolutionField, TeamMixin
from referrals.web.forms.editing import ContactMixin


@dataclass(frozen=True)
class StepContext:
    """What a step is checked against besides its own answers."""

    today: date
    policy: Policy
    #: Asked for on another step; the customer's contact is needed then (REF-5).
    help_code: str = rules.NO_HELP


class Step(forms.Form):
    """One step: it parses its own answers, and asks the rules about those that could be parsed."""

    def blockers(self, context: StepContext) -> Iterable[Blocker]:
        return ()


class CustomerFields(forms.Form):
    """The customer, found by country and first letters (REF-5)."""

    required_by_rules = frozenset({"country", "customer_search"})

    country = CountryField(
        required=False, error_messages={"invalid_choice": _("Choose the customer's country from the list.")}
    )
    customer_search = forms.CharField(
        label=_("Customer"), max_length=100, required=False, help_text=_("Type the first letters of the name.")
    )
    customer = forms.ModelChoiceField(
        label=_("Customer"),
        queryset=Customer.objects.all(),
        to_field_name="public_id",
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose the customer from the directory."),
            "invalid_choice": _("This customer is not in the directory; choose one from the list."),
        },
    )


class CustomerStep(CustomerFields, ContactMixin, Step):
    """The customer, and the contact there (REF-5)."""

    field_order = ["country", "customer_search", "customer"]

    def blockers(self, context: StepContext) -> Iterable[Blocker]:
        return rules.contact_blockers(self.contact(), help_code=context.help_code)


class DealStep(MoneyMixin, Step):
    """The deal's details (REF-6)."""

    name = forms.CharField(label=_("Deal name"), max_length=200)
    location = forms.ModelChoiceField(
        label=_("Location"),
        queryset=Location.objects.none(),
        empty_label=_("Choose a location"),
        help_text=_("It decides who sees the deal and can't be changed later."),
        error_messages={
            "invalid_choice": _(
                "Choose one of the locations your role covers; the location can't be changed afterwards."
            )
        },
    )
    close_date = DayField(label=_("Estimated close date"))
    crm_id = forms.CharField(label=_("CRM id"), max_length=100, required=False)
    campaign_id = forms.CharField(label=_("Marketing campaign id"), max_length=100, required=False)
    marketplace_intent = forms.ChoiceField(
        label=_("Will the customer buy through the marketplace?"),
        choices=Referral.Intent.choices,
        initial=Referral.Intent.UNDECIDED,
        widget=forms.RadioSelect,
    )
    notes = TextArea(rows=4)

    field_order = ["name", "value", "currency", "close_date", "location", "crm_id", "campaign_id"]

    def __init__(self, *args: Any, locations: Sequence[Location], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["location"].queryset = Location.objects.filter(id__in=[place.pk for place in locations])  # type: ignore[attr-defined]
        if len(locations) == 1:
            self.fields["location"].initial = locations[0]

    def blockers(self, context: StepContext) -> Iterable[Blocker]:
        # What can't be read is told of already; nothing is held against its stand-in.
        data = {"name": "-", "value": Decimal(1), "currency": "USD", "close_date": context.today, **self.cleaned_data}
        value = Money(data["value"], data["currency"])
        yield from rules.detail_blockers(name=data["name"], value=value, notes=data["notes"], policy=context.policy)
        yield from rules.close_date_blockers(data["close_date"], today=context.today)


class TeamStep(TeamMixin, Step):
    """The deal's team (REF-7)."""

    def blockers(self, context: StepContext) -> Iterable[Blocker]:
        return rules.team_blockers(self.members(), policy=context.policy) if self.is_valid() else ()


class SolutionsStep(Step):
    """Solutions of the three kinds, or one solution assessment (REF-8)."""

    solutions = SolutionField()
    solution_search = forms.CharField(
        label=_("Third party's solution or company"),
        max_length=100,
        required=False,
        help_text=_("Type some letters of the solution's or the company's name."),
    )
    assessment = forms.ModelChoiceField(
        label=_("Solution assessment"),
        queryset=AssessmentType.objects.order_by("name"),
        required=False,
        empty_label=pgettext_lazy("solution assessment", "None"),
    )
    assessment_location = forms.CharField(label=_("Location of the assessment"), max_length=100, required=False)

    def __init__(self, *args: Any, choosable: Any, may_assess: bool, **kwargs: Any) -> None:
        """`may_assess`: whether the company is approved for assessments; otherwise the field says why not (ORG-7)."""
        super().__init__(*args, **kwargs)
        self.fields["solutions"].queryset = choosable  # type: ignore[attr-defined]
        if not may_assess:
            self.fields["assessment"].disabled = self.fields["assessment_location"].disabled = True
            self.fields["assessment"].help_text = text.text(rules.NOT_APPROVED)
        self.fields["solutions"].error_messages["invalid_choice"] = gettext(
            "A solution you had chosen can't be put on deals any more and was taken off. Check the others."
        )

    def blockers(self, context: StepContext) -> Iterable[Blocker]:
        data = self.cleaned_data
        if {"solutions", "assessment", "assessment_location"} - data.keys():
            return ()
        return rules.solution_blockers(
            len(data["solutions"]),
            has_assessment=data["assessment"] is not None,
            assessment_location=bool(data["assessment_location"]),
            policy=context.policy,
        )


class HelpStep(Step):
    """The two questions from which the deal type follows (REF-1, REF-2)."""

    help_code = forms.ChoiceField(
        label=named(_("What help do you need from %(vendor)s?")),
        choices=lambda: [(code, gettext(label)) for code, label in rules.HELP.items()],
        initial=rules.NO_HELP,
        widget=forms.RadioSelect,
    )
    vendor_may_view = forms.TypedChoiceField(
        label=named(_("May %(vendor)s's sellers view this deal?")),
        choices=[("no", _("No")), ("yes", _("Yes"))],
        coerce=lambda value: value == "yes",
        initial="no",
        widget=forms.RadioSelect,
    )
