"""The kinds of notices about registrations (F5.2); reminders of them are deadlines like those of deals."""

from __future__ import annotations

from portal.accounts.rules import PARTNER_ROLES
from portal.notify.rules import Category, add_category
from portal.workflow.blockers import _

ACTION_REQUIRED = "action_required"
REGISTRATION = "registration"

add_category(
    Category(
        ACTION_REQUIRED,
        _("Action required"),
        _("A registration came back to be corrected."),
        "pencil",
        "danger",
        mandatory=True,
        roles=PARTNER_ROLES,
    ),
    order=20,
)
add_category(
    Category(
        REGISTRATION,
        _("Progress of registrations"),
        _("A deal can be registered, or its registration was checked, reviewed or decided."),
        "award",
        "brand",
        roles=PARTNER_ROLES,
    ),
    order=80,
)
