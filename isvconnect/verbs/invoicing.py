"""The workers issue what is due, and set the fees that were missing; programme managers cancel (ISV-5, ISV-6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from isvconnect.models import Installment, InvoiceRun, IsvDeal, Status
from isvconnect.policies import may_cancel
from isvconnect.rules import schedule
from isvconnect.selectors.rates import rate_in_force
from isvconnect.timeline import ISV_CONNECT
from isvconnect.verbs.writing import credit, issue
from portal.workflow.blockers import Blocker, _
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Effect, Verb, worker
from referrals.rules import length_blockers


@dataclass(frozen=True)
class Issuing:
    """The run of the workers that does it, if it is one (ISV-6)."""

    run: InvoiceRun | None = None


class IssueInvoices(Verb[IsvDeal, Issuing]):
    """Issue the invoices that are due; with the last one the deal is completed (ISV-6)."""

    name = "issue_invoices"
    label = _("Issue the invoices that are due")
    event = "isv_deal.invoiced"
    sentence = Sentence(
        "receipt", "success", _("Invoiced for contract year %(years)s of the ISV Connect deal: %(amount)s"), ISV_CONNECT
    )
    who = (worker,)

    def blockers(self, record: IsvDeal, context: Context) -> Iterable[Blocker]:
        if record.percent is None:
            message = _("No fee rate was in force when the contract was signed, so its invoices wait for one.")
            yield Blocker("fee_rate_missing", message, "ISV-6")
        elif record.next_due_on is None or record.next_due_on > context.now.date():
            yield Blocker("no_invoice_due", _("No invoice of this deal is due."), "ISV-6")

    def apply(self, record: IsvDeal, inputs: Issuing, context: Context) -> Effect:
        context.once(_RUN, lambda: inputs.run)
        due, later = _split(record, context)
        record.issue_invoices(Status.INVOICED if later else Status.COMPLETED)
        record.invoiced_at = record.invoiced_at or context.now
        record.completed_at = None if later else context.now
        record.next_due_on = later[0].due_on if later else None
        amount = sum((year.fee or Decimal(0) for year in due), Decimal(0))
        years = [year.number for year in due]
        return Effect(after={"years": years, "amount": str(amount), "currency": record.solution_value_currency})

    def settle(self, records: Sequence[IsvDeal], context: Context) -> None:
        """The numbers are taken last: until the commit everybody else who issues waits for them."""
        due = [(record, year) for record in records for year in _split(record, context)[0]]
        issue(due, run=context.once(_RUN, lambda: None), now=context.now)


_RUN = "run"


def _split(record: IsvDeal, context: Context) -> tuple[list[Installment], list[Installment]]:
    """The contract years whose invoices are due now, and those that come later."""
    today = context.now.date()
    found = context.once(f"open:{record.pk}", lambda: record.open_installments)
    return [year for year in found if year.due_on <= today], [year for year in found if year.due_on > today]


class SetFees(Verb[IsvDeal, None]):
    """Give a deal its fees, once there is a rate that was in force at its signing (ISV-6)."""

    name = "set_fees"
    label = _("Set the fees")
    event = "isv_deal.fees_set"
    sentence = Sentence("percent", "info", _("The fee rate of the ISV Connect deal is known: %(percent)s"), ISV_CONNECT)
    who = (worker,)

    def blockers(self, record: IsvDeal, context: Context) -> Iterable[Blocker]:
        if record.percent is not None:
            yield Blocker("fees_known", _("The fees of this deal are known."), "ISV-6")
        elif _found_percent(record) is None:
            message = _("No fee rate was in force when the contract was signed, so its invoices wait for one.")
            yield Blocker("fee_rate_missing", message, "ISV-6")

    def apply(self, record: IsvDeal, inputs: None, context: Context) -> Effect:
        record.set_fees()
        record.percent, record.rate_missing_at = _found_percent(record), None
        record.next_due_on = record.open_installments[0].due_on
        return Effect()

    def settle(self, records: Sequence[IsvDeal], context: Context) -> None:
        priced = []
        for record in records:
            for year in record.open_installments:
                assert record.percent is not None
                year.fee = schedule.fee(year.share, record.percent)
                priced.append(year)
        Installment.objects.bulk_update(priced, ["fee"], batch_size=1000)


def _found_percent(record: IsvDeal) -> Decimal | None:
    held = vars(record)
    if "found_percent" in held:  # selectors.rates.to_rate()
        found: Decimal | None = held["found_percent"]
        return found
    return rate_in_force(record.tag, record.signed)


@dataclass(frozen=True)
class Cancelling:
    """Why, for the partner to read; `credit_issued`: credit what was invoiced, in full."""

    reason: str
    credit_issued: bool = False


class Cancel(Verb[IsvDeal, Cancelling]):
    """Cancel the deal: nothing more is issued, and where the manager says so, issued invoices are credited (ISV-5)."""

    name = "cancel"
    label = _("Cancel the deal")
    event = "isv_deal.cancelled"
    sentence = Sentence("x-circle", "danger", _("The ISV Connect deal was cancelled"), ISV_CONNECT)
    who = (may_cancel,)
    danger = final = True

    def input_blockers(self, record: IsvDeal, inputs: Cancelling, context: Context) -> Iterable[Blocker]:
        if not inputs.reason.strip():
            yield Blocker("cancel_reason_required", _("Say why; the partner reads it."), "ISV-5", "reason")
        yield from length_blockers(inputs.reason, "reason", policy=context.policy)
        if inputs.credit_issued and record.invoiced_at is None:
            message = _("Nothing was invoiced yet, so there is nothing to credit.")
            yield Blocker("nothing_to_credit", message, "ISV-5", "credit_issued")

    def apply(self, record: IsvDeal, inputs: Cancelling, context: Context) -> Effect:
        record.cancel()
        record.cancelled_at, record.cancel_reason = context.now, inputs.reason.strip()
        record.next_due_on = record.rate_missing_at = None
        record.installments.unissued().delete()
        notes = credit(record, now=context.now) if inputs.credit_issued else []
        return Effect(after={"credit_notes": [note.number for note in notes]}, comment=record.cancel_reason)


ISSUE_INVOICES, SET_FEES, CANCEL = IssueInvoices(), SetFees(), Cancel()
