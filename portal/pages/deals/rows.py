"""The deals of a list with everything that its columns show, and those beside one in it (REF-19, REF-20)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from django.db.models import Exists, OuterRef, Q

from dealreg.models import Registration, Waiver
from dealreg.selectors.registration import eligibility_for
from dealreg.selectors.window import with_window
from dealreg.web.tags import CRITERIA
from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.policy import services as policies
from portal.policy.rules import Policy
from portal.ui.listing.filters import country_name
from portal.ui.listing.query import ListQuery
from portal.ui.listing.rows import in_order
from portal.workflow import text
from referrals import rules
from referrals.models import Favorite, Referral, ReferralQuerySet, ReferralSolution, TeamMember
from referrals.models.expressions import STAGED
from referrals.policies import may_change
from referrals.selectors import partner_side

#: Of these a registration may still come.
_FORESEEN = frozenset({rules.RECEIVED, rules.ACCEPTED, rules.WON})
INBOUND, OUTBOUND, PARTNER_LED, FAVORITES, ALL = "inbound", "outbound", "partner_led", "favorites", "all"


def of_tab(rows: ReferralQuerySet, tab: str, actor: Actor) -> ReferralQuerySet:
    """The deals of one tab: received, started, starred, those that the vendor may only view, or all own ones."""
    if tab == FAVORITES:
        return rows.filter(starred(actor))
    own = Q(company_id=actor.own_company_id)
    if tab == PARTNER_LED:
        return rows.exclude(own)
    rows = rows.filter(own)
    if tab == ALL:
        return rows
    return rows.inbound() if tab == INBOUND else rows.outbound()


def starred(actor: Actor) -> Exists:
    return Exists(Favorite.objects.filter(referral=OuterRef("pk"), user_id=actor.user_id or 0))


@dataclass
class Row:
    """A deal with the related rows that its columns show."""

    referral: Referral
    own: bool
    starred: bool = False
    registration: Registration | None = None
    vendor: Referral | None = None
    #: For the vendor, the copy of the partner who sells.
    partner: Referral | None = None
    team: list[TeamMember] = field(default_factory=list)
    solutions: list[ReferralSolution] = field(default_factory=list)
    #: The last day on which it can be registered, while it isn't.
    register_until: date | None = None
    #: The names of the criteria that stand in the way of a registration (ELIG); None where there is nothing to foresee.
    unmet: tuple[str, ...] | None = None
    #: Whether this person can change its stage and close date.
    may_edit: bool = False

    # What decides who may change it, without another query for its team (referrals.policies.Deal)

    @property
    def company_id(self) -> int:
        return self.referral.company_id

    @property
    def location_id(self) -> int | None:
        return self.referral.location_id

    @property
    def vendor_may_view(self) -> bool:
        return self.referral.vendor_may_view

    @property
    def team_emails(self) -> list[str]:
        return [member.email for member in self.team]

    @property
    def deal_type(self) -> str:
        return rules.DEAL_TYPES[self.referral.deal_type]

    @property
    def country(self) -> str:
        return country_name(self.referral.engagement.customer.country)

    @property
    def has_stage(self) -> bool:
        return self.referral.substatus in STAGED

    @property
    def sender(self) -> Company | None:
        """The company that sent the deal; for another company's deal, its owner."""
        return self.referral.invited_by if self.own else self.referral.company


def rows(referrals: Sequence[Referral], actor: Actor) -> list[Row]:
    """The deals with their related rows, in six queries. A registration, or the vendor's answer, shows to its own
    company only."""
    own = [r for r in referrals if r.company_id == actor.company_id]
    found = {r.pk: Row(r, own=r.company_id == actor.company_id) for r in referrals}
    mine = Favorite.objects.filter(user_id=actor.user_id or 0, referral__in=found)
    for pk in mine.values_list("referral_id", flat=True):
        found[pk].starred = True
    policy = policies.by_database_clock()
    for registration in with_window(Registration.objects.filter(referral__in=[r.pk for r in own]), policy):
        row = found[registration.referral_id]
        row.registration, row.register_until = registration, registration.last_day
    for member in TeamMember.objects.filter(referral__in=found).order_by("pk"):
        found[member.referral_id].team.append(member)
    for line in ReferralSolution.objects.filter(referral__in=found).select_related("solution").order_by("pk"):
        found[line.referral_id].solutions.append(line)
    for row in found.values():
        row.may_edit = row.referral.substatus == rules.ACCEPTED and may_change(actor, row)
    if actor.is_vendor:
        _add_sellers(found.values(), actor)
    else:
        _add_answers(found.values())
        _add_forecasts(found.values(), policy)
    return list(found.values())


def _add_answers(found: Iterable[Row]) -> None:
    by_engagement = defaultdict(list)
    for row in found:
        by_engagement[row.referral.engagement_id].append(row)
    copies = Referral.objects.filter(engagement_id__in=by_engagement, company__kind=Company.Kind.VENDOR)
    for copy in copies.only("engagement_id", "substatus", "accepted_at", "expires_at"):
        for row in by_engagement[copy.engagement_id]:
            row.vendor = copy


def _add_sellers(found: Iterable[Row], actor: Actor) -> None:
    own = [row for row in found if row.own]
    shared = (
        Referral.objects.visible_to(actor)
        .exclude(company_id=actor.own_company_id)
        .select_related("company", "engagement")
    )
    copies = defaultdict(list)
    for copy in shared.filter(engagement_id__in=[row.referral.engagement_id for row in own]):
        copies[copy.engagement_id].append(copy)
    for row in own:
        row.partner = partner_side.of(row.referral, copies[row.referral.engagement_id])


def _add_forecasts(found: Collection[Row], policy: Policy) -> None:
    """What stands in the way of registering those that can still be; an exception lets some of it through (ELIG-8)."""
    rows = [r for r in found if r.own and r.registration is None and r.referral.substatus in _FORESEEN]
    given = Waiver.objects.filter(referral__in=[row.referral.pk for row in found])
    waivers = {waiver.referral_id: waiver for waiver in given}
    names = {code: text.phrase(name) for code, name in CRITERIA.items()}
    for row in rows:
        deal, solutions = row.referral, [line.solution for line in row.solutions if line.solution.azure_ip]
        criteria = eligibility_for(
            deal, policy, vendor_copy=row.vendor, solutions=solutions, waiver=waivers.get(deal.pk)
        ).criteria
        row.unmet = tuple(names[criterion.code] for criterion in criteria if criterion.state == "notMet")


@dataclass(frozen=True)
class Neighbours:
    """The deals before and after one in the list it was opened from, and whether it is starred."""

    starred: bool
    previous: Referral | None = None
    next: Referral | None = None


def neighbours(referral: Referral, actor: Actor, asked: ListQuery | None) -> Neighbours:
    """Find them with three index look-ups; without a list only the star is looked up."""
    mine = Referral.objects.filter(pk=referral.pk).annotate(starred=starred(actor)).only("pk")
    if asked is None:
        return Neighbours(mine.get().starred)
    here = asked.order.apply(mine).get()
    around = [
        order.beyond(in_order(actor, replace(asked, order=order)), order.cursor(here)).only("public_id", "name").first()
        for order in (asked.order.reversed(), asked.order)
    ]
    return Neighbours(here.starred, *around)
