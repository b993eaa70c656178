"""The forms of lists: a saved view, and what is changed of a deal in its row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.days import DayField
from portal.ui.models import SavedView
from referrals.web.forms.deal import StageField, StageForm
from referrals.web.forms.editing import VersionMixin


class ViewForm(forms.Form):
    """A view's name, who sees it, and whether the list opens with it (REF-20)."""

    #: The list's address, which a new view keeps.
    list = forms.CharField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(label=_("Name"), widget=forms.TextInput(attrs={"maxlength": SavedView.MAX_NAME}))
    is_shared = forms.BooleanField(
        label=_("Share it with everybody in the company"),
        required=False,
        help_text=_("They see only what they may see anyway."),
    )
    is_default = forms.BooleanField(label=_("Open my list with this view"), required=False)

    def __init__(self, *args: Any, opens: bool, is_own: bool = True, **kwargs: Any) -> None:
        """Of a colleague's view, one chooses only whether one's own list opens with it. `opens`: whether a list of this
        kind can open with a view; one that shares its page with others can't."""
        super().__init__(*args, **kwargs)
        for name in (*(() if is_own else ("name", "is_shared")), *(() if opens else ("is_default",))):
            del self.fields[name]


class RowForm(VersionMixin, StageForm):
    """Stage and close date, as the row showed them in this version (REF-14, REF-21)."""

    stage = StageField(label=_("Sales stage"), coerce=int)
    close_date = DayField(label=_("Estimated close date"))

    field_order: Iterable[str] | None = ["stage", "close_date"]

    def in_row(self) -> RowForm:
        """Its controls as they stand in a row: of the form beside the table, the first of those to mend in focus."""
        controls = {"stage": "form-select", "close_date": "form-control", "version": ""}
        for name, css in controls.items():
            self.fields[name].widget.attrs |= {"form": "row-edit", "class": css}
        first = next((name for name in controls if name in self.errors), "stage")
        self.fields[first].widget.attrs["autofocus"] = True
        return self
