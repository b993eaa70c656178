"""The states of ISV Connect deals and the kinds of their invoices by name (ISV-5, ISV-6)."""

from __future__ import annotations

from portal.workflow.blockers import _

SUBMITTED = "submitted"
INVOICED = "invoiced"
COMPLETED = "completed"
CANCELLED = "cancelled"

STATES = {
    SUBMITTED: _("Submitted"),
    INVOICED: _("Invoiced"),
    COMPLETED: _("Completed"),
    CANCELLED: _("Cancelled"),
}
#: The filters of RD: what is under way, and what has ended (ISV-5).
IN_PROGRESS = (SUBMITTED, INVOICED)
ENDED = (COMPLETED, CANCELLED)

INVOICE = "invoice"
CREDIT_NOTE = "credit_note"
