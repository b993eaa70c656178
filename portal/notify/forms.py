"""How a person wants to hear of things: by mail at once, once a day or never, in which language and zone (F5.2)."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import User
from portal.notify import rules, services
from portal.notify.models import Mail
from portal.workflow import text


class PreferencesForm(forms.Form):
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(label=_("Time zone"))

    def __init__(self, data: Any = None, *, user: User) -> None:
        held = services.preferences(user)
        initial = {"language": user.language, "time_zone": user.time_zone}
        super().__init__(data, initial={**initial, **held})
        zones = sorted({*zoneinfo.available_timezones(), user.time_zone})
        self.fields["time_zone"].choices = [(zone, zone.replace("_", " ")) for zone in zones]  # type: ignore[attr-defined]
        for category in rules.OPTIONAL:
            self.fields[category.code] = forms.ChoiceField(
                label=text.phrase(category.label),
                help_text=text.phrase(category.help),
                choices=Mail.choices,
                widget=forms.RadioSelect,
                required=False,
            )

    def optional(self) -> Iterator[forms.BoundField]:
        return (self[category.code] for category in rules.OPTIONAL)

    @property
    def wanted(self) -> dict[str, str]:
        """How to mail each category; one that was left out stays as it was."""
        given = {category.code: self.cleaned_data[category.code] for category in rules.OPTIONAL}
        return {code: mail for code, mail in given.items() if mail}
