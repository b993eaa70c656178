"""Amounts as people type them, and the upload of monthly rates: they parse the request, and write nothing."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.formats import get_format, number_format
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.folding import fold
from portal.money import rules, services
from portal.sheets import LineError

LARGEST_UPLOAD_BYTES = 1_000_000

_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})*((?!\1)[.,]\d+)?")
#: No exponents, and no underscores: Decimal would take them.
_NUMBER = re.compile(r"[+-]?[\d.,]+")
_SHORT = re.compile(r"(.*[\d.,])([a-z]+)")
#: As a draft keeps an amount: the same in every language. Of more digits no page shows every one.
_KEPT = re.compile(r"-?\d{1,20}(\.\d{1,2})?")
#: What people write behind an amount, in English and in Turkish, and how many zeros they mean.
_ZEROS = {"k": 3, "bin": 3, "m": 6, "mn": 6, "mio": 6, "million": 6, "milyon": 6}


class AmountField(forms.DecimalField):
    """An amount as people type it: 1000.50, 1.000,50 and 1,000.50 are the same everywhere, as are 40k, 40 bin, 40.000
    and 40,000; 1,2 m is 1200000. A text field: a browser throws away what is no number to it.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=18, decimal_places=2, localize=True, **kwargs)

    def to_python(self, value: Any) -> Any:
        if not isinstance(value, str):
            return super().to_python(value)
        typed, zeros = _taken_apart(value)
        if typed and not _NUMBER.fullmatch(typed):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        found = super().to_python(_plain(typed, short=bool(zeros)))
        return found if found is None else _times(found, zeros)

    def prepare_value(self, value: Any) -> Any:
        """A stored amount as pages show it; what was typed stays as it was typed."""
        if not isinstance(value, Decimal):
            return value
        return number_format(value, 0 if value == value.to_integral_value() else 2, force_grouping=True)

    def get_bound_field(self, form: forms.BaseForm, field_name: str) -> forms.BoundField:
        return _BoundAmount(form, self, field_name)

    def kept(self, typed: str) -> str:
        """What a draft keeps: the amount as it was read, in plain figures, also one that is refused; what can't be read
        as it was typed."""
        try:
            found = self.to_python(typed)
        except forms.ValidationError:
            return typed
        plain = "" if found is None else f"{found.normalize() + 0:f}"  # without the sign of -0
        return plain if _KEPT.fullmatch(plain) else typed

    @staticmethod
    def of_draft(kept: Any) -> Any:
        """What a draft kept as an amount; what could not be read as it was typed."""
        return Decimal(kept) if isinstance(kept, str) and _KEPT.fullmatch(kept) else kept

    def reading(self, typed: Any) -> Decimal | None:
        """What was read, where that is worth a look: of a short form, and of thousands that could be a fraction."""
        if not isinstance(typed, str):
            return None
        number, zeros = _taken_apart(typed)
        marks = [mark for mark in number if mark in ".,"]
        unsure = _GROUPED.fullmatch(number) and len(marks) == 1 and marks != [get_format("THOUSAND_SEPARATOR")]
        return self.to_python(typed) if zeros or unsure else None


class _BoundAmount(forms.BoundField):
    """What a form is filled in with may come from a draft."""

    @cached_property
    def initial(self) -> Any:
        return AmountField.of_draft(self.form.get_initial_for_field(self.field, self.name))


def currency_choices() -> list[tuple[str, str]]:
    """The currencies that a form offers."""
    return [(code, code) for code in services.currencies()]


def _taken_apart(typed: str) -> tuple[str, int]:
    """The number without spaces, and the zeros that a word behind it stands for."""
    text = "".join(fold(typed).split())
    short = _SHORT.fullmatch(text)
    return (short[1], _ZEROS[short[2]]) if short and short[2] in _ZEROS else (text, 0)


def _plain(text: str, *, short: bool) -> str:
    """With a decimal point, and without what only groups the digits.

    Three digits behind the only mark are thousands, as amounts have two decimals; but of 1.250m that may be a fraction:
    there the mark is what it is in the portal's own figures in that language.
    """
    if grouped := _GROUPED.fullmatch(text):
        mark = grouped[1]
        if not short or grouped[2] or text.count(mark) > 1 or mark == get_format("THOUSAND_SEPARATOR"):
            text = text.replace(mark, "")
    return text.replace(",", ".")


def _times(number: Decimal, zeros: int) -> Decimal:
    """Ten to the power of `zeros` times as much, written without an exponent."""
    return Decimal(f"{number.scaleb(zeros):f}") if zeros else number


class RatesForm(forms.Form):
    """Rates as a file or as they are typed; either is looked at first, and taken in once that is confirmed."""

    file = forms.FileField(
        label=_("CSV file"),
        required=False,
        help_text=_("Columns: currency, month, usd_per_unit. For example: TRY,2026-11,0.0213"),
    )
    text = forms.CharField(
        label=_("Or write them here"),
        required=False,
        strip=False,
        initial=",".join(rules.UPLOAD_COLUMNS) + "\n",
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        help_text=_("One rate a line, below the names of the columns."),
    )
    #: The file's name, and what the preview showed, when it is confirmed.
    name = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
    seen = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)
    sure = forms.BooleanField(label=_("I have checked these rates: they are right."), required=False)

    def clean(self) -> dict[str, Any]:
        """`text` is what the file holds, where there is one."""
        cleaned = super().clean() or {}
        file: UploadedFile | None = cleaned.get("file")
        if self.errors:
            return cleaned
        if file is None:
            if not cleaned["text"].strip():
                self.add_error("file", gettext("Choose a file."))
        elif file.size is None or file.size > LARGEST_UPLOAD_BYTES:
            self.add_error("file", gettext("The file is larger than 1 MB; upload it in parts."))
        else:
            cleaned["name"] = (file.name or "")[-200:]
            try:
                cleaned["text"] = services.decode(file.read())
            except services.RatesFileRefused as refused:
                for error in refused.errors:
                    self.add_error("file", line_text(error))
        return cleaned


def line_text(error: LineError) -> str:
    """What is wrong with a line, as a sentence."""
    text = gettext(error.blocker.message) % error.blocker.params
    return gettext("Line %(line)s: %(text)s") % {"line": error.line, "text": text}
