"""The kinds of notices about exceptions (F5.2); reminders of them are deadlines like those of deals."""

from __future__ import annotations

from portal.accounts.rules import COUNCIL_MEMBER, PARTNER_ROLES, PROGRAMME_MANAGER
from portal.notify.rules import Category, add_category
from portal.workflow.blockers import _

EXCEPTION = "exception"
COUNCIL = "council"

add_category(
    Category(
        EXCEPTION,
        _("Exceptions"),
        _("The exception council asks for evidence, or has decided."),
        "shield-check",
        "brand",
        mandatory=True,
        roles=PARTNER_ROLES,
    ),
    order=25,
)
add_category(
    Category(
        COUNCIL,
        _("Work of the exception council"),
        _("For the council: a request came, evidence came, or a decision is overdue."),
        "check2-square",
        "brand",
        roles=(COUNCIL_MEMBER, PROGRAMME_MANAGER),
    ),
    order=85,
)
