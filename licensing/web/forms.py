"""The forms of licences: they parse, rules check, services write."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from licensing.models import Relationship
from licensing.rules import Consent, Count, count_field
from licensing.verbs import Update
from portal.catalog.models import Plan
from portal.params import whole_number
from portal.ui.forms import TextArea

#: How mail programs write a person: "Ada Lovelace" <ada@example.com>.
_NAMED, _QUOTED = re.compile(r"<([^<>\s]+)>"), re.compile(r'"[^"\n]*"')


class CountField(forms.Field):
    """A whole number as people type it, with the separators of thousands of their language or without."""

    def to_python(self, value: Any) -> int | None:
        typed = re.sub(r"(?<=\d)[.,\s\u202f\xa0](?=\d{3}(?:\D|$))", "", str(value or "").strip())
        if not typed:
            return None
        if (number := whole_number(typed.removeprefix("-"))) is None:
            raise ValidationError(_("Enter a whole number."), code="invalid")
        return -number if typed.startswith("-") else number


class LicencesForm(forms.Form):
    """The customer and the counts of a deal's plans; a field `count_<key>` for each plan."""

    relationship = forms.ChoiceField(
        label=_("Customer and tenant"),
        required=False,
        error_messages={"invalid_choice": _("Choose a customer who consented.")},
    )
    confirmed_other_customer = forms.BooleanField(label=_("Yes, I mean this customer and tenant"), required=False)
    #: Any text: a plan that can't be added any more is no error of the update.
    add = forms.CharField(label=_("Plan to add"), required=False, widget=forms.Select)

    def __init__(
        self,
        data: Any = None,
        *,
        relationships: Sequence[Relationship],
        plans: Sequence[Plan],
        more: Sequence[Plan],
        initial: Mapping[str, Any],
    ) -> None:
        """`relationships`: who can be chosen; none once the customer is fixed. `plans`: those with a count; `more`:
        those that can be added."""
        super().__init__(data, initial=dict(initial))
        self.relationships = {str(one.public_id): one for one in relationships}
        choices = [(key, f"{one.customer.name} · {one.tenant_guid}") for key, one in self.relationships.items()]
        self.fields["relationship"].choices = [("", gettext("Choose a customer")), *choices]  # type: ignore[attr-defined]
        if not relationships:  # a page that is older than the first update names one
            del self.fields["relationship"]
        self.more = [(str(plan.pk), plan.name) for plan in more]
        self.fields["add"].widget.choices = [("", gettext("Choose a plan")), *self.more]
        self.plans = plans
        for plan in plans:
            label = gettext("Licences of %(plan)s") % {"plan": plan.name}
            self.fields[count_field(plan.pk)] = CountField(label=label, required=False)

    def checked(self) -> Update:
        """What was understood of the form; a count that can't be read is one that wasn't entered."""
        self.is_valid()
        data = self.cleaned_data
        counts: tuple[Count, ...] = tuple((plan.pk, data.get(count_field(plan.pk))) for plan in self.plans)
        chosen = self.relationships.get(data.get("relationship") or "")
        return Update(chosen, counts, bool(data.get("confirmed_other_customer")))


class GuidField(forms.Field):
    """A GUID, with braces and in any case as tools show it."""

    def to_python(self, value: Any) -> uuid.UUID | None:
        typed = str(value or "").strip()
        if not typed:
            return None
        try:
            return uuid.UUID(typed)
        except ValueError:
            message = _("This is no tenant id. Write it like this: 00000000-0000-0000-0000-000000000000.")
            raise ValidationError(message, code="invalid") from None


class ConsentForm(forms.Form):
    """Who agrees, and for which tenant (LIC-6, LIC-8)."""

    name = forms.CharField(label=_("Your name"), required=False)
    email = forms.CharField(
        label=_("Your e-mail address"),
        required=False,
        help_text=_("A code is sent there. Links to your licence page will be, too."),
    )
    tenant_guid = GuidField(
        label=_("Id of your tenant"),
        required=False,
        help_text=_("If there is one here already, the company entered it: correct it if it isn't yours."),
    )

    def value(self, *, language: str) -> Consent:
        data = self.cleaned_data
        return Consent(data.get("name") or "", data.get("email") or "", data.get("tenant_guid"), language)


class CodeForm(forms.Form):
    code = forms.CharField(label=_("Code"), required=False)

    def clean_code(self) -> str:
        """As people copy it, with spaces in it."""
        return re.sub(r"[\s-]", "", self.cleaned_data["code"])


class EmailForm(forms.Form):
    email = forms.CharField(label=_("E-mail"), error_messages={"required": _("Enter your e-mail address.")})


class PeopleForm(forms.Form):
    """One address or many, as they are typed or pasted."""

    emails = TextArea(
        label=_("E-mail addresses"),
        rows=4,
        help_text=_("One or many: separated by lines, spaces, commas or semicolons."),
    )

    def clean_emails(self) -> tuple[str, ...]:
        parts = re.split(r"[\n,;]+", _QUOTED.sub(" ", self.cleaned_data["emails"]))
        return tuple(email for part in parts for email in (_NAMED.findall(part) or part.split()))


class FileForm(forms.Form):
    file = forms.FileField(
        label=_("CSV file"),
        error_messages={"required": _("Choose a file."), "empty": _("The file is empty.")},
        help_text=_("One address a line, below the heading “email”. Wrong lines are named, and then nothing is taken."),
    )
