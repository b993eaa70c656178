"""The columns and orders of the list of deals (REF-20)."""

from __future__ import annotations

from django.db.models import F

from portal.ui.listing import cursor
from portal.ui.listing.columns import Column
from portal.ui.listing.cursor import Sort
from portal.workflow.blockers import _
from referrals.models.expressions import FOLDED_NAME, KNOWN_VALUE, LIFE, SHOWN_STAGE

#: In the order in which they stand.
COLUMNS = (
    Column("name", _("Deal"), "name", rank=0),
    Column("customer", _("Customer"), "customer", rank=1),
    Column("country", _("Country"), is_short=True),
    Column("sender", _("From")),
    Column("status", _("Status"), "status", rank=1),
    Column("stage", _("Stage"), "stage", rank=3),
    Column("type", _("Deal type"), is_short=True),
    Column("vendor", _("%(vendor)s"), for_vendor=False),
    Column("value", _("Value"), "value", is_number=True, rank=1),
    Column("close", _("Close date"), "close", rank=2, is_short=True),
    Column("registration", _("Registration"), for_vendor=False),
    Column("solutions", _("Solutions")),
    Column("team", _("Team")),
    Column("location", _("Location"), is_short=True),
    Column("crm", _("CRM id")),
    Column("id", _("Deal id")),
    Column("created", _("Created"), "created", is_short=True),
    Column("updated", _("Changed"), is_short=True),
)
OF_PARTNER = ("name", "customer", "status", "stage", "type", "vendor", "value", "close", "registration")
OF_VENDOR = ("name", "customer", "sender", "status", "stage", "type", "value", "close", "created")

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
