"""The pages by which a partner ends a registration or takes an end back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from dealreg import verbs
from dealreg.models import Registration
from portal.accounts.decorators import ActorRequest, needs_actor
from portal.days import DayField
from portal.money.forms import AmountField
from portal.ui.verb_page import VerbPage
from referrals.web.actions import get_referral


class RevalidationForm(forms.Form):
    """What a revalidation changes (PAYG-2); the amounts stay in the currencies they were filed in."""

    tcv = AmountField(label=_("Total contract value"), help_text=_("Software and services, without hardware."))
    solution_value = AmountField(label=_("Solution value"))
    end = DayField(label=_("Contract end"), help_text=_("The date of the last or latest invoice."))

    def __init__(self, data: Any, registration: Registration) -> None:
        names = ("tcv", "solution_value", "end")
        super().__init__(data, initial={name: getattr(registration, name) for name in names})
        for name in ("tcv", "solution_value"):
            self.fields[name].label = f"{self.fields[name].label} ({getattr(registration, f'{name}_currency')})"


_PAGES: tuple[VerbPage[Registration], ...] = (
    VerbPage(verbs.CLOSE_UNREGISTERED, _("The deal was closed without registering.")),
    VerbPage(verbs.WITHDRAW, _("The registration was withdrawn.")),
    VerbPage(verbs.REGISTER_AFTER_ALL, _("The deal can be registered now.")),
    VerbPage(
        verbs.REVALIDATE,
        _("The registration goes to the review team with its new value."),
        lambda _request, data, registration: RevalidationForm(data, registration),
        lambda form: verbs.NewValue(**form.cleaned_data),
    ),
)
PAGES = {page.verb.name: page for page in _PAGES}


@needs_actor
@require_http_methods(["GET", "POST"])
def end(request: ActorRequest, public_id: Any, verb: str) -> HttpResponse:
    """The page of one of these verbs; 404 for whoever may not file the registration (ORG-6)."""
    referral = get_referral(request, public_id)
    registration = Registration.objects.with_context().filter(referral=referral).first()
    if registration is None or not PAGES[verb].verb.may(request.actor, registration):
        raise Http404
    shown = {"referral": referral, "registration": registration}
    return PAGES[verb].answer(
        request,
        registration,
        now=timezone.now(),
        back=reverse("deal", args=[public_id]),
        template="dealreg/end.html",
        context=lambda _form: shown,
    )
