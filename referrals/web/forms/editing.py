"""The forms for sharing, inviting and editing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Company
from portal.catalog.models import Solution
from portal.days import DayField
from portal.ui.forms import TextArea, named
from referrals import rules, verbs
from referrals.models import Referral, TeamMember
from referrals.web.forms.deal import MoneyMixin, SolutionField, TeamMixin


def help_choices(*, asked_for: bool) -> list[tuple[str, str]]:
    """The kinds of help to choose from; without *none* where help is being asked for (REF-2)."""
    return [(code, gettext(label)) for code, label in rules.HELP.items() if not (asked_for and code == rules.NO_HELP)]


class ContactMixin(forms.Form):
    """The customer's contact, needed once help is asked for (REF-5)."""

    contact_name = forms.CharField(label=_("Contact's name"), max_length=200, required=False)
    contact_phone = forms.CharField(label=_("Contact's phone"), max_length=50, required=False)
    contact_email = forms.EmailField(label=_("Contact's e-mail"), max_length=254, required=False)
    contact_consent = forms.BooleanField(
        label=named(_("The contact agrees that these details are shared with %(vendor)s")), required=False
    )

    def contact(self) -> rules.Contact:
        # What can't be read is told of already; nothing is held against its stand-in.
        unread = {name: "-" for name in self.errors if name in self.fields}
        data = {**self.cleaned_data, **unread}
        return rules.Contact(
            data["contact_name"], data["contact_phone"], data["contact_email"], consent=data["contact_consent"]
        )


class ContactForm(ContactMixin):
    """The customer's contact (REF-5)."""


class HelpForm(ContactMixin):
    """Ask the vendor for help with a deal (REF-4)."""

    help_code = forms.ChoiceField(
        label=_("What help do you need?"),
        choices=lambda: help_choices(asked_for=True),
        widget=forms.RadioSelect,
    )
    comment = TextArea(label=named(_("What should %(vendor)s know?")))

    field_order = ["help_code", "contact_name", "contact_phone", "contact_email", "contact_consent", "comment"]


class PartnerFields(forms.Form):
    """The partner, found by first letters, and what it is asked for (REF-9)."""

    required_by_rules = frozenset({"partner_search", "solutions"})

    partner_search = forms.CharField(
        label=_("Partner"),
        max_length=100,
        required=False,
        help_text=_(
            "Type the first letters of the name. Partners that fit the deal come first, then those that answer quickly."
        ),
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
    help_code = forms.ChoiceField(
        label=_("What help do you want from this partner?"),
        choices=lambda: help_choices(asked_for=True),
        widget=forms.RadioSelect,
    )
    solutions = SolutionField(label=_("Solutions this partner brings"))
    notes = TextArea(label=_("Notes for the partner"))

    def __init__(self, *args: Any, partners: Any, solutions: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["partner"].queryset = partners  # type: ignore[attr-defined]
        self.fields["solutions"].queryset = solutions  # type: ignore[attr-defined]


class InviteForm(PartnerFields, TeamMixin, MoneyMixin):
    """One partner and what it is invited with (REF-9)."""

    close_date = DayField(label=_("Estimated close date"))

    field_order = ["value", "currency", "partner_search", "partner", "close_date", "help_code"]

    def invitation(self) -> verbs.Invitation:
        data = self.cleaned_data
        return verbs.Invitation(
            partner=data["partner"],
            close_date=data["close_date"],
            value=self.money(),
            help_code=data["help_code"],
            team=self.members(),
            solutions=list(data["solutions"]),
            notes=data["notes"],
        )


class VersionMixin(forms.Form):
    """Carries the version that the page shows, so that changes by others are noticed (REF-21)."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)


class DetailsForm(VersionMixin, MoneyMixin):
    """The details that can be edited (REF-21)."""

    name = forms.CharField(label=_("Deal name"), max_length=200)
    close_date = DayField(label=_("Estimated close date"))
    crm_id = forms.CharField(label=_("CRM id"), max_length=100, required=False)
    campaign_id = forms.CharField(label=_("Marketing campaign id"), max_length=100, required=False)
    marketplace_intent = forms.ChoiceField(
        label=_("Will the customer buy through the marketplace?"),
        choices=Referral.Intent.choices,
        widget=forms.RadioSelect,
    )

    field_order = ["name", "value", "currency", "close_date", "crm_id", "campaign_id", "marketplace_intent"]

    def details(self) -> verbs.Details:
        return verbs.Details(**{name: value for name, value in self.cleaned_data.items() if name != "version"})


class SolutionsForm(VersionMixin):
    """The deal's solutions (REF-8, REF-21)."""

    solutions = SolutionField()

    def __init__(self, *args: Any, choosable: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["solutions"].queryset = choosable  # type: ignore[attr-defined]

    def chosen(self) -> list[Solution]:
        return list(self.cleaned_data["solutions"])


class TeamForm(TeamMixin, VersionMixin):
    """The team (REF-7, REF-21)."""


def people(team: Iterable[TeamMember]) -> list[dict[str, str]]:
    """The team as the initial rows of a formset."""
    return [{"first_name": m.first_name, "last_name": m.last_name, "phone": m.phone, "email": m.email} for m in team]
