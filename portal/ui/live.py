"""Forms that are checked while somebody types: quiet at a field until it was left (static/live.js), then live."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from django import forms

from portal.ui.forms import add_blockers, draft_conflicts, drafted_meanwhile, kept_answer
from portal.workflow.blockers import Blocker

#: In place of the names of the fields that were left: the form was sent and refused, so that nothing stays quiet.
ALL = "*"


def left_in(data: Mapping[str, Any]) -> str:
    """The names of the fields that were left, as live.js keeps them in the form."""
    return str(data.get("left") or "")


class Draft(Protocol):
    """The answers of a form as they were typed, by the fields' names."""

    answers: Mapping[str, str]


class Typed(Protocol):
    """A form that knows what was typed into it."""

    fields: dict[str, forms.Field]

    def typed(self) -> Mapping[str, str]: ...
    def has_changed(self) -> bool: ...


def has_news(form: Typed, draft: Draft | None) -> bool:
    """Whether the form holds anything else than the draft, or than what it was filled in with: to leave a field says
    nothing."""
    if draft is None:
        return form.has_changed()
    return bool(news(form, draft))


def news(form: Typed, draft: Draft) -> list[str]:
    """The questions that the form answers otherwise than the draft."""
    typed, kept = form.typed(), draft.answers
    return [n for n, field in form.fields.items() if typed.get(n, "") != kept_answer(field, kept.get(n, ""))]


def tell_draft(form: Any, draft: Any, drafted: forms.Form) -> None:
    """Say at the fields what a colleague's draft answers otherwise, which sending would have deleted. `drafted`: the
    form as the draft fills it in."""
    form.add_error(None, drafted_meanwhile(draft.saved_by))
    add_blockers(form, draft_conflicts(drafted, news(form, draft)))


def settle(form: forms.Form, found: Iterable[Blocker], *, left: str) -> dict[str, Any]:
    """Put what a dry run found at its fields, as far as they were left; an answer that can't be read has its own error.

    Returns the context of components/reasons.html: what stands in the way of all of it (`general`), the fields that are
    not answered yet (`missing`), and those answered wrongly (`wrong`).
    """
    found = list(found)
    here = [b for b in found if b.field in form.fields and b.field not in form.errors]
    open_fields = list(dict.fromkeys(b.field for b in here if _is_unanswered(b)))
    add_blockers(form, here)
    wrong = [form[name] for name in form.fields if name in form.errors and name not in open_fields]
    general = [b for b in found if b.field not in form.fields]
    add_blockers(form, general if left == ALL else ())
    _hush(form, left)
    return {"general": general, "missing": [form[name] for name in open_fields], "wrong": wrong, "left": left}


def _is_unanswered(blocker: Blocker) -> bool:
    """Whether this is a question without an answer rather than a wrong answer."""
    return blocker.code.endswith("_required") or blocker.code == "contract_names_missing"


def _hush(form: forms.Form, left: str) -> None:
    """Drop the errors of fields that were not left yet. An amount and its currency are one answer."""
    if left == ALL:
        return
    names = {name.removesuffix("_currency") for name in left.split()}
    for name in list(form.errors):
        if name.removesuffix("_currency") not in names:
            del form.errors[name]
