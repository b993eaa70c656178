"""What licences add to the page of an ISV Connect deal: *Manage licences* at its top, and what there is (LIC-1)."""

from __future__ import annotations

from datetime import datetime

from isvconnect.models import IsvDeal
from isvconnect.policies import may_manage_licences
from isvconnect.web.parts import CARDS, COMMANDS, PARTS, Part
from licensing.selectors.facts import licences_of
from licensing.selectors.relationships import counts_of
from portal.accounts.rules import Actor


def part(deal: IsvDeal, actor: Actor, now: datetime) -> Part:
    """The button for who manages them, as long as there is something to manage; the counts for everybody."""
    licences = licences_of(deal)
    manages = may_manage_licences(actor, deal) and (licences is not None or not deal.is_cancelled)
    context = {"licences": licences, "licence_counts": counts_of(licences) if licences else []}
    templates = {COMMANDS: "licensing/_deal_command.html"} if manages else {}
    if licences:
        templates[CARDS] = "licensing/_deal_card.html"
    return Part(context, templates)


PARTS.add("licensing", part, order=10)
