"""A file of customers, as managers bring it: parsed here, looked at and taken in by the service."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.admin_site import countries_or_none
from portal.customers import rules
from portal.customers.rules import Columns
from portal.sheets import Refused, decode_sheet

#: Some ten thousand customers; the command line takes more.
LARGEST_UPLOAD_BYTES = 1_000_000
DELIMITERS = (",", ";", "\t")


class ImportForm(forms.Form):
    """The file, or what its preview showed; and how its columns are read (REF-5)."""

    file = forms.FileField(label=_("CSV file"), required=False)
    text = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)
    country = forms.ChoiceField(
        label=_("Country where the file gives none"), choices=countries_or_none, required=False, initial=""
    )
    mapping = forms.CharField(
        label=_("Columns of another name"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text=_("One a line: our field, an equals sign, the file's column. For example: name=Company"),
    )
    source = forms.CharField(
        label=_("Where the keys of the key column come from"),
        required=False,
        max_length=rules.LONGEST_SOURCE,
        help_text=_("Only for files with a key column; empty: the file's name."),
    )
    name = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
    seen = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)
    sure = forms.BooleanField(label=_("Leave the refused lines out, and take in the others."), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields = ", ".join((*rules.FIELDS, "key"))
        text = gettext("The first line names the columns. The fields: %(fields)s; name and country are needed.")
        self.fields["file"].help_text = text % {"fields": fields}

    def clean_mapping(self) -> dict[str, str]:
        pairs = {}
        for line in self.cleaned_data["mapping"].splitlines():
            ours, equals, column = (part.strip() for part in line.partition("="))
            if line.strip() and not (ours and equals and column):
                raise ValidationError(_("“%(line)s” is not of the kind name=Company."), params={"line": line[:60]})
            if line.strip():
                pairs[ours] = column
        return pairs

    def clean(self) -> dict[str, Any]:
        """`text` is what the file holds, where there is one."""
        cleaned = super().clean() or {}
        file: UploadedFile | None = cleaned.get("file")
        if self.errors:
            return cleaned
        if file is not None:
            self._read(file, cleaned)
        elif not cleaned["text"].strip():
            self.add_error("file", gettext("Choose a file."))
        return cleaned

    def _read(self, file: UploadedFile, cleaned: dict[str, Any]) -> None:
        if file.size is None or file.size > LARGEST_UPLOAD_BYTES:
            text = gettext("The file is larger than 1 MB. Upload it in parts, or import it on the command line.")
            self.add_error("file", text)
            return
        cleaned["name"] = (file.name or "")[-200:]
        try:
            cleaned["text"] = decode_sheet(file.read(), rule="REF-5")
        except Refused as refused:
            for error in refused.errors:
                text = gettext("Line %(line)s is not UTF-8. Save the file as CSV UTF-8 and choose it again.")
                self.add_error("file", text % {"line": error.line})

    def columns(self) -> Columns:
        """How the service reads it. What separates the columns is what the first line holds most of."""
        given = self.cleaned_data
        head = given["text"].split("\n", 1)[0]
        return Columns(
            mapping=given["mapping"],
            defaults={"country": given["country"]} if given["country"] else {},
            source=given["source"] or PurePath(given["name"]).stem[: rules.LONGEST_SOURCE],
            delimiter=max(DELIMITERS, key=head.count),
        )
