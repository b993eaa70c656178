"""Several plain cases passed with one comment, each by its own verb and in its own transaction (FLOW-12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal.accounts.admin_site import who
from portal.accounts.rules import Actor
from portal.desk.frame import QUEUE, back_to
from portal.desk.models import Case
from portal.desk.rules import KINDS
from portal.desk.services import DECIDED_MEANWHILE
from portal.params import whole_number
from portal.ui.listing.query import SIZES
from portal.workflow import text
from portal.workflow.blockers import RuleViolation


@dataclass(frozen=True)
class Result:
    """What became of one case: passed, or the reasons why not."""

    case: Case
    refusals: tuple[str, ...] = ()


class PassForm(forms.Form):
    """What all of them are passed with. The first kind of proof is chosen, so that plain cases take two keys."""

    validated_by = forms.ChoiceField(label=_("Validated by"))
    comment = forms.CharField(
        label=_("Comment for the partners"), required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = {code: label for kind in KINDS.values() for code, label in kind.validations.items()}
        self.fields["validated_by"].choices = list(choices.items())  # type: ignore[attr-defined]


def context(request: HttpRequest) -> dict[str, Any]:
    """The cases that were ticked with the form, or what became of each. Raises PermissionDenied for who decides none of
    them."""
    actor, now = who(request).values()
    if not any(kind.pass_plain and kind.may_decide(actor) for kind in KINDS.values()):
        raise PermissionDenied
    given = request.POST if request.method == "POST" else request.GET
    cases = _cases(given.getlist("case"), actor)
    form = PassForm(request.POST if request.method == "POST" else None)
    results = None
    if form.is_bound and form.is_valid():
        results = [_pass(case, request, form.cleaned_data) for case in cases]
    queue = given.get(QUEUE, "")
    return {
        "cases": _with_versions(cases),
        "form": form,
        "results": results,
        "passed": sum(not result.refusals for result in results or ()),
        "queue": queue,
        "back": back_to(queue, actor, now),
    }


def _cases(values: list[str], actor: Actor) -> list[Case]:
    """Those of a page at most, in the order of the desk; what is passed one by one only is left out."""
    pks = [whole_number(value) or 0 for value in values][: max(SIZES)]
    kinds = [code for code, kind in KINDS.items() if kind.pass_plain and kind.may_decide(actor)]
    found = Case.objects.visible_to(actor).filter(pk__in=pks, kind__in=kinds)
    return list(found.with_context().order_by("due_on", "pk"))


def _with_versions(cases: list[Case]) -> list[tuple[Case, int]]:
    """Each with the version of its record; a query for each kind."""
    found = {
        kind: KINDS[kind].versions([c.object_id for c in cases if c.kind == kind]) for kind in {c.kind for c in cases}
    }
    return [(case, found[case.kind][case.object_id]) for case in cases]


def _pass(case: Case, request: HttpRequest, given: dict[str, str]) -> Result:
    pass_plain = KINDS[case.kind].pass_plain
    assert pass_plain is not None
    if case.closed_at is not None:
        return Result(case, (text.text(DECIDED_MEANWHILE),))
    try:
        # A page that doesn't say what it showed showed nothing: no record has version 0 (FLOW-7).
        seen = whole_number(request.POST.get(f"version_{case.pk}")) or 0
        pass_plain(case.object_id, seen_version=seen, **given, **who(request))
    except RuleViolation as violation:
        return Result(case, tuple(text.text(blocker) for blocker in violation.blockers))
    return Result(case)
