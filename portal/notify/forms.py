"""The form for a person's mail preferences: at once, once a day or never (F5.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms

from portal.accounts.models import User
from portal.notify import rules, services
from portal.notify.models import Mail
from portal.workflow import text


class PreferencesForm(forms.Form):
    def __init__(self, data: Any = None, *, user: User, vendor: bool) -> None:
        super().__init__(data, initial=services.preferences(user))
        self.offered = rules.optional(vendor=vendor)
        for category in self.offered:
            self.fields[category.code] = forms.ChoiceField(
                label=text.phrase(category.label),
                help_text=text.phrase(category.help),
                choices=Mail.choices,
                widget=forms.RadioSelect,
                required=False,
            )

    def optional(self) -> Iterator[forms.BoundField]:
        return (self[category.code] for category in self.offered)

    @property
    def wanted(self) -> dict[str, str]:
        """How to mail each category; one that was left out stays as it was."""
        given = {category.code: self.cleaned_data[category.code] for category in self.offered}
        return {code: mail for code, mail in given.items() if mail}
