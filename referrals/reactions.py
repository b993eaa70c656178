"""Who is told what happens to a referral (REF-24, F5.1)."""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import reverse

from portal.accounts.rules import REFERRALS_ADMIN, SELLER
from portal.accounts.services import people_with_role
from portal.events.models import Event
from portal.events.services import on
from portal.notify.services import Message, notify
from portal.workflow.blockers import _
from referrals.models import Referral


def deal_link(referral: Referral) -> str:
    return reverse("deal", args=[referral.public_id])


def _subjects(events: Sequence[Event]) -> dict[int, Referral]:
    rows = Referral.objects.filter(id__in=[e.subject_id for e in events])
    return {r.pk: r for r in rows.select_related("engagement__customer", "company").prefetch_related("team")}


@on("referral.received")
def tell_receiver(events: Sequence[Event]) -> None:
    """The receiver's sellers or referrals admins hear of a deal to answer, and until when (REF-13)."""
    referrals = _subjects(events)
    notify(_received(event, referrals[event.subject_id]) for event in events)


def _received(event: Event, referral: Referral) -> Message:
    role = SELLER if referral.company.is_vendor else REFERRALS_ADMIN
    assert referral.expires_at is not None
    return Message(
        event=event,
        emails=[u.email for u in people_with_role(referral.company_id, [role], location_id=referral.location_id)],
        subject=_("New deal to answer: %(deal)s"),
        body=_(
            "%(sender)s sent you the deal “%(deal)s” for %(customer)s, worth %(value)s. "
            "Accept or decline it until %(until)s; after that it expires."
        ),
        link=deal_link(referral),
        params={
            "deal": referral.name,
            "customer": referral.engagement.customer.name,
            "sender": referral.invited_by.name if referral.invited_by else "",
            "value": referral.money,
            "until": referral.expires_at,
        },
    )


_ANSWERS = {
    "referral.accepted": (
        _("%(company)s accepted your deal %(deal)s"),
        _("%(company)s accepted your deal “%(deal)s”. The people who work on it now show on the deal page."),
    ),
    "referral.declined": (
        _("%(company)s declined your deal %(deal)s"),
        _("%(company)s declined your deal “%(deal)s”. The reason is on the deal page; your own deal stays active."),
    ),
    "referral.expired": (
        _("%(company)s did not answer your deal %(deal)s in time"),
        _("The time in which %(company)s could answer your deal “%(deal)s” is over. Your own deal stays active."),
    ),
}


@on(*_ANSWERS)
def tell_sender(events: Sequence[Event]) -> None:
    """The sender's team hears of the answer, or that there was none (REF-12, REF-13)."""
    answered = _subjects(events)
    senders = Referral.objects.filter(engagement_id__in={r.engagement_id for r in answered.values()})
    own = {(r.engagement_id, r.company_id): r for r in senders.prefetch_related("team")}
    messages = []
    for event in events:
        copy = answered[event.subject_id]
        sender = own.get((copy.engagement_id, copy.invited_by_id)) if copy.invited_by_id else None
        if sender is not None:
            subject, body = _ANSWERS[event.verb]
            messages.append(
                Message(
                    event=event,
                    emails=[m.email for m in sender.team.all()],
                    subject=subject,
                    body=body,
                    link=deal_link(sender),
                    params={"company": copy.company.name, "deal": sender.name},
                )
            )
    notify(messages)
