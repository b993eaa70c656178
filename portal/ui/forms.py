"""What forms of every app share: what the rules say against a form stands at its fields, and some kinds of fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import lazy
from django.utils.translation import get_language, gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from portal.accounts.selectors import vendor_name
from portal.customers.rules import country_choices
from portal.days import DayField
from portal.money.forms import AmountField
from portal.workflow import text
from portal.workflow.blockers import Blocker, RuleViolation


def add_blockers(form: forms.BaseForm, blockers: Iterable[Blocker]) -> None:
    """Add each blocker as an error: at its field, at the form's rows of that name, or above the form."""
    rows = {part.prefix: part for part in vars(form).values() if isinstance(part, forms.BaseFormSet)}
    for blocker in blockers:
        error = ValidationError(text.text(blocker), code=blocker.code)
        form.add_error(blocker.field if blocker.field in form.fields else None, error)
        if blocker.field in rows:
            rows[blocker.field].non_form_errors().append(error)


def without_errors(form: forms.BaseForm) -> None:
    """Drop the errors of the form and its rows but keep what was typed, because the person is still writing."""
    form.errors.clear()
    for rows in (part for part in vars(form).values() if isinstance(part, forms.BaseFormSet)):
        rows.non_form_errors().clear()
        for errors in rows.errors:
            errors.clear()


def saved(form: forms.BaseForm, save: Callable[[], object]) -> bool:
    """Save what a form says, and return True. A form that was not sent, is not valid or is refused says why itself."""
    if not form.is_valid():
        return False
    try:
        save()
    except RuleViolation as violation:
        add_blockers(form, violation.blockers)
        return False
    return True


def as_if_sent(form: forms.BaseForm) -> dict[str, Any]:
    """The form's initial values as if they were sent, so that it can be checked before anything is typed."""
    shown = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in shown.items() if value not in (None, "", False)}


def kept_answer(field: forms.Field | None, typed: str) -> str:
    """An answer as a draft keeps it: what one person types another may send, in the other language, so days and amounts
    are kept as they were read. What can't be read stays as it was typed."""
    return field.kept(typed) if isinstance(field, AmountField | DayField) else typed


def of_draft(field: forms.Field | None, kept: str) -> str:
    """An answer of a draft as its field shows it."""
    return str(field.prepare_value(field.of_draft(kept))) if isinstance(field, AmountField) else kept


def saved_meanwhile(by: object) -> str:
    """Why a draft is not saved: somebody saved another one since the page was opened; None: there is none any more."""
    if by is None:
        return gettext("The draft was sent or dropped meanwhile. Save again to keep what stands here.")
    return gettext("%(person)s saved this draft meanwhile. Save again to put yours in its place.") % {"person": by}


def drafted_meanwhile(by: object) -> str:
    """Why what would delete a colleague's draft is not sent: the page was opened before it was saved."""
    said = gettext(
        "%(person)s saved a draft meanwhile; each field where it differs says how. Send again to put yours in its "
        "place, or open the form anew to go on with theirs."
    )
    return said % {"person": by}


def conflicts(record: models.Model, changed: Iterable[str], questions: Iterable[str]) -> list[Blocker]:
    """At each of these columns that is a question, what its answer is now (REF-21)."""
    asked = set(questions)
    names = [name.removesuffix("_id") for name in changed]
    return [_conflict(n, _shown(record, n)) for n in names if n in asked]


def draft_conflicts(form: forms.Form, changed: Iterable[str]) -> list[Blocker]:
    """At each of these questions, what a draft answers of which `form` was made (REF-21)."""
    form.is_valid()
    return [_conflict(name, _answered(form, name)) for name in changed if name in form.fields]


def _conflict(name: str, now: str) -> Blocker:
    message = gettext_noop(
        "Somebody changed this meanwhile; it is now “%(now)s”. Send again to put yours in its place."
    )
    return Blocker("conflict", message, "REF-21", name, {"now": now})


def _answered(form: forms.Form, name: str) -> str:
    """An answer as people read it; what can't be read as it was typed."""
    field, value = form.fields[name], form.cleaned_data.get(name, form.data.get(name))
    if isinstance(field, forms.ModelChoiceField):
        return field.label_from_instance(value) if isinstance(value, models.Model) else "–"
    if isinstance(field, forms.ChoiceField):
        return str(dict(field.choices).get(form.data.get(name, ""), "–"))  # type: ignore[arg-type]
    return _said(value)


def _shown(record: models.Model, name: str) -> str:
    """An answer as people read it."""
    value: Any = getattr(record, name)
    choices = getattr(record._meta.get_field(name), "flatchoices", None)
    if choices:
        return str(dict(choices).get(value, "–"))
    return _said(value)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if value in (None, ""):
        return "–"
    return text.show(value) if not isinstance(value, models.Model) else str(value)


def _named(message: Any) -> str:
    return str(message) % {"vendor": vendor_name()}


#: A lazily translated label that contains the vendor's name. Made once: `lazy` makes a class each time.
named = lazy(_named, str)


def _countries() -> list[tuple[str, str]]:
    return [("", gettext("Choose a country")), *country_choices(get_language() or "en")]


class CountryField(forms.ChoiceField):
    """Every country by its name in the reader's language."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"label": _("Country"), "choices": _countries, **kwargs})


class TextArea(forms.CharField):
    """A text of several lines, which may be left out."""

    def __init__(self, *, rows: int = 3, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows})
        super().__init__(**{"label": _("Notes"), "required": False, "widget": widget, **kwargs})
