"""The parts of a deal and their checks: type, details, team, solutions and contact (REF-1..9, REF-21)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from portal.money.rules import CENT, KNOWN_CURRENCIES
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, Money, _

# REF-2: what help is wanted from the vendor, by wire token.
NO_HELP = "Unknown"
HELP: Mapping[str, str] = {
    NO_HELP: _("No help required at this time"),
    "WorkloadSpecificValueProposition": _("Workload-specific value proposition"),
    "CustomerTechnicalArchitecture": _("Customer technical architecture"),
    "ProofOfConceptOrDemo": _("Proof of concept / demo"),
    "QuotesOrLicensing": _("Quotes / licensing"),
    "PostSalesCustomerSuccess": _("Post-sales customer success"),
    "GeneralOrOther": _("General or other"),
}

#: The surface of whoever writes without saying which.
PORTAL = "Portal"

PRIVATE = "private"
PARTNER_LED = "partner_led"
CO_SELL = "co_sell"
SOLUTION_ASSESSMENT = "solution_assessment"
DEAL_TYPES: Mapping[str, str] = {
    PRIVATE: _("Private deal"),
    PARTNER_LED: _("Partner-led"),
    CO_SELL: _("Co-sell"),
    SOLUTION_ASSESSMENT: _("Solution assessment"),
}

#: The types whose deals can be registered (ELIG-2).
REGISTRABLE = frozenset({PARTNER_LED, CO_SELL})


def deal_type(*, help_code: str, vendor_may_view: bool, assessment: bool) -> str:
    """The deal type that follows from the two answers; nobody types it in (REF-1)."""
    if assessment:
        return SOLUTION_ASSESSMENT
    if help_code != NO_HELP:
        return CO_SELL
    return PARTNER_LED if vendor_may_view else PRIVATE


@dataclass(frozen=True)
class Member:
    """A person of the deal's team (REF-7)."""

    first_name: str
    last_name: str
    phone: str
    email: str
    title: str = ""


@dataclass(frozen=True)
class Contact:
    """The customer's contact (REF-5). `consent`: the contact agreed that the vendor gets these details."""

    name: str = ""
    phone: str = ""
    email: str = ""
    consent: bool = False

    @property
    def complete(self) -> bool:
        return all(part.strip() for part in (self.name, self.phone, self.email))


@dataclass(frozen=True)
class NewDeal:
    """A new deal, as the rules check it."""

    name: str
    value: Money
    close_date: date
    help_code: str
    vendor_may_view: bool
    contact: Contact
    team: Sequence[Member]
    solution_count: int
    has_assessment: bool = False
    assessment_location: bool = False
    #: Whether the vendor has approved the company for assessments (ORG-7).
    may_assess: bool = True
    location_in_scope: bool = True
    notes: str = ""
    crm_id: str = ""
    campaign_id: str = ""
    marketplace_intent: str = "undecided"


#: What numeric(18, 2) holds, and more than any deal is worth.
MAX_AMOUNT = Decimal(10) ** 16
#: The longest texts of a deal's columns, in characters.
MAX_NAME, MAX_REFERENCE, MAX_PERSON_NAME, MAX_PHONE, MAX_EMAIL = 200, 100, 100, 50, 254
#: Whether the customer will buy through the marketplace (REF-6).
INTENTS = ("yes", "no", "undecided")


def creation_blockers(deal: NewDeal, *, today: date, policy: Policy) -> Iterator[Blocker]:
    """Every reason against creating the deal, each at its field (REF-5..8)."""
    yield from detail_blockers(name=deal.name, value=deal.value, notes=deal.notes, policy=policy)
    yield from reference_blockers(crm_id=deal.crm_id, campaign_id=deal.campaign_id)
    yield from intent_blockers(deal.marketplace_intent)
    yield from close_date_blockers(deal.close_date, today=today)
    if not deal.location_in_scope:
        yield Blocker(
            "foreign_location",
            _("Choose one of the locations your role covers; the location can't be changed afterwards."),
            "REF-6",
            "location",
        )
    yield from team_blockers(deal.team, policy=policy)
    yield from solution_blockers(
        deal.solution_count,
        has_assessment=deal.has_assessment,
        assessment_location=deal.assessment_location,
        policy=policy,
    )
    if deal.has_assessment and not deal.may_assess:
        yield NOT_APPROVED
    yield from contact_blockers(deal.contact, help_code=deal.help_code)
    if deal.help_code not in HELP:
        yield Blocker("unknown_help", _("Choose what help you need from the list."), "REF-2", "help_code")


def detail_blockers(*, name: str, value: Money, notes: str = "", policy: Policy) -> Iterator[Blocker]:
    """Checks of the details, on creation, on accepting and on later edits (REF-6, REF-12, REF-21)."""
    if not name.strip():
        yield Blocker("name_required", _("Give the deal a name you will recognise later."), "REF-6", "name")
    yield from text_blockers(name, MAX_NAME, "name")
    if not value.amount.is_finite() or value.amount <= 0:
        yield Blocker("value_not_positive", _("The estimated value must be above zero."), "REF-6", "value")
    elif value.amount < MAX_AMOUNT and value.amount % CENT:
        yield Blocker("value_decimals", _("An amount has two decimals at most."), "REF-6", "value")
    elif value.amount >= MAX_AMOUNT:
        yield Blocker(
            "value_too_large",
            _("The estimated value must be below %(limit)s."),
            "REF-6",
            "value",
            {"limit": Money(MAX_AMOUNT, value.currency)},
        )
    if value.currency not in KNOWN_CURRENCIES:
        message = _("“%(currency)s” is no currency's code (ISO 4217); write EUR or USD, for example.")
        yield Blocker("unknown_currency", message, "REF-6", "currency", {"currency": value.currency[:20]})
    yield from length_blockers(notes, "notes", policy=policy)


def reference_blockers(*, crm_id: str, campaign_id: str) -> Iterator[Blocker]:
    """The company's own references have the length of their columns (REF-6)."""
    yield from text_blockers(crm_id, MAX_REFERENCE, "crm_id")
    yield from text_blockers(campaign_id, MAX_REFERENCE, "campaign_id")


def intent_blockers(intent: str) -> Iterator[Blocker]:
    """Whether the customer will buy through the marketplace is yes, no or undecided (REF-6)."""
    if intent not in INTENTS:
        message = _("Say yes, no or undecided.")
        yield Blocker("unknown_intent", message, "REF-6", "marketplace_intent")


def text_blockers(text: str, longest: int, field: str) -> Iterator[Blocker]:
    """A text has the length of its column (REF-6)."""
    if len(text) > longest:
        message = _("This may have %(limit)s characters at most.")
        yield Blocker("too_long", message, "REF-6", field, {"limit": longest})


def length_blockers(notes: str, field: str, *, policy: Policy) -> Iterator[Blocker]:
    """What somebody writes has a limit, whatever it goes with (REF-6)."""
    if len(notes) > policy.max_note_length:
        yield Blocker(
            "notes_too_long",
            _("Notes may have %(limit)s characters; these have %(length)s."),
            "REF-6",
            field,
            {"limit": policy.max_note_length, "length": len(notes)},
        )


def note_blockers(text: str, *, shared: bool, closed: bool, policy: Policy) -> Iterator[Blocker]:
    """Checks of a note: it must have text, and not too much (REF-6, REF-23).

    A closed deal takes no more shared notes (REF-11), but a company may still write private ones.
    """
    if shared and closed:
        message = _("The deal is closed: what its participants share no longer changes. Note it for your company only.")
        yield Blocker("wrong_state", message, "REF-11", "shared")
    elif not text.strip():
        yield Blocker("note_required", _("Write the note first."), "REF-23", "text")
    else:
        yield from length_blockers(text, "text", policy=policy)


def close_date_blockers(close_date: date, *, today: date) -> Iterator[Blocker]:
    """The estimated close date must not be in the past when the deal is created (REF-6)."""
    if close_date < today:
        yield Blocker("close_date_past", _("The estimated close date must be today or later."), "REF-6", "close_date")


def team_blockers(team: Sequence[Member], *, policy: Policy) -> Iterator[Blocker]:
    """A team has at least one complete member, lists nobody twice, and is not too large (REF-7)."""
    if not team:
        yield Blocker("team_required", _("Name at least one person who works on this deal."), "REF-7", "team")
    if len(team) > policy.max_team_members:
        yield Blocker(
            "team_too_large",
            _("A team has at most %(limit)s people; this one has %(count)s."),
            "REF-7",
            "team",
            {"limit": policy.max_team_members, "count": len(team)},
        )
    if any(not part.strip() for m in team for part in (m.first_name, m.last_name, m.phone, m.email)):
        yield Blocker(
            "member_incomplete",
            _("Every team member needs first name, last name, phone and e-mail."),
            "REF-7",
            "team",
        )
    if any(_too_long(m) for m in team):
        message = _("Names have 100 characters at most, phone numbers 50 and e-mail addresses 254.")
        yield Blocker("too_long", message, "REF-7", "team")
    emails = [m.email.strip().casefold() for m in team if m.email.strip()]
    if len(set(emails)) < len(emails):
        yield Blocker("member_twice", _("The same e-mail address is on the team twice."), "REF-7", "team")


def _too_long(member: Member) -> bool:
    names = (member.first_name, member.last_name, member.title)
    longest = max(map(len, names)) > MAX_PERSON_NAME or len(member.phone) > MAX_PHONE
    return longest or len(member.email.lower()) > MAX_EMAIL


NO_SOLUTION = Blocker(
    "solution_required", _("Choose at least one solution, or one solution assessment."), "REF-8", "solutions"
)


def count_blockers(count: int, *, policy: Policy, none: Blocker = NO_SOLUTION) -> Iterator[Blocker]:
    """A deal, or an invitation, has at least one solution, and not too many (REF-8); `none`: how that is said."""
    if not count:
        yield none
    if count > policy.max_solutions:
        yield Blocker(
            "too_many_solutions",
            _("A deal has at most %(limit)s solutions; you chose %(count)s."),
            "REF-8",
            "solutions",
            {"limit": policy.max_solutions, "count": count},
        )


#: Said of the kind itself, before anybody chooses one, and of a deal that has one (ORG-7).
NOT_APPROVED = Blocker(
    "assessments_not_approved",
    _("Solution assessments are for companies that %(vendor)s has approved for them; yours isn't. Ask %(vendor)s."),
    "ORG-7",
    "assessment",
)


def unready_blockers(names: Sequence[str]) -> Iterator[Blocker]:
    """Solutions that are no co-sell solutions any more, or not published, can't be put on a deal (REF-8)."""
    if names:
        message = _("These solutions can't be put on a deal: %(solutions)s. Choose published, co-sell ready ones.")
        yield Blocker("solution_not_ready", message, "REF-8", "solutions", {"solutions": ", ".join(names)})


def solution_blockers(
    count: int, *, has_assessment: bool, assessment_location: bool, policy: Policy
) -> Iterator[Blocker]:
    """A deal has solutions, or one assessment with its location and nothing else (REF-8)."""
    if count or not has_assessment:
        yield from count_blockers(count, policy=policy)
    if has_assessment and count:
        yield Blocker(
            "assessment_alone",
            _("A solution assessment stands alone: remove the other solutions or the assessment."),
            "REF-8",
            "assessment",
        )
    if has_assessment and not assessment_location:
        yield Blocker(
            "assessment_location_required",
            _("Choose the location the assessment is done from."),
            "REF-8",
            "assessment_location",
        )


def contact_blockers(contact: Contact, *, help_code: str) -> Iterator[Blocker]:
    """Once help is asked for, the customer's contact and the contact's consent are required (REF-5)."""
    yield from text_blockers(contact.name, MAX_NAME, "contact_name")
    yield from text_blockers(contact.phone, MAX_PHONE, "contact_phone")
    yield from text_blockers(contact.email, MAX_EMAIL, "contact_email")
    if help_code == NO_HELP:
        return
    if not contact.complete:
        yield Blocker(
            "contact_required",
            _("To ask %(vendor)s for help, give the customer contact's name, phone and e-mail."),
            "REF-5",
            "contact_name",
        )
    if not contact.consent:
        yield Blocker(
            "consent_required",
            _("Confirm that the customer contact agrees to sharing these details with %(vendor)s."),
            "REF-5",
            "contact_consent",
        )


# After creation (REF-21)


@dataclass(frozen=True)
class Merge:
    """The result of an edit while somebody else edited too (REF-21): the values to write, and the conflicts."""

    changes: Mapping[str, object]
    conflicts: Mapping[str, object]


def merge(*, base: Mapping[str, object], current: Mapping[str, object], wanted: Mapping[str, object]) -> Merge:
    """Merge an edit field by field with what others saved meanwhile (REF-21).

    `base` is what the editor's form showed, `current` what the row holds now, `wanted` what the editor sent. A field
    that the editor left alone keeps its current value; one that only the editor changed takes the new value. A field
    that both changed, to different values, is a conflict: it is returned with the current value and not overwritten.
    """
    touched = {name for name, value in wanted.items() if value != base.get(name)}
    conflicts = {
        name: current[name] for name in touched if current[name] != base.get(name) and current[name] != wanted[name]
    }
    changes = {name: wanted[name] for name in touched if name not in conflicts and current[name] != wanted[name]}
    return Merge(changes, conflicts)
