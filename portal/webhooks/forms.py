"""The form of a company's webhook; the rules judge what it says."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.webhooks import rules
from portal.webhooks.models import Webhook
from portal.workflow import text


class WebhookForm(forms.Form):
    url = forms.CharField(
        label=_("Address"),
        max_length=rules.MAX_URL_LENGTH,
        widget=forms.URLInput(attrs={"placeholder": "https://crm.example.com/hooks/ortak"}),
        help_text=_("Each event is sent there by POST. It must be on the public internet, with https."),
    )
    events = forms.MultipleChoiceField(label=_("Events"), widget=forms.CheckboxSelectMultiple)
    ms_signature_header = forms.BooleanField(
        label=_("Send Microsoft's signature in x-ms-signature"),
        required=False,
        help_text=_("For receivers behind a gateway that takes the header Authorization for itself."),
    )

    def __init__(self, data: Any = None, *, webhook: Webhook | None) -> None:
        names = ("url", "events", "ms_signature_header")
        initial = {name: getattr(webhook, name) for name in names} if webhook else {"events": list(rules.EVENTS)}
        super().__init__(data, initial=initial)
        events = self.fields["events"]
        assert isinstance(events, forms.MultipleChoiceField)
        events.choices = [(name, f"{text.phrase(told)} ({name})") for name, told in rules.EVENTS.items()]
