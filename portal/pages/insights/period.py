"""Which days Insights looks at, as its address says: the last months, or from one day to another. Whole days in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from portal.ui.listing.filters import day_field
from portal.ui.period import CUSTOM, Period, months_before

#: How many months back one may look with one click; the usual one is a quarter.
MONTHS = (1, 3, 6, 12)
USUAL = 3
#: So that the months of a period stay a table one can read.
MAX_YEARS = 10


class PeriodForm(forms.Form):
    """What the address asks for; days are looked at only where it asks for days of one's own."""

    period = forms.CharField(required=False, widget=forms.HiddenInput)
    first = day_field(label=pgettext_lazy("range", "From"))
    last = day_field(label=pgettext_lazy("range", "To"))

    def clean_period(self) -> str:
        asked: str = self.cleaned_data["period"]
        if asked not in {CUSTOM, *map(str, MONTHS)}:
            self.add_error(None, _("There is no such period. Choose one of these."))
        return asked

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("period") != CUSTOM:
            return given
        for name in ("first", "last"):
            if name not in self.errors and not given.get(name):
                self.add_error(name, _("Give this day, too."))
        first, last = given.get("first"), given.get("last")
        if first and last and last < first:
            self.add_error("last", _("The last day is before the first one."))
        elif first and last and first < months_before(last, 12 * MAX_YEARS):
            self.add_error("last", _("Look at ten years at most."))
        return given


@dataclass(frozen=True)
class PeriodQuery:
    """The period to show, and the form, with what is wrong in it."""

    period: Period
    form: PeriodForm

    @property
    def is_custom(self) -> bool:
        return self.form.data["period"] == CUSTOM

    @property
    def is_elsewhere(self) -> bool:
        """Whether the days were typed otherwise than addresses write them."""
        written = {"first": self.period.first.isoformat(), "last": self.period.last.isoformat()}
        return self.is_custom and not self.form.errors and written.items() - self.form.data.items() != set()


def asked_period(params: QueryDict, *, today: date) -> PeriodQuery:
    """What can't be meant leaves the usual period, with the error shown."""
    given = {name: params.get(name, "") for name in ("period", "first", "last")}
    days = bool(given["first"] or given["last"])
    given["period"] = given["period"] or (CUSTOM if days else str(USUAL))
    if given["period"] != CUSTOM:
        given["first"] = given["last"] = ""
    form = PeriodForm(given)
    if not form.is_valid():
        return PeriodQuery(Period.back(USUAL, today=today), form)
    if given["period"] == CUSTOM:
        return PeriodQuery(Period(form.cleaned_data["first"], form.cleaned_data["last"]), form)
    return PeriodQuery(Period.back(int(given["period"]), today=today), form)
