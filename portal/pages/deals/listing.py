"""What the list of deals says of itself (REF-19, REF-20)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import Case, IntegerField, Q, Value, When
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from portal.accounts.models import User
from portal.accounts.rules import Actor
from portal.catalog.models import Solution
from portal.pages.deals import columns, filters, rows
from portal.pages.deals.cells import CELLS, star
from portal.pages.deals.fields import FIELDS
from portal.pages.deals.rows import ALL, FAVORITES, INBOUND, OUTBOUND, PARTNER_LED, Row
from portal.ui.listing.context import tab_link
from portal.ui.listing.filters import Values, countries
from portal.ui.listing.lists import LISTS, Listing, Total, count
from portal.ui.listing.query import ListQuery
from portal.ui.listing.rows import listed
from portal.workflow import text
from portal.workflow.blockers import _
from referrals.models import Referral, ReferralQuerySet
from referrals.selectors import figures, search
from referrals.services import stage_names

#: A field suggests so many values at most.
MAX_SUGGESTED = 200
_TABS = {
    INBOUND: _("Inbound"),
    OUTBOUND: _("Outbound"),
    PARTNER_LED: _("Partner-led"),
    FAVORITES: _("Favorites"),
    ALL: _("All"),
}


class DealListing(Listing):
    """The deals of one's company; the vendor's people also see those that they may only view."""

    code, url, model = "deals", "deals", Referral
    title, hint = _("Co-sell opportunities"), _("Name, id, customer")
    cells = CELLS
    columns, sorts, filters = columns.COLUMNS, columns.SORTS, filters.FILTERS
    fields, sheet = FIELDS, _("Deals")
    file_ready = _("The file with %(count)s deals is ready. You can download it until %(until)s.")
    menus = {"created": "dates", "close": "dates"} | dict.fromkeys(
        ("p2p", "vendor", "sale", "solution", "member", "crm", "needs", "answers"), "more"
    )
    menu_labels = {"value": _("Value"), "dates": _("Dates"), "more": _("More")}
    last_menus: ClassVar[Sequence[str]] = ("value", "dates", "more")
    hidden = frozenset({ALL})
    is_long_enough, shortest = staticmethod(search.is_long_enough), staticmethod(search.shortest)

    def tabs(self, actor: Actor) -> Mapping[str, str]:
        """REF-19. The vendor also has one for deals that it may only view."""
        return {tab: label for tab, label in _TABS.items() if actor.is_vendor or tab != PARTNER_LED}

    def default_tab(self, actor: Actor) -> str:
        return INBOUND if actor.is_vendor else OUTBOUND

    def visible(self, actor: Actor) -> ReferralQuerySet:
        return Referral.objects.visible_to(actor).of_company(actor)

    def of_tab(self, found: Any, tab: str, actor: Actor) -> ReferralQuerySet:
        return rows.of_tab(found, tab, actor)

    def totals(self, actor: Actor, asked: ListQuery, found: Any) -> Sequence[Total]:
        """Where a figure led."""
        if asked.tab not in self.hidden:
            return ()
        usd = found.aggregate(**figures.sums(deals=Q()))["deals_usd"]
        return [Total("usd", usd, gettext("value %(usd)s") % {"usd": text.money(usd, "USD")})]

    def search(self, found: Any, query: str, actor: Actor) -> ReferralQuerySet:
        return found.filter(search.matching(query, actor=actor))

    def clean(self, values: Values, actor: Actor) -> dict[str, str]:
        return super().clean({**values, "stage": filters.stages(values.get("stage", ()), actor)}, actor)

    def usual_columns(self, actor: Actor, tab: str) -> Collection[str]:
        if actor.is_vendor:
            return columns.OF_VENDOR
        return columns.OF_PARTNER + (columns.SENT if tab == INBOUND else ())

    def near(self, actor: Actor) -> Collection[str]:
        """The countries of the company's latest deals."""
        own = Referral.objects.visible_to(actor).filter(company_id=actor.own_company_id)
        latest = own.newest_first()[:MAX_SUGGESTED]
        return set(latest.values_list("engagement__customer__country", flat=True))

    def suggested(self, actor: Actor) -> Mapping[str, Sequence[str]]:
        """Solutions (the company's own and the vendor's first) and colleagues."""
        near = Case(
            When(publisher_id=actor.own_company_id, then=Value(0)),
            When(publisher__kind="vendor", then=Value(1)),
            default=Value(2),
            output_field=IntegerField(),
        )
        solutions = Solution.objects.choosable().order_by(near, "name").values_list("name", flat=True)
        people = User.objects.filter(memberships__company_id=actor.own_company_id, memberships__is_active=True)
        return {
            "country": list(countries().values()),
            "solution": list(dict.fromkeys(solutions[:MAX_SUGGESTED])),
            "member": list(people.order_by("email").values_list("email", flat=True)[:MAX_SUGGESTED]),
        }

    def describe(self, field: dict[str, Any], actor: Actor) -> None:
        """Beside each stage what the company's own CRM calls it (REF-16); one query."""
        if field["name"] != "stage" or actor.is_vendor:
            return
        own = stage_names.of_company(actor.own_company_id)
        field["choices"] = [
            (code, " · ".join([label, *(name.name for name in own.get(int(code), ()))]), on)
            for code, label, on in field["choices"]
        ]

    def rows(self, records: Sequence[Referral], actor: Actor) -> list[Row]:
        return rows.rows(records, actor)

    def record(self, item: Row) -> Referral:
        return item.referral

    def link(self, item: Row, address: str) -> str:
        """The deal's page knows the list by where one comes from: fifty rows need not all say it."""
        return reverse("deal", args=[item.referral.public_id])

    def lead(self, item: Row) -> str:
        return star(item.referral, starred=item.starred)

    def counted(self, number: int) -> str:
        return ngettext("%(number)s deal", "%(number)s deals", number) % {"number": text.show(Decimal(number))}


DEALS = DealListing()
LISTS.add(DEALS.code, DEALS, order=10)


def favorites_tab(actor: Actor, asked: ListQuery) -> dict[str, Any]:
    """The favorites tab with its count, which changes with every star."""
    found = count(DEALS.of_tab(listed(actor, asked), FAVORITES, actor))
    return tab_link(actor, asked, FAVORITES, found)
