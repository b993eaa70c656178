"""Who takes part in a deal: whom it is shared with, who is invited, and who learns of whom (REF-3, REF-4, REF-9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, Money, _
from referrals import rules


@dataclass(frozen=True)
class Party:
    """A company in an engagement, by its copy; `invited_by_id` is None for whoever started it.

    `vendor_may_view` and `asks_vendor` (for help) are the copy's own: a closed one keeps them (REF-11).
    """

    company_id: int
    invited_by_id: int | None
    is_vendor: bool
    vendor_may_view: bool
    asks_vendor: bool


def knows(one: Party, other: Party) -> bool:
    """Whether the first company of an engagement may learn of the second (ORG-6).

    An inviter and its invitee know each other; two partners invited by a third don't. The vendor knows whose copy it
    may view, and a partner knows of the vendor's copy where help was asked for on its own.
    """
    if one.company_id == other.company_id:
        return True
    if one.is_vendor:
        return other.vendor_may_view
    if other.is_vendor:
        return one.asks_vendor
    return one.company_id == other.invited_by_id or other.company_id == one.invited_by_id


def sharing_blockers(*, inbound: bool, vendor_may_view: bool) -> Iterator[Blocker]:
    """Private -> partner-led: only the company that started the deal, only once, and never back (REF-3, REF-4)."""
    yield from _own_deal_blockers(inbound)
    if vendor_may_view:
        yield Blocker("already_shared", _("%(vendor)s's sellers may view this deal already."), "REF-3")


def asking_blockers(*, inbound: bool, help_code: str) -> Iterator[Blocker]:
    """Private or partner-led -> co-sell: help is asked for once and never withdrawn (REF-3, REF-4)."""
    yield from _own_deal_blockers(inbound)
    if help_code != rules.NO_HELP:
        yield Blocker("help_asked", _("Help from %(vendor)s was asked for already."), "REF-3")


def help_blockers(help_code: str, *, contact: rules.Contact, notes: str, policy: Policy) -> Iterator[Blocker]:
    """The kind of help must be from the list, and the customer's contact must be complete (REF-2, REF-5)."""
    if help_code == rules.NO_HELP or help_code not in rules.HELP:
        yield Blocker("unknown_help", _("Choose what help you need from the list."), "REF-2", "help_code")
    yield from rules.contact_blockers(contact, help_code=help_code)
    yield from rules.length_blockers(notes, "comment", policy=policy)


def inviting_blockers(*, inbound: bool, assessment: bool) -> Iterator[Blocker]:
    """Only the company that started the deal may invite partners, never a company that received it (REF-4); nobody to a
    solution assessment, as an invitation brings solutions (REF-8, REF-9)."""
    yield from _own_deal_blockers(inbound)
    if assessment:
        yield ASSESSMENT_ALONE


def _own_deal_blockers(inbound: bool) -> Iterator[Blocker]:
    if inbound:
        yield Blocker(
            "inbound_deal",
            _("This deal was sent to you; only the company that started it can share it or invite others."),
            "REF-4",
        )


@dataclass(frozen=True)
class Invitation:
    """The terms for an invited partner (REF-9); the inviter can't change them afterwards."""

    close_date: date
    value: Money
    help_code: str
    team: Sequence[rules.Member]
    solution_count: int
    notes: str = ""


def invitation_blockers(invitation: Invitation, *, today: date, policy: Policy) -> Iterator[Blocker]:
    """Everything that is wrong with one invitation, each at its field (REF-9)."""
    yield from rules.detail_blockers(name="–", value=invitation.value, notes=invitation.notes, policy=policy)
    if invitation.close_date < today:
        yield Blocker("close_date_past", _("The estimated close date must be today or later."), "REF-9", "close_date")
    yield from rules.count_blockers(invitation.solution_count, policy=policy, none=NO_SOLUTION)
    yield from wanted_help_blockers(invitation.help_code)
    yield from rules.team_blockers(invitation.team, policy=policy)


def wanted_help_blockers(help_code: str) -> Iterator[Blocker]:
    """An invitation must say what help is wanted (REF-9)."""
    if help_code == rules.NO_HELP or help_code not in rules.HELP:
        yield Blocker("help_required", _("Say what help you want from this partner."), "REF-9", "help_code")


NO_SOLUTION = Blocker("solution_required", _("Choose at least one solution for this partner."), "REF-9", "solutions")
ASSESSMENT_ALONE = Blocker(
    "assessment_alone", _("A solution assessment stands alone: partners can't be invited to it."), "REF-8"
)
OWN_COMPANY = Blocker("own_company", _("You can't invite your own company."), "REF-9", "partner")
UNKNOWN_PARTNER = Blocker(
    "unknown_partner", _("This partner can't be invited; choose one from the list."), "REF-9", "partner"
)


def closed_partner(name: str) -> Blocker:
    """Of a company that the programme has closed; who knows it by its partner id learns that it is (REF-9)."""
    message = _("%(partner)s was closed in this programme and can't be invited. Choose another partner.")
    return Blocker("partner_closed", message, "REF-9", "partner", {"partner": name})


#: Of a deal that is sent: the partner's own are what it is to sell.
FOREIGN_SOLUTION = Blocker(
    "foreign_solution", _("Choose among the solutions of the partner you send the deal to."), "REF-8", "solutions"
)
