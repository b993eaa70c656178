"""The kinds of notices about deals (F5.2)."""

from __future__ import annotations

from portal.accounts.rules import PARTNER_ROLES, SELLER
from portal.notify.rules import Category, add_category
from portal.workflow.blockers import _

TO_ANSWER = "to_answer"
DEADLINE = "deadline"
ANSWER = "answer"

add_category(
    Category(
        TO_ANSWER,
        _("Deals to answer"),
        _("Somebody sent you a deal, and the time to accept or decline it runs."),
        "envelope",
        "brand",
        mandatory=True,
        roles=(*PARTNER_ROLES, SELLER),
    ),
    order=10,
)
add_category(
    Category(
        DEADLINE,
        _("Deadlines"),
        _("Reminders before the time to answer or to register a deal runs out."),
        "alarm",
        "warning",
        mandatory=True,
        roles=(*PARTNER_ROLES, SELLER),
    ),
    order=30,
)
add_category(
    Category(
        ANSWER,
        _("Answers to my deals"),
        _("A deal of yours was sent, accepted, declined, or not answered in time."),
        "reply",
        "brand",
        roles=(*PARTNER_ROLES, SELLER),
    ),
    order=70,
)
