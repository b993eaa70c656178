"""The forms of the settings pages and of accepting an invitation: they parse and clean; the services judge."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from portal.accounts import rules
from portal.accounts.forms_admin import DETAILS, PersonForm
from portal.accounts.models import Company, Role, User
from portal.accounts.rules import Grant
from portal.api.rules import SCOPES
from portal.ui.forms import CountryField, TextArea

EVERYWHERE = "all"
#: What each role may do, where it is given (ORG-2).
MEANING = {
    rules.ACCOUNT_ADMIN: _("Keeps people, roles, locations and stage names, and reads every deal."),
    rules.REFERRALS_ADMIN: _("Works on every deal of the locations chosen."),
    rules.REFERRALS_USER: _("Creates deals for the locations chosen, and works on those whose team lists this person."),
    rules.VIEWER: _("Reads every deal of the locations chosen, and changes nothing."),
    rules.SELLER: _("Answers partners' requests for help, and views what they share."),
    rules.REVIEWER: _("Decides registrations in the administration."),
    rules.COUNCIL_MEMBER: _("Votes on exceptions."),
    rules.PROGRAMME_MANAGER: _("Keeps companies, people, catalogue, rates and policy."),
}


class RolesForm(forms.Form):
    """Each role of this side, for the entire company or for locations (ORG-1, ORG-2)."""

    def __init__(self, *args: Any, company: Company, held: Iterable[Grant] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.roles = rules.roles_of(vendor=company.is_vendor)
        keeper = rules.keeper_role(vendor=company.is_vendor)
        places = [(str(place.pk), str(place)) for place in company.locations.order_by("name")]
        held = list(held)
        for role in self.roles:
            self.fields[role] = forms.MultipleChoiceField(
                label=Role(role).label,
                help_text=MEANING[role],
                choices=[(EVERYWHERE, _("Entire company")), *(places if role != keeper else [])],
                initial=[_choice(grant) for grant in held if grant.role == role],
                widget=forms.CheckboxSelectMultiple,
                required=False,
            )

    def role_fields(self) -> list[forms.BoundField]:
        return [self[role] for role in self.roles]

    def grants(self) -> list[Grant]:
        return [
            Grant(role, None if choice == EVERYWHERE else int(choice))
            for role in self.roles
            for choice in self.cleaned_data[role]
        ]


def _choice(grant: Grant) -> str:
    return EVERYWHERE if grant.location_id is None else str(grant.location_id)


class InviteForm(RolesForm):
    email = forms.EmailField(
        label=_("E-mail"), max_length=254, help_text=_("The invitation goes there, and is for this address only.")
    )
    language = forms.ChoiceField(label=_("Language of the mail"), choices=settings.LANGUAGES)

    def details(self) -> dict[str, Any]:
        """Who is asked in, with which roles, in which language."""
        return {name: self.cleaned_data[name] for name in ("email", "language")} | {"grants": self.grants()}


class PlaceForm(forms.Form):
    """What may be corrected of a location; deals count on the rest."""

    name = forms.CharField(label=_("Name"), max_length=100)
    city = forms.CharField(label=_("City"), max_length=100)


class NewPlaceForm(PlaceForm):
    country = CountryField()
    mpn_id = forms.CharField(
        label=_("Partner id (MPN)"),
        max_length=20,
        help_text=_("Each location has its own. It can't be changed here later."),
    )

    field_order = ["name", "mpn_id", "city", "country"]


class ProfileForm(PersonForm):
    """What a person says about themselves."""

    class Meta:
        model = User
        fields = DETAILS


class JoinForm(forms.Form):
    """The account of somebody who was invited."""

    first_name = forms.CharField(label=_("First name"), max_length=100)
    last_name = forms.CharField(label=_("Last name"), max_length=100)
    phone = forms.CharField(
        label=_("Phone"), max_length=50, required=False, help_text=_("Optional; deals show it to the team.")
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    password = forms.CharField(
        label=capfirst(_("password")), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    again = forms.CharField(
        label=_("Password, again"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        names = {name: self.cleaned_data.get(name, "") for name in ("first_name", "last_name")}
        validate_password(password, User(email=self.email, **names))
        return password

    def clean_again(self) -> str:
        again = str(self.cleaned_data["again"])
        if "password" in self.cleaned_data and again != self.cleaned_data["password"]:
            raise ValidationError(_("The two passwords differ."))
        return again

    def details(self) -> dict[str, str]:
        return {
            name: str(self.cleaned_data[name]) for name in ("first_name", "last_name", "phone", "language", "password")
        }


class PublicKeysForm(forms.Form):
    public_keys = TextArea(
        rows=6,
        label=_("Public key"),
        help_text=_("PEM or a JWK set, for a client that signs its requests for tokens instead of sending a secret."),
    )


class ApiAccessForm(forms.Form):
    """What a program of the company may do."""

    role = forms.ChoiceField(
        label=_("Role"),
        required=False,
        help_text=_("For a client that acts for the company; for people, their own roles count."),
    )
    location = forms.ChoiceField(label=_("Location"), required=False)
    scopes = forms.MultipleChoiceField(
        label=_("It may"),
        choices=[(scope, gettext_lazy(text)) for scope, text in SCOPES.items()],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def __init__(self, *args: Any, company: Company, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._places = {str(place.pk): place for place in company.locations.order_by("name")}
        roles = [(role, Role(role).label) for role in rules.roles_of(vendor=company.is_vendor)]
        self.fields["role"].choices = [("", _("Choose a role")), *roles]  # type: ignore[attr-defined]
        places = [(pk, str(place)) for pk, place in self._places.items()]
        self.fields["location"].choices = [("", _("Entire company")), *places]  # type: ignore[attr-defined]

    def access(self) -> dict[str, Any]:
        """What the service is told of it."""
        given = self.cleaned_data
        return {
            "role": given["role"],
            "location": self._places.get(given["location"]),
            "scopes": given["scopes"],
        }


class ApiClientForm(ApiAccessForm, PublicKeysForm):
    """A program of the company: acting for the company with a role, or for people who sign in, with theirs."""

    FOR_COMPANY, FOR_PEOPLE = "company", "people"

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("It appears in histories beside what it did."))
    kind = forms.ChoiceField(
        label=_("It acts"),
        choices=[
            (FOR_COMPANY, _("for the company, with a role of its own")),
            (FOR_PEOPLE, _("for people who sign in")),
        ],
        widget=forms.RadioSelect,
        initial=FOR_COMPANY,
    )
    redirect_uris = TextArea(
        label=_("Addresses to return to"),
        help_text=_("For a client that acts for people: where they are sent back to after they agreed, one a line."),
    )
    field_order = ["name", "kind", "role", "location", "scopes", "redirect_uris", "public_keys"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("kind") == self.FOR_COMPANY and not cleaned.get("role"):
            self.add_error("role", _("Choose the role that the client acts with."))
        return cleaned

    def details(self) -> dict[str, Any]:
        """What the service is told of the new client."""
        given = self.cleaned_data
        return {
            **self.access(),
            "name": given["name"],
            "for_people": given["kind"] == self.FOR_PEOPLE,
            "redirect_uris": given["redirect_uris"].split(),
            "public_keys": given["public_keys"].strip(),
        }
