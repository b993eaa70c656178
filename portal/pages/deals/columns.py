"""The columns and orders of the list of deals (REF-20)."""

from __future__ import annotations

from django.db.models import F

from portal.ui.listing import cursor
from portal.ui.listing.columns import DAY, ID, NUMBER, RIGHT, STATE, TITLE, Column
from portal.ui.listing.cursor import Sort
from portal.workflow.blockers import _
from referrals.models.expressions import FOLDED_NAME, KNOWN_VALUE, LIFE, SHOWN_STAGE

#: In the order in which they stand.
COLUMNS = (
    Column("name", _("Deal"), "name", TITLE),
    Column("customer", _("Customer"), "customer", 152),
    Column("country", _("Country"), width=110),
    Column("sender", _("From"), width=114),
    Column("stage", _("Stage"), "stage", 166),
    Column("partner", _("Partner's stage"), width=166, is_named=True, for_partner=False),
    Column("status", _("Status"), "status", 96),
    Column("type", _("Deal type"), width=150),
    Column("vendor", _("%(vendor)s"), width=110, is_named=True, for_vendor=False),
    Column("value", _("Value"), "value", NUMBER, RIGHT),
    Column("close", _("Close date"), "close", DAY),
    Column("registration", _("Registration"), width=224, css=STATE, for_vendor=False),
    Column("solutions", _("Solutions")),
    Column("team", _("Team")),
    Column("location", _("Location"), width=110, is_named=True),
    Column("crm", _("CRM id"), width=110, is_named=True),
    Column("id", _("Deal id"), width=ID),
    Column("created", _("Created"), "created", DAY, is_named=True),
    Column("updated", _("Changed"), width=DAY, is_named=True),
)
#: Until somebody chooses: nothing that most rows leave empty. Who sent a deal, where they were sent.
OF_PARTNER = ("customer", "stage", "value", "close", "registration")
OF_VENDOR = ("customer", "sender", "stage", "partner", "value", "close", "created")
SENT = ("sender",)

SORTS = cursor.by_code(
    (
        Sort("name", FOLDED_NAME, cursor.text),
        Sort("customer", F("engagement__customer__search_text"), cursor.text),
        Sort("status", LIFE, cursor.whole),
        Sort("stage", SHOWN_STAGE, cursor.whole),
        Sort("value", KNOWN_VALUE, cursor.amount, last_first=True),
        Sort("close", F("close_date"), cursor.day),
        Sort("created", F("created_at"), cursor.moment, last_first=True),
    )
)
