"""The kinds of notices about companies' people and their accounts (F5.2)."""

from __future__ import annotations

from portal.notify.rules import INVITATION, Category, add_category
from portal.workflow.blockers import _

PASSWORD = "password"  # noqa: S105  what a notice is about
SIGN_IN = "sign_in"

add_category(
    Category(
        INVITATION,
        _("Invitations"),
        _("A company asks you to join it."),
        "person-plus",
        "brand",
        mandatory=True,
        opens=_("Open the invitation"),
        strangers=True,
    ),
    order=40,
)
add_category(
    Category(
        PASSWORD,
        _("A new password"),
        _("The link to choose one, when you or somebody else asks for it."),
        "key",
        "brand",
        mandatory=True,
        opens=_("Choose a new password"),
    ),
    order=50,
)
add_category(
    Category(
        SIGN_IN,
        _("Wrong passwords"),
        _("Somebody typed so many wrong ones for your account that it was locked for their network."),
        "shield-lock",
        "warning",
        mandatory=True,
        opens=_("Choose a new password"),
    ),
    order=60,
)
