"""What the palette offers of ISV Connect deals."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext

from isvconnect.policies import may_report
from portal.accounts.rules import Actor
from portal.ui.palette import COMMANDS, Command


def isv_deals(actor: Actor) -> Iterator[Command]:
    """ISV-7: to those who may report one."""
    if may_report(actor, None):
        yield Command(gettext("Report closed ISV Connect deal"), reverse("report_isv_deal"), "receipt")


COMMANDS.add("isv_deals", isv_deals, order=20)
