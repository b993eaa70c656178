"""The next version of the policy, number by number: it parses the request and writes nothing (FLOW-7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, ClassVar

import holidays
from babel import Locale
from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from portal import days
from portal.days import DayField
from portal.folding import fold
from portal.money.forms import AmountField
from portal.policy import rules as policy_rules
from portal.policy import services as policies
from portal.policy.models import PolicyDraft, PolicyVersion
from portal.policy.rules import Blackout, Policy
from portal.programme import rules
from portal.programme.rules import Number

#: In figures, or as pages write days: 24 Dec 2026 – 31 Dec 2026.
_PERIOD = re.compile(r"(\d{4}-\d\d-\d\d)\s*(?:/|–|-|to|\s)\s*(\d{4}-\d\d-\d\d)|(.+?)\s*(?:–| - )\s*(.+)")
#: In the list of calendars, where an empty value means the default.
NO_HOLIDAYS = "none"


class WholeField(forms.IntegerField):
    widget = forms.TextInput

    def __init__(self, number: Number) -> None:
        least, most = policy_rules.RANGES.get(number.name, (0, policy_rules.LARGEST))
        super().__init__(label=_(number.label), required=False, min_value=least, max_value=most)
        self.widget.attrs["inputmode"] = "numeric"


class DollarField(AmountField):
    def __init__(self, number: Number) -> None:
        most = policy_rules.LARGEST_AMOUNT
        super().__init__(label=_(number.label), required=False, min_value=0, max_value=most)


class ListField(forms.CharField):
    """Whole numbers, with commas between them."""

    def __init__(self, number: Number) -> None:
        super().__init__(label=_(number.label), required=False, max_length=200)

    def to_python(self, value: Any) -> Any:
        parts = [part.strip() for part in (super().to_python(value) or "").replace(";", ",").split(",")]
        if wrong := [part for part in parts if part and not re.fullmatch(r"[0-9]{1,6}", part)]:
            raise ValidationError(
                _("“%(value)s” is no whole number; write them with commas: 14, 7, 3, 1."),
                params={"value": wrong[0][:40]},
            )
        return tuple(int(part) for part in parts if part)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, (tuple, list)) else value


class PeriodsField(forms.CharField):
    """Periods, one a line, both days included."""

    widget = forms.Textarea

    def __init__(self, number: Number) -> None:
        help_text = _("One a line, both days included: 24 Dec 2026 – 31 Dec 2026")
        super().__init__(label=_(number.label), required=False, max_length=5_000, help_text=help_text)
        self.widget.attrs.update(rows=2, cols=24)

    def to_python(self, value: Any) -> Any:
        return tuple(self._period(line) for line in (super().to_python(value) or "").splitlines() if line.strip())

    def _period(self, line: str) -> Blackout:
        found = _PERIOD.fullmatch(line.strip())
        first, last = (days.read_day(found[n] or found[n + 2]) for n in (1, 2)) if found else (None, None)
        if first is None or last is None:
            raise ValidationError(
                _("“%(value)s” is no period; write 24 Dec 2026 – 31 Dec 2026."), params={"value": line.strip()[:40]}
            )
        if last < first:
            raise ValidationError(_("“%(value)s” ends before it begins."), params={"value": line.strip()})
        return Blackout(first, last)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, (tuple, list)):
            return "\n".join(f"{days.shown(period.first)} – {days.shown(period.last)}" for period in value)
        return value


class CalendarField(forms.ChoiceField):
    def __init__(self, number: Number) -> None:
        super().__init__(label=_(number.label), required=False, choices=_calendars)

    def prepare_value(self, value: Any) -> Any:
        return NO_HOLIDAYS if value == "" else value


def _calendars() -> list[tuple[str, str]]:
    names = Locale.parse((get_language() or "en").replace("-", "_")).territories
    known = [(code, str(names.get(code, code))) for code in holidays.list_supported_countries(include_aliases=False)]
    return [(NO_HOLIDAYS, gettext("No holidays, weekends only")), *sorted(known, key=lambda one: fold(one[1]))]


class DayNumberField(DayField):
    def __init__(self, number: Number) -> None:
        super().__init__(label=_(number.label), required=False)


FIELDS: dict[str, type[Any]] = {
    rules.AMOUNT: DollarField,
    rules.WHOLE: WholeField,
    rules.LIST: ListField,
    rules.DAY: DayNumberField,
    rules.PERIODS: PeriodsField,
    rules.CALENDAR: CalendarField,
}


@dataclass(frozen=True)
class Line:
    """A number on the page: what it is, what is in force, and its field."""

    number: Number
    in_force: Any
    field: BoundField


class NewVersionForm(forms.ModelForm):
    """The next version; policy and service say what is wrong with it."""

    in_force_from = DayField(
        label=_("In force from"), required=False, help_text=_("The day's beginning in UTC. Empty: at once.")
    )
    #: The version it is to follow: the newest when the form was opened.
    base = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0, max_value=2**31 - 2)
    #: The draft it is made of, as its page showed it.
    draft = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=2**62)
    draft_version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=2**31 - 2)

    class Meta:
        model = PolicyVersion
        fields = ("note",)
        widgets: ClassVar = {"note": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = timezone.now()
        self.current = policies.current(self.now)
        for number in rules.numbers():
            self.fields[number.name] = FIELDS[number.kind](number)
            self.fields[number.name].widget.attrs["aria-describedby"] = f"in-force-{number.name}"
            self.initial.setdefault(number.name, getattr(self.current, number.name))

    @property
    def groups(self) -> dict[str, list[Line]]:
        """The page's tables."""
        return {
            gettext(title): [Line(number, getattr(self.current, number.name), self[number.name]) for number in group]
            for title, group in rules.groups().items()
        }

    @property
    def coming(self) -> list[PolicyVersion]:
        """What will replace a version that comes before them."""
        return list(PolicyVersion.objects.coming(self.now).order_by("effective_from"))

    @property
    def keeps_draft(self) -> bool:
        return "_draft" in self.data

    @property
    def effective_from(self) -> datetime | None:
        day = self.cleaned_data.get("in_force_from")
        return datetime.combine(day, time.min, UTC) if day else None

    def values(self) -> dict[str, Any]:
        """What differs from the defaults, as it is stored; an empty field is the default."""
        given = ((number, self.cleaned_data.get(number.name)) for number in rules.numbers())
        return {n.name: _stored(value) for n, value in given if value not in (None, "", ()) and value != n.default}

    def as_policy(self) -> Policy:
        return policy_rules.from_values(self.values(), version=policies.newest() + 1)

    def clean_in_force_from(self) -> date | None:
        day: date | None = self.cleaned_data["in_force_from"]
        if day is not None and day <= self.now.date() and not self.keeps_draft:
            raise ValidationError(_("A version is in force at once or from a later day on, never from an earlier one."))
        return day

    def clean_holiday_calendar(self) -> str:
        code = str(self.cleaned_data["holiday_calendar"])
        return code or str(Policy.holiday_calendar)

    def clean(self) -> dict[str, Any]:
        """A version replaces the one before entirely: who didn't see that one is told, and saves again."""
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                self.as_policy()
            except policy_rules.WrongValues as error:
                self.add_error(None, gettext(error.blocker.message) % error.blocker.params)
        if not self.keeps_draft:
            self._clean_base(cleaned)
            self._clean_day(cleaned)
        return cleaned

    def _clean_base(self, cleaned: dict[str, Any]) -> None:
        base, newest = cleaned.get("base"), policies.newest()
        if base is not None and base != newest:
            version = PolicyVersion.objects.filter(number=newest).first()
            added = version.as_policy() if version else Policy()
            seen = PolicyVersion.objects.filter(number=base).first()
            before = seen.as_policy() if seen else Policy()
            differs = [gettext(one.number.label) for one in rules.differences(before, added)]
            params = {"version": version or "v0", "values": "; ".join(differs) or "–"}
            text = gettext("%(version)s was added meanwhile: %(values)s. Save again to put yours in its place.")
            self.add_error(None, text % params)
            self.data = {**self.data.dict(), "base": newest}  # type: ignore[attr-defined]

    def _clean_day(self, cleaned: dict[str, Any]) -> None:
        at = self.effective_from
        if at and (taken := PolicyVersion.objects.coming(self.now).filter(effective_from=at).first()):
            self.add_error("in_force_from", day_taken(taken))


def day_taken(version: PolicyVersion) -> str:
    text = gettext("%(version)s is in force from this day on. Withdraw it first, or choose another day.")
    return text % {"version": version}


def draft_initial(draft: PolicyDraft) -> dict[str, Any]:
    """A draft as the form shows it again."""
    policy = policy_rules.from_values(draft.values, version=0)
    day = draft.effective_from.astimezone(UTC).date() if draft.effective_from else None
    given = {number.name: getattr(policy, number.name) for number in rules.numbers()}
    return {**given, "note": draft.note, "in_force_from": day, "draft": draft.pk, "draft_version": draft.version}


def _stored(value: Any) -> Any:
    if value == NO_HOLIDAYS:
        return ""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(_items(value))
    return value


def _items(values: tuple[Any, ...]) -> Iterator[Any]:
    for value in values:
        period = isinstance(value, Blackout)
        yield {"first": value.first.isoformat(), "last": value.last.isoformat()} if period else value
