"""What people of the vendor's are told about the desk's work (FLOW-14)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date

from django.urls import reverse
from django.utils import translation

from portal.accounts.models import Company, Membership
from portal.accounts.rules import PROGRAMME_MANAGER, Actor
from portal.accounts.selectors import actors
from portal.desk.models import Case, CaseQuerySet
from portal.desk.notifications import DUE, NEW_CASE
from portal.desk.rules import KINDS
from portal.events.models import Event
from portal.notify.services import Message, notify, wanting
from portal.workflow import text
from portal.workflow.blockers import Param, Term, _

#: So many cases stand in the daily notice by name.
LISTED = 10


def tell_new(kind: str, events: Iterable[Event]) -> None:
    """Tell who asked for it of cases that came with these events, as far as they may decide them. The council has
    notices of its own (EXC-7)."""
    asked = wanting(NEW_CASE) if KINDS[kind].is_claimed else set()
    people = [person for person in _people(KINDS[kind].roles) if person.user_id in asked] if asked else []
    if not people:
        return
    came = {event.subject_id: event for event in events}
    own = _companies_of([person.email for person in people])
    cases = Case.objects.open().filter(kind=kind, object_id__in=came).select_related("company").order_by("pk")
    notify(
        _new_message(came[case.object_id], case, [p.email for p in people if case.company_id not in own[p.email]])
        for case in cases
    )


def _new_message(event: Event, case: Case, emails: Sequence[str]) -> Message:
    kind = KINDS[case.kind]
    return Message(
        event,
        emails,
        _("New on the review desk: %(deal)s"),
        _("“%(deal)s” of %(company)s, %(kind)s. Decide by %(due)s."),
        reverse(kind.page, args=[case.object_id]),
        {"deal": case.title, "company": case.company.name, "kind": Term(kind.label), "due": case.due_on},
        category=NEW_CASE,
    )


def _people(roles: Collection[str]) -> list[Actor]:
    """The vendor's active people with one of these roles."""
    members = Membership.objects.filter(
        company__kind=Company.Kind.VENDOR, is_active=True, user__is_active=True, grants__role__in=list(roles)
    )
    return actors(members)


def _companies_of(emails: Collection[str]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    members = Membership.objects.filter(user__email__in=emails, is_active=True)
    for email, company_id in members.values_list("user__email", "company_id"):
        found[email].add(company_id)
    return found


def tell_due(event: Event, today: date) -> None:
    """Each person of what they may decide and is due today, or late; managers of everything that is late."""
    roles = {role for kind in KINDS.values() if kind.is_claimed for role in kind.roles}
    told = (_due_message(event, person, today) for person in _people({PROGRAMME_MANAGER, *roles}))
    notify([message for message in told if message])


def _due_message(event: Event, person: Actor, today: date) -> Message | None:
    waiting = Case.objects.open().claimable()
    mine = waiting.for_reviewer(person)
    late = (waiting if person.has(PROGRAMME_MANAGER) else mine).overdue(today)
    due = mine.filter(due_on=today)
    if not late.exists() and not due.exists():
        return None
    listed = [*_first(late), *_first(due)][:LISTED]
    params: dict[str, Param] = {
        "due": due.count(),
        "late": late.count(),
        "cases": _lines(listed, person.language),
    }
    subject = _("Review desk: %(due)s due today, %(late)s overdue")
    body = _("To be decided today: %(due)s. Overdue: %(late)s.\n\n%(cases)s")
    link = reverse("admin:desk_case_changelist")
    return Message(event, [person.email], subject, body, link, params, category=DUE)


def _first(cases: CaseQuerySet) -> Iterable[Case]:
    return cases.select_related("company").order_by("due_on", "pk")[:LISTED]


def _lines(cases: Iterable[Case], language: str) -> str:
    with translation.override(language):
        return "\n".join(f"{text.day(case.due_on)} · {case.title} · {case.company.name}" for case in cases)
