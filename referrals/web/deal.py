"""What other apps add to a deal's page: their values, their templates in its places, and their actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from portal.accounts.rules import Actor
from portal.registry import Registry
from portal.workflow.services import Action
from portal.workflow.verbs import Described
from referrals import rules
from referrals.models import Referral

#: Where on the page a template may stand, from top to bottom.
BADGES, BANNERS, MILESTONES, PANELS, CARDS, FOOT = "badges", "banners", "milestones", "panels", "cards", "foot"


@dataclass(frozen=True)
class Link:
    """A button that leads to a page: its words, and the address. `in_dialog`: that page fits in a dialog."""

    label: str
    url: str
    in_dialog: bool = False


def page_of(verb: Described, referral: Referral) -> str:
    """The address of a verb's page."""
    if verb.page:
        return reverse(verb.page, args=[referral.public_id])
    return reverse("act", args=[referral.public_id, verb.name.replace("_", "-")])


@dataclass(frozen=True)
class Part:
    """What one app adds: `context` for all its templates, at most one template for each place, its actions and links.

    `lead`: what it asks for now, as the name of an action or as a link; the first app's that leads is the page's one
    primary button. `goes_on`: something of it isn't over though the deal is closed.
    """

    context: Mapping[str, Any]
    templates: Mapping[str, str]
    actions: Sequence[Action[Any]] = field(default=())
    links: Sequence[Link] = field(default=())
    lead: str | Link = ""
    goes_on: bool = False


def context_of(parts: Sequence[Part]) -> dict[str, Any]:
    """What other apps' templates need, and which stand in each place of the page."""
    places: dict[str, list[str]] = {}
    found: dict[str, Any] = {"places": places}
    for part in parts:
        found |= part.context
        for place, template in part.templates.items():
            places.setdefault(place, []).append(template)
    return found


#: Asked with the deal, who looks at it, and when (UTC).
FindPart = Callable[[Referral, Actor, datetime], Part]
PARTS: Registry[FindPart] = Registry()


@dataclass(frozen=True)
class Asked:
    """What a received deal asks its company for: who asks, the kind of help, and what they wrote (REF-5, REF-9)."""

    sender: str
    help: str
    notes: str


def asked_of(referral: Referral) -> Asked | None:
    """What the sender wants of the company whose copy this is; None for a company's own deal."""
    if referral.invited_by is None:
        return None
    return Asked(referral.invited_by.name, gettext(rules.HELP[referral.invite_help]), referral.invite_notes)


@dataclass(frozen=True)
class Step:
    """One step of the lifecycle: its words, its date if it has one, and how it looks; why, or what to do then."""

    name: str
    look: str
    meta: str = ""
    at: datetime | None = None
    note: str = ""

    @property
    def icon(self) -> str:
        return ICONS[self.look]

    @property
    def spoken(self) -> str:
        """For screen readers, who don't see the icon."""
        return {
            "done": gettext("Done"),
            "won": gettext("Won"),
            "now": gettext("Now"),
            "wait": gettext("Now"),
            "failed": gettext("Ended here"),
            "skip": gettext("Skipped"),
            "never": gettext("Not reached"),
        }.get(self.look, gettext("To come"))


ICONS = {
    "done": "check-circle-fill",
    "won": "trophy-fill",
    "now": "record-circle",
    "wait": "hourglass-split",
    "failed": "x-circle-fill",
    "skip": "circle",
    "never": "circle",
    "": "circle",
}
