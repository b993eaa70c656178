"""The foot bar of a deal's page: one primary button, the fitting one for state and age, and all else under *More*."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from portal.accounts.rules import Actor
from portal.workflow import services as workflow
from portal.workflow import text
from referrals import rules
from referrals.models import Referral
from referrals.web.deal import Link, Part, page_of

#: So long before its estimated close a deal is asked to be won.
CLOSING = timedelta(days=14)
#: Done already, or nothing to do: no button, rather than one that is forbidden.
_DONE = frozenset({"not_scheduled", "already_shared", "help_asked", "revalidation_payg_only"})


@dataclass(frozen=True)
class Button:
    """One action or link of the bar. `action`: the verb's, if it has one, whose blockers say why it is shut."""

    label: str
    url: str
    in_dialog: bool
    action: workflow.Action[Any] | None = None

    @property
    def is_shut(self) -> bool:
        return self.action is not None and not self.action.enabled

    @property
    def ends(self) -> bool:
        return self.action is not None and self.action.verb.danger


@dataclass(frozen=True)
class Foot:
    """`primary` stands alone, the others under *More* in three groups: usual, not available now, endings."""

    primary: Button | None = None
    usual: list[Button] = field(default_factory=list)
    shut: list[Button] = field(default_factory=list)
    endings: list[Button] = field(default_factory=list)

    @property
    def has_more(self) -> bool:
        return bool(self.usual or self.shut or self.endings)

    @property
    def is_empty(self) -> bool:
        return self.primary is None and not self.has_more


def foot(referral: Referral, parts: Sequence[Part], actor: Actor, now: datetime) -> Foot:
    """What the role allows here: the same list as every surface offers (available_actions)."""
    found: list[workflow.Action[Any]] = [*workflow.available_actions(referral, actor, now)]
    for part in parts:
        found += part.actions
    shown = [a for a in found if not a.wrong_state and not a.verb.quiet and not _idle(a)]
    buttons = [_button(action, referral) for action in shown]
    buttons += [_link(link) for part in parts for link in part.links]
    leads = [part.lead for part in parts if part.lead] + _own_leads(referral, actor, now)
    primary = _primary(buttons, leads)
    rest = [button for button in buttons if button is not primary]
    return Foot(
        primary,
        usual=[button for button in rest if not button.is_shut and not button.ends],
        shut=[button for button in rest if button.is_shut],
        endings=[button for button in rest if button.ends and not button.is_shut],
    )


def _idle(action: workflow.Action[Any]) -> bool:
    """Planning the win is offered where one wins early (REF-18)."""
    return action.name == "schedule_win" or any(b.code in _DONE for b in action.blockers)


def _button(action: workflow.Action[Any], referral: Referral) -> Button:
    return Button(text.phrase(action.label), page_of(action.verb, referral), action.verb.in_dialog, action)


def _link(link: Link) -> Button:
    return Button(link.label, link.url, link.in_dialog)


def _primary(buttons: Sequence[Button], leads: Sequence[str | Link]) -> Button | None:
    """The first that leads and can be used."""
    for lead in leads:
        if isinstance(lead, Link):
            return _link(lead)
        for button in buttons:
            if button.action and button.action.name == lead and not button.is_shut:
                return button
    return None


def _own_leads(referral: Referral, actor: Actor, now: datetime) -> list[str | Link]:
    """What the deal itself asks for: an answer, then progress, and the win as its close draws near. The vendor's copy
    waits for the partner."""
    if referral.substatus == rules.RECEIVED:
        return ["accept"]
    if referral.substatus != rules.ACCEPTED or referral.win_at or actor.is_vendor:
        return []
    closing = referral.close_date <= (now + CLOSING).date()
    late = referral.stage >= list(rules.stages_for(assessment=referral.is_assessment))[-2]
    return ["win", "set_stage"] if closing or late else ["set_stage"]
