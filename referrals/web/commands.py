"""What the palette offers of deals."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext

from portal.accounts.rules import Actor
from portal.ui.palette import COMMANDS, Command
from referrals.policies import may_send
from referrals.verbs import new_deal_blockers


def deals(actor: Actor) -> Iterator[Command]:
    """ORG-5, REF-10: to those who may."""
    if actor.is_vendor:
        if may_send(actor):
            yield Command(gettext("Send a deal to a partner"), reverse("send_deal"), "send")
    elif not new_deal_blockers(actor):
        yield Command(gettext("New deal"), reverse("new_deal"), "plus-lg")


COMMANDS.add("deals", deals, order=10)
