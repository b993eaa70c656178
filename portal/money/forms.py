"""Amounts as people type them, and the upload of monthly rates: they parse the request, and write nothing."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.formats import get_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.money import rules, services
from portal.sheets import LineError

LARGEST_UPLOAD_BYTES = 1_000_000

_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})*((?!\1)[.,]\d+)?")


class AmountField(forms.DecimalField):
    """An amount as its reader writes it: 1000.50 and 1.000,50 and 1,000.50 are the same everywhere, and 1.000 is what
    the portal's own figures mean by it in that language. A text field: a browser throws away what is no number to it.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=18, decimal_places=2, localize=True, **kwargs)

    def to_python(self, value: Any) -> Any:
        return super().to_python(_plain(value) if isinstance(value, str) else value)


def currency_choices() -> list[tuple[str, str]]:
    """The currencies that a form offers."""
    return [(code, code) for code in services.currencies()]


def _plain(typed: str) -> str:
    """With a decimal point, and without what only groups the digits."""
    text = "".join(typed.split())
    if grouped := _GROUPED.fullmatch(text):
        mark = grouped[1]
        if grouped[2] or text.count(mark) > 1 or mark == get_format("THOUSAND_SEPARATOR"):
            text = text.replace(mark, "")
    return text.replace(",", ".")


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
                    self.add_error("file", said(error))
        return cleaned


def said(error: LineError) -> str:
    """What is wrong with a line, as a sentence."""
    text = gettext(error.blocker.message) % error.blocker.params
    return gettext("Line %(line)s: %(text)s") % {"line": error.line, "text": text}
