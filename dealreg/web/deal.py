"""What registrations add to a deal's page: eligibility, the milestone, the registration and what can be done to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from dealreg.models import NOT_REGISTERED, Registration, Status
from dealreg.rules import Window, states
from dealreg.rules.criteria import Criterion, Eligibility
from dealreg.selectors.marketplace import search_of
from dealreg.selectors.window import window_of
from dealreg.services import registration as services
from portal.accounts.rules import Actor
from portal.policy import services as policies
from portal.workflow import services as workflow
from portal.workflow import text
from portal.workflow.verbs import Verb
from referrals import rules as deals
from referrals import verbs
from referrals.models import Referral
from referrals.policies import may_change
from referrals.web.deal import BADGES, BANNERS, CARDS, FOOT, MILESTONES, PANELS, PARTS, Link, Part, Step, page_of


def part(referral: Referral, actor: Actor, now: datetime) -> Part:
    """The same number of queries for every deal; the registration is its own company's (ORG-6)."""
    own = referral.company_id == actor.company_id
    registration = Registration.objects.with_context().filter(referral=referral).first() if own else None
    eligibility = None if actor.is_vendor else services.eligibility(referral, registration, now=now)
    attainable = bool(eligibility and eligibility.attainable)
    milestone = registration_steps(registration, eligible=attainable)
    to_mend = _to_mend(referral, eligibility) if own and may_change(actor, referral) else None
    context = {
        "milestone": milestone,
        "eligibility": eligibility and Standing(eligibility, _remedies(referral, actor, now) if own else {}),
        "to_mend": to_mend,
        "registration": registration,
        "registration_reason": _reason(registration),
        "marketplace": search_of(registration, now=now) if registration else None,
        "window": _window(registration, now),
        "window_days": policies.current(now).registration_window_days,
    }
    counts = eligibility and (not referral.is_closed or referral.substatus == deals.WON)
    shown = {
        BADGES: ("dealreg/_deal_badge.html", registration),
        BANNERS: ("dealreg/_deal_banner.html", registration or to_mend),
        MILESTONES: ("dealreg/_deal_milestone.html", milestone),
        PANELS: ("dealreg/_deal_eligibility.html", counts),
        CARDS: ("dealreg/_deal_card.html", registration and registration.first_submitted_at),
        FOOT: ("dealreg/_deal_foot.html", own),
    }
    tries_out = own and registration is None and (attainable or not referral.is_closed) and not actor.is_vendor
    return Part(
        context=context,
        templates={place: template for place, (template, what) in shown.items() if what},
        actions=workflow.available_actions(registration, actor, now) if registration else (),
        links=[Link(gettext("Try out the registration"), _address("registration", referral))] if tries_out else (),
        lead=_lead(referral, registration, to_mend),
        goes_on=registration is not None and registration.status != Status.CLOSED,
    )


@dataclass(frozen=True)
class Standing:
    """Eligibility as the page shows it: what is open unfolded, the rest behind one line. What only the win itself
    brings isn't open: it is said in the line. `remedies`: where the reader settles a criterion, by its code."""

    of: Eligibility
    remedies: Mapping[str, Link]

    @property
    def open(self) -> list[tuple[Criterion, Link | None]]:
        """Each with where the reader settles it, if they can."""
        found = [c for c in self.of.criteria if c.state != "met" and not _comes_with_win(c)]
        return [(c, self.remedies.get(c.code) if c.settled_by == "you" else None) for c in found]

    @property
    def rest(self) -> list[Criterion]:
        return [c for c in self.of.criteria if c.state == "met" or _comes_with_win(c)]

    @property
    def met(self) -> int:
        return sum(c.state == "met" for c in self.of.criteria)

    @property
    def total(self) -> int:
        return len(self.of.criteria)

    @property
    def waits_for_win(self) -> bool:
        return any(_comes_with_win(c) for c in self.of.criteria)


def _comes_with_win(criterion: Criterion) -> bool:
    return criterion.code == "won" and criterion.state == "notYet"


#: By criterion, the verb by which a company settles it itself.
_REMEDIES: Mapping[str, Verb[Referral, Any]] = {
    "deal_type": verbs.SHARE_WITH_VENDOR,
    "minimum_value": verbs.EDIT_DETAILS,
    "ip_solution": verbs.EDIT_SOLUTIONS,
}


def _remedies(referral: Referral, actor: Actor, now: datetime) -> dict[str, Link]:
    """The pages of those verbs that the actor can use now, by criterion."""
    own = {code: verb for code, verb in _REMEDIES.items() if verb.may(actor, referral)}
    actions = {code: workflow.available_action(referral, verb, actor, now) for code, verb in own.items()}
    return {
        code: Link(text.phrase(action.label), page_of(action.verb, referral), action.verb.in_dialog)
        for code, action in actions.items()
        if action.enabled
    }


def _to_mend(referral: Referral, eligibility: Eligibility | None) -> Criterion | None:
    """The one criterion that the company can still mend, and that nothing else keeps from counting: a solution can be
    added until the win (ELIG-5)."""
    if eligibility is None or referral.substatus != deals.ACCEPTED:
        return None
    unmet = [c for c in eligibility.criteria if c.state == "notMet"]
    return unmet[0] if [c.code for c in unmet] == ["ip_solution"] else None


def _lead(referral: Referral, registration: Registration | None, to_mend: Criterion | None) -> str | Link:
    if to_mend:
        return Link(gettext("Add a solution"), _address("edit_solutions", referral), in_dialog=True)
    if registration is None:
        return ""
    return {Status.REGISTRATION_PENDING: "submit", Status.ACTION_REQUIRED: "resubmit"}.get(registration.status, "")


def _address(page: str, referral: Referral) -> str:
    return reverse(page, args=[referral.public_id])


_LOOKS = {
    Status.REVIEW_FAILED: "failed",
    Status.MARKETPLACE_FAILED: "failed",
    Status.REVIEW_PENDING: "wait",
    Status.MARKETPLACE_PENDING: "wait",
    Status.ACTION_REQUIRED: "now",
    NOT_REGISTERED: "failed",
}


def registration_steps(registration: Registration | None, *, eligible: bool) -> list[Step]:
    """The milestone *Deal registration*: only where there is one to make (RD)."""
    if registration is None:
        return [Step(gettext("To register after the win"), "")] if eligible else []
    pending = registration.status == Status.REGISTRATION_PENDING
    filed = Step(gettext("Filed"), "done", at=registration.submitted_at)
    if pending and registration.submitted_at is None:
        return [Step(_state(registration.status), "now"), Step(gettext("Closed"), "")]
    if pending:
        return [filed, Step(gettext("Checking…"), "wait"), Step(gettext("Closed"), "")]
    if registration.status != Status.CLOSED:
        look, note = _LOOKS.get(registration.status, "done"), _to_do(registration)
        now = Step(_state(registration.status), look, at=registration.state_since, note=note)
        return [filed, now, Step(gettext("Closed"), "")]
    decided_at = registration.decided_at or registration.approved_at
    ended = Step(
        registration.outcome_text, _LOOKS.get(registration.outcome, "done"), at=decided_at, note=_to_do(registration)
    )
    closed = Step(gettext("Closed"), "done", at=registration.closed_at)
    return [filed, ended, closed] if registration.submitted_at else [ended, closed]


def _state(status: str) -> str:
    return gettext(states.REGISTRATION_STATES[status])


def _to_do(registration: Registration) -> str:
    """Why it is in this state, or what the company has to do (FLOW-5)."""
    match registration.status:
        case Status.ACTION_REQUIRED:
            until = text.show(registration.action_due_at) if registration.action_due_at else "–"
            return gettext("Correct it, or withdraw it, until %(until)s") % {"until": until}
        case Status.REVIEW_PENDING | Status.MARKETPLACE_PENDING:
            return gettext("Nothing to do for you")
    return _reason(registration) if registration.has_failed else ""


def _reason(registration: Registration | None) -> str:
    """The last decision's reason, in words."""
    if registration is None:
        return ""
    said = [states.UNANSWERED.message] if registration.was_unanswered else []
    return " ".join(gettext(reason) for reason in [*said, registration.reason] if reason)


def _window(registration: Registration | None, now: datetime) -> Window | None:
    """Until when it can be registered, while it waits for that (FLOW-8)."""
    if registration is None or registration.status != Status.REGISTRATION_PENDING or registration.submitted_at:
        return None
    return window_of(registration, policies.current(now))


PARTS.add("registration", part, order=10)
