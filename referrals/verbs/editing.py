"""The verbs that edit an active deal: its details, its team, its solutions (REF-21)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal

from portal.catalog.models import Solution
from portal.workflow.blockers import Blocker, Money, _
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Effect
from referrals import rules
from referrals.models import Referral
from referrals.policies import may_share
from referrals.timeline import CHANGES, PEOPLE
from referrals.verbs import copies
from referrals.verbs.base import DealVerb


@dataclass(frozen=True)
class Details:
    """The fields of the details section (REF-21); the location never changes (ORG-4)."""

    name: str
    value: Decimal
    currency: str
    close_date: date
    crm_id: str
    campaign_id: str
    marketplace_intent: str
    #: What a CRM wants kept (wire.md), by its name on the wire; None leaves it as it is.
    extras: Mapping[str, object] | None = None

    @property
    def money(self) -> Money:
        return Money(self.value, self.currency)


def details_of(referral: Referral) -> Details:
    """The deal's current details."""
    return Details(
        referral.name,
        referral.value,
        referral.currency,
        referral.close_date,
        referral.crm_id,
        referral.campaign_id,
        referral.marketplace_intent,
    )


class EditDetails(DealVerb[Details]):
    """Change the details; the USD value follows the value (FX-2)."""

    name = "edit_details"
    label = _("Edit the details")
    event = "referral.edited"
    sentence = Sentence("pencil", "neutral", _("%(company)s edited the details"), CHANGES)
    quiet = True
    page = "edit_details"
    indexed = True

    def input_blockers(self, record: Referral, inputs: Details, context: Context) -> Iterable[Blocker]:
        yield from rules.detail_blockers(name=inputs.name, value=inputs.money, policy=context.policy)
        yield from rules.reference_blockers(crm_id=inputs.crm_id, campaign_id=inputs.campaign_id)
        yield from rules.intent_blockers(inputs.marketplace_intent)

    def apply(self, record: Referral, inputs: Details, context: Context) -> Effect:
        record.edit_details()
        if inputs.money != record.money:
            copies.set_value(record, inputs.money, context)
        record.name, record.close_date = inputs.name, inputs.close_date
        record.crm_id, record.campaign_id = inputs.crm_id, inputs.campaign_id
        record.marketplace_intent = inputs.marketplace_intent
        if inputs.extras is not None:
            record.wire_extras = dict(inputs.extras)
        return Effect()


@dataclass(frozen=True)
class References:
    """The company's own ids of a deal, which nobody else sees (REF-3)."""

    crm_id: str = ""
    campaign_id: str = ""


class SetReferences(DealVerb[References]):
    """Keep one's own ids of a deal that isn't answered yet: a CRM writes its lead's back at once (F9).

    Of an accepted deal they are among the details (EditDetails).
    """

    name = "set_references"
    label = _("Own references")
    event = "referral.references_set"
    sentence = Sentence("tag", "neutral", _("%(company)s noted its own references"), CHANGES)
    indexed = True

    def input_blockers(self, record: Referral, inputs: References, context: Context) -> Iterable[Blocker]:
        return rules.reference_blockers(crm_id=inputs.crm_id, campaign_id=inputs.campaign_id)

    def apply(self, record: Referral, inputs: References, context: Context) -> Effect:
        record.set_references()
        record.crm_id, record.campaign_id = inputs.crm_id, inputs.campaign_id
        return Effect()


@dataclass(frozen=True)
class Team:
    """The deal's team (REF-7)."""

    members: Sequence[rules.Member]


class EditTeam(DealVerb[Team]):
    """Replace the team (REF-7)."""

    name = "edit_team"
    label = _("Edit the team")
    event = "referral.team_edited"
    sentence = Sentence("people", "neutral", _("%(company)s edited the team"), PEOPLE)
    quiet = True
    page = "edit_team"
    indexed = seen_by_all = True

    def input_blockers(self, record: Referral, inputs: Team, context: Context) -> Iterable[Blocker]:
        return rules.team_blockers(inputs.members, policy=context.policy)

    def apply(self, record: Referral, inputs: Team, context: Context) -> Effect:
        record.edit_team()
        before = copies.members(record.team.all())
        copies.set_team(record, inputs.members)
        return Effect({"team": before}, {"team": copies.members(inputs.members)})


@dataclass(frozen=True)
class Solutions:
    """The deal's solutions (REF-8)."""

    solutions: Sequence[Solution]


class EditSolutions(DealVerb[Solutions]):
    """Replace the solutions; an assessment keeps its own (REF-8)."""

    name = "edit_solutions"
    label = _("Edit the solutions")
    event = "referral.solutions_edited"
    sentence = Sentence("box", "neutral", _("%(company)s edited the solutions"), CHANGES)
    quiet = True
    page = "edit_solutions"

    def blockers(self, record: Referral, context: Context) -> Iterable[Blocker]:
        if record.is_assessment:
            yield Blocker("assessment_fixed", _("The solution of a solution assessment can't be changed."), "REF-8")

    def input_blockers(self, record: Referral, inputs: Solutions, context: Context) -> Iterable[Blocker]:
        if not record.is_assessment:
            yield from rules.count_blockers(len(inputs.solutions), policy=context.policy)
            yield from copies.unready(inputs.solutions, held=copies.held_solutions(record))

    def apply(self, record: Referral, inputs: Solutions, context: Context) -> Effect:
        record.edit_solutions()
        before = copies.solution_names(copies.held_solutions(record))
        record.solutions.all().delete()
        copies.set_solutions(record, inputs.solutions)
        return Effect({"solutions": before}, {"solutions": copies.solution_names(inputs.solutions)})


_CONTACT_FIXED = Blocker(
    "contact_fixed",
    _("The company that started the deal changes the customer's contact, as long as it hasn't asked for help."),
    "REF-5",
)


class EditContact(DealVerb[rules.Contact]):
    """Change the customer's contact: whoever started the deal, until the vendor has been given it (REF-5, F3.1)."""

    name = "edit_contact"
    label = _("Edit the customer's contact")
    event = "referral.contact_edited"
    sentence = Sentence("person-lines-fill", "neutral", _("%(company)s edited the customer's contact"), CHANGES)
    who = (may_share,)
    quiet = True
    seen_by_all = True

    def blockers(self, record: Referral, context: Context) -> Iterable[Blocker]:
        if record.is_inbound or record.help_code != rules.NO_HELP:
            yield _CONTACT_FIXED

    def input_blockers(self, record: Referral, inputs: rules.Contact, context: Context) -> Iterable[Blocker]:
        return rules.contact_blockers(inputs, help_code=rules.NO_HELP)

    def apply(self, record: Referral, inputs: rules.Contact, context: Context) -> Effect:
        record.edit_contact()
        before = copies.contact_of(record.engagement)
        copies.set_contact(record.engagement, inputs)
        record.engagement.save()
        return Effect({"contact": asdict(before)}, {"contact": asdict(inputs)})


EDIT_DETAILS, EDIT_TEAM, EDIT_SOLUTIONS = EditDetails(), EditTeam(), EditSolutions()
EDIT_CONTACT, SET_REFERENCES = EditContact(), SetReferences()
