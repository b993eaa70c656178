"""The columns of the file made of the list of deals (REF-20)."""

from __future__ import annotations

from collections.abc import Callable

from dealreg.models import Registration
from portal.pages.deals.rows import Row
from portal.ui.listing.files import Cell, Field, term
from portal.workflow.blockers import _
from referrals import rules


def _own(value: Callable[[Row], Cell]) -> Callable[[Row], Cell]:
    """What only the deal's own company may read of it."""
    return lambda row: value(row) if row.own else None


def _registered(value: Callable[[Registration], Cell]) -> Callable[[Row], Cell]:
    return lambda row: value(row.registration) if row.registration else None


def _registration(row: Row) -> Cell:
    if row.registration is None:
        return None
    return str(row.registration.outcome_text or row.registration.get_status_display())


FIELDS = (
    Field(_("Deal name"), lambda row: row.referral.name),
    Field(_("Customer"), lambda row: row.referral.engagement.customer.name),
    Field(_("City"), lambda row: row.referral.engagement.customer.city),
    Field(_("Country"), lambda row: row.referral.engagement.customer.country),
    Field(_("Direction"), lambda row: term(_("Inbound") if row.referral.is_inbound else _("Outbound"))),
    Field(_("From"), lambda row: row.sender.name if row.sender else None),
    Field(_("Status"), lambda row: term(rules.SUBSTATUSES[row.referral.substatus])),
    Field(_("Stage (%%)"), lambda row: row.referral.stage if row.has_stage else None),
    Field(_("Deal type"), lambda row: term(row.deal_type)),
    Field(_("Partner to partner"), lambda row: term(_("Yes") if row.referral.p2p else _("No"))),
    Field(_("Help wanted"), lambda row: term(rules.HELP[row.referral.help_code])),
    Field(
        _("Status at %(vendor)s"),
        lambda row: term(rules.SUBSTATUSES[row.vendor.substatus]) if row.vendor else None,
        for_vendor=False,
    ),
    Field(_("Value"), lambda row: row.referral.value),
    Field(_("Currency"), lambda row: row.referral.currency),
    Field(_("Value in USD"), lambda row: row.referral.value_usd),
    Field(_("Close date"), lambda row: row.referral.close_date),
    Field(_("Created (UTC)"), lambda row: row.referral.created_at),
    Field(_("Changed (UTC)"), lambda row: row.referral.updated_at),
    Field(_("Closed (UTC)"), lambda row: row.referral.closed_at),
    Field(_("Reason"), lambda row: term(row.referral.reason_text)),
    Field(_("Registration"), _registration, for_vendor=False),
    Field(_("Filed (UTC)"), _registered(lambda found: found.submitted_at), for_vendor=False),
    Field(_("Annual contract value"), _registered(lambda found: found.acv), for_vendor=False),
    Field(
        _("Currency of the annual contract value"),
        _registered(lambda found: found.tcv_currency if found.acv else None),
        for_vendor=False,
    ),
    Field(_("Annual contract value in USD"), _registered(lambda found: found.acv_usd), for_vendor=False),
    Field(_("Solutions"), lambda row: "; ".join(f"{s.solution.name} ({s.solution.code})" for s in row.solutions)),
    Field(_("Team"), lambda row: "; ".join(f"{m} <{m.email}>" for m in row.team)),
    Field(_("Location"), lambda row: str(row.referral.location) if row.referral.location else None),
    Field(_("CRM id"), _own(lambda row: row.referral.crm_id)),
    Field(_("Marketing campaign id"), _own(lambda row: row.referral.campaign_id)),
    Field("D-U-N-S", lambda row: row.referral.engagement.customer.duns),
    Field(_("Deal id"), lambda row: str(row.referral.public_id)),
)
