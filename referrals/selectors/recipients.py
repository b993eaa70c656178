"""Who hears news of a deal: its team, and the people who can act on it; few queries for many deals (REF-24)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Case, Q, When

from portal.accounts.models import Company, Membership, User
from portal.accounts.rules import ACCOUNT_ADMIN, REFERRALS_ADMIN, SELLER, Actor, keeper_role, may_keep
from portal.accounts.selectors import actors
from referrals.policies import Deal, may_change, may_read, may_register


@dataclass(frozen=True)
class People:
    """The people of some deals' companies, with whom the deals' teams list."""

    #: By company: who works there with a role that acts on deals, or is on one of the teams.
    members: dict[int, list[Actor]]

    def team(self, referral: Deal) -> list[str]:
        """The team's members who may see the deal; unless one of them can act on it also those who stand in for them.

        Other people on the team's list get nothing, because anybody's address could have been entered there (REF-24).
        """
        listed = [email for email in referral.team_emails if self.may_read(email, referral)]
        if any(may_change(self._by_email[referral.company_id, email], referral) for email in listed):
            return listed
        return [*listed, *self._standing_in(referral)]

    def _standing_in(self, referral: Deal) -> list[str]:
        """The referrals admins of the deal's location, else of the company (REF-24), else whoever can act: the vendor's
        sellers, and the account admins, who can give somebody the role."""
        return (
            self._who(referral, _administers_location)
            or self._who(referral, _administers_deals)
            or self.answering(referral)
        )

    def may_read(self, email: str, referral: Deal) -> bool:
        """Whether it is the address of somebody who may see the deal."""
        member = self._by_email.get((referral.company_id, email))
        return member is not None and may_read(member, referral)

    @cached_property
    def _by_email(self) -> dict[tuple[int, str], Actor]:
        return {(company, a.email.lower()): a for company, actors in self.members.items() for a in actors}

    def answering(self, referral: Deal) -> list[str]:
        """Who can answer the deal, or else the account admins, who can give somebody the role (FLOW-8, F5.1)."""
        return self._who(referral, may_change) or self._who(referral, _administers)

    def registering(self, referral: Deal) -> list[str]:
        """Who can register the deal (ORG-3), or else the account admins."""
        return self._who(referral, may_register) or self._who(referral, _administers)

    def _who(self, referral: Deal, may: Callable[[Actor, Deal], bool]) -> list[str]:
        return [actor.email for actor in self.members.get(referral.company_id, ()) if may(actor, referral)]


def _administers(actor: Actor, referral: Deal) -> bool:
    return actor.has(ACCOUNT_ADMIN) and may_read(actor, referral)


def _administers_location(actor: Actor, referral: Deal) -> bool:
    """A referrals admin of this location by name, not of the entire company (ORG-1)."""
    return referral.location_id in actor.scope(REFERRALS_ADMIN).location_ids


def _administers_deals(actor: Actor, referral: Deal) -> bool:
    return actor.scope(REFERRALS_ADMIN).entire_company


def people_of(referrals: Iterable[Deal], *, besides: Iterable[str] = ()) -> People:
    """One query, however many deals there are. `besides`: addresses of others who may work there."""
    referrals = list(referrals)
    listed = {email for referral in referrals for email in referral.team_emails} | set(besides)
    acting = Q(grants__role__in=[REFERRALS_ADMIN, SELLER, ACCOUNT_ADMIN]) | Q(user__email__in=listed)
    rows = Membership.objects.acting().filter(acting, company_id__in={r.company_id for r in referrals})
    members: dict[int, list[Actor]] = defaultdict(list)
    for actor in actors(rows):
        members[actor.own_company_id].append(actor)
    return People(members)


@dataclass(frozen=True)
class Reach:
    """The team members who get no notices because the company has no account for their address; and who can invite them
    (REF-24)."""

    strangers: frozenset[str]
    may_invite: bool
    #: The names of those who can, for an actor who can't.
    keepers: str


def reach(actor: Actor, emails: Iterable[str]) -> Reach:
    """One query. Accounts of other companies don't count, so nobody learns where else a person works (ORG-6)."""
    asked = {email for email in emails if email}
    keeping = Q(grants__role=keeper_role(vendor=actor.is_vendor))
    rows = Membership.objects.filter(
        keeping | Q(user__email__in=asked), company_id=actor.own_company_id, is_active=True, user__is_active=True
    )
    people = rows.annotate(keeps=Case(When(keeping, then=True), default=False)).order_by("user__first_name", "user_id")
    found = list(people.values_list("user__email", "keeps", "user__first_name", "user__last_name").distinct())
    keepers = dict.fromkeys(f"{first} {last}".strip() for _email, keeps, first, last in found if keeps)
    return Reach(frozenset(asked - {email for email, *_rest in found}), may_keep(actor), ", ".join(keepers))


def people_with(*roles: str) -> list[User]:
    """The vendor's active people with one of these roles, by name."""
    members = Membership.objects.filter(
        company__kind=Company.Kind.VENDOR, is_active=True, user__is_active=True, grants__role__in=roles
    )
    users = User.objects.filter(pk__in=members.values("user"))
    return list(users.order_by("first_name", "last_name", "pk"))


def emails_of(*roles: str) -> list[str]:
    return [user.email for user in people_with(*roles)]
