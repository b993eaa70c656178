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

from portal.accounts import rules, services
from portal.accounts.admin_site import PortalInlineFormSet, countries_or_none
from portal.accounts.models import Company, Location, Membership, Role, RoleGrant, User
from portal.accounts.rules import Actor, Grant

DETAILS = ("first_name", "last_name", "phone", "language", "time_zone")
#: How a partner stands with the vendor, each since a day (ORG-7, ORG-8).
STANDING = ("top_tier_since", "assessments_since")
PLACE = ("name", "city", "country", "mpn_id")


class CompanyForm(forms.ModelForm):
    """Asks about a second company of the same name and country, and shows what to tick if that is meant (ORG-1)."""

    country = forms.ChoiceField(label=capfirst(_("country")), choices=countries_or_none)
    both_meant = forms.BooleanField(
        label=_("Another company of this name is meant"), required=False, widget=forms.HiddenInput
    )

    class Meta:
        model = Company
        fields = ("name", "country", *STANDING)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            asked = list(services.company_blockers(cleaned["name"], cleaned["country"], known=self.instance.pk))
            if asked:
                self.fields["both_meant"].widget = forms.CheckboxInput()
            for blocker in asked if not cleaned["both_meant"] else ():
                self.add_error(blocker.field, gettext(blocker.message) % blocker.params)
        return cleaned


class LocationForm(forms.ModelForm):
    country = forms.ChoiceField(label=capfirst(_("country")), choices=countries_or_none)

    class Meta:
        model = Location
        fields = PLACE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():  # the rows' labels are the heads of their columns
            field.widget.attrs["aria-label"] = field.label


class LocationFormSet(PortalInlineFormSet):
    """A partner has at least one location: roles, deals and its partner id hang on it (ORG-1)."""

    def clean(self) -> None:
        super().clean()
        given = any(getattr(form, "cleaned_data", {}).get("name") for form in self.forms)
        if not (given or any(form.errors for form in self.forms) or self.instance.is_vendor):
            raise ValidationError(gettext("A company needs at least one location, with its partner id (MPN)."))


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
        form.fields["role"].choices = [("", _("Choose a role")), *((role, Role(role).label) for role in roles)]
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
