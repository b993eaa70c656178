"""What registrations that wait for a marketplace transaction add to the home page (FLOW-3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext

from dealreg.models import Registration
from portal.accounts.rules import Actor
from portal.ui.home import DEADLINES, MAX_ITEMS, Deadline


def transactions_due(actor: Actor, now: datetime, last: date) -> Iterator[Deadline]:
    """The last day on which a marketplace transaction may come in, the first first (FLOW-8)."""
    if actor.is_vendor:
        return
    own = Registration.objects.visible_to(actor).filter(referral__company_id=actor.own_company_id)
    due = own.awaiting_transaction().filter(marketplace_until__gte=now, marketplace_until__date__lte=last)
    for registration in due.with_context().order_by("marketplace_until")[:MAX_ITEMS]:
        assert registration.marketplace_until is not None
        day = (registration.marketplace_until - timedelta(microseconds=1)).date()
        deal = registration.referral
        yield Deadline(day, deal.name, gettext("Marketplace transaction"), reverse("deal", args=[deal.public_id]))


DEADLINES.add("marketplace", transactions_due, order=40)
