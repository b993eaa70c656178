"""Who is told what happens to a referral (REF-24, F5.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.urls import reverse

from portal.accounts.rules import Actor
from portal.events.models import Event
from portal.events.services import on
from portal.notify.selectors import leads_to
from portal.notify.services import Message, notify
from portal.policy import services as policies
from portal.workflow.blockers import Param, Term, _, from_json
from referrals import notifications as kinds
from referrals import rules
from referrals.models import Engagement, Referral
from referrals.selectors.briefs import Brief, briefs
from referrals.selectors.recipients import People, people_of
from referrals.verbs import search_index

_ANY_DEAL = UUID(int=0)


@cache
def _any_deal_link() -> str:
    return reverse("deal", args=[_ANY_DEAL])


def deal_link(public_id: UUID) -> str:
    """The path of the deal's page; resolved once, as sweeps ask for thousands."""
    return _any_deal_link().replace(str(_ANY_DEAL), str(public_id))


@leads_to("deal")
def open_to(actor: Actor, public_ids: Collection[Any]) -> Collection[Any]:
    """A notice about a deal shows and mails nothing to somebody who can't see the deal any more (REF-24)."""
    return Referral.objects.visible_to(actor).filter(public_id__in=public_ids).values_list("public_id", flat=True)


@dataclass(frozen=True)
class _Subjects:
    """The deals that some events are about, whoever sent each of them, and the people of both."""

    copies: dict[int, Brief]
    senders: dict[tuple[int, int], Brief]
    people: People

    def sender(self, copy: Brief) -> Brief | None:
        """The copy of whoever sent this one; none for a company's own deal."""
        return self.senders.get((copy.engagement_id, copy.invited_by_id)) if copy.invited_by_id else None


def _subjects(events: Sequence[Event]) -> _Subjects:
    """A handful of queries, however many events there are; each copy is read once, whichever part it has."""
    subjects = {e.subject_id for e in events}
    engagements = Referral.objects.filter(pk__in=subjects).values("engagement_id")
    around = briefs(Referral.objects.filter(engagement_id__in=engagements))
    copies = {r.pk: r for r in around if r.pk in subjects}
    sending = {(r.engagement_id, r.invited_by_id) for r in copies.values()}
    senders = {key: r for r in around if (key := (r.engagement_id, r.company_id)) in sending}
    return _Subjects(copies, senders, people_of([*copies.values(), *senders.values()]))


@on("customer.merged")
def move_deals(events: Sequence[Event]) -> None:
    """The deals of an entry that is another one go to that one (REF-5)."""
    for event in events:
        moved = Engagement.objects.filter(customer_id=event.after["merged"])
        pks = list(moved.select_for_update().values_list("pk", flat=True))
        Engagement.objects.filter(pk__in=pks).update(customer_id=event.subject_id)
        Referral.objects.filter(engagement__in=pks).touch(event.at)
        search_index.index_engagements(pks)


@on("referral.received")
def tell_of_sending(events: Sequence[Event]) -> None:
    """Who can answer hears of a deal to answer, and until when; the sender's team that it was sent (REF-13, F5.1)."""
    about = _subjects(events)
    copies = [(event, about.copies[event.subject_id]) for event in events]
    asked = [_received(event, copy, about.people.answering(copy)) for event, copy in copies]
    days = policies.current(events[0].at).answer_days
    sent = [_sent(event, copy, sender, about.people, days) for event, copy in copies if (sender := about.sender(copy))]
    notify([*asked, *sent])


def _received(event: Event, copy: Brief, emails: Iterable[str]) -> Message:
    assert copy.expires_at is not None
    return Message(
        event=event,
        emails=emails,
        subject=_("New deal to answer: %(deal)s"),
        body=_(
            "%(sender)s sent you the deal “%(deal)s” for %(customer)s, worth %(value)s. "
            "Accept or decline it until %(until)s; after that it expires."
        ),
        link=deal_link(copy.public_id),
        params={
            "deal": copy.name,
            "customer": copy.customer_name,
            "sender": copy.sender_name or "",
            "value": copy.money,
            "until": copy.expires_at,
        },
        category=kinds.TO_ANSWER,
    )


def _sent(event: Event, copy: Brief, sender: Brief, people: People, days: int) -> Message:
    assert copy.expires_at is not None
    return Message(
        event=event,
        emails=people.team(sender),
        subject=_("Your deal %(deal)s was sent to %(company)s"),
        body=_(
            "Your deal “%(deal)s” was sent to %(company)s, with %(days)s days to answer it: until %(until)s. "
            "You will hear of the answer, or that there was none. Your own deal stays active either way."
        ),
        link=deal_link(sender.public_id),
        params={
            "company": copy.company_name,
            "deal": sender.name,
            "days": days,
            "until": copy.expires_at,
        },
        category=kinds.ANSWER,
    )


_ACCEPTED_BY = _("%(company)s accepted your deal “%(deal)s”. Your contact there: %(contact)s")
_ANSWERS = {
    "referral.accepted": (
        _("%(company)s accepted your deal %(deal)s"),
        _("%(company)s accepted your deal “%(deal)s”. The people who work on it now show on the deal page."),
    ),
    "referral.declined": (
        _("%(company)s declined your deal %(deal)s"),
        _("%(company)s declined your deal “%(deal)s”: %(reason)s. Your own deal stays active.\n\n%(notes)s"),
    ),
    "referral.expired": (
        _("%(company)s did not answer your deal %(deal)s in time"),
        _("The time in which %(company)s could answer your deal “%(deal)s” is over. Your own deal stays active."),
    ),
}


@on(*_ANSWERS)
def tell_sender(events: Sequence[Event]) -> None:
    """The sender's team hears of the answer, with contact or reason, or that there was none (REF-12, REF-13)."""
    about = _subjects(events)
    copies = [(event, about.copies[event.subject_id]) for event in events]
    notify([_answer(event, copy, sender, about) for event, copy in copies if (sender := about.sender(copy))])


def _answer(event: Event, copy: Brief, sender: Brief, about: _Subjects) -> Message:
    subject, body = _ANSWERS[event.verb]
    contact = _contact(event)
    params: dict[str, Param] = {
        "company": copy.company_name,
        "deal": sender.name,
        "contact": contact,
        "reason": Term(rules.CLOSE_REASONS.get(copy.reason_code, "")),
        "notes": event.comment,
    }
    return Message(
        event=event,
        emails=about.people.team(sender),
        subject=subject,
        body=_ACCEPTED_BY if contact and event.verb == "referral.accepted" else body,
        link=deal_link(sender.public_id),
        params=params,
        category=kinds.ANSWER,
    )


def _contact(event: Event) -> str:
    """Who answered, and how to reach them (F5.1); a team is written down only after the answer."""
    person = event.actor_user
    return ", ".join(filter(None, [person.get_full_name(), person.email, person.phone])) if person else ""


@on("referral.win_plan_ended")
def tell_of_ended_plan(events: Sequence[Event]) -> None:
    """Whoever planned the win is told why it did not happen; the team, if they can't be (REF-18, REF-24)."""
    copies = {copy.pk: copy for copy in briefs(Referral.objects.filter(pk__in=[e.subject_id for e in events]))}
    plans = Event.objects.filter(
        verb="referral.win_planned", subject_type=events[0].subject_type, subject_id__in=copies
    )
    planners = dict(plans.order_by("pk").values_list("subject_id", "actor_user__email"))  # the last of each
    people = people_of(copies.values(), besides=planners.values())
    notify([_plan_ended(event, copies[event.subject_id], planners, people) for event in events])


def _plan_ended(event: Event, copy: Brief, planners: Mapping[int, str], people: People) -> Message:
    planner = planners.get(copy.pk, "").lower()
    return Message(
        event=event,
        emails=[planner] if people.may_read(planner, copy) else people.team(copy),
        subject=_("%(deal)s was not marked as won"),
        body=_(
            "The win of “%(deal)s” was planned for the safe hour, but a rule stood in the way: %(why)s "
            "The plan has ended, and the deal stays active. Win it once nothing stands in the way any more."
        ),
        link=deal_link(copy.public_id),
        params={"deal": copy.name, "why": from_json(event.reasons[0])},
        category=kinds.DEADLINE,
    )


@on("referral.reminded")
def tell_of_ending(events: Sequence[Event]) -> None:
    """Who can answer is reminded before the time is over (REF-13, FLOW-8)."""
    copies = {copy.pk: copy for copy in briefs(Referral.objects.filter(pk__in=[e.subject_id for e in events]))}
    people = people_of(copies.values())
    ended = [(event, copies[event.subject_id]) for event in events]
    notify([_ending(event, copy, people.answering(copy)) for event, copy in ended])


def _ending(event: Event, copy: Brief, emails: Iterable[str]) -> Message:
    days = event.after["days"]
    return Message(
        event=event,
        emails=emails,
        subject=_("One day left to answer: %(deal)s") if days == 1 else _("%(days)s days left to answer: %(deal)s"),
        body=_(
            "The deal “%(deal)s” for %(customer)s, worth %(value)s, that %(sender)s sent you is not answered yet. "
            "Accept or decline it until %(until)s; after that it expires."
        ),
        link=deal_link(copy.public_id),
        params={
            "days": days,
            "deal": copy.name,
            "customer": copy.customer_name,
            "sender": copy.sender_name or "",
            "value": copy.money,
            "until": datetime.fromisoformat(event.after["until"]),
        },
        category=kinds.DEADLINE,
    )
