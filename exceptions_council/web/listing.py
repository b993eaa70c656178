"""What the list of requests says of itself (REF-20, EXC-10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from exceptions_council.models import ExceptionRequest, ExceptionRequestQuerySet
from exceptions_council.rules import states
from exceptions_council.web.tags import exception_badge
from portal.accounts.rules import Actor
from portal.ui.listing import cursor
from portal.ui.listing.cells import Cell, Shown
from portal.ui.listing.columns import BADGE, DAY, ID, STATE, TITLE, Column
from portal.ui.listing.cursor import Sort
from portal.ui.listing.files import Field, term
from portal.ui.listing.filters import Choices, Range, Text, countries, country_name, day, moments, one_of, within
from portal.ui.listing.lists import LISTS, Listing
from portal.ui.templatetags.ortak import days_left, short_day
from portal.workflow import text
from portal.workflow.blockers import _
from referrals.models import Referral
from referrals.models.expressions import folded
from referrals.selectors import search

#: So few days before a decision it is urgent.
SOON_DAYS = 3
ALL, OPEN, DECIDED = "all", "open", "decided"
_TABS = {ALL: _("All"), OPEN: _("Open"), DECIDED: _("Decided")}
_CUSTOMER = "referral__engagement__customer"


def _decision(request: ExceptionRequest) -> Shown:
    """When it was decided, or until when it is to be."""
    if request.is_final or request.due_on is None:
        return short_day(request.decided_at)
    days = days_left(request.due_on)
    if days < 0:
        return Cell(gettext("%(day)s, overdue") % {"day": short_day(request.due_on)}, "", "is-late")
    left = ngettext("%(days)s day left", "%(days)s days left", days) % {"days": days}
    return Cell(f"{short_day(request.due_on)} · {left}", "", "is-soon" if days < SOON_DAYS else "")


class ExceptionListing(Listing):
    """The requests of one's company; council, reviewers and programme managers see all of them."""

    code, url, model = "exceptions", "exceptions", ExceptionRequest
    title, hint = _("Exceptions"), _("Deal, id or customer")
    cells = {
        "name": lambda request: request.referral.name,
        "customer": lambda request: request.referral.engagement.customer.name,
        "company": lambda request: request.referral.company.name,
        "country": lambda request: country_name(request.referral.engagement.customer.country),
        "kind": lambda request: str(request.get_kind_display()),
        "status": exception_badge,
        "created": lambda request: short_day(request.created_at),
        "due": _decision,
        "open": lambda request: short_day(request.open_until),
        "id": lambda request: str(request.referral.public_id),
    }
    columns = (
        Column("name", _("Deal"), "name", TITLE),
        Column("customer", _("Customer"), "customer"),
        Column("company", _("Company"), "company", for_partner=False),
        Column("country", _("Country"), width=110),
        Column("kind", _("Kind"), "kind", 190),
        Column("status", _("State"), "status", BADGE, STATE),
        Column("created", _("Requested"), "created", 104, is_named=True),
        Column("due", _("Decision"), "due", 150, is_named=True),
        Column("open", _("Open until"), width=DAY, is_named=True),
        Column("id", _("Deal id"), width=ID),
    )
    usual = frozenset({"customer", "company", "kind", "status", "created", "due"})
    sorts = cursor.by_code(
        (
            Sort("name", folded("referral__name"), cursor.text),
            Sort("customer", F(f"{_CUSTOMER}__search_text"), cursor.text),
            Sort("company", folded("referral__company__name"), cursor.text),
            Sort("kind", cursor.place("kind", states.KINDS), cursor.whole),
            Sort("status", cursor.place("status", states.STATES), cursor.whole),
            Sort("created", F("created_at"), cursor.moment, last_first=True),
            Sort("due", F("due_on"), cursor.day),
        )
    )
    filters = (
        Choices("status", _("State"), lambda: states.STATES, one_of("status")),
        Choices("kind", _("Kind"), lambda: states.KINDS, one_of("kind")),
        Choices("country", _("Country"), countries, one_of(f"{_CUSTOMER}__country"), is_long=True),
        Range("created", _("Requested"), moments("created_at"), day, text.day, "days"),
        Range("due", _("Decision due"), within("due_on"), day, text.day, "days"),
        Text(
            "company",
            _("Company"),
            lambda _actor, typed: Q(referral__company__name__icontains=typed),
            _("Part of its name"),
            for_partner=False,
        ),
    )
    menus, menu_labels = {"created": "dates", "due": "dates"}, {"dates": _("Dates")}
    last_menus = ("dates", "company")
    fields = (
        Field(_("Deal name"), lambda request: request.referral.name),
        Field(_("Customer"), lambda request: request.referral.engagement.customer.name),
        Field(_("Country"), lambda request: request.referral.engagement.customer.country),
        Field(_("Company"), lambda request: request.referral.company.name),
        Field(_("Kind"), lambda request: term(states.KINDS[request.kind])),
        Field(_("Status"), lambda request: term(states.STATES[request.status])),
        Field(_("Requested (UTC)"), lambda request: request.created_at),
        Field(_("Due"), lambda request: request.due_on),
        Field(_("Decided (UTC)"), lambda request: request.decided_at),
        Field(_("Open until"), lambda request: request.open_until),
        Field(_("Deal id"), lambda request: str(request.referral.public_id)),
    )
    sheet = _("Exceptions")
    file_ready = _("The file with %(count)s exceptions is ready. You can download it until %(until)s.")
    is_long_enough, shortest = staticmethod(search.is_long_enough), staticmethod(search.shortest)

    def tabs(self, actor: Actor) -> Mapping[str, str]:
        return _TABS

    def visible(self, actor: Actor) -> ExceptionRequestQuerySet:
        """Those of the company's own deals; of the vendor's people, who decides or reads sees all (EXC-10)."""
        found = ExceptionRequest.objects.visible_to(actor)
        return found if actor.is_vendor else found.filter(referral__company_id=actor.own_company_id)

    def of_tab(self, found: Any, tab: str, actor: Actor) -> ExceptionRequestQuerySet:
        return {OPEN: found.open, DECIDED: found.decided}.get(tab, found.all)()

    def search(self, found: Any, query: str, actor: Actor) -> ExceptionRequestQuerySet:
        deals = Referral.objects.filter(search.matching(query, actor=actor), pk__in=found.values("referral"))
        return found.filter(referral__in=deals)

    def with_context(self, found: Any) -> ExceptionRequestQuerySet:
        related = found.select_related(_CUSTOMER, "referral__company")
        return related.defer("referral__search_text", "referral__search_vector")

    def link(self, item: ExceptionRequest, address: str) -> str:
        return reverse("exception", args=[item.public_id])

    def suggested(self, actor: Actor) -> Mapping[str, Sequence[str]]:
        return {"country": list(countries().values())}

    def counted(self, number: int) -> str:
        said = ngettext("%(number)s exception", "%(number)s exceptions", number)
        return said % {"number": text.show(Decimal(number))}


EXCEPTIONS = ExceptionListing()
LISTS.add(EXCEPTIONS.code, EXCEPTIONS, order=20)
