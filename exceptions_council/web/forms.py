"""The form of a request and that of an answer: they parse, rules check, services write."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exceptions_council.models import ExceptionRequest
from exceptions_council.rules import REFUSED_FIELDS, AskedValues, ExceptionInput, states
from portal.days import DayField, read_day
from portal.money.forms import AmountField, currency_choices
from portal.ui.forms import TextArea, kept_answer
from portal.workflow import text
from portal.workflow.blockers import Money
from referrals.models import Referral

TERMS = [("finite", _("Finite")), ("perpetual", _("Perpetual"))]
#: What other pages may fill in by their links: what was refused there, under the names of the registration form.
VALUES = ("term", "tcv", "tcv_currency", "signed", "start", "end")
#: What needs an answer wherever it is asked; the dates, where only a registration may be asked for (EXC-1 to EXC-3).
ALWAYS = frozenset({"kind", "justification", "old_deal", "tickets"})
DATES = frozenset({"signed", "start", "end"})
PREFILLED = ("kind", "old_deal", *VALUES, *REFUSED_FIELDS)


def _column(name: str) -> Any:
    return ExceptionRequest._meta.get_field(name)


class DealIdField(forms.CharField):
    """The id of a deal; what is none names a deal that the company doesn't have (EXC-13)."""

    def clean(self, value: Any) -> uuid.UUID | None:
        typed = super().clean(value)
        if not typed:
            return None
        try:
            return uuid.UUID(typed)
        except ValueError:
            return uuid.UUID(int=0)


class ExceptionForm(forms.Form):
    """What may be asked for, and a tick for each field that no exception changes: it is refused with its way out."""

    kind = forms.ChoiceField(label=_("What is it about?"), required=False, widget=forms.RadioSelect)
    justification = TextArea(label=_column("justification").verbose_name, rows=8)
    term = forms.ChoiceField(
        label=_column("term").verbose_name, choices=[("", _("Choose a term")), *TERMS], required=False
    )
    tcv = AmountField(label=_column("tcv").verbose_name, required=False)
    tcv_currency = forms.ChoiceField(label=_column("tcv_currency").verbose_name, required=False)
    signed = DayField(label=_column("signed").verbose_name, required=False)
    start = DayField(label=_column("start").verbose_name, required=False)
    end = DayField(label=_column("end").verbose_name, required=False)
    old_deal = DealIdField(label=_("Id of the earlier deal"), max_length=100, required=False)
    tooling_error = forms.BooleanField(label=_column("tooling_error").verbose_name, required=False)
    tickets = forms.CharField(label=_column("tickets").verbose_name, max_length=1000, required=False)

    def __init__(
        self, data: Any = None, *, kinds: Sequence[str], current: AskedValues | None, initial: Mapping[str, Any]
    ) -> None:
        """`kinds`: those that the deal can ask for; `current`: what the registration says now, shown beside."""
        super().__init__(data, initial=dict(initial))
        choices = [(code, gettext(label)) for code, label in states.KINDS.items() if code in kinds]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]
        self.required_by_rules = ALWAYS | (DATES if list(kinds) == [states.PRE_REGISTRATION] else set())
        self.fields["tcv_currency"].choices = [("", _("Choose")), *currency_choices()]  # type: ignore[attr-defined]
        for name, said in current_texts(current).items():
            self.fields[name].help_text = gettext("Now: %(value)s") % {"value": said}
        for name, label in REFUSED_FIELDS.items():
            self.fields[name] = forms.BooleanField(label=gettext(label), required=False)

    @property
    def refused(self) -> list[forms.BoundField]:
        return [self[name] for name in REFUSED_FIELDS]

    def value(self) -> ExceptionInput:
        """What was understood of the form; what could not be read counts as not given, its error stands beside it."""
        data = self.cleaned_data
        amount, currency = data.get("tcv"), data.get("tcv_currency") or ""
        return ExceptionInput(
            kind=data.get("kind") or "",
            justification=data.get("justification") or "",
            term=data.get("term") or None,
            tcv=Money(amount, currency) if amount is not None else None,
            signed=data.get("signed"),
            start=data.get("start"),
            end=data.get("end"),
            old_deal=data.get("old_deal"),
            tooling_error=bool(data.get("tooling_error")),
            tickets=data.get("tickets") or "",
            other_fields=tuple(name for name in REFUSED_FIELDS if data.get(name)),
        )

    def typed(self) -> dict[str, str]:
        """The answers for the draft."""
        given = {name: str(self.data[name]) for name in self.fields if self.data.get(name)}
        return {name: kept_answer(self.fields[name], typed) for name, typed in given.items()}


def day_of(typed: str | None) -> date | None:
    """The day that was typed, if it can be read."""
    return read_day(typed or "")


def current_texts(current: AskedValues | None) -> dict[str, str]:
    """What the registration says now of the fields that may change."""
    if current is None:
        return {}
    terms = dict(TERMS)
    found = {"term": str(terms.get(current.term, ""))} if current.term else {}
    if current.tcv:
        found["tcv"] = text.show(current.tcv)
    days = {name: getattr(current, name) for name in ("signed", "start", "end")}
    return found | {name: text.day(day) for name, day in days.items() if day}


def initial_of(
    referral: Referral, given: Mapping[str, str], draft: Mapping[str, str] | None, *, kind: str, earlier: Sequence[Any]
) -> dict[str, Any]:
    """What a link filled in, else the draft, else what the deal itself says."""
    usual: dict[str, Any] = {"kind": kind, "tcv_currency": referral.currency}
    if kind == states.PRE_REGISTRATION:
        usual["signed"] = referral.signed_on
    if len(earlier) == 1:
        usual["old_deal"] = str(earlier[0].public_id)
    linked = {name: given[name] for name in PREFILLED if given.get(name)}
    return {**usual, **(draft or {}), **linked}


class AnswerForm(forms.Form):
    """What the partner says to the council's question; documents are added to the deal."""

    answer = TextArea(label=_("Answer"), rows=8)
