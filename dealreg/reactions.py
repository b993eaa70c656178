"""What registrations do when deals change, and who is told what happens to a registration (F5.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from dealreg import notifications as kinds
from dealreg.models import Registration, Status
from dealreg.rules import marketplace as marketplace_rules
from dealreg.rules import states
from dealreg.selectors.desk import REGISTRATION, WAITING
from dealreg.selectors.registration import unregistered
from dealreg.selectors.window import last_day_of, with_window
from dealreg.services import marketplace, waivers
from dealreg.services import registration as services
from portal.accounts.rules import SYSTEM
from portal.desk import services as desk
from portal.desk.rules import Outcome
from portal.events.models import Event
from portal.events.services import on
from portal.notify.services import Message, notify
from portal.outage import send_soon
from portal.policy import services as policies
from portal.policy.rules import Policy
from portal.workflow.blockers import Param, Term, _
from referrals.models import Referral
from referrals.notifications import DEADLINE
from referrals.reactions import deal_link
from referrals.selectors.briefs import Brief, briefs
from referrals.selectors.recipients import People, people_of


@on("referral.won", "referral.accepted")
def open_on_deal_change(events: Sequence[Event]) -> None:
    """ELIG-9: won, or the vendor's answer came after the win. The verb holds the engagement's lock."""
    groups = {e.group for e in events if e.group}
    services.open_registrations(unregistered().filter(engagement__public_id__in=groups), now=events[0].at)


@on("customer.managed_changed", "customer.merged")
def open_on_managed(events: Sequence[Event]) -> None:
    """ELIG-9: the vendor manages the customer now, or the deal's customer is one that it manages."""
    customers = {e.subject_id for e in events}
    services.open_registrations(unregistered().filter(engagement__customer_id__in=customers), now=events[0].at)


@on("solution.tags_changed", "solution.changed")
def open_on_tags(events: Sequence[Event]) -> None:
    """ELIG-9: a solution on the deal is Azure IP co-sell eligible now, or turns out to be the partner's own."""
    solutions = {e.subject_id for e in events}
    referrals = unregistered().filter(solutions__solution_id__in=solutions).distinct()
    services.open_registrations(referrals, now=events[0].at)


@on("registration.submitted")
def route_soon(events: Sequence[Event]) -> None:
    """FLOW-1: a worker routes it right after the commit."""
    for event in events:
        transaction.on_commit(_enqueue(event.subject_id), robust=True)


def _enqueue(registration_id: int) -> Callable[[], object]:
    """By name: the tasks stand above the reactions. If the broker is away the sweep routes it (FLOW-1).

    A lambda, as Django names what failed by its __qualname__, which a partial has not.
    """
    return lambda: send_soon("dealreg.tasks.route", registration_id=registration_id)


@on("registration.closed")
def replace_earlier(events: Sequence[Event]) -> None:
    """EXC-13: a re-registration takes the earlier one's place when it closes approved or passed."""
    waivers.replace_earlier([event.subject_id for event in events], now=events[0].at)


#: How the desk's cases end by what was done to their registrations.
_DECIDED = {
    "registration.passed": Outcome.PASSED,
    "registration.matched": Outcome.PASSED,
    "registration.failed": Outcome.FAILED,
    "registration.not_matched": Outcome.FAILED,
    "registration.action_required": Outcome.SENT_BACK,
}
_REACHED = ("routed", "selected", "resubmitted", "revalidated", "retracted")


@on(*_DECIDED, *(f"registration.{verb}" for verb in (*_REACHED, "reopened", "replaced")))
def keep_desk(events: Sequence[Event]) -> None:
    """FLOW-12: what waits for a reviewer is on their desk, and nothing else."""
    moved = [event for event in events if {event.before.get("status"), event.after.get("status")} & set(WAITING)]
    if moved and moved[0].verb == "registration.retracted":
        desk.retract(REGISTRATION, [event.subject_id for event in moved])
    if moved:
        desk.follow(REGISTRATION, moved, _DECIDED)


@on("document.infected")
def tell_of_virus(events: Sequence[Event]) -> None:
    """Who can add another document hears that one was taken away (REG-16)."""
    deals = {deal.pk: deal for deal in briefs(Referral.objects.filter(pk__in=[e.subject_id for e in events]))}
    people = people_of(deals.values())
    notify([_virus(event, deals[event.subject_id], people) for event in events])


def _virus(event: Event, deal: Brief, people: People) -> Message:
    return Message(
        event=event,
        emails=people.registering(deal),
        subject=_("A document of %(deal)s was deleted"),
        body=_(
            "The virus scanner found something in “%(document)s”, a document of “%(deal)s”. The file was deleted. "
            "If it is needed as proof, add a clean one."
        ),
        link=deal_link(deal.public_id),
        params={"deal": deal.name, "document": event.after["document"]},
        category=kinds.ACTION_REQUIRED,
    )


_WORDS = {
    "registration.opened": (
        _("Register your deal %(deal)s"),
        _("You won “%(deal)s”, and it can be registered. You have %(days)s days from the signing of the contract."),
    ),
    "registration.routed": (
        _("Registration of %(deal)s: %(state)s"),
        _("The registration of “%(deal)s” was checked and is now in the state “%(state)s”. The deal page says why."),
    ),
    "registration.action_required": (
        _("Action required: registration of %(deal)s"),
        _("The review team sent the registration of “%(deal)s” back: %(reason)s\n\n%(comment)s"),
    ),
    "registration.failed": (
        _("The registration of %(deal)s failed the review"),
        _("The registration of “%(deal)s” failed the review: %(reason)s\n\n%(comment)s"),
    ),
    "registration.not_matched": (
        _("The registration of %(deal)s failed the marketplace validation"),
        _("The registration of “%(deal)s” failed the marketplace validation: %(reason)s\n\n%(comment)s"),
    ),
    "registration.passed": (
        _("The registration of %(deal)s passed the review"),
        _("The registration of “%(deal)s” passed the review. Nothing more is needed from you."),
    ),
    "registration.matched": (
        _("The registration of %(deal)s passed the marketplace validation"),
        _("The registration of “%(deal)s” passed the marketplace validation. Nothing more is needed from you."),
    ),
    "registration.selected": (
        _("The registration of %(deal)s was selected for review"),
        _(
            "The approved registration of “%(deal)s” was selected for review. "
            "No action is needed from you.\n\n%(comment)s"
        ),
    ),
    "registration.retracted": (
        _("The decision on the registration of %(deal)s was retracted"),
        _(
            "The decision was taken back; the registration of “%(deal)s” is now in the state “%(state)s”."
            "\n\n%(comment)s"
        ),
    ),
    "registration.unanswered": (
        _("The registration of %(deal)s failed: no correction was sent"),
        _("The correction asked for was not sent in time, so the registration of “%(deal)s” failed: %(reason)s"),
    ),
}
#: The same of a revalidation: what was approved before stays (PAYG-3).
_OF_REVALIDATION = {
    "registration.failed": (
        _("The revalidation of %(deal)s failed the review"),
        _("The registration of “%(deal)s” stays as it was before; its revalidation failed: %(reason)s\n\n%(comment)s"),
    ),
    "registration.unanswered": (
        _("The revalidation of %(deal)s ended: no correction was sent"),
        _("The correction asked for was not sent in time. The registration of “%(deal)s” stays as it was before."),
    ),
}
#: And of a correction after an exception, which costs no earlier decision (EXC-12).
_OF_CORRECTION = {
    "registration.unanswered": (
        _("The correction of %(deal)s ended: it was not sent"),
        _("The correction was not sent in time. The registration of “%(deal)s” stays as it was before."),
    ),
}


_CATEGORIES = {"registration.action_required": kinds.ACTION_REQUIRED}


class _Subject(NamedTuple):
    """What is told of a registration, without its model: many are told of at once."""

    pk: int
    referral_id: int
    status: str
    reason_code: str
    decided_from: str
    previous: Mapping[str, object] | None


@dataclass(frozen=True)
class _Subjects:
    """The registrations that some events are about, their people, and the days there are to register."""

    registrations: dict[int, _Subject]
    deals: dict[int, Brief]
    people: People
    window: int

    def deal(self, event: Event) -> Brief:
        return self.deals[self.registrations[event.subject_id].referral_id]

    def who(self, event: Event) -> list[str]:
        """The team; where somebody has to act and nobody on it can, those who can as well (FLOW-8, REF-24)."""
        team = self.people.team(self.deal(event))
        if self.registrations[event.subject_id].status != Status.ACTION_REQUIRED:
            return team
        acting = self.people.registering(self.deal(event))
        return team if set(team) & set(acting) else [*team, *acting]


def _subjects(events: Sequence[Event]) -> _Subjects:
    """A handful of queries, however many events there are."""
    rows = Registration.objects.filter(pk__in=[e.subject_id for e in events]).values_list(*_Subject._fields)
    registrations = {r.pk: r for r in map(_Subject._make, rows)}
    deals = briefs(Referral.objects.filter(pk__in=[r.referral_id for r in registrations.values()]))
    window = policies.current(events[0].at).registration_window_days
    return _Subjects(registrations, {deal.pk: deal for deal in deals}, people_of(deals), window)


@on(*_WORDS)
def tell_team(events: Sequence[Event]) -> None:
    """The deal's team hears of every step of its registration, with the reason (FLOW-5)."""
    about = _subjects(events)
    notify([_message(event, about) for event in events])


def _message(event: Event, about: _Subjects) -> Message:
    registration, deal = about.registrations[event.subject_id], about.deal(event)
    words = _words_of(event, registration)
    reason = states.decision_text(
        registration.reason_code, status=registration.status, decided_from=registration.decided_from
    )
    subject, body = words.get(event.verb, _WORDS[event.verb])
    return Message(
        event=event,
        emails=about.who(event),
        subject=subject,
        body=body,
        link=deal_link(deal.public_id),
        params={
            "deal": deal.name,
            "state": Term(states.REGISTRATION_STATES[registration.status]),
            "reason": Term(reason),
            "comment": event.comment,
            "days": about.window,
        },
        category=_CATEGORIES.get(event.verb, kinds.REGISTRATION),
    )


def _words_of(event: Event, registration: _Subject) -> Mapping[str, tuple[str, str]]:
    """Those of what came back; ending clears what it kept of it, which the event still has."""
    previous = registration.previous or event.before.get("previous")
    if previous is None:
        return {}
    return _OF_CORRECTION if previous.get("for") == "reopen" else _OF_REVALIDATION


@on("registration.reminded")
def tell_of_ending(events: Sequence[Event]) -> None:
    """Who can register a won deal is reminded before the window closes (FLOW-8, ORG-3)."""
    about, policy = _subjects(events), policies.current(events[0].at)
    windows = with_window(Registration.objects.filter(pk__in=about.registrations), policy)
    known = set(windows.filter(exact=True).values_list("pk", flat=True))
    notify([_ending(event, about, signing_known=event.subject_id in known) for event in events])


_LEFT = _(
    "You won “%(deal)s” for %(customer)s, and nobody has registered it yet. Register it until %(until)s: "
    "a contract can be registered for %(window)s days after it was signed."
)
_LEFT_PERHAPS = _(
    "You won “%(deal)s” for %(customer)s, and nobody has registered it yet. A contract can be registered for "
    "%(window)s days after it was signed: until %(until)s, if that was on the day of the win."
)
_NOT_REGISTERED = _("Not registered yet: %(deal)s")


def _ending(event: Event, about: _Subjects, *, signing_known: bool) -> Message:
    """Names the day only as far as it is known when the contract was signed (FLOW-8)."""
    one, more = _("One day left to register: %(deal)s"), _("%(days)s days left to register: %(deal)s")
    until, window = last_day_of(datetime.fromisoformat(event.after["until"])), about.window
    if signing_known:
        return _reminder(event, about, one, more, _LEFT, until=until, window=window)
    return _reminder(event, about, _NOT_REGISTERED, _NOT_REGISTERED, _LEFT_PERHAPS, until=until, window=window)


def _reminder(event: Event, about: _Subjects, one: str, more: str, body: str, **params: Param) -> Message:
    """For who can register the deal; `one` is the subject on the last day, `more` before."""
    days, deal = event.after["days"], about.deal(event)
    known: dict[str, Param] = {"days": days, "deal": deal.name, "customer": deal.customer_name}
    return Message(
        event=event,
        emails=about.people.registering(deal),
        subject=one if days == 1 else more,
        body=body,
        link=deal_link(deal.public_id),
        params={**known, "until": datetime.fromisoformat(event.after["until"]), **params},
        category=DEADLINE,
    )


@on("registration.action_reminded")
def tell_of_failing(events: Sequence[Event]) -> None:
    """Who can correct a registration is reminded before it fails unanswered (FLOW-8, ORG-3)."""
    about = _subjects(events)
    one = _("One day left to correct the registration: %(deal)s")
    more = _("%(days)s days left to correct the registration: %(deal)s")
    body = _(
        "The registration of “%(deal)s” for %(customer)s was sent back, and nobody has corrected it yet. "
        "Correct and resubmit it, or withdraw it, until %(until)s; after that it ends without you."
    )
    notify([_reminder(event, about, one, more, body) for event in events])


@on("registration.marketplace_reminded")
def tell_of_missing_transaction(events: Sequence[Event]) -> None:
    """Who can register the deal is reminded that its marketplace transaction is missing (FLOW-8)."""
    about, policy = _subjects(events), policies.current(events[0].at)
    sales = Registration.objects.select_related("solution").in_bulk(list(about.registrations))
    notify([_missing(event, about, sales[event.subject_id], policy) for event in events])


def _missing(event: Event, about: _Subjects, sale: Registration, policy: Policy) -> Message:
    assert sale.marketplace_date is not None
    first, last = marketplace_rules.window(sale.marketplace_date, policy)
    one = _("One day left for the marketplace transaction: %(deal)s")
    more = _("%(days)s days left for the marketplace transaction: %(deal)s")
    body = _(
        "No marketplace transaction was found yet for the registration of “%(deal)s”. Until %(until)s it is looked "
        "for: a sale of %(solution)s to %(customer)s from %(first)s to %(last)s. Without it the registration fails."
    )
    solution = sale.solution.name if sale.solution else ""
    return _reminder(event, about, one, more, body, solution=solution, first=first, last=last)


@on("registration.retracted")
def release_transactions(events: Sequence[Event]) -> None:
    """What waits for its marketplace transaction again gives back the one it had (FLOW-3)."""
    retracted = Registration.objects.awaiting_transaction().filter(pk__in=[e.subject_id for e in events])
    marketplace.release(retracted, actor=SYSTEM, now=events[0].at)
