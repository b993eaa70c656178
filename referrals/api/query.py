"""By what a list of referrals is filtered and sorted in the API (F1.10), and from whom each value is hidden.

A list may hold cards of other companies' copies (wire.md): of those only the organisation, the status, the dates and,
once they are accepted, the team can be asked; everything else is null there, as in what is sent
(referrals.api.representation).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from django.db.models import Case, Exists, F, OuterRef, Q, When
from django.db.models.expressions import Combinable

from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.api import odata
from portal.registry import Registry
from portal.workflow.blockers import RuleViolation
from referrals import rules
from referrals.api import wire
from referrals.models import Favorite, Referral, ReferralQuerySet, TeamMember
from referrals.selectors import participants, search
from referrals.services import stage_names

#: What other apps add, made for the actor and the rows that they may read whole (None: all).
FIELDS: Registry[Callable[[Actor, Q | None], odata.Property]] = Registry()

#: What `$select` may name (F1.5).
PROPERTIES = (
    *("id", "engagementId", "name", "organizationId", "organizationName", "externalReferenceId", "campaignId"),
    *("createdDateTime", "updatedDateTime", "expirationDateTime", "acceptedDateTime", "closedDateTime"),
    *("status", "substatus", "statusReason", "type", "qualification", "direction", "eTag", "favorite", "salesStage"),
    *("quality", "isSpam", "mpnId", "referralProgram", "dealSensitivity", "createdVia", "lastModifiedVia", "lastRunId"),
    *("tags", "callToAction", "referralSource", "target", "customerProfile", "consent", "details", "team"),
    *("inviteContext", "links", "trackingInfo", "registrations", "registrationStatus", "exception"),
    *("partnerRole", "solutionArea", "solutionPlay"),
)

#: The tokens of F1.8; `Pending` means `Received` (wire.md), and nothing is `None`.
_SUBSTATUSES = {
    "None": odata.NOTHING,
    "Pending": Q(substatus=rules.RECEIVED),
    **{token: Q(substatus=token) for token in rules.SUBSTATUSES},
}
_STATUSES = {
    "None": odata.NOTHING,
    **{
        status: Q(substatus__in=[token for token in rules.SUBSTATUSES if rules.status_of(token) == status])
        for status in ("New", "Active", "Closed")
    },
}
_SENT = Q(invited_by__isnull=False)
#: As wire.deal_type says of one.
_SHARED = ~Q(help_code=rules.NO_HELP) | Q(p2p=True)
#: The first stage has no name on the wire.
_NO_STAGE = ~Q(stage__in=wire.STAGES)
_QUALIFICATIONS = ("None", "Direct", "MarketingQualified", "SalesQualified")


def referrals(actor: Actor) -> odata.Resource:
    """The list's resource as this actor may ask of it."""
    own = Q(company_id=actor.own_company_id)
    # The vendor and the workers see no cards: whatever they list they read whole.
    whole = None if actor.is_vendor or actor.is_system else own
    fields = (
        *_identity(own, whole),
        *_moments(),
        *_life(actor, whole),
        *_qualified(own, whole),
        *_deal(whole),
        *_people(whole),
        *(make(actor, whole) for make in FIELDS.values()),
    )
    return odata.Resource(name="Referrals", fields=fields, properties=PROPERTIES)


def listed(asked: odata.Query, actor: Actor) -> ReferralQuerySet:
    """What a list holds before it is filtered: the company's deals; of one engagement also the cards of its others."""
    visible = Referral.objects.visible_to(actor)
    engagement = asked.pinned("engagementId")
    if engagement is None:
        return visible.of_company(actor)
    known = (rows.filter(engagement__public_id=engagement) for rows in (visible, participants.cards(actor)))
    return Referral.objects.filter(reduce(or_, (Q(pk__in=rows.values("pk")) for rows in known)))


def _identity(own: Q, whole: Q | None) -> tuple[odata.Property, ...]:
    """The company's own references are nobody else's to ask, not the vendor's either (REF-3, REF-20)."""
    return (
        odata.Guid(path="id", column="public_id"),
        odata.Guid(path="engagementId", column="engagement__public_id"),
        odata.Choice(path="organizationId", values=_organization),
        odata.Text(path="organizationName", column="company__name"),
        odata.Text(path="mpnId", column="location__mpn_id", nullable=True, where=whole),
        odata.Text(path="externalReferenceId", column="crm_id", may_be_empty=True, where=own),
        odata.Text(path="campaignId", column="campaign_id", may_be_empty=True, where=own),
    )


def _moments() -> tuple[odata.Property, ...]:
    return (
        odata.Moment(path="createdDateTime", column="created_at", sortable=True),
        odata.Moment(path="updatedDateTime", column="updated_at", sortable=True),
        odata.Moment(path="expirationDateTime", column="expires_at", sortable=True, nullable=True),
        _Accepted(path="acceptedDateTime", column="accepted_at", sortable=True, nullable=True),
        odata.Moment(path="closedDateTime", column="closed_at", sortable=True, nullable=True),
    )


def _life(actor: Actor, whole: Q | None) -> tuple[odata.Property, ...]:
    starred = Exists(Favorite.objects.filter(user_id=actor.user_id or 0, referral=OuterRef("pk")))
    return (
        odata.Choice(path="status", values=_STATUSES),
        odata.Choice(path="substatus", values=_SUBSTATUSES),
        odata.Choice(path="direction", values={"Incoming": _SENT, "Outgoing": ~_SENT}, where=whole),
        odata.Choice(path="type", values={"Shared": _SHARED, "Independent": ~_SHARED}, where=whole),
        odata.Choice(path="salesStage", values=lambda text: _stage(actor, text), where=whole, absent=_NO_STAGE),
        odata.flag("favorite", Q(starred), where=whole),
    )


def _qualified(own: Q, whole: Q | None) -> tuple[odata.Property, ...]:
    """What the company's own client wrote (wire.KEPT), and otherwise what there is unless told."""
    values = {token: own & Q(wire_extras__contains={"qualification": token}) for token in _QUALIFICATIONS}
    values[wire.KEPT["qualification"]] |= ~own | ~Q(wire_extras__has_key="qualification")
    return (odata.Choice(path="qualification", values=values, where=whole),)


def _organization(text: str) -> Q | None:
    """A company by its id; the vendor has the id that Microsoft has."""
    vendor = Q(company__kind=Company.Kind.VENDOR)
    if text.lower() == wire.VENDOR_ID:
        return vendor
    try:
        return Q(company__public_id=odata.guid(text)) & ~vendor
    except ValueError:
        return None


@dataclass(frozen=True, eq=False, kw_only=True)
class _Name(odata.Text):
    """Parts of names have an index of their own."""

    #: Each look-up costs a query, so a filter has few of them.
    lookups: Iterator[int] = field(default_factory=lambda: iter(range(2)))

    def matching(self, operator: str, literals: list[odata.Literal]) -> Q:
        if operator == "contains" and next(self.lookups, None) is not None:
            return search.name_contains(self.read(literals[0]))
        return super().matching(operator, literals)


class _Accepted(odata.Moment):
    """A company's own deal is accepted by being created (F1.5)."""

    _BORN = Q(accepted_at__isnull=True, invited_by__isnull=True)

    def matching(self, operator: str, literals: list[odata.Literal]) -> Q:
        created = odata.Moment(path=self.path, column="created_at").matching(operator, literals)
        return super().matching(operator, literals) | (self._BORN & created)

    @property
    def missing(self) -> Q:
        return Q(accepted_at__isnull=True, invited_by__isnull=False)

    @property
    def key(self) -> Combinable:
        return Case(When(self._BORN, then=F("created_at")), default=F("accepted_at"))


def _stage(actor: Actor, text: str) -> Q | None:
    """A stage by percentage, wire name or a name of the company's own (REF-16)."""
    if text.strip("% ") == str(rules.WON_STAGE):
        return Q(stage=rules.WON_STAGE)
    try:
        return Q(stage=stage_names.stage_of(Company(pk=actor.own_company_id), text))
    except RuleViolation:
        return None


def _deal(whole: Q | None) -> tuple[odata.Property, ...]:
    return (
        _Name(path="name", column="name", where=whole, sortable=True),
        odata.Text(path="customerProfile/name", column="engagement__customer__name", where=whole),
        odata.Text(path="customerProfile/address/country", column="engagement__customer__country", where=whole),
        odata.Text(
            path="customerProfile/address/city", column="engagement__customer__city", may_be_empty=True, where=whole
        ),
        odata.Number(path="details/dealValue", column="value", where=whole, sortable=True),
        odata.Text(path="details/currency", column="currency", where=whole),
        odata.Day(path="details/closingDateTime", column="close_date", where=whole, sortable=True),
    )


def _people(whole: Q | None) -> tuple[odata.Property | odata.Collection, ...]:
    """The team; `email` is how the API of 2019 asked for it."""
    accepted = Q(accepted_at__isnull=False) | ~_SENT
    email = odata.Text(path="email", column="email", folded=True)
    names = (odata.Text(path="firstName", column="first_name"), odata.Text(path="lastName", column="last_name"))
    team = odata.Collection(
        path="team",
        rows=TeamMember.objects.all(),
        link="referral",
        fields=(email, *names),
        where=whole and whole | accepted,
    )
    return team, odata.Flat(path="email", collection=team, column=email)
