"""The kinds of notices about ISV Connect deals (F5.2)."""

from __future__ import annotations

from portal.accounts.rules import PARTNER_ROLES, PROGRAMME_MANAGER
from portal.notify.rules import Category, add_category
from portal.workflow.blockers import _

INVOICES = "isv_invoices"
FEE_RATES = "isv_fee_rates"

add_category(
    Category(
        INVOICES,
        _("ISV Connect"),
        _("Invoices of an ISV Connect deal were issued, or it was cancelled."),
        "receipt",
        "brand",
        mandatory=True,
        roles=PARTNER_ROLES,
    ),
    order=27,
)
add_category(
    Category(
        FEE_RATES,
        _("Fee rates of ISV Connect"),
        _("For programme managers: invoices wait because no fee rate was in force when the contract was signed."),
        "percent",
        "danger",
        mandatory=True,
        roles=(PROGRAMME_MANAGER,),
    ),
    order=28,
)
