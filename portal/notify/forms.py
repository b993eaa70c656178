"""The form for a person's mail preferences: at once, once a day or never (F5.2)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms

from portal.accounts.models import User
from portal.notify import rules, services
from portal.notify.models import Mail
from portal.workflow import text


class PreferencesForm(forms.Form):
    """`roles`: the person's, in all their companies. What these can't get is not asked for; what was chosen of it stays
    for the day they get the role back."""

    def __init__(self, data: Any = None, *, user: User, roles: Collection[str]) -> None:
        super().__init__(data, initial=services.preferences(user))
        for category in (category for category in rules.receivable(roles) if not category.mandatory):
            self.fields[category.code] = forms.ChoiceField(
                label=text.phrase(category.label),
                help_text=text.phrase(category.help),
                choices=Mail.choices,
                widget=forms.RadioSelect,
                required=False,
            )

    @property
    def wanted(self) -> dict[str, str]:
        """How to mail each category; one that was left out stays as it was."""
        return {code: mail for code, mail in self.cleaned_data.items() if mail}
