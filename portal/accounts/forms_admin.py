"""What the admin's forms on companies and people accept; the services write it."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts import rules
from portal.accounts.admin_site import PortalInlineFormSet
from portal.accounts.countries import COUNTRIES
from portal.accounts.models import Company, Location, Membership, Role, RoleGrant, User
from portal.accounts.rules import Actor, Grant

DETAILS = ("first_name", "last_name", "phone", "language", "time_zone")
#: How a partner stands with the vendor, each since a day (ORG-7, ORG-8).
STANDING = ("top_tier_since", "assessments_since")
PLACE = ("name", "city", "country", "mpn_id")


class CountryMixin(forms.ModelForm):
    """A country as its two-letter code."""

    def clean_country(self) -> str:
        code = str(self.cleaned_data["country"]).upper()
        if code not in COUNTRIES:
            raise ValidationError(_("“%(value)s” is not a country's two-letter code."), params={"value": code})
        return code


class CompanyForm(CountryMixin):
    class Meta:
        model = Company
        fields = ("name", "country", *STANDING)
        help_texts: ClassVar = {"country": _("Two letters, for example TR.")}


class LocationForm(CountryMixin):
    class Meta:
        model = Location
        fields = PLACE
        widgets: ClassVar = {"country": forms.TextInput(attrs={"size": 4})}


class PersonForm(forms.ModelForm):
    """What may change of a person; the e-mail address never does."""

    language = forms.ChoiceField(
        label=capfirst(_("language")), choices=settings.LANGUAGES, initial=settings.LANGUAGE_CODE
    )
    time_zone = forms.ChoiceField(
        label=capfirst(_("time zone")), choices=[(z, z) for z in sorted(zoneinfo.available_timezones())], initial="UTC"
    )

    class Meta:
        model = User
        fields = (*DETAILS, "is_active")


class NewPersonForm(PersonForm):
    """A new account. The first password may be left to the person."""

    password = forms.CharField(
        label=capfirst(_("password")),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Leave it empty, and the person gets a mail with a link to set one."),
    )

    class Meta:
        model = User
        fields = ("email", *DETAILS)
        help_texts: ClassVar = {"email": _("It can't be changed later: the person signs in and joins teams by it.")}

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        if password:
            names = {name: self.cleaned_data.get(name, "") for name in ("email", "first_name", "last_name")}
            validate_password(password, User(**names))
        return password


class MembershipForm(forms.ModelForm):
    class Meta:
        model = Membership
        fields = ("user", "company", "is_active")
        labels: ClassVar = {"user": capfirst(_("person")), "company": capfirst(_("company"))}


class LocationChoice(forms.ModelChoiceField):
    """Locations of several companies tell whose they are."""

    def label_from_instance(self, obj: Location) -> str:
        return f"{obj.company}: {obj}"


class GrantForm(forms.ModelForm):
    location = LocationChoice(
        label=capfirst(_("location")),
        queryset=Location.objects.select_related("company").order_by("company__name", "name"),
        required=False,
        empty_label=_("The entire company"),
    )

    class Meta:
        model = RoleGrant
        fields = ("role", "location")


class GrantFormSet(PortalInlineFormSet):
    """A member's roles (ORG-1, ORG-2)."""

    #: Who gives them; set for each request.
    actor: Actor

    def add_fields(self, form: Any, index: int | None) -> None:
        """In a known company only its own roles and locations are offered."""
        super().add_fields(form, index)
        if self.instance.pk is None:
            return
        company = self.instance.company
        roles = rules.VENDOR_ROLES if company.is_vendor else rules.PARTNER_ROLES
        form.fields["role"].choices = [("", "—"), *((role, Role(role).label) for role in roles)]
        form.fields["location"].queryset = form.fields["location"].queryset.filter(company=company)

    def given(self) -> Iterator[tuple[forms.ModelForm, Grant]]:
        """Every row that holds a role, and is not to be removed."""
        for form in self.forms:
            data = getattr(form, "cleaned_data", {})
            if data.get("role") and not data.get("DELETE"):
                yield form, Grant(data["role"], data["location"].pk if data.get("location") else None)

    def clean(self) -> None:
        super().clean()
        membership = self.instance
        if membership.company_id is None or membership.user_id is None:
            return
        company = membership.company
        places = set(company.locations.values_list("pk", flat=True))
        for form, grant in self.given():
            for blocker in rules.grant_blockers(grant, vendor=company.is_vendor, location_ids=places):
                form.add_error(blocker.field, gettext(blocker.message))
        lockout = rules.lockout_blockers(
            self.actor,
            user_id=membership.user_id,
            company_id=company.pk,
            kept=[grant for _form, grant in self.given()],
            active=membership.is_active,
        )
        if messages := [gettext(blocker.message) for blocker in lockout]:
            raise ValidationError(messages)
