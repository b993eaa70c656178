"""A file of co-sell opportunities: downloaded, changed in a spreadsheet, and uploaded again (F3.1).

columns   the columns, and what their cells may hold
held      the cells of deals as the portal holds them
reading   the cells of an uploaded row, read
lookup    what the cells name, for all rows at once
plans     what each row would do
changing  the verbs that a row with an id runs
"""

from portal.accounts.rules import Actor, creating_scope
from portal.row_plans import KINDS, FileKind
from portal.workflow.blockers import _
from referrals.services.deal_file import columns, held, plans


def may_upload(actor: Actor) -> bool:
    """Whoever may create deals changes them by a file as well: referrals admins and users (ORG-2, F3.1)."""
    return not actor.is_vendor and bool(creating_scope(actor))


DEALS = KINDS.add(
    "deals",
    FileKind(_("Deals"), "deals", columns.KNOWN, may_upload, held.write, plans.plan, columns.AT, columns.ID),
    order=10,
)
