"""The page of a verb, the same for every app's: its form, what stands in the way, a warning if it is final."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic

from django import forms
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import render

from portal.accounts.decorators import ActorRequest
from portal.params import whole_number
from portal.ui.forms import add_blockers, without_errors
from portal.ui.http import posted, redirect_to, version_shown
from portal.workflow import services as workflow
from portal.workflow import text
from portal.workflow.blockers import Blocker, RuleViolation
from portal.workflow.verbs import R, Verb


class EmptyForm(forms.Form):
    """For verbs that need only a confirmation."""


@dataclass(frozen=True)
class VerbPage(Generic[R]):
    """One verb's page: what is said when it is done, its form, the form's values that the verb takes."""

    verb: Verb[R, Any]
    done: Any
    form: Callable[[ActorRequest, QueryDict | None, R], forms.Form] = lambda _request, data, _record: EmptyForm(data)
    inputs: Callable[[Any], Any] = lambda _form: None
    template: str = ""
    #: What the form shows instead, where a button only changes its rows.
    reshaped: Callable[[ActorRequest], QueryDict | None] = lambda _request: None

    def answer(
        self,
        request: ActorRequest,
        record: R,
        *,
        now: datetime,
        back: str,
        template: str,
        context: Callable[[forms.Form], dict[str, Any]],
    ) -> HttpResponse:
        """Run the verb and go `back`, or show the page, first opened or refused; everything typed is kept.

        `template`: for verbs without one of their own. `context`: what it needs besides.
        """
        reshaped = self.reshaped(request)
        form = self.form(request, reshaped or posted(request), record)
        refused = self._run(request, record, form, now) if reshaped is None and form.is_valid() else ()
        if refused is None:
            messages.success(request, self.done)
            return redirect_to(request, back)
        if reshaped is not None:
            without_errors(form)
        action = workflow.available_action(record, self.verb, request.actor, now)
        # What stands in the way whatever is typed is on the page already.
        add_blockers(form, [blocker for blocker in refused if blocker not in action.blockers])
        version = version_shown(request, record.version, told=bool(refused))
        shown = {**_context(action, form), "version": version, "cancel_url": back, **context(form)}
        status = 422 if request.method == "POST" and reshaped is None else 200
        return render(request, self.template or template, shown, status=status)

    def _run(self, request: ActorRequest, record: R, form: forms.Form, now: datetime) -> tuple[Blocker, ...] | None:
        """Why the verb was refused; None if it was run."""
        seen, inputs = whole_number(request.POST.get("version")), self.inputs(form)
        try:
            workflow.run_from_page(record, self.verb, inputs, seen_version=seen, actor=request.actor, now=now)
        except RuleViolation as violation:
            return violation.blockers
        return None


def _context(action: workflow.Action[Any], form: forms.Form) -> dict[str, Any]:
    label = text.phrase(action.label)
    return {
        "verb": action.name,
        "heading": label,
        "submit": label,
        "final": action.verb.final,
        "kind": "danger" if action.verb.danger else "primary",
        "violations": action.blockers,
        "form": form,
    }
