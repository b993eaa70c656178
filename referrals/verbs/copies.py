"""Writes the rows of verbs: a company's copy of a deal, its team, its solutions, its notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypedDict, Unpack

from portal.accounts import selectors as accounts
from portal.accounts.models import Company, Location
from portal.catalog.models import Solution
from portal.events.models import Event
from portal.money import services as money
from portal.workflow.blockers import Blocker, Money, _
from portal.workflow.services import event_of
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Described, Effect
from referrals import rules
from referrals.models import Engagement, InviterMember, Note, Referral, ReferralSolution, TeamMember
from referrals.models.sharing import Sharing
from referrals.timeline import PEOPLE


@dataclass(frozen=True)
class Terms:
    """The values with which every company's copy of a deal starts."""

    name: str
    value: Money
    close_date: date
    solutions: Sequence[Solution]
    marketplace_intent: str = Referral.Intent.UNDECIDED


class Birth(TypedDict, total=False):
    """Further values with which a copy may start."""

    location: Location | None
    crm_id: str
    campaign_id: str
    invite_help: str
    invite_notes: str
    wire_extras: dict[str, object]


class Received(Described):
    """The event that a company got its copy; the verbs that send a copy record it with their own."""

    name = "receive"
    label = _("Receive")
    event = "referral.received"
    sentence = Sentence("envelope", "info", _("%(company)s was invited"), PEOPLE)
    shared = True


RECEIVED = Received()


def usd_value(value: Money, context: Context) -> tuple[Decimal | None, date | None]:
    """The value at the rate of the month of `now`, and that month; None where no rate is known (FX-2)."""

    def find() -> tuple[Decimal | None, date | None]:
        try:
            usd = money.to_usd(value.amount, value.currency, month=context.now.date(), policy=context.policy)
        except money.RateMissing:
            return None, None
        return usd.amount, usd.rate_month

    return context.once(f"usd {value}", find)


def set_value(referral: Referral, value: Money, context: Context) -> None:
    """Set the estimated value, and its USD value at today's rate (FX-2)."""
    referral.value, referral.currency = value.amount, value.currency
    referral.value_usd, referral.usd_rate_month = usd_value(value, context)


#: How far an engagement is shared, as it and its copies hold it.
SHARED = tuple(column.name for column in Sharing._meta.get_fields())


def share(referral: Referral, **answers: object) -> None:
    """Change how far the engagement is shared: for it, and for every copy that is still open (REF-3, REF-11).

    Closed copies keep what they closed with. The caller saves `referral` itself.
    """
    for name, value in answers.items():
        setattr(referral.engagement, name, value)
        setattr(referral, name, value)
    referral.engagement.save(update_fields=list(answers))
    Referral.objects.open().filter(engagement=referral.engagement).exclude(pk=referral.pk).update(**answers)


def own_copy(engagement: Engagement, terms: Terms, context: Context, **birth: Unpack[Birth]) -> Referral:
    """Create the copy of the company that starts the deal, as Accepted (REF-10)."""
    own = Referral(company_id=context.actor.own_company_id, substatus=rules.ACCEPTED, **birth)
    return _begin(own, engagement, terms, context)


def send_copy(
    engagement: Engagement, terms: Terms, *, to: Company, sender_id: int, context: Context, **birth: Unpack[Birth]
) -> tuple[Referral, Event]:
    """Create another company's copy as Received, with the time limit for its answer, and return its event (REF-10).

    A partner's copy belongs to one of its locations, like its own deals (ORG-4); the vendor's people share theirs.
    """
    if not to.is_vendor:
        birth["location"] = accounts.receiving_location(to, country=engagement.customer.country)
    until = context.now + context.policy.answer_within
    copy = Referral(company=to, invited_by_id=sender_id, substatus=rules.RECEIVED, expires_at=until, **birth)
    _begin(copy, engagement, terms, context)
    return copy, event_of(RECEIVED, copy, Effect(after=birth_columns(copy)), context)


def birth_columns(referral: Referral) -> dict[str, object]:
    """The columns that the event of a new copy records."""
    return {"name": referral.name, "substatus": referral.substatus}


def _begin(referral: Referral, engagement: Engagement, terms: Terms, context: Context) -> Referral:
    referral.engagement = engagement
    for name in SHARED:
        setattr(referral, name, getattr(engagement, name))
    referral.name, referral.close_date = terms.name.strip(), terms.close_date
    referral.marketplace_intent = terms.marketplace_intent
    referral.created_at = referral.updated_at = context.now
    set_value(referral, terms.value, context)
    referral.mark(context.actor)
    referral.save()
    set_solutions(referral, terms.solutions)
    return referral


def contact_of(engagement: Engagement) -> rules.Contact:
    """The customer's contact (REF-5)."""
    held = engagement
    return rules.Contact(held.contact_name, held.contact_phone, held.contact_email, consent=held.contact_consent)


def set_contact(engagement: Engagement, contact: rules.Contact) -> None:
    """Set the customer's contact in memory."""
    engagement.contact_name, engagement.contact_phone = contact.name, contact.phone
    engagement.contact_email, engagement.contact_consent = contact.email, contact.consent


def set_team(referral: Referral, team: Iterable[rules.Member]) -> None:
    """Replace the copy's team."""
    referral.team.all().delete()
    add_team(referral, team)


def add_team(referral: Referral, team: Iterable[rules.Member]) -> None:
    """Add the team of a copy that has none yet."""
    TeamMember.objects.bulk_create(
        [
            TeamMember(
                referral=referral,
                first_name=m.first_name,
                last_name=m.last_name,
                phone=m.phone,
                email=m.email.lower(),
                title=m.title,
            )
            for m in team
        ]
    )


def set_solutions(referral: Referral, solutions: Iterable[Solution]) -> None:
    """Replace the copy's solutions; repeated ones count once."""
    once = dict.fromkeys(solutions)
    ReferralSolution.objects.bulk_create([ReferralSolution(referral=referral, solution=s) for s in once])


def unready(solutions: Sequence[Solution], *, held: Sequence[Solution] = ()) -> Iterator[Blocker]:
    """Refuses solutions that can't be put on a deal (REF-8), except those that the deal holds already."""
    pks = [solution.pk for solution in solutions]
    ready = set(Solution.objects.choosable().filter(pk__in=pks).values_list("pk", flat=True))
    ready |= {solution.pk for solution in held}
    return rules.unready_blockers(sorted(solution.name for solution in solutions if solution.pk not in ready))


def set_inviter_team(copy: Referral, team: Iterable[rules.Member]) -> None:
    """Store the people whom the inviter names to the invited partner (REF-9)."""
    InviterMember.objects.bulk_create(
        [
            InviterMember(
                referral=copy, first_name=m.first_name, last_name=m.last_name, phone=m.phone, email=m.email.lower()
            )
            for m in team
        ]
    )


def add_note(referral: Referral, text: str, context: Context, *, shared: bool = True) -> Note:
    """Add a note to the engagement's thread (REF-23)."""
    return Note.objects.create(
        engagement=referral.engagement,
        company_id=referral.company_id,
        author_id=context.actor.user_id,
        shared=shared,
        text=text.strip(),
        at=context.now,
    )


def members(team: Iterable[rules.Member | TeamMember]) -> list[str]:
    """The team as text, to compare it and to store it in events."""
    return sorted(f"{m.first_name} {m.last_name}, {m.phone}, {m.email.lower()}" for m in team)


def solution_names(solutions: Iterable[Solution]) -> list[str]:
    """The solutions as text with their ids, as names repeat; to compare them and to store them in events."""
    return sorted({str(solution) for solution in solutions})


def held_solutions(referral: Referral) -> list[Solution]:
    """The copy's solutions."""
    return [line.solution for line in referral.solutions.select_related("solution").order_by("pk")]
