"""The form with which the vendor's sellers send a deal to a partner (REF-10)."""

from __future__ import annotations

import uuid

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.days import DayField
from referrals.verbs import SentDeal
from referrals.web.forms.deal import MoneyMixin
from referrals.web.forms.editing import PartnerFields
from referrals.web.wizard.forms import CustomerFields


class SendForm(CustomerFields, PartnerFields, MoneyMixin):
    """The customer, the deal, the partner, and the help wanted from it."""

    creation_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    name = forms.CharField(label=_("Deal name"), max_length=200)
    close_date = DayField(label=_("Estimated close date"))

    field_order = [
        *("value", "currency", "country", "customer_search", "customer", "creation_key", "name", "close_date"),
        *("partner_search", "partner", "solutions"),
    ]

    def deal(self) -> SentDeal:
        data = self.cleaned_data
        names = ("customer", "partner", "name", "close_date", "help_code", "notes")
        given = {name: data[name] for name in names}
        return SentDeal(**given, value=self.money(), solutions=list(data["solutions"]), key=data["creation_key"])
