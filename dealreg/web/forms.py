"""The registration form: it parses, rules check, services write. Its fields are the questions' columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any

from django import forms
from django.db import models
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealreg import rules
from dealreg.models import Registration, RegistrationDraft
from dealreg.rules import reopening
from portal.catalog.models import Solution
from portal.days import DayField
from portal.money.forms import AmountField, currency_choices
from portal.ui.forms import kept_answer
from portal.workflow import text
from referrals.models import Referral

YES_NO = [("yes", _("Yes")), ("no", _("No"))]

_COLUMNS: dict[str, Any] = {column.name: column for column in Registration._meta.concrete_fields}
#: Every question has the column of its name, and a second one for the currency of an amount that has its own.
QUESTIONS = [
    name
    for question in fields(rules.RegistrationInput)
    for name in (question.name, f"{question.name}_currency")
    if name in _COLUMNS
]

#: The questions whose answers an approved exception opens to be corrected (EXC-4, EXC-9).
CORRECTED = tuple(name for name in QUESTIONS if name.removesuffix("_currency") in reopening.CORRECTED)


class RenewalField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        """By the deal, the solution and the days of the contract."""
        ended = text.day(obj.end) if obj.end else gettext("perpetual")
        return f"{obj.referral.name} · {obj.solution.name} · {text.day(obj.start)} – {ended}"


#: Questions that are asked only after this answer to another (REG-1, REG-3, REG-6); app.css shows them then.
ASKED_AFTER: dict[str, tuple[str, Any]] = {
    "marketplace_date": ("marketplace", True),
    "end": ("term", "finite"),
    "payg_year_value": ("pricing", "payg"),
}

#: What the form says of these days only once they are days of invoices (REG-11).
_PAYG_HELP = {
    "signed": _("Pay-as-you-go: the date of the first invoice."),
    "end": _("Pay-as-you-go: the date of the last or latest invoice."),
}

#: What the choice among rows says as long as there is none.
_NONE = {"solution": _("Choose a solution"), "renews": _("None: it is a new contract")}


def _field(name: str) -> forms.Field:
    """The field for a question's column; none is required: the rules report all that is missing (REG-14)."""
    column = _COLUMNS[name]
    given: dict[str, Any] = {"label": column.verbose_name, "help_text": column.help_text, "required": False}
    match column:
        case models.ForeignKey():
            kind = RenewalField if name == "renews" else forms.ModelChoiceField
            found = column.related_model._default_manager.none()
            return kind(queryset=found, to_field_name="public_id", empty_label=_NONE[name], **given)
        case models.BooleanField(null=True):
            return forms.TypedChoiceField(
                choices=YES_NO, coerce=lambda value: value == "yes", empty_value=None, widget=forms.RadioSelect, **given
            )
        case models.BooleanField():
            return forms.BooleanField(**given)
        case models.DateField():
            return DayField(**given)
        case models.DecimalField():
            return AmountField(**given)
        case models.CharField(choices=None):
            return forms.ChoiceField(**given)
    return forms.ChoiceField(choices=column.choices, widget=forms.RadioSelect, **given)


class RegistrationForm(forms.Form):
    """The questions of REG; what is registered or renewed is asked for where there is a choice (REG-21, REG-18)."""

    required_by_rules = rules.REQUIRED

    def __init__(
        self,
        *args: Any,
        solutions: Sequence[Solution],
        renewals: Sequence[Registration],
        only: Collection[str] = QUESTIONS,
        **kwargs: Any,
    ) -> None:
        """`only`: the questions that may be answered anew; the others keep their answers, whatever is sent (EXC-9)."""
        super().__init__(*args, **kwargs)
        self.fields |= {name: _field(name) for name in QUESTIONS}
        currencies = currency_choices()  # asked for once, not at every look at a field
        for name in ("tcv_currency", "solution_value_currency"):
            self.fields[name].choices = currencies  # type: ignore[attr-defined]
        self._offer("solution", Solution.objects.filter(pk__in=[s.pk for s in solutions]), asked=len(solutions) > 1)
        earlier = Registration.objects.filter(pk__in=[r.pk for r in renewals])
        self._offer("renews", earlier.select_related("solution", "referral"), asked=bool(renewals))
        for name, said in _PAYG_HELP.items():
            self.fields[name].help_text = format_html('<span class="o-asked o-asked--payg">{}</span>', said)
        for name, shown in self.fields.items():
            shown.disabled = name not in only

    def clean(self) -> dict[str, Any]:
        """What is typed where nothing is asked counts for nothing, and is no error."""
        data = super().clean() or self.cleaned_data
        for name, (question, answer) in ASKED_AFTER.items():
            if data.get(question) != answer:
                self.errors.pop(name, None)
                data[name] = None
        return data

    def _offer(self, name: str, rows: models.QuerySet[Any], *, asked: bool) -> None:
        self.fields[name].queryset = rows  # type: ignore[attr-defined]
        if not asked:
            del self.fields[name]

    def value(self) -> rules.RegistrationInput:
        """What was understood of the form; what could not be read counts as not given, its error stands beside it."""
        return Registration(**{name: self.cleaned_data[name] for name in QUESTIONS if name in self.cleaned_data}).claim

    def typed(self) -> dict[str, str]:
        """The answers for the draft (REG-19)."""
        given = {name: str(self.data[name]) for name in QUESTIONS if self.data.get(name)}
        return {name: kept_answer(self.fields.get(name), typed) for name, typed in given.items()}


def initial_of(
    referral: Referral,
    registration: Registration | None,
    draft: RegistrationDraft | None,
    solutions: Sequence[Solution],
) -> dict[str, Any]:
    """The initial values of the form: the draft, else the last answers, else what the deal itself says. Of a reopened
    registration only what can be corrected is taken from the draft (EXC-9)."""
    if draft is not None and registration is not None and registration.is_reopened:
        kept = {name: value for name, value in draft.answers.items() if name in CORRECTED}
        blank = dict.fromkeys(CORRECTED)
        return {**initial_of(referral, registration, None, solutions), **blank, **kept}
    if draft is not None:
        return dict(draft.answers)
    if registration is None or registration.first_submitted_at is None:
        return {
            "tcv_currency": referral.currency,
            "solution_value_currency": referral.currency,
            "tcv": referral.value,
            "marketplace": {"yes": "yes", "no": "no"}.get(referral.marketplace_intent),
            "signed": referral.signed_on,
            "solution": solutions[0].public_id if len(solutions) == 1 else None,
        }
    stated = {name: getattr(registration, name) for name in QUESTIONS}
    stated["marketplace"] = "yes" if registration.marketplace else "no"
    for name in ("solution", "renews"):
        stated[name] = stated[name].public_id if stated[name] else None
    return stated
