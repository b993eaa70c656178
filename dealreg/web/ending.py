"""The pages by which a partner ends a registration or takes an end back: withdraw, register after all, revalidate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from dealreg import verbs
from dealreg.models import Registration
from portal.accounts.decorators import ActorRequest, needs_actor
from portal.money.forms import AmountField
from portal.params import whole_number
from portal.workflow import services as workflow
from portal.workflow import text
from portal.workflow.blockers import RuleViolation
from portal.workflow.verbs import Verb
from referrals.web.actions import get_referral, redirect_to
from referrals.web.forms.deal import DateInput, EmptyForm, add_blockers


class RevalidationForm(forms.Form):
    """What a revalidation changes (PAYG-2); the amounts stay in the currencies they were filed in."""

    tcv = AmountField(label=_("Total contract value"), help_text=_("Software and services, without hardware."))
    solution_value = AmountField(label=_("Solution value"))
    end = forms.DateField(
        label=_("Contract end"), widget=DateInput(), help_text=_("The date of the last or latest invoice.")
    )

    def __init__(self, data: Any, registration: Registration) -> None:
        names = ("tcv", "solution_value", "end")
        super().__init__(data, initial={name: getattr(registration, name) for name in names})
        for name in ("tcv", "solution_value"):
            self.fields[name].label = f"{self.fields[name].label} ({getattr(registration, f'{name}_currency')})"


@dataclass(frozen=True)
class Page:
    """One verb's page: its form, the form's values that the verb takes, and what is said when it is done."""

    verb: Verb[Registration, Any]
    done: Any
    form: Callable[[Any, Registration], forms.Form] = lambda data, _registration: EmptyForm(data)
    inputs: Callable[[Any], Any] = lambda _form: None


_PAGES = (
    Page(verbs.WITHDRAW, gettext_lazy("The registration was withdrawn.")),
    Page(verbs.REGISTER_AFTER_ALL, gettext_lazy("The deal can be registered now.")),
    Page(
        verbs.REVALIDATE,
        gettext_lazy("The registration goes to the review team with its new value."),
        RevalidationForm,
        lambda form: verbs.NewValue(**form.cleaned_data),
    ),
)
PAGES: Mapping[str, Page] = {page.verb.name: page for page in _PAGES}


@needs_actor
@require_http_methods(["GET", "POST"])
def end(request: ActorRequest, public_id: Any, verb: str) -> HttpResponse:
    """The page of one of these verbs; 404 for whoever may not file the registration (ORG-6)."""
    page, now = PAGES[verb], timezone.now()
    registration = Registration.objects.with_context().filter(referral=get_referral(request, public_id)).first()
    if registration is None or not page.verb.may(request.actor, registration):
        raise Http404
    form = page.form(request.POST if request.method == "POST" else None, registration)
    if request.method == "POST" and form.is_valid():
        seen = whole_number(request.POST.get("version"))
        try:
            workflow.run_from_page(
                registration, page.verb, page.inputs(form), seen_version=seen, actor=request.actor, now=now
            )
        except RuleViolation as violation:
            return _page(request, page, registration, form, now, violation)
        messages.success(request, page.done)
        return redirect_to(request, reverse("deal", args=[public_id]))
    return _page(request, page, registration, form, now)


def _page(
    request: ActorRequest,
    page: Page,
    registration: Registration,
    form: forms.Form,
    now: datetime,
    violation: RuleViolation | None = None,
) -> HttpResponse:
    """The page, first opened or refused; everything typed is kept."""
    action = workflow.available_action(registration, page.verb, request.actor, now)
    if violation is not None:  # what stands in the way whatever is typed is on the page already
        add_blockers(form, [b for b in violation.blockers if b not in action.blockers])
    label = text.phrase(action.label)
    context = {
        "referral": registration.referral,
        "registration": registration,
        "verb": action.name,
        "heading": label,
        "submit": label,
        "final": action.verb.final,
        "kind": "danger" if action.verb.danger else "primary",
        "violations": action.blockers,
        "form": form,
        "version": registration.version,
        "cancel_url": reverse("deal", args=[registration.referral.public_id]),
    }
    return render(request, "dealreg/end.html", context, status=422 if request.method == "POST" else 200)
