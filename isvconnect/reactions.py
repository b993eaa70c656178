"""What follows from what happens to ISV Connect deals, and who is told (ISV-5, ISV-6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import OuterRef
from django.urls import reverse

from isvconnect import notifications as kinds
from isvconnect.models import Invoice, IsvDeal
from isvconnect.services import deals as services
from isvconnect.services.desk import ISV_DEAL
from portal.accounts.rules import PROGRAMME_MANAGER, Actor
from portal.desk import services as desk
from portal.events.models import Event
from portal.events.services import on
from portal.notify.selectors import leads_to
from portal.notify.services import Message, notify
from portal.outage import send_soon
from portal.workflow.blockers import Money, Param, Term, _
from referrals.models import TeamMember
from referrals.selectors.recipients import People, emails_of, people_of


def deal_link(public_id: UUID) -> str:
    """The path of the ISV Connect deal's page."""
    return reverse("isv_deal", args=[public_id])


@on("isv_deal.reported", "isv_deal.corrected", "isv_deal.fees_set", "isv_deal.cancelled")
def keep_desk(events: Sequence[Event]) -> None:
    """FLOW-12: what waits for a fee rate is on the desk."""
    desk.follow(ISV_DEAL, events, {})


@leads_to("isv_deal")
def open_to(actor: Actor, public_ids: Collection[Any]) -> Collection[Any]:
    """A notice about a deal shows and mails nothing to somebody who can't see the deal any more (REF-24)."""
    return IsvDeal.objects.visible_to(actor).filter(public_id__in=public_ids).values_list("public_id", flat=True)


class _Brief(NamedTuple):
    """A deal as far as its news and their readers need it."""

    pk: int
    public_id: UUID
    company_id: int
    location_id: int
    tag: str
    company_name: str
    customer_name: str
    team_emails: list[str]
    vendor_may_view: bool = False

    @property
    def params(self) -> dict[str, Param]:
        return {"customer": self.customer_name, "company": self.company_name}


_BRIEF = ("pk", "public_id", "company_id", "location_id", "tag", "company__name", "customer__name")


def _briefs(events: Sequence[Event]) -> dict[int, _Brief]:
    """The deals that the events are about, with the teams of the referrals that they come from."""
    deals = IsvDeal.objects.filter(pk__in=[event.subject_id for event in events])
    team = TeamMember.objects.filter(referral=OuterRef("referral")).order_by("pk").values("email")
    return {row[0]: _Brief(*row) for row in deals.values_list(*_BRIEF, ArraySubquery(team))}


class _Readers:
    """Who is told of a deal: who can report it (ISV-7), and of its referral's team who may see it (REF-24).

    A sweep asks for thousands of deals of few locations, so each kind is looked up once.
    """

    def __init__(self, deals: Iterable[_Brief]) -> None:
        self._people: People = people_of(deals)
        self._found: dict[tuple[int, int, tuple[str, ...]], list[str]] = {}

    def of(self, deal: _Brief) -> list[str]:
        key = (deal.company_id, deal.location_id, tuple(deal.team_emails))
        if key not in self._found:
            team = [email for email in deal.team_emails if self._people.may_read(email, deal)]
            self._found[key] = list(dict.fromkeys([*self._people.registering(deal), *team]))
        return self._found[key]


@on("customer.merged")
def move_deals(events: Sequence[Event]) -> None:
    """The deals of an entry that is another one go to that one (REF-5); issued invoices say what they said."""
    for event in events:
        services.move_customer(event.after["merged"], event.subject_id, now=event.at)


@on("isv_deal.invoiced")
def tell_of_invoices(events: Sequence[Event]) -> None:
    """The company, with the numbers and what is to be paid (ISV-6)."""
    deals, invoices = _briefs(events), _invoices(events)
    readers = _Readers(deals.values())
    notify([_invoiced(event, deals[event.subject_id], invoices, readers) for event in events])


def _invoices(events: Sequence[Event]) -> Mapping[tuple[int, int], Sequence[str]]:
    """The numbers of the invoices, by deal and contract year."""
    rows = Invoice.objects.filter(deal__in=[event.subject_id for event in events], kind=Invoice.Kind.INVOICE)
    found: dict[tuple[int, int], list[str]] = defaultdict(list)
    for deal_id, year, number in rows.values_list("deal_id", "year", "number"):
        found[deal_id, year].append(number)
    return found


def _invoiced(
    event: Event, deal: _Brief, invoices: Mapping[tuple[int, int], Sequence[str]], readers: _Readers
) -> Message:
    numbers = [number for year in event.after["years"] for number in invoices[deal.pk, year]]
    amount = Money(Decimal(event.after["amount"]), event.after["currency"])
    return Message(
        event=event,
        emails=readers.of(deal),
        subject=_("Invoice %(numbers)s for the ISV Connect deal with %(customer)s"),
        body=_(
            "%(vendor)s invoices %(company)s for the ISV Connect deal with %(customer)s: %(amount)s. You find "
            "%(numbers)s on the deal's page, as PDF and CSV."
        ),
        link=deal_link(deal.public_id),
        params={**deal.params, "numbers": ", ".join(numbers), "amount": amount},
        category=kinds.INVOICES,
    )


@on("isv_deal.cancelled")
def tell_of_cancelling(events: Sequence[Event]) -> None:
    """The company, with the reason and the credit notes (ISV-5)."""
    deals = _briefs(events)
    readers = _Readers(deals.values())
    notify([_cancelled(event, deals[event.subject_id], readers) for event in events])


def _cancelled(event: Event, deal: _Brief, readers: _Readers) -> Message:
    numbers = event.after["credit_notes"]
    plain = _("%(vendor)s cancelled the ISV Connect deal with %(customer)s. Nothing more is invoiced.\n\n%(reason)s")
    credited = _(
        "%(vendor)s cancelled the ISV Connect deal with %(customer)s, and credited what was invoiced: %(numbers)s."
        "\n\n%(reason)s"
    )
    return Message(
        event=event,
        emails=readers.of(deal),
        subject=_("The ISV Connect deal with %(customer)s was cancelled"),
        body=credited if numbers else plain,
        link=deal_link(deal.public_id),
        params={**deal.params, "reason": event.comment, "numbers": ", ".join(numbers)},
        category=kinds.INVOICES,
    )


@on("isv_deal.reported", "isv_deal.corrected")
def tell_of_missing_rate(events: Sequence[Event]) -> None:
    """Programme managers, once for each tag: its deals' invoices wait until a rate is given (ISV-6)."""
    waiting = IsvDeal.objects.without_rate().filter(pk__in=[event.subject_id for event in events])
    news = dict(waiting.values_list("pk", "tag"))
    others = IsvDeal.objects.without_rate().exclude(pk__in=news).filter(tag__in=news.values())
    told = set(others.values_list("tag", flat=True))
    missing = [event for event in events if event.subject_id in news and news[event.subject_id] not in told]
    if missing:
        deals, managers = _briefs(missing), emails_of(PROGRAMME_MANAGER)
        notify([_rate_missing(event, deals[event.subject_id], managers) for event in missing])


def _rate_missing(event: Event, deal: _Brief, managers: Sequence[str]) -> Message:
    return Message(
        event=event,
        emails=managers,
        subject=_("No fee rate of ISV Connect: %(tag)s"),
        body=_(
            "%(company)s reported an ISV Connect deal with %(customer)s, and no fee rate was in force when its "
            "contract was signed. Its invoices, and those of other such deals, wait until you give one."
        ),
        link=deal_link(deal.public_id),
        params={**deal.params, "tag": Term(deal.tag.capitalize())},
        category=kinds.FEE_RATES,
    )


@on("fee_rate.set")
def issue_soon(_events: Sequence[Event]) -> None:
    """What waited for the rate goes out at once (ISV-6); if the broker is away, with the next run."""
    transaction.on_commit(_enqueue, robust=True)


def _enqueue() -> None:
    send_soon("isvconnect.tasks.issue_due")
