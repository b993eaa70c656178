"""The kinds of notices about licences: to the partner's people, and to customers without an account (F5.2, LIC-8)."""

from __future__ import annotations

from portal.accounts.rules import PARTNER_ROLES
from portal.notify.rules import Category, add_category
from portal.workflow.blockers import _

LICENCES = "licences"
CODE = "consent_code"
LICENCE_PAGE = "licence_page"

add_category(
    Category(
        LICENCES,
        _("Licences"),
        _("A customer agreed to licences, refused or took it back, or counts were frozen."),
        "key",
        "brand",
        roles=PARTNER_ROLES,
    ),
    order=45,
)
add_category(
    Category(
        CODE,
        _("Codes for customers"),
        _("The code that confirms a customer's address."),
        "shield-lock",
        "brand",
        mandatory=True,
        opens=_("Open the invitation"),
        strangers=True,
        listed=False,
    ),
    order=46,
)
add_category(
    Category(
        LICENCE_PAGE,
        _("Links to licences"),
        _("The link to a customer's licence page."),
        "key",
        "brand",
        mandatory=True,
        opens=_("Open the licences"),
        strangers=True,
        listed=False,
    ),
    order=47,
)
