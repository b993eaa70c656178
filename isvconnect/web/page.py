"""What the page of a deal shows: where it stands, its schedule with the invoices, what happened, what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from isvconnect.models import Installment, Invoice, IsvDeal, Status
from isvconnect.web.parts import PARTS
from portal.accounts.rules import Actor
from portal.events.models import Event
from portal.workflow import services as workflow
from portal.workflow import timeline
from referrals.models import Referral
from referrals.web.deal import Step, context_of


@dataclass(frozen=True)
class Line:
    """One contract year: what was or will be issued for it, and the credit note that took it back."""

    number: int
    first_day: date
    last_day: date
    due_on: date
    share: Decimal
    fee: Decimal | None
    invoice: Invoice | None = None
    credit_note: Invoice | None = None


def context(deal: IsvDeal, actor: Actor, *, now: datetime, before: int = 0) -> dict[str, Any]:
    """The same number of queries for every deal."""
    documents, years = issued(deal), list(deal.installments.all())
    parts = [find(deal, actor, now) for find in PARTS.values()]
    shown = lines(years, documents)
    return {
        "deal": deal,
        "referral": _referral(deal, actor),
        "steps": steps(deal, shown),
        "lines": shown,
        "totals": _totals(shown),
        "documents": documents,
        "next": next((line for line in shown if line.invoice is None), None),
        "waits": deal.percent is None and deal.status == Status.SUBMITTED,
        "rate_months": _rate_months(deal),
        "actions": _actions(deal, parts, actor, now),
        "own": deal.company_id == actor.company_id,
        **context_of(parts),
        **history(deal, before),
    }


def issued(deal: IsvDeal) -> list[Invoice]:
    """Its invoices and credit notes, in the order of issue."""
    return list(deal.invoices.select_related("credits", "company", "deal").order_by("issued_at", "pk"))


def lines(years: Sequence[Installment], documents: Sequence[Invoice]) -> list[Line]:
    """A line for each contract year that is issued or still to be; of a dropped one nothing is left (ISV-5)."""
    invoices = {one.year: one for one in documents if not one.is_credit_note}
    credited = {one.credits_id: one for one in documents if one.is_credit_note}
    found = []
    for year in years:
        invoice = invoices.get(year.number)
        span = (year.number, year.first_day, year.last_day, year.due_on, year.share, year.fee)
        found.append(Line(*span, invoice, credited.get(invoice.pk) if invoice else None))
    return found


def _totals(shown: Sequence[Line]) -> dict[str, Decimal | None]:
    fees = [line.fee for line in shown]
    return {
        "share": sum((line.share for line in shown), Decimal(0)),
        "fee": None if None in fees else sum((fee for fee in fees if fee is not None), Decimal(0)),
    }


def _rate_months(deal: IsvDeal) -> list[date]:
    """The months of the rates that its values were converted at (FX-2)."""
    found = {date.fromisoformat(rate["month"]) for currency, rate in deal.rates.items() if currency != "USD"}
    return sorted(found)


def _referral(deal: IsvDeal, actor: Actor) -> Referral | None:
    """The referral it comes from, for whoever may see that (ORG-6)."""
    if deal.referral_id is None:
        return None
    return Referral.objects.visible_to(actor).filter(pk=deal.referral_id).first()


def steps(deal: IsvDeal, shown: Sequence[Line]) -> list[Step]:
    """Reported, invoiced, completed; or cancelled (ISV-5)."""
    reported = Step(gettext("Submitted"), "done", at=deal.created_at)
    count = sum(line.invoice is not None for line in shown)
    invoiced = Step(gettext("Invoiced"), "done", at=deal.invoiced_at)
    if deal.status == Status.CANCELLED:
        ended = Step(gettext("Cancelled"), "failed", at=deal.cancelled_at)
        return [reported, invoiced, ended] if deal.invoiced_at else [reported, ended]
    completed = Step(gettext("Completed"), "done" if deal.completed_at else "", at=deal.completed_at)
    if deal.status == Status.COMPLETED:
        return [reported, invoiced, completed]
    of = ngettext("%(issued)s of %(count)s invoice", "%(issued)s of %(count)s invoices", len(shown))
    note = of % {"issued": count, "count": len(shown)}
    if deal.status == Status.INVOICED:
        return [reported, Step(gettext("Invoiced"), "now", at=deal.invoiced_at, note=note), completed]
    return [Step(gettext("Submitted"), "now", at=deal.created_at), Step(gettext("Invoiced"), "", note=note), completed]


def _actions(deal: IsvDeal, parts: Sequence[Any], actor: Actor, now: datetime) -> list[dict[str, Any]]:
    """What the role allows here, disabled with the reason where something else is missing."""
    found = [*workflow.available_actions(deal, actor, now)]
    for part in parts:
        found += part.actions
    return [_action(a, deal) for a in found if not a.wrong_state and not a.verb.quiet]


def _action(action: workflow.Action[Any], deal: IsvDeal) -> dict[str, Any]:
    """One button: where its page is, and how it looks."""
    kind = "danger" if action.verb.danger else "primary" if action.verb.primary else "secondary"
    url = reverse("isv_deal_action", args=[deal.public_id, action.name])
    return {"action": action, "url": url, "kind": kind, "dialog": action.verb.in_dialog}


def history(deal: IsvDeal, before: int = 0) -> dict[str, Any]:
    """What happened to it, newest first; a few queries, whatever happened."""
    found = Event.objects.filter(subject_type=deal._meta.label_lower, subject_id__in=[deal.pk])
    entries, last = timeline.page(found.filter(company_id=deal.company_id), before=before)
    address = reverse("isv_deal", args=[deal.public_id])
    return {"history": entries, "more_url": f"{address}?before={last}" if last else ""}
