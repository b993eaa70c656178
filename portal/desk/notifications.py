"""The kinds of notices about the reviewers' work (F5.2, FLOW-14)."""

from __future__ import annotations

from portal.accounts.rules import PROGRAMME_MANAGER, REVIEWER
from portal.notify.rules import DIGEST, OFF, Category, add_category
from portal.workflow.blockers import _

NEW_CASE = "desk_new"
DUE = "desk_due"

add_category(
    Category(
        NEW_CASE,
        _("New cases on the review desk"),
        _("For reviewers: each registration and each deal that comes to the desk. Nothing unless you choose it."),
        "inbox",
        "brand",
        opens=_("Open the case"),
        default=OFF,
        roles=(REVIEWER,),
    ),
    order=92,
)
add_category(
    Category(
        DUE,
        _("Due and overdue on the review desk"),
        _("For reviewers and programme managers, once a day: what has to be decided today, and what is late."),
        "alarm",
        "warning",
        opens=_("Open the review desk"),
        default=DIGEST,
        roles=(REVIEWER, PROGRAMME_MANAGER),
    ),
    order=93,
)
