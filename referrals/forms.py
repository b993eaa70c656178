"""The forms of referrals: they parse and clean; the rules judge, the services write."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Location
from portal.accounts.services import vendor_name
from portal.catalog.models import AssessmentType, Solution
from portal.customers.models import Customer
from portal.customers.rules import country_choices
from portal.money import services as money
from portal.workflow import text
from portal.workflow.blockers import Blocker, Money
from referrals import rules
from referrals.models import Referral
from referrals.services import DealInput


def named(message: Any) -> Any:
    """A (lazily translated) label with the vendor's name in it, put together when it is shown."""
    return lazy(lambda: str(message) % {"vendor": vendor_name()}, str)()


def currency_choices() -> list[tuple[str, str]]:
    return [(code, code) for code in money.currencies()]


def add_blockers(form: forms.BaseForm, blockers: Iterable[Blocker]) -> None:
    """Show each violated rule at its field, or above the form."""
    for blocker in blockers:
        form.add_error(blocker.field if blocker.field in form.fields else None, text.text(blocker))


def unjudged(form: forms.BaseForm, team: forms.BaseFormSet) -> None:
    """What was typed stays, and nothing is said of it yet: the person is still looking something up."""
    for errors in (form.errors, *team.errors):
        errors.clear()
    team.non_form_errors().clear()


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **attrs: Any) -> None:
        super().__init__(attrs=attrs, format="%Y-%m-%d")


class MoneyMixin(forms.Form):
    """Amount and currency of the deal."""

    value = forms.DecimalField(label=_("Estimated value"), max_digits=18, decimal_places=2)
    currency = forms.ChoiceField(label=_("Currency"), choices=currency_choices)

    def money(self) -> Money:
        return Money(self.cleaned_data["value"], self.cleaned_data["currency"])


class MemberForm(forms.Form):
    """One person of the team: all of him, or an empty row, which is nobody (REF-7)."""

    first_name = forms.CharField(label=_("First name"), max_length=100, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=100, required=False)
    phone = forms.CharField(label=_("Phone"), max_length=50, required=False)
    email = forms.EmailField(label=_("E-mail"), max_length=254, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        missing = [name for name in self.fields if not data.get(name) and name not in self.errors]
        if len(missing) < len(self.fields):
            for name in missing:
                self.add_error(name, _("Every team member needs first name, last name, phone and e-mail."))
        return data


class BaseTeam(forms.BaseFormSet):
    def members(self) -> list[rules.Member]:
        return [
            rules.Member(data["first_name"], data["last_name"], data["phone"], data["email"])
            for data in self.cleaned_data
            if data.get("email")
        ]


#: One more than a team may have, so that the rule itself says what is wrong (REF-7).
TeamFormSet = forms.formset_factory(MemberForm, formset=BaseTeam, extra=2, max_num=51, absolute_max=60)


class TeamMixin(forms.Form):
    """A form with the deal's team below it, valid only together (REF-7)."""

    def __init__(self, *args: Any, people: Iterable[dict[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.team: Any = TeamFormSet(self.data if self.is_bound else None, prefix="team", initial=list(people))

    def is_valid(self) -> bool:
        if not self.team.is_valid():
            self.add_error(None, _("Check the people of the team below."))
        return super().is_valid()

    def members(self) -> list[rules.Member]:
        members: list[rules.Member] = self.team.members()
        return members


class SolutionField(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Solution) -> str:
        return obj.name


class NewDealForm(MoneyMixin):
    """Everything a new deal is made of, on one page (REF-5..8)."""

    creation_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    country = forms.ChoiceField(
        label=_("Country"),
        choices=lambda: [("", "—"), *country_choices(get_language() or "en")],
        required=False,
        error_messages={"invalid_choice": _("Choose the customer's country from the list.")},
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
    contact_name = forms.CharField(label=_("Contact's name"), max_length=200, required=False)
    contact_phone = forms.CharField(label=_("Contact's phone"), max_length=50, required=False)
    contact_email = forms.EmailField(label=_("Contact's e-mail"), max_length=254, required=False)
    contact_consent = forms.BooleanField(
        label=named(_("The contact agrees that these details are shared with %(vendor)s")), required=False
    )

    name = forms.CharField(label=_("Deal name"), max_length=200)
    location = forms.ModelChoiceField(
        label=_("Location"),
        queryset=Location.objects.none(),
        help_text=_("It decides who sees the deal and can't be changed later."),
    )
    close_date = forms.DateField(label=_("Estimated close date"), widget=DateInput())
    crm_id = forms.CharField(label=_("CRM id"), max_length=100, required=False)
    campaign_id = forms.CharField(label=_("Marketing campaign id"), max_length=100, required=False)
    notes = forms.CharField(label=_("Notes"), required=False, widget=forms.Textarea(attrs={"rows": 4}))
    marketplace_intent = forms.ChoiceField(
        label=_("Will the customer buy through the marketplace?"),
        choices=Referral.Intent.choices,
        initial=Referral.Intent.UNDECIDED,
        widget=forms.RadioSelect,
    )

    solutions = SolutionField(
        label=_("Solutions"),
        queryset=Solution.objects.none(),
        to_field_name="public_id",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    assessment = forms.ModelChoiceField(
        label=_("Solution assessment"),
        queryset=AssessmentType.objects.all(),
        required=False,
        empty_label=pgettext_lazy("solution assessment", "None"),
    )
    assessment_location = forms.CharField(label=_("Location of the assessment"), max_length=100, required=False)

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

    def __init__(self, *args: Any, locations: list[Location], solutions: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["location"].queryset = Location.objects.filter(id__in=[place.pk for place in locations])  # type: ignore[attr-defined]
        if len(locations) == 1:
            self.fields["location"].initial = locations[0]
        self.fields["solutions"].queryset = solutions  # type: ignore[attr-defined]

    def deal(self, team: list[rules.Member]) -> DealInput:
        data = self.cleaned_data
        return DealInput(
            customer=data["customer"],
            location=data["location"],
            name=data["name"],
            value=self.money(),
            close_date=data["close_date"],
            team=team,
            solutions=list(data["solutions"]),
            assessment=data["assessment"],
            assessment_location=data["assessment_location"],
            help_code=data["help_code"],
            vendor_may_view=data["vendor_may_view"],
            contact=rules.Contact(
                name=data["contact_name"],
                phone=data["contact_phone"],
                email=data["contact_email"],
                consent=data["contact_consent"],
            ),
            crm_id=data["crm_id"],
            campaign_id=data["campaign_id"],
            notes=data["notes"],
            marketplace_intent=data["marketplace_intent"],
        )


class AcceptForm(TeamMixin, MoneyMixin):
    """REF-12: what accepting asks for."""

    name = forms.CharField(label=_("Deal name"), max_length=200)
    close_date = forms.DateField(label=_("Estimated close date"), widget=DateInput())
    crm_id = forms.CharField(label=_("CRM id"), max_length=100, required=False)
    campaign_id = forms.CharField(label=_("Marketing campaign id"), max_length=100, required=False)
    notes = forms.CharField(label=_("Notes"), required=False, widget=forms.Textarea(attrs={"rows": 3}))

    field_order = ["name", "value", "currency", "close_date", "crm_id", "campaign_id", "notes"]


class ReasonForm(forms.Form):
    """A reason code and, where it is needed, words of one's own (REF-12, REF-17)."""

    reason_code = forms.ChoiceField(label=_("Reason"), widget=forms.RadioSelect)
    comment = forms.CharField(
        label=_("Notes"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, reasons: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(code, gettext(label) % {"vendor": vendor_name()}) for code, label in reasons.items()]
        self.fields["reason_code"].choices = choices  # type: ignore[attr-defined]


class StageForm(forms.Form):
    """REF-14: which stage the sale has reached."""

    stage = forms.TypedChoiceField(label=_("Sales stage"), coerce=int, widget=forms.RadioSelect)

    def __init__(
        self, *args: Any, stages: dict[int, str], own: Mapping[int, Iterable[str]] | None = None, **kwargs: Any
    ) -> None:
        """`own`: what the company's own CRM calls them (REF-16)."""
        super().__init__(*args, **kwargs)
        self.fields["stage"].choices = [  # type: ignore[attr-defined]
            (str(p), " · ".join([f"{gettext(n)} ({text.percent(p)})", *(own or {}).get(p, ())]))
            for p, n in stages.items()
        ]


class EmptyForm(forms.Form):
    """For verbs that only ask *are you sure*."""


class NoteForm(forms.Form):
    """REF-23: shared with the deal's participants, or for the own company only."""

    text = forms.CharField(label=_("Note"), widget=forms.Textarea(attrs={"rows": 3}))
    shared = forms.TypedChoiceField(
        label=_("Who reads it"),
        choices=[("yes", _("Everyone who takes part in the deal")), ("no", _("Only my company"))],
        coerce=lambda value: value == "yes",
        initial="yes",
        widget=forms.RadioSelect,
    )
