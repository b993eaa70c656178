"""What follows from consents and licences, and who is told: the partner's people, and the customer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from isvconnect.models import IsvDeal
from licensing import notifications as kinds
from licensing.models import EmailCode, Invitation, LicenceLink, Licences
from licensing.rules import CONSENT_REVOKED, DEAL_CANCELLED
from licensing.selectors.recipients import managing
from licensing.services import codes, licences, links, tokens
from portal.accounts.rules import Actor
from portal.events.models import Event
from portal.events.services import on
from portal.notify.models import Notice
from portal.notify.selectors import leads_to, makes_link, makes_secrets
from portal.notify.services import Message, notify
from portal.workflow.blockers import Blocker, Param, Term, _

Reason = LicenceLink.Reason
_WHY: Mapping[str, str] = {
    DEAL_CANCELLED: _("the deal was cancelled"),
    CONSENT_REVOKED: _("the consent was taken back"),
}


# What follows


@on("isv_deal.cancelled")
def end_with_deal(events: Sequence[Event]) -> None:
    """LIC-7: counts freeze, and invitations that wait are withdrawn."""
    for event in events:
        licences.end_with_deal(event.subject_id, now=event.at)


@on("isv_deal.corrected")
def withdraw_misaddressed(events: Sequence[Event]) -> None:
    """LIC-1: a link names the deal's customer."""
    for event in events:
        licences.withdraw_misaddressed(event.subject_id, now=event.at)


@on("consent.revoked")
def freeze_revoked(events: Sequence[Event]) -> None:
    """LIC-7: the counts of all deals of that customer's."""
    for event in events:
        licences.freeze_revoked(event.subject_id, now=event.at)


# The customer, by links to the licence page: no other mail goes to who has no account (LIC-8)


@on("consent.accepted")
def mail_first_link(events: Sequence[Event]) -> None:
    found = Invitation.objects.with_context().select_related("relationship__company", "relationship__customer")
    for invitation in found.filter(pk__in=[event.subject_id for event in events]):
        assert invitation.relationship is not None
        links.issue(invitation.relationship, Reason.CONSENTED, now=events[0].at)


_MAILED = {
    "licences.given": Reason.GIVEN,
    "licences.plan_removed": Reason.PLAN_REMOVED,
    "licences.frozen": Reason.FROZEN,
}


@on(*_MAILED)
def mail_news(events: Sequence[Event]) -> None:
    """What they were given, what was removed with how many assignments, and that counts are frozen (LIC-3, LIC-7)."""
    about = _licences(events)
    for event in events:
        news = {"plan": ", ".join(event.after.get("plans", {}).values()), "people": event.after.get("people", 0)}
        news["frozen"] = event.after.get("frozen", "")
        links.issue(about[event.subject_id].relationship, _MAILED[event.verb], now=event.at, news=news)


_LINK_TEXTS: Mapping[str, tuple[str, str]] = {
    Reason.CONSENTED: (
        _("Licences from %(company)s"),
        _(
            "You agreed that %(company)s may give %(customer)s licences. The link opens the page where you see and "
            "assign them, and can take your consent back."
        ),
    ),
    Reason.ASKED: (
        _("Your link to the licences from %(company)s"),
        _("You asked for a link to the licences that %(company)s gives %(customer)s."),
    ),
    Reason.GIVEN: (
        _("New licences from %(company)s"),
        _("%(company)s gave %(customer)s licences of %(plan)s. The link opens the page where you assign them."),
    ),
    Reason.PLAN_REMOVED: (
        _("%(company)s removed licences"),
        _("%(company)s removed the licences of %(plan)s for %(customer)s. People who lose theirs: %(people)s."),
    ),
    Reason.FROZEN: (
        _("Licences from %(company)s are frozen"),
        _("The number of licences from %(company)s for %(customer)s can't grow any more: %(why)s. Nobody loses any."),
    ),
}
_LINK_BODY = _("%(news)s\n\nThe link is good until %(until)s, and once; on its page you can have another one mailed.")


@on(links.SENT)
def mail_links(events: Sequence[Event]) -> None:
    rows = LicenceLink.objects.select_related("relationship__company", "relationship__customer")
    found = rows.in_bulk([event.subject_id for event in events])
    notify([_link_message(event, found[event.subject_id]) for event in events])


def _link_message(event: Event, link: LicenceLink) -> Message:
    to = link.relationship
    subject, body = _LINK_TEXTS[link.reason]
    params: dict[str, Param] = {
        "company": to.company.name,
        "customer": to.customer.name,
        "plan": event.after.get("plan", ""),
        "people": event.after.get("people", 0),
        "why": Term(_WHY.get(event.after.get("frozen", ""), "")),
    }
    told: dict[str, Param] = {
        "company": to.company.name,
        "until": link.expires_at,
        "news": Blocker("", body, params=params),
    }
    return Message(
        event, [to.admin_email], subject, _LINK_BODY, params=told, category=kinds.LICENCE_PAGE, language=to.language
    )


@makes_link(kinds.LICENCE_PAGE)
def licence_page_link(notice: Notice) -> str:
    """The same at every try; once it was forgotten, the page where another one is asked for."""
    link = LicenceLink.objects.filter(pk=notice.event.subject_id).first()
    return reverse("licence_page", args=[tokens.of_link(link)]) if link else reverse("licence_link")


@on(codes.SENT)
def mail_codes(events: Sequence[Event]) -> None:
    rows = EmailCode.objects.select_related("invitation__company", "invitation__customer")
    found = rows.in_bulk([event.subject_id for event in events])
    notify([_code_message(event, found[event.subject_id]) for event in events])


def _code_message(event: Event, code: EmailCode) -> Message:
    return Message(
        event,
        [code.email],
        _("Your code for %(company)s"),
        _(
            "Type this code on the page of the invitation from %(company)s to %(customer)s:\n\n%(code)s\n\n"
            "It agrees for the tenant %(tenant)s, and is good until %(until)s. Give it to nobody."
        ),
        params={
            "company": code.invitation.company.name,
            "customer": code.invitation.customer.name,
            "tenant": str(code.tenant_guid),
            "until": code.expires_at,
        },
        category=kinds.CODE,
        language=code.language,
    )


@makes_secrets(kinds.CODE)
def code_of(notice: Notice) -> Mapping[str, Param]:
    """The code stands in the mail only (LIC-8)."""
    code = EmailCode.objects.filter(pk=notice.event.subject_id).first()
    return {"code": tokens.code(code) if code else "–"}


# The partner


@dataclass(frozen=True)
class _News:
    subject: str
    body: str


_NEWS: Mapping[str, _News] = {
    "consent.accepted": _News(
        _("%(customer)s agreed to licences"),
        _("%(customer)s agreed to get licences from you. You can now add plans to the deal “%(deal)s”."),
    ),
    "consent.refused": _News(
        _("%(customer)s refused your invitation"),
        _("%(customer)s did not agree to get licences for the deal “%(deal)s”. You can send a new link."),
    ),
    "consent.expired": _News(
        _("Your invitation to %(customer)s expired"),
        _("Nobody answered the link for the deal “%(deal)s” in time. You can send a new one."),
    ),
    "licences.frozen": _News(
        _("Licences of %(customer)s are frozen"),
        _("Counts of the deal “%(deal)s” can be lowered or removed, but not raised: %(why)s."),
    ),
    "licences.resumed": _News(
        _("%(customer)s agreed anew"),
        _("Counts of licences of the deal “%(deal)s” can be raised again."),
    ),
}


@on(*_NEWS)
def tell_partner(events: Sequence[Event]) -> None:
    """Whoever manages the deal's licences (ISV-7)."""
    deals = _deals(events)
    people = managing(deals.values())
    notify([_message(event, deals[event.subject_type, event.subject_id], people) for event in events])


def _message(event: Event, deal: IsvDeal, people: Mapping[int, Iterable[str]]) -> Message:
    news = _NEWS[event.verb]
    params: dict[str, Param] = {
        "customer": event.after["customer"],
        "deal": str(deal),
        "why": Term(_WHY.get(event.after.get("frozen", ""), "")),
    }
    link = reverse("isv_licences", args=[deal.public_id])
    return Message(event, people[deal.pk], news.subject, news.body, link, params, category=kinds.LICENCES)


def _deals(events: Sequence[Event]) -> dict[tuple[str, int], IsvDeal]:
    """The deal that each event's subject belongs to."""
    found: dict[tuple[str, int], IsvDeal] = {}
    for model in (Invitation, Licences):
        label = model._meta.label_lower
        asked = [event.subject_id for event in events if event.subject_type == label]
        for row in model.objects.with_context().filter(pk__in=asked):
            found[label, row.pk] = row.deal
    return found


def _licences(events: Sequence[Event]) -> dict[int, Licences]:
    found = Licences.objects.with_context().filter(pk__in=[event.subject_id for event in events])
    return {row.pk: row for row in found.select_related("relationship__company")}


# Around it


@on("customer.merged")
def move_merged(events: Sequence[Event]) -> None:
    """Consents of a merged customer are the kept one's (REF-5); but for a tenant for which both agreed, which stays."""
    for event in events:
        licences.move_customer(event.after["merged"], event.subject_id)


@leads_to("isv_licences")
def open_to(actor: Actor, public_ids: Collection[Any]) -> Collection[Any]:
    """A notice shows and mails nothing to somebody who can't see the deal any more (REF-24)."""
    return IsvDeal.objects.visible_to(actor).filter(public_id__in=public_ids).values_list("public_id", flat=True)
