"""What other apps add to the page of an ISV Connect deal: their values, and their templates in its places."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from isvconnect.models import IsvDeal
from portal.accounts.rules import Actor
from portal.registry import Registry
from referrals.web.deal import BANNERS, CARDS, FOOT, PANELS, Part

__all__ = ["BANNERS", "CARDS", "COMMANDS", "FOOT", "PANELS", "PARTS", "FindPart", "Part"]

#: At the top, beside the title: where *Manage licences* stands (RD). The other places are those of a referral's page.
COMMANDS = "commands"

#: Asked with the deal, who looks at it, and when (UTC).
FindPart = Callable[[IsvDeal, Actor, datetime], Part]
PARTS: Registry[FindPart] = Registry()
