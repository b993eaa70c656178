"""The forms of a reviewer's decisions, with the texts that fill their comments (FLOW-5, FLOW-10, FLOW-16)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealreg.models import Registration, Validation
from dealreg.selectors.desk import REGISTRATION
from dealreg.verbs import MACHINE, Refusing, Reviewing
from portal.desk.forms import filled, offer_templates
from portal.desk.models import COMMENTED, Commented

for place, verb in enumerate(verb for verb in MACHINE.verbs if isinstance(verb, Reviewing)):
    reasons = verb.reasons if isinstance(verb, Refusing) else {}
    COMMENTED.add(f"{REGISTRATION}.{verb.name}", Commented(verb.label, reasons), order=10 + place)


class DecisionForm(forms.Form):
    """A decision: what the verb takes of a reason code and of what it was validated by, and a comment for the partner
    (FLOW-5, FLOW-10)."""

    verb = forms.CharField(widget=forms.HiddenInput)
    validated_by = forms.ChoiceField(
        label=_("Validated by"), choices=[("", _("Choose")), *Validation.choices], required=False
    )
    reason_code = forms.ChoiceField(label=_("Reason"), required=False)
    comment = forms.CharField(
        label=_("Comment for the partner"), required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, verb_name: str, **kwargs: Any) -> None:
        kwargs |= {"auto_id": f"{verb_name}_%s", "initial": {"verb": verb_name}}
        super().__init__(*args, **kwargs)
        verb = MACHINE.by_name.get(verb_name)
        taken = vars(verb.takes()) if isinstance(verb, Reviewing) else ()
        for name in {"reason_code", "validated_by"}.difference(taken):
            del self.fields[name]
        if isinstance(verb, Refusing):
            choices = [
                ("", gettext("Choose a reason")),
                *((code, gettext(label)) for code, label in verb.reasons.items()),
            ]
            self.fields["reason_code"].choices = choices  # type: ignore[attr-defined]
        offer_templates(self, f"{REGISTRATION}.{verb_name}")


def filled_form(posted: QueryDict, registration: Registration, verb_name: str) -> DecisionForm:
    """The form with the chosen text in its comment, in the language of who filed the registration."""
    language = registration.submitted_by.language if registration.submitted_by else ""
    return DecisionForm(filled(posted, f"{REGISTRATION}.{verb_name}", "comment", language), verb_name=verb_name)
