"""By what a list of referrals is filtered and sorted in the API (F1.10), and from whom each value is hidden.

A list may hold cards of other companies' copies (wire.md): of those only the organisation, the status, the dates and,
once they are accepted, the team can be asked; everything else is null there, as in what is sent.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Exists, OuterRef, Q

from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.api import odata
from portal.registry import Registry
from portal.workflow.blockers import RuleViolation
from referrals import rules
from referrals.models import Favorite, TeamMember
from referrals.services import stage_names

#: What other apps add, made for the actor and the rows that they may read whole (None: all).
FIELDS: Registry[Callable[[Actor, Q | None], odata.Property]] = Registry()

#: What `$select` may name (F1.5).
PROPERTIES = (
    *("id", "engagementId", "name", "organizationId", "organizationName", "businessProfileId", "externalReferenceId"),
    *("campaignId", "createdDateTime", "updatedDateTime", "expirationDateTime", "acceptedDateTime", "closedDateTime"),
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
#: Another company takes part: the vendor was asked for help, a partner was invited, or it was sent.
_SHARED = ~Q(help_code=rules.NO_HELP) | Q(p2p=True) | _SENT
#: Deals that companies sell together are qualified by a seller (F1.8); leads are another programme.
_QUALIFICATIONS = {
    **dict.fromkeys(("None", "Direct", "MarketingQualified"), odata.NOTHING),
    "SalesQualified": ~odata.NOTHING,
}


def referrals(actor: Actor) -> odata.Resource:
    """The list's resource as this actor may ask of it."""
    own = Q(company_id=actor.own_company_id)
    # The vendor and the workers see no cards: whatever they list they read whole.
    whole = None if actor.is_vendor or actor.is_system else own
    fields = (
        *_identity(own, whole),
        *_moments(),
        *_life(actor, whole),
        *_deal(whole),
        *_people(whole),
        *(make(actor, whole) for make in FIELDS.values()),
    )
    return odata.Resource(name="Referrals", fields=fields, properties=PROPERTIES)


def _identity(own: Q, whole: Q | None) -> tuple[odata.Property, ...]:
    """The company's own references are nobody else's to ask, not the vendor's either (REF-3, REF-20)."""
    return (
        odata.Guid(path="id", column="public_id"),
        odata.Guid(path="engagementId", column="engagement__public_id"),
        odata.Guid(path="organizationId", column="company__public_id"),
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
        odata.Moment(path="acceptedDateTime", column="accepted_at", sortable=True, nullable=True),
        odata.Moment(path="closedDateTime", column="closed_at", sortable=True, nullable=True),
    )


def _life(actor: Actor, whole: Q | None) -> tuple[odata.Property, ...]:
    starred = Exists(Favorite.objects.filter(user_id=actor.user_id or 0, referral=OuterRef("pk")))
    return (
        odata.Choice(path="status", values=_STATUSES),
        odata.Choice(path="substatus", values=_SUBSTATUSES),
        odata.Choice(path="direction", values={"Incoming": _SENT, "Outgoing": ~_SENT}),
        odata.Choice(path="type", values={"Shared": _SHARED, "Independent": ~_SHARED}, where=whole),
        odata.Choice(path="qualification", values=_QUALIFICATIONS, where=whole),
        odata.Choice(path="salesStage", values=lambda text: _stage(actor, text), where=whole),
        odata.flag("favorite", Q(starred), where=whole),
    )


def _stage(actor: Actor, text: str) -> Q | None:
    """A stage by percentage, wire name or a name of the company's own (REF-16)."""
    if text.strip("% ") == str(rules.WON_STAGE):
        return Q(stage=rules.WON_STAGE)
    try:
        return Q(stage=stage_names.stage_of(Company(pk=actor.own_company_id), text))
    except RuleViolation:
        return None


def _deal(whole: Q | None) -> tuple[odata.Property, ...]:
    """The customer is the engagement's, and so the same on every copy."""
    return (
        odata.Text(path="name", column="name", where=whole, sortable=True),
        odata.Text(path="customerProfile/name", column="engagement__customer__name"),
        odata.Text(path="customerProfile/address/country", column="engagement__customer__country"),
        odata.Text(path="customerProfile/address/city", column="engagement__customer__city", may_be_empty=True),
        odata.Number(path="details/dealValue", column="value", where=whole, sortable=True),
        odata.Text(path="details/currency", column="currency", where=whole),
        odata.Day(path="details/closingDateTime", column="close_date", where=whole, sortable=True),
    )


def _people(whole: Q | None) -> tuple[odata.Property | odata.Collection, ...]:
    """The team; `email` is how the API of 2019 asked for it."""
    email = odata.Text(path="email", column="email", folded=True)
    names = (odata.Text(path="firstName", column="first_name"), odata.Text(path="lastName", column="last_name"))
    team = odata.Collection(
        path="team",
        rows=TeamMember.objects.all(),
        link="referral",
        fields=(email, *names),
        where=whole and whole | Q(accepted_at__isnull=False),
    )
    return team, odata.Flat(path="email", collection=team, column=email)
