"""What registrations do when deals change, and who is told what happens to a registration (F5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from celery import current_app
from django.db import models, transaction

from dealreg import services, states
from dealreg.models import Registration
from portal.accounts.models import Company
from portal.events.models import Event
from portal.events.services import on
from portal.notify.services import Message, notify
from portal.policy import services as policies
from portal.workflow.blockers import Term, _
from referrals import rules as referral_rules
from referrals.models import Referral
from referrals.reactions import deal_link


def _unregistered() -> models.QuerySet[Referral]:
    """Partners' own only: the vendor registers nothing, though it may win its copy (ORG-3)."""
    won = Referral.objects.filter(substatus=referral_rules.WON, registration=None, company__kind=Company.Kind.PARTNER)
    return won.select_related("engagement__customer", "company")


@on("referral.won", "referral.accepted")
def open_on_deal_change(events: Sequence[Event]) -> None:
    """ELIG-9: won, or the vendor's answer came after the win. The verb holds the engagement's lock."""
    groups = {e.group for e in events if e.group}
    services.open_registrations(_unregistered().filter(engagement__public_id__in=groups), now=events[0].at)


@on("customer.managed_changed")
def open_on_managed(events: Sequence[Event]) -> None:
    """ELIG-9: the vendor manages the customer now."""
    customers = {e.subject_id for e in events}
    services.open_registrations(_unregistered().filter(engagement__customer_id__in=customers), now=events[0].at)


@on("solution.tags_changed")
def open_on_tags(events: Sequence[Event]) -> None:
    """ELIG-9: a solution on the deal is Azure IP co-sell eligible now."""
    solutions = {e.subject_id for e in events}
    referrals = _unregistered().filter(solutions__solution_id__in=solutions).distinct()
    services.open_registrations(referrals, now=events[0].at)


@on("registration.submitted")
def route_soon(events: Sequence[Event]) -> None:
    """FLOW-1: a worker routes it right after the commit."""
    for event in events:
        transaction.on_commit(partial(_enqueue, event.subject_id), robust=True)


def _enqueue(registration_id: int) -> None:
    """By name: the tasks stand above the reactions. If the broker is away the sweep routes it (FLOW-1)."""
    current_app.send_task("dealreg.tasks.route", kwargs={"registration_id": registration_id})


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
        _("The approved registration of “%(deal)s” was selected for review. No action is needed from you."),
    ),
}


@on(*_WORDS)
def tell_team(events: Sequence[Event]) -> None:
    """The deal's team hears of every step of its registration, with the reason (FLOW-5)."""
    rows = Registration.objects.filter(id__in=[e.subject_id for e in events])
    registrations = {r.pk: r for r in rows.with_context()}
    notify(_message(event, registrations[event.subject_id]) for event in events)


def _message(event: Event, registration: Registration) -> Message:
    subject, body = _WORDS[event.verb]
    return Message(
        event=event,
        emails=[m.email for m in registration.referral.team.all()],
        subject=subject,
        body=body,
        link=deal_link(registration.referral),
        params={
            "deal": registration.referral.name,
            "state": Term(states.REGISTRATION_STATES[registration.status]),
            "reason": Term(states.reason_text(registration.reason_code, status=registration.status)),
            "comment": registration.comment,
            "days": policies.current(event.at).registration_window_days,
        },
    )
