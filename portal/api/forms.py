"""What a person agrees to when a program is to act for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from oauth2_provider.forms import AllowForm

from portal.accounts.models import Company
from portal.api.services import tokens


class ConsentForm(AllowForm):  # type: ignore[misc]
    """The library's hidden fields, and the company for which the program may act."""

    company = forms.ChoiceField(label=_("Company"))

    def __init__(self, *args: Any, companies: Sequence[Company], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["company"].choices = [(str(company.public_id), company.name) for company in companies]

    def clean(self) -> dict[str, Any]:
        """The company is the resource that the token is for; what the client asked for as such is ignored."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "company" in cleaned:
            cleaned["resource"] = tokens.company_uri(cleaned["company"])
        return cleaned
