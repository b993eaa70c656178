"""The upload of monthly rates: parses the request, writes nothing."""

from __future__ import annotations

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

LARGEST_UPLOAD_BYTES = 1_000_000


class RatesForm(forms.Form):
    file = forms.FileField(
        label=_("CSV file"),
        help_text=_("Columns: currency, month, usd_per_unit. For example: TRY,2026-11,0.0213"),
    )

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if file.size is None or file.size > LARGEST_UPLOAD_BYTES:
            raise forms.ValidationError(_("The file is larger than 1 MB; upload it in parts."))
        return file
