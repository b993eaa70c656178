"""What follows from what happens to requests for exceptions, and who is told (EXC-9, EXC-10, EXC-15, FLOW-8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from dealreg.models import Registration
from exceptions_council import notifications as kinds
from exceptions_council.models import DecisionLetter, ExceptionRequest
from exceptions_council.rules import states
from exceptions_council.services import requests
from exceptions_council.services.desk import EXCEPTION
from portal.accounts.models import User
from portal.accounts.rules import COUNCIL_MEMBER, PROGRAMME_MANAGER
from portal.desk import services as desk
from portal.desk.rules import Outcome
from portal.events.models import Event
from portal.events.services import on
from portal.notify.services import Message, notify
from portal.workflow.blockers import Param, Term, _
from referrals.models import Referral
from referrals.notifications import DEADLINE
from referrals.reactions import deal_link
from referrals.selectors.briefs import Brief, briefs
from referrals.selectors.recipients import People, emails_of, people_of


def _requests(events: Sequence[Event]) -> dict[int, ExceptionRequest]:
    found = ExceptionRequest.objects.filter(pk__in=[event.subject_id for event in events])
    rows = found.select_related("referral__engagement__customer", "referral__company", "replaces")
    return {request.pk: request for request in rows}


@on("exception.asked", "exception.approved", "exception.denied")
def keep_desk(events: Sequence[Event]) -> None:
    """FLOW-12: what waits for the council is on the desk."""
    outcomes = {"exception.approved": Outcome.PASSED, "exception.denied": Outcome.FAILED}
    desk.follow(EXCEPTION, events, outcomes)


@on("exception.approved")
def open_approved(events: Sequence[Event]) -> None:
    """EXC-9: in the transaction of the vote that decided."""
    for request in _requests(events).values():
        requests.open_approved(request, now=events[0].at)


@on("exception.asked", "exception.conflict_declared")
def find_too_few(events: Sequence[Event]) -> None:
    """EXC-15: at once."""
    for request in _requests(events).values():
        requests.note_too_few(request, now=events[0].at)


@on("member.roles_changed", "member.deactivated", "person.changed")
def find_too_few_left(events: Sequence[Event]) -> None:
    """EXC-15: when somebody leaves the council, or loses the role."""
    for request in ExceptionRequest.objects.open().filter(too_few_at=None):
        requests.note_too_few(request, now=events[0].at)


@dataclass(frozen=True)
class _Subjects:
    """The requests that some events are about, with their deals and the deals' people."""

    requests: dict[int, ExceptionRequest]
    deals: dict[int, Brief]
    people: People

    def deal(self, event: Event) -> Brief:
        return self.deals[self.requests[event.subject_id].referral_id]

    def params(self, event: Event) -> dict[str, Param]:
        request, deal = self.requests[event.subject_id], self.deal(event)
        return {
            "deal": deal.name,
            "company": deal.company_name,
            "customer": deal.customer_name,
            "kind": Term(states.KINDS[request.kind]),
            "due": request.due_on,
            "comment": event.comment,
            **({"until": datetime.fromisoformat(event.after["until"])} if "until" in event.after else {}),
            **{name: event.after[name] for name in ("days", "able", "quorum") if name in event.after},
        }


def _subjects(events: Sequence[Event]) -> _Subjects:
    """A handful of queries, however many events there are."""
    found = _requests(events)
    deals = briefs(Referral.objects.filter(pk__in=[request.referral_id for request in found.values()]))
    return _Subjects(found, {deal.pk: deal for deal in deals}, people_of(deals))


#: Whom an event is told to.
Who = Callable[[Event, _Subjects], Iterable[str]]


def _registering(event: Event, about: _Subjects) -> Iterable[str]:
    """Who can act on it for the partner, and the deal's team."""
    deal = about.deal(event)
    return dict.fromkeys([*about.people.registering(deal), *about.people.team(deal)])


def _council(_event: Event, _about: _Subjects) -> Iterable[str]:
    return emails_of(COUNCIL_MEMBER)


def _managers(_event: Event, _about: _Subjects) -> Iterable[str]:
    return emails_of(PROGRAMME_MANAGER)


def _council_and_managers(_event: Event, _about: _Subjects) -> Iterable[str]:
    return emails_of(COUNCIL_MEMBER, PROGRAMME_MANAGER)


@dataclass(frozen=True)
class _News:
    subject: str
    body: str
    who: Who
    category: str


_NEWS: Mapping[str, _News] = {
    "exception.asked": _News(
        _("A request for an exception: %(deal)s"),
        _("%(company)s asks for an exception on “%(deal)s” for %(customer)s: %(kind)s. Decide by %(due)s."),
        _council,
        kinds.COUNCIL,
    ),
    "exception.evidence_asked": _News(
        _("The exception council asks you for evidence: %(deal)s"),
        _("About your exception on “%(deal)s” for %(customer)s, answer by %(until)s:\n\n%(comment)s"),
        _registering,
        kinds.EXCEPTION,
    ),
    "exception.evidence_answered": _News(
        _("%(company)s answered about its exception: %(deal)s"),
        _("%(company)s answered about the exception on “%(deal)s”. Decide by %(due)s.\n\n%(comment)s"),
        _council,
        kinds.COUNCIL,
    ),
    "exception.evidence_unanswered": _News(
        _("%(company)s did not answer about its exception: %(deal)s"),
        _("The evidence asked for on “%(deal)s” was not sent in time. Decide by %(due)s without it."),
        _council,
        kinds.COUNCIL,
    ),
    "exception.overdue": _News(
        _("Overdue: the decision on an exception for %(deal)s"),
        _("The exception on “%(deal)s” of %(company)s was to be decided by %(due)s."),
        _council_and_managers,
        kinds.COUNCIL,
    ),
    "exception.too_few": _News(
        _("Too few may vote on the exception for %(deal)s"),
        _(
            "%(able)s of the council may vote on the exception on “%(deal)s” of %(company)s, and %(quorum)s votes are "
            "needed. Give the role to somebody else."
        ),
        _managers,
        kinds.COUNCIL,
    ),
}


@on(*_NEWS)
def tell(events: Sequence[Event]) -> None:
    """The partner, the council or the programme's managers, with where it stands."""
    about = _subjects(events)
    notify([_message(event, _NEWS[event.verb], about) for event in events])


def _message(event: Event, news: _News, about: _Subjects) -> Message:
    deal = about.deal(event)
    emails, params = news.who(event, about), about.params(event)
    link = deal_link(deal.public_id) if news.who is _registering else _docket_link(event)
    return Message(event, emails, news.subject, news.body, link, params, category=news.category)


def _docket_link(event: Event) -> str:
    """Where the council works on the request."""
    return reverse("admin:exceptions_council_exceptionrequest_change", args=[event.subject_id])


@on("exception.approved", "exception.denied")
def send_letters(events: Sequence[Event]) -> None:
    """The decision letter, each person in their language."""
    about = _subjects(events)
    letters = DecisionLetter.objects.filter(request__in=about.requests)
    by_key = {(letter.request_id, letter.language): letter for letter in letters}
    notify([message for event in events for message in _letters(event, about, by_key)])


def _letters(event: Event, about: _Subjects, letters: Mapping[tuple[int, str], DecisionLetter]) -> Iterable[Message]:
    """One message for each language; a letter is text, so it stands in the message as it is."""
    deal, emails = about.deal(event), list(_registering(event, about))
    spoken = dict(User.objects.filter(email__in=emails).values_list("email", "language"))
    for (request_id, language), letter in letters.items():
        if request_id == event.subject_id:
            readers = [email for email in emails if spoken.get(email, "en") == language]
            params = {"subject": letter.subject, "body": letter.body}
            yield Message(
                event, readers, "%(subject)s", "%(body)s", deal_link(deal.public_id), params, category=kinds.EXCEPTION
            )


@on("exception.evidence_reminded")
def remind_of_evidence(events: Sequence[Event]) -> None:
    """Who can answer the council is reminded before it goes on without them (FLOW-8)."""
    about = _subjects(events)
    one, more = (
        _("One day left to answer the council: %(deal)s"),
        _("%(days)s days left to answer the council: %(deal)s"),
    )
    body = _("The exception council asked for evidence about “%(deal)s” for %(customer)s. Answer until %(until)s.")
    notify([_reminder(event, about.deal(event), about.people, (one, more), body) for event in events])


@on("exception.asking_reminded")
def remind_of_asking(events: Sequence[Event]) -> None:
    """Who can ask is reminded before the time to ask for an exception is over (FLOW-8)."""
    rows = Registration.objects.filter(pk__in=[event.subject_id for event in events])
    deal_of = dict(rows.values_list("pk", "referral_id"))
    deals = {deal.pk: deal for deal in briefs(Referral.objects.filter(pk__in=deal_of.values()))}
    people = people_of(deals.values())
    one = _("One day left to ask for an exception: %(deal)s")
    more = _("%(days)s days left to ask for an exception: %(deal)s")
    body = _(
        "The registration of “%(deal)s” for %(customer)s was rejected. You can ask for an exception until %(until)s."
    )
    notify([_reminder(event, deals[deal_of[event.subject_id]], people, (one, more), body) for event in events])


def _reminder(event: Event, deal: Brief, people: People, subjects: tuple[str, str], body: str) -> Message:
    params: dict[str, Param] = {
        "days": event.after["days"],
        "deal": deal.name,
        "customer": deal.customer_name,
        "until": datetime.fromisoformat(event.after["until"]),
    }
    subject = subjects[0] if event.after["days"] == 1 else subjects[1]
    return Message(event, people.registering(deal), subject, body, deal_link(deal.public_id), params, category=DEADLINE)
