"""Who may do what (ORG): roles, where they hold, and the actor that services are given."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

# Floors below accounts write down who acted; everybody above takes the actor from here, beside the roles.
from portal.actors import SYSTEM as SYSTEM
from portal.actors import Actor as Actor
from portal.actors import Grant as Grant
from portal.actors import Scope as Scope
from portal.workflow.blockers import Blocker, _

ACCOUNT_ADMIN = "account_admin"
REFERRALS_ADMIN = "referrals_admin"
REFERRALS_USER = "referrals_user"
VIEWER = "viewer"
SELLER = "seller"
REVIEWER = "reviewer"
COUNCIL_MEMBER = "council_member"
PROGRAMME_MANAGER = "programme_manager"

PARTNER_ROLES = (ACCOUNT_ADMIN, REFERRALS_ADMIN, REFERRALS_USER, VIEWER)
VENDOR_ROLES = (SELLER, REVIEWER, COUNCIL_MEMBER, PROGRAMME_MANAGER)
#: Who works in the admin.
ADMIN_ROLES = frozenset({REVIEWER, COUNCIL_MEMBER, PROGRAMME_MANAGER})


def reading_scope(actor: Actor) -> Scope:
    """Where the actor sees every referral of the company: account admins company-wide, referrals admins and
    viewers in their scope (ORG-2, ORG-4)."""
    if actor.has(ACCOUNT_ADMIN):
        return Scope(entire_company=True)
    return actor.scope(REFERRALS_ADMIN, VIEWER)


def team_scope(actor: Actor) -> Scope:
    """Where a place on a deal's team lets the actor see and change it; elsewhere it gives nothing (ORG-2)."""
    return actor.scope(REFERRALS_USER)


def writing_scope(actor: Actor) -> Scope:
    """Where the actor may change every referral of the company (ORG-2): viewers and account admins only read."""
    return actor.scope(REFERRALS_ADMIN)


def creating_scope(actor: Actor) -> Scope:
    """Where the actor may create deals (ORG-2, ORG-5)."""
    return actor.scope(REFERRALS_ADMIN, REFERRALS_USER)


def grant_blockers(grant: Grant, *, vendor: bool, location_ids: Collection[int]) -> Iterator[Blocker]:
    """What keeps a role from being held in a company of that side with those locations (ORG-1, ORG-2)."""
    if grant.role not in roles_of(vendor=vendor):
        message = (
            _("This is a partner's role; the vendor's people are sellers, reviewers, council members or managers.")
            if vendor
            else _("Only the vendor's people hold this role; choose one of a partner's roles.")
        )
        yield Blocker("wrong_role", message, "ORG-2", "role")
    if grant.location_id is not None and grant.location_id not in location_ids:
        message = _("This location belongs to another company; choose one of this company's, or none for all of them.")
        yield Blocker("foreign_location", message, "ORG-1", "location")


def lockout_blockers(
    actor: Actor, *, user_id: int | None, company_id: int | None, kept: Iterable[Grant], active: bool
) -> Iterator[Blocker]:
    """What would lock a programme manager out of their own rights: so one of them always remains (ORG-2)."""
    if not actor.is_vendor or (user_id, company_id) != (actor.user_id, actor.company_id):
        return
    if not active or PROGRAMME_MANAGER not in {grant.role for grant in kept}:
        message = _("You can't take your own access away; another programme manager has to do it.")
        yield Blocker("own_access", message, "ORG-2")


# A company keeps its own people (ORG-2)


def roles_of(*, vendor: bool) -> tuple[str, ...]:
    """The roles that exist on this side of the programme (ORG-2)."""
    return VENDOR_ROLES if vendor else PARTNER_ROLES


def keeper_role(*, vendor: bool) -> str:
    """The role that keeps a company's people, roles and locations (ORG-2)."""
    return PROGRAMME_MANAGER if vendor else ACCOUNT_ADMIN


def may_keep(actor: Actor) -> bool:
    """Whether the actor manages the people and the settings of their own company (ORG-2)."""
    return actor.company_id is not None and actor.has(keeper_role(vendor=actor.is_vendor))


def plain_grants(grants: Iterable[Grant]) -> frozenset[Grant]:
    """Without what a role for the entire company covers anyway (ORG-1)."""
    wanted = frozenset(grants)
    everywhere = {grant.role for grant in wanted if grant.location_id is None}
    return frozenset(grant for grant in wanted if grant.location_id is None or grant.role not in everywhere)


def last_keeper_blockers(
    actor: Actor, *, company_id: int, vendor: bool, kept: Iterable[Grant], active: bool, others: bool
) -> Iterator[Blocker]:
    """A company always keeps somebody who gives out its roles (ORG-2); from outside, the programme may do otherwise.

    `others`: whether somebody else of the company holds the role and can sign in.
    """
    role = keeper_role(vendor=vendor)
    if others or actor.company_id != company_id or (active and role in {grant.role for grant in kept}):
        return
    if vendor:
        message = _("This is the last programme manager. Give somebody else the role first.")
    else:
        message = _("This is the last account admin of your company. Give somebody else the role first.")
    yield Blocker("last_keeper", message, "ORG-2")


def role_blockers(grants: Collection[Grant], *, vendor: bool) -> Iterator[Blocker]:
    """A member needs a role, and who keeps the people keeps those of the entire company (ORG-1, ORG-2)."""
    if not grants:
        yield Blocker("role_missing", _("Choose at least one role."), "ORG-2")
    keeper = keeper_role(vendor=vendor)
    if any(grant.role == keeper and grant.location_id is not None for grant in grants):
        message = _("The role that manages a company's people is for the entire company, not for single locations.")
        yield Blocker("keeper_everywhere", message, "ORG-1", keeper)


# Closed companies (ORG-2)


def closing_blockers(*, vendor: bool, closed: bool, reason: str) -> Iterator[Blocker]:
    """What keeps a company from being closed."""
    if vendor:
        yield Blocker("vendor_stays", _("The vendor can't be closed, nor merged: it runs the programme."), "ORG-2")
    elif closed:
        yield Blocker("closed_already", _("This company is closed already."), "ORG-2")
    if not reason.strip():
        message = _("Say why. The company's history keeps it, and the programme's people read it.")
        yield Blocker("close_reason_missing", message, "ORG-2", "reason")


def reopening_blockers(*, closed: bool, merged: bool) -> Iterator[Blocker]:
    """What keeps a company from being opened again."""
    if merged:
        message = _("This company was merged into another one and has nothing left; it stays closed.")
        yield Blocker("merged_already", message, "ORG-2")
    elif not closed:
        yield Blocker("company_open", _("This company is open already."), "ORG-2")


def joining_blockers(company: str, *, closed: bool) -> Iterator[Blocker]:
    """Nobody is asked into a closed company, and nobody joins it by a link from before."""
    if closed:
        message = _("%(company)s was closed in this programme: nobody can join it or act for it.")
        yield Blocker("company_closed", message, "ORG-2", params={"company": company})


@dataclass(frozen=True)
class Standing:
    """What of a company decides whether it can be merged."""

    name: str
    vendor: bool
    closed_at: datetime | None
    merged: bool


def merging_blockers(
    gone: Standing, kept: Standing, *, same: bool, now: datetime, settles: timedelta
) -> Iterator[Blocker]:
    """What keeps a duplicate from going into another company: it is closed first, and `settles` has passed since, so
    that nothing of it is under way (ORG-1)."""
    if same:
        yield Blocker(
            "merge_itself", _("Choose another company: this one can't be merged into itself."), "ORG-1", "into"
        )
    elif gone.vendor or kept.vendor:
        yield Blocker("vendor_stays", _("The vendor can't be closed, nor merged: it runs the programme."), "ORG-2")
    elif gone.merged:
        message = _("This company was merged into another one and has nothing left; it stays closed.")
        yield Blocker("merged_already", message, "ORG-2")
    elif kept.closed_at is not None:
        message = _("%(company)s is closed. Reopen it first, or choose another company.")
        yield Blocker("merge_into_closed", message, "ORG-1", "into", {"company": kept.name})
    elif gone.closed_at is None:
        message = _("Close %(company)s first, so that nobody acts for it while it is merged.")
        yield Blocker("merge_open", message, "ORG-1", params={"company": gone.name})
    elif now < gone.closed_at + settles:
        message = _("%(company)s was closed a moment ago, and something may be under way. Try again in a minute.")
        yield Blocker("merge_settling", message, "ORG-1", params={"company": gone.name})


#: What puts an invitation's mail into a stranger's mailbox, as events name it.
INVITING_VERBS = ("invite.sent", "invite.resent")


def invitation_limit_blockers(*, sent: int, most: int, until: datetime) -> Iterator[Blocker]:
    """A company mails so many invitations a day, repeats included; `until` is when the next day begins (REF-24)."""
    if sent >= most:
        message = _(
            "Your company mailed as many invitations today as a day allows: %(most)s, repeats included. "
            "You can send more from %(until)s on."
        )
        yield Blocker("invitations_spent", message, "REF-24", params={"most": most, "until": until})


OPEN, EXPIRED, ACCEPTED, REVOKED = "open", "expired", "accepted", "revoked"


def invite_state(
    *, expires_at: datetime, accepted_at: datetime | None, revoked_at: datetime | None, now: datetime
) -> str:
    """What has become of an invitation: it is good once, until it expires or is taken back."""
    if accepted_at is not None:
        return ACCEPTED
    if revoked_at is not None:
        return REVOKED
    return EXPIRED if expires_at <= now else OPEN


_NOT_OPEN = {
    ACCEPTED: Blocker("invite_accepted", _("This invitation was accepted already; each is good once."), "ORG-2"),
    REVOKED: Blocker("invite_revoked", _("This invitation was taken back."), "ORG-2"),
    EXPIRED: Blocker("invite_expired", _("This invitation has expired."), "ORG-2"),
}


def invite_blockers(state: str) -> Iterator[Blocker]:
    """Only an open invitation is accepted or taken back."""
    if state != OPEN:
        yield _NOT_OPEN[state]
