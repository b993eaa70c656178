"""Creates referrals of what a POST says: one's own, or another company's copy of one's own engagement (F1.8)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.http import Http404

from portal import once
from portal.accounts import selectors as accounts
from portal.accounts.models import Company, Location
from portal.accounts.rules import Actor
from portal.api.http.binding import bind
from portal.customers import services as customers
from portal.customers.models import Customer
from portal.workflow import services as workflow
from portal.workflow.blockers import Blocker, Money, RuleViolation
from referrals import rules, verbs
from referrals.api import inputs, resolving, wire
from referrals.api.writing import as_writer, contact_of, kept
from referrals.models import Referral
from referrals.rules import sharing
from referrals.services import creation, stage_names

_KEPT = wire.names(wire.KEPT)
#: The types of ids of a customer that are read.
EXTERNAL, DUNS = "external", "duns"


@transaction.atomic
@once.scope()
def create(data: Any, *, actor: Actor, now: datetime, key: uuid.UUID) -> int:
    """Create what the body describes, and return the primary key of the referral that it is about.

    Raises ValidationError, Http404 for an engagement that isn't the company's, PermissionDenied, and RuleViolation
    with all that is refused.
    """
    body = bind(inputs.ReferralInput, data)
    new = _New(body, _extras(data, body), as_writer(actor, body), now, key)
    if body.get("engagementId"):
        return new.connected()
    return new.sent() if actor.is_vendor else new.own()


def _extras(data: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """What of the body is only kept."""
    given = {_KEPT[p.casefold()]: v for p, v in inputs.leaves(data, _KEPT) if p.casefold() in _KEPT}
    found = {path: inputs.Kept().run_validation(value) for path, value in given.items()}
    attributes = _inner(body, "details", "requirements", "additionalRequirements").get("attributes", [])
    found[wire.ATTRIBUTES] = [dict(a) for a in attributes if a["type"] != wire.INTENT_TYPE]
    contacts = _inner(body, "customerProfile").get("team", [])[1:]
    found[wire.CONTACTS] = [wire.person(*wire.parts(contact)) for contact in contacts]
    return found


def _inner(body: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The object inside; an empty one where there is none."""
    for name in names:
        body = body.get(name) or {}
    return body


@dataclass(frozen=True)
class _New:
    """One POST, while it is carried out."""

    body: Mapping[str, Any]
    extras: Mapping[str, Any]
    actor: Actor
    now: datetime
    key: uuid.UUID

    # What is created

    def own(self) -> int:
        """The company's own deal, born Accepted (REF-10), and what it asks of others."""
        refused: list[Blocker] = []
        deal = self._deal(refused)
        if refused:
            context = workflow.context_of(self.actor, self.now)
            raise RuleViolation([*refused, *workflow.creation_blockers(verbs.CREATE, deal, context)])
        created = creation.create_deal(deal, actor=self.actor, now=self.now)
        if self._partner_id:
            created = self._run(created, verbs.INVITE_PARTNER, self._invitation(created))
        if (stage := self._stage(created)) != created.stage:
            created = self._run(created, verbs.SET_STAGE, verbs.Stage(stage))
        return created.pk

    def sent(self) -> int:
        """A deal that the vendor sends to a partner (REF-10)."""
        refused: list[Blocker] = []
        named = self._solutions(refused)
        partner = self._partner()
        if partner is None:
            refused.append(sharing.UNKNOWN_PARTNER)
        deal = verbs.SentDeal(
            self._customer(refused), partner or Company(), self.body["name"], self._value, self._close_date,
            named.solutions, self._help_code, self._notes, self._team, self.key,
        )  # fmt: skip
        if refused:
            context = workflow.context_of(self.actor, self.now)
            raise RuleViolation([*refused, *workflow.creation_blockers(verbs.SEND, deal, context)])
        return creation.send_deal(deal, actor=self.actor, now=self.now).pk

    def connected(self) -> int:
        """Another copy of one's own engagement: the vendor's, by asking for help, or an invited partner's.

        One that is there already is returned as it is: Microsoft's clients post it after a deal that asked already.
        """
        visible = Referral.objects.visible_to(self.actor).filter(engagement__public_id=self.body["engagementId"])
        own = visible.filter(company_id=self.actor.own_company_id).with_context().prefetch_related("team").first()
        if own is None:
            raise Http404
        partner = self._partner() if self._partner_id else Company.objects.vendor()
        if partner is None:
            raise RuleViolation([sharing.UNKNOWN_PARTNER])
        copies = Referral.objects.filter(engagement=own.engagement, company=partner)
        if not copies.exists():
            if partner.is_vendor:
                self._run(own, verbs.REQUEST_HELP, self._help_request(own))
            else:
                self._run(own, verbs.INVITE_PARTNER, self._invitation(own))
        return copies.values_list("pk", flat=True).get()

    def _run(self, record: Referral, verb: Any, given: Any) -> Referral:
        changed: Referral = workflow.run(record, verb, given, actor=self.actor, now=self.now)
        return changed

    # What verbs take

    def _deal(self, refused: list[Blocker]) -> verbs.NewDeal:
        named, customer = self._solutions(refused), self._customer(refused)
        asks = not self._partner_id
        return verbs.NewDeal(
            customer=customer,
            location=self._location(customer.country),
            name=self.body["name"],
            value=self._value,
            close_date=self._close_date,
            team=self._team,
            solutions=named.solutions,
            help_code=self._help_code if asks else rules.NO_HELP,
            vendor_may_view=bool(_inner(self.body, "consent").get("consentToShareReferralWithMicrosoftSellers")),
            contact=self._contact() or rules.Contact(),
            crm_id=self.body["externalReferenceId"],
            campaign_id=self.body["campaignId"],
            notes=self._notes,
            help_notes=_inner(self.body, "inviteContext").get("notes", "") if asks else "",
            marketplace_intent=self._intent,
            extras=kept({**self.extras, **named.kept}, {}),
            key=self.key,
        )

    def _help_request(self, own: Referral) -> verbs.HelpRequest:
        """What Microsoft's second POST asks for; it may leave out the kind of help."""
        code = self._help_code
        return verbs.HelpRequest(
            "GeneralOrOther" if code == rules.NO_HELP else code,
            self._contact() or verbs.copies.contact_of(own.engagement),
            notes=_inner(self.body, "inviteContext").get("notes") or self._notes,
        )

    def _invitation(self, own: Referral) -> verbs.Invitation:
        """The terms for the invited partner (REF-9); those of the deal where the body says nothing."""
        refused: list[Blocker] = []
        named, partner = self._solutions(refused), self._partner()
        if partner is None:
            refused.append(sharing.UNKNOWN_PARTNER)
        if refused or partner is None:
            raise RuleViolation(refused)
        details = _inner(self.body, "details")
        return verbs.Invitation(
            partner=partner,
            close_date=details.get("closingDateTime") or own.close_date,
            value=own.money if details.get("dealValue") is None else self._value,
            help_code=self._help_code,
            team=self._team or [rules.Member(*wire.parts(wire.member(one))) for one in own.team.all()],
            solutions=named.solutions,
            notes=_inner(self.body, "inviteContext").get("notes") or self._notes,
        )

    # What the body says

    @property
    def _partner_id(self) -> str:
        return str(_inner(self.body, "inviteContext").get("invitedMpnId", ""))

    def _partner(self) -> Company | None:
        return Company.objects.filter(locations__mpn_id=self._partner_id).first() if self._partner_id else None

    @property
    def _help_code(self) -> str:
        given = str(_inner(self.body, "inviteContext").get("assistanceRequestCode", ""))
        tokens = {code.casefold(): code for code in rules.HELP}
        return tokens.get(given.casefold(), given) if given else rules.NO_HELP

    @property
    def _notes(self) -> str:
        return str(_inner(self.body, "details").get("notes", ""))

    @property
    def _value(self) -> Money:
        details = _inner(self.body, "details")
        amount = details.get("dealValue")
        return Money(Decimal(0) if amount is None else amount, str(details.get("currency", "")).upper())

    @property
    def _close_date(self) -> date:
        """A day that isn't given is refused as one of the past is."""
        found: date = _inner(self.body, "details").get("closingDateTime") or date.min
        return found

    @property
    def _team(self) -> Sequence[rules.Member]:
        return [inputs.member(given) for given in self.body.get("team", [])]

    @property
    def _intent(self) -> str:
        attributes = _inner(self.body, "details", "requirements", "additionalRequirements").get("attributes", [])
        return next(wire.intents(attributes), Referral.Intent.UNDECIDED)

    def _contact(self) -> rules.Contact | None:
        team = _inner(self.body, "customerProfile").get("team", [])
        agreed = bool(_inner(self.body, "consent").get("consentToToShareInfoWithOthers"))
        return contact_of(team[0], consent=agreed) if team else None

    def _stage(self, deal: Referral) -> int:
        return stage_names.stage_of(deal.company, self.body["salesStage"]) if self.body["salesStage"] else deal.stage

    def _location(self, country: str) -> Location:
        """The location that is named; else, of those that the client may create for, the one where a deal for a
        customer in that country would arrive (REF-10). None of them: one that the rules refuse."""
        mine = accounts.nearest_first(country).filter(company_id=self.actor.own_company_id)
        mine = creation.creatable(mine, self.actor)
        given = self.body["mpnId"]
        return (mine.filter(mpn_id=given) if given else mine).first() or Location()

    def _solutions(self, refused: list[Blocker]) -> resolving.Named:
        try:
            return resolving.solutions(_inner(self.body, "details", "requirements").get("solutions", []))
        except RuleViolation as violation:
            refused += violation.blockers
            return resolving.Named([], {}, [])

    def _customer(self, refused: list[Blocker]) -> Customer:
        return customer_of(_inner(self.body, "customerProfile"), refused, actor=self.actor, now=self.now)


ADDRESS = {
    "city": "city",
    "state": "state",
    "postal_code": "postalCode",
    "address_line1": "addressLine1",
    "address_line2": "addressLine2",
}
CUSTOMER_TARGETS = {
    "": "customerProfile",
    "name": "customerProfile/name",
    "country": "customerProfile/address/country",
    "duns": "customerProfile/ids",
    **{ours: f"customerProfile/address/{theirs}" for ours, theirs in ADDRESS.items()},
}


def customer_of(given: Mapping[str, Any], refused: list[Blocker], *, actor: Actor, now: datetime) -> Customer:
    """The entry of the directory that a `customerProfile` names; where none fits, a new one (wire.md)."""
    address, ids = _inner(given, "address"), _inner(given, "ids")
    if found := _by_id(ids.get(EXTERNAL, ""), actor):
        return found
    details = {ours: address.get(theirs, "") for ours, theirs in ADDRESS.items()}
    named = {"name": given.get("name", ""), "country": address.get("country", ""), "duns": ids.get(DUNS, "")}
    try:
        return customers.match_or_add(**named, **details, actor=actor, now=now)
    except RuleViolation as violation:
        refused += [replace(blocker, field=CUSTOMER_TARGETS[blocker.field]) for blocker in violation.blockers]
        return Customer(added_by_id=actor.company_id)


def _by_id(given: str, actor: Actor) -> Customer | None:
    """The entry whose id the API gave out, as far as the company sees it."""
    try:
        return Customer.objects.seen_by(actor.own_company_id).filter(public_id=uuid.UUID(given)).first()
    except ValueError:
        return None
