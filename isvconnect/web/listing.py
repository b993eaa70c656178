"""The list of ISV Connect deals: reported ones, and won referrals of which one is to be reported (ISV-5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import Contains
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET

from isvconnect.models import IsvDeal, IsvDealQuerySet, Tag
from isvconnect.policies import may_report
from isvconnect.rules import states
from isvconnect.selectors.deals import to_report
from isvconnect.web import counted
from isvconnect.web.tags import isv_badge
from portal.accounts.decorators import ActorRequest, needs_actor
from portal.accounts.rules import Actor
from portal.customers.rules import fold
from portal.folding import tokens
from portal.ui.listing import cells, cursor, page
from portal.ui.listing.cells import Shown
from portal.ui.listing.columns import BADGE, DAY, ID, NUMBER, RIGHT, STATE, TITLE, Column
from portal.ui.listing.cursor import Sort
from portal.ui.listing.files import Field, term
from portal.ui.listing.filters import (
    Choices,
    Range,
    Text,
    amount,
    countries,
    country_name,
    day,
    moments,
    one_of,
    within,
)
from portal.ui.listing.lists import LISTS, Listing, Total, count
from portal.ui.listing.query import ListQuery
from portal.ui.listing.rows import listed
from portal.ui.templatetags.ortak import short_day
from portal.workflow import text
from portal.workflow.blockers import _
from referrals.models import Referral, ReferralQuerySet, ReferralSolution
from referrals.models.expressions import KNOWN_VALUE, folded
from referrals.selectors import search

ACTION_REQUIRED, SUBMITTED, CLOSED, ALL = "action_required", "submitted", "closed", "all"
_TABS = {
    ACTION_REQUIRED: _("Action required"),
    SUBMITTED: _("Submitted"),
    CLOSED: _("Closed"),
    ALL: _("All reported"),
}
_FOLDED_SOLUTION = folded("solution__name")


class _IsvListing(Listing):
    """What both lists of the page have in common; each counts what the other's tabs would show of the same query."""

    url, title, hint = "isv_deals", _("ISV Connect deals"), _("Customer, solution or deal")
    sheet = _("ISV Connect deals")
    file_ready = _("The file with %(count)s ISV Connect deals is ready. You can download it until %(until)s.")
    menus = dict.fromkeys(("created", "signed", "start", "won", "invoiced", "due"), "dates")
    menu_labels, last_menus = {"dates": _("Dates")}, ("value", "dates", "solution", "company")
    hidden = frozenset({ALL})
    is_long_enough, shortest = staticmethod(search.is_long_enough), staticmethod(search.shortest)

    def tabs(self, actor: Actor) -> Mapping[str, str]:
        """The vendor reports nothing, so nothing is required of it (ISV-7)."""
        return {tab: label for tab, label in _TABS.items() if tab != ACTION_REQUIRED or not actor.is_vendor}

    def counts(self, actor: Actor, asked: ListQuery, found: Any) -> dict[str, int]:
        mine = {LISTS[self.code]: found}
        found_in = {}
        for tab in self.tabs(actor):
            if tab in self.hidden:
                continue
            listing = listing_of(tab, actor)
            if listing not in mine:
                mine[listing] = listed(actor, ListQuery.at(listing, asked.address(), actor))
            found_in[tab] = count(listing.of_tab(mine[listing], tab, actor))
        if asked.tab == ALL:
            found_in[ALL] = found_in[SUBMITTED] + found_in[CLOSED]
        return found_in

    def suggested(self, actor: Actor) -> Mapping[str, Sequence[str]]:
        return {"country": list(countries().values())}


class IsvDealListing(_IsvListing):
    """What was reported (ISV-5); the vendor's people see all companies' (ISV-7)."""

    code, model = "isv_deals", IsvDeal
    cells = {
        "customer": lambda deal: deal.customer.name,
        "company": lambda deal: deal.company.name,
        "solution": lambda deal: deal.solution.name,
        "tag": lambda deal: str(deal.get_tag_display()),
        "status": isv_badge,
        "value": lambda deal: cells.money(deal.solution_value, deal.solution_value_currency, deal.solution_value_usd),
        "tcv": lambda deal: cells.money(deal.tcv, deal.tcv_currency, deal.tcv_usd),
        "percent": lambda deal: None if deal.percent is None else text.percent(deal.percent),
        "signed": lambda deal: short_day(deal.signed),
        "start": lambda deal: short_day(deal.start),
        "end": lambda deal: short_day(deal.end),
        "due": lambda deal: short_day(deal.next_due_on),
        "created": lambda deal: short_day(deal.created_at),
        "referral": lambda deal: deal.referral.name if deal.referral else None,
        "country": lambda deal: country_name(deal.customer.country),
        "location": lambda deal: deal.location.name,
        "id": lambda deal: str(deal.public_id),
    }
    elsewhere = frozenset({ACTION_REQUIRED})
    columns = (
        Column("customer", _("Customer"), "customer", TITLE),
        Column("company", _("Company"), "company", for_partner=False),
        Column("solution", _("Solution"), "solution"),
        Column("tag", _("Incentive"), width=110),
        Column("status", _("Status"), "status", BADGE, STATE),
        Column("value", _("Solution value"), "value", 150, RIGHT),
        Column("tcv", _("Total contract value"), width=150, css=RIGHT, is_named=True),
        Column("percent", _("Fee"), width=72, css=RIGHT, is_named=True),
        Column("signed", _("Signed"), "signed", DAY, is_named=True),
        Column("start", _("Start"), "start", DAY, is_named=True),
        Column("end", _("End"), "end", DAY, is_named=True),
        Column("due", _("Next invoice"), "due", 112, is_named=True),
        Column("created", _("Reported"), "created", DAY, is_named=True),
        Column("referral", _("Co-sell deal"), is_named=True),
        Column("country", _("Country"), width=110),
        Column("location", _("Location"), width=110, is_named=True),
        Column("id", _("Id"), width=ID),
    )
    usual = frozenset({"company", "solution", "status", "value", "signed", "due", "created"})
    sorts = cursor.by_code(
        (
            Sort("customer", F("customer__search_text"), cursor.text),
            Sort("company", folded("company__name"), cursor.text),
            Sort("solution", _FOLDED_SOLUTION, cursor.text),
            Sort("status", cursor.place("status", states.STATES), cursor.whole),
            Sort("value", F("solution_value_usd"), cursor.amount, last_first=True),
            Sort("signed", F("signed"), cursor.day, last_first=True),
            Sort("start", F("start"), cursor.day, last_first=True),
            Sort("end", F("end"), cursor.day),
            Sort("due", Coalesce(F("next_due_on"), Value(date.max)), cursor.day),  # those without one come last
            Sort("created", F("created_at"), cursor.moment, last_first=True),
        )
    )
    filters = (
        Choices("status", _("Status"), lambda: states.STATES, one_of("status")),
        Choices("tag", _("Incentive"), lambda: {str(code): str(label) for code, label in Tag.choices}, one_of("tag")),
        Choices("country", _("Country"), countries, one_of("customer__country"), is_long=True),
        Range(
            "value",
            _("Value in USD"),
            within("solution_value_usd"),
            amount,
            lambda value: text.money(value, "USD"),
            "amounts",
        ),
        Range("created", _("Reported (UTC)"), counted.reported, day, text.day, "days"),
        Range("signed", _("Contract signed"), within("signed"), day, text.day, "days"),
        Range("start", _("Contract start"), within("start"), day, text.day, "days"),
        counted.INVOICED,
        Range("due", _("Next invoice"), within("next_due_on"), day, text.day, "days"),
        counted.COMING,
        Text(
            "solution",
            _("Solution"),
            lambda _actor, typed: Q(solution__code__iexact=typed) | Q(Contains(_FOLDED_SOLUTION, fold(typed))),
            _("Name or solution id"),
        ),
        Text(
            "company",
            _("Company"),
            lambda _actor, typed: Q(Contains(folded("company__name"), fold(typed))),
            _("Part of its name"),
            for_partner=False,
        ),
    )
    fields = (
        Field(_("Company"), lambda deal: deal.company.name),
        Field(_("Location"), lambda deal: str(deal.location)),
        Field(_("Customer"), lambda deal: deal.customer.name),
        Field(_("City"), lambda deal: deal.customer.city),
        Field(_("Country"), lambda deal: deal.customer.country),
        Field("D-U-N-S", lambda deal: deal.customer.duns),
        Field(_("Solution"), lambda deal: deal.solution.name),
        Field(_("Solution id"), lambda deal: deal.solution.code),
        Field(_("Incentive"), lambda deal: str(deal.get_tag_display())),
        Field(_("Status"), lambda deal: term(states.STATES[deal.status])),
        Field(_("Total contract value"), lambda deal: deal.tcv),
        Field(_("Currency of the total contract value"), lambda deal: deal.tcv_currency),
        Field(_("Total contract value in USD"), lambda deal: deal.tcv_usd),
        Field(_("Solution value"), lambda deal: deal.solution_value),
        Field(_("Currency of the solution value"), lambda deal: deal.solution_value_currency),
        Field(_("Solution value in USD"), lambda deal: deal.solution_value_usd),
        Field(_("Fee (%%)"), lambda deal: deal.percent),
        Field(_("Contract signed"), lambda deal: deal.signed),
        Field(_("Contract start"), lambda deal: deal.start),
        Field(_("Contract end"), lambda deal: deal.end),
        Field(_("Next invoice"), lambda deal: deal.next_due_on),
        Field(_("Where is the solution deployed?"), lambda deal: str(deal.get_deployment_display())),
        Field(_("Tenant type"), lambda deal: str(deal.get_tenant_display())),
        Field(_("Reported (UTC)"), lambda deal: deal.created_at),
        Field(_("Cancelled (UTC)"), lambda deal: deal.cancelled_at),
        Field(_("Reason"), lambda deal: deal.cancel_reason),
        Field(_("Deal id"), lambda deal: str(deal.referral.public_id) if deal.referral else None),
        Field(_("Id"), lambda deal: str(deal.public_id)),
    )

    def link(self, item: IsvDeal, address: str) -> str:
        return reverse("isv_deal", args=[item.public_id])

    def default_tab(self, actor: Actor) -> str:
        return SUBMITTED

    def visible(self, actor: Actor) -> IsvDealQuerySet:
        return IsvDeal.objects.visible_to(actor)

    def of_tab(self, found: Any, tab: str, actor: Actor) -> IsvDealQuerySet:
        if tab == ALL:
            return found
        return found.closed() if tab == CLOSED else found.in_progress()

    def totals(self, actor: Actor, asked: ListQuery, found: Any) -> Sequence[Total]:
        """Of days of invoicing the fees, of invoices to come theirs; else what the deals are worth."""
        return counted.totals(asked.state, found)

    def search(self, found: Any, query: str, actor: Actor) -> IsvDealQuerySet:
        """Each word begins one of the customer's name or is in the solution's; or the referral is found by all."""
        words = Q()
        for word in tokens(query)[: search.MAX_WORDS]:
            named = Q(customer__search_text__startswith=word) | Q(customer__search_text__contains=f" {word}")
            words &= named | Q(Contains(_FOLDED_SOLUTION, word)) | Q(solution__code__istartswith=word)
        referrals = Referral.objects.visible_to(actor).filter(search.matching(query, actor=actor))
        return found.filter(words | Q(referral__in=referrals) | _of_id(query))

    def with_context(self, found: Any) -> IsvDealQuerySet:
        return found.with_context().defer("referral__search_text", "referral__search_vector")

    def rows(self, records: Sequence[IsvDeal], actor: Actor) -> list[IsvDeal]:
        """Without the referral that the reader may not see, such as a private one (REF-3)."""
        named = Referral.objects.visible_to(actor).filter(pk__in={deal.referral_id for deal in records})
        seen = set(named.values_list("pk", flat=True))
        for deal in records:
            if deal.referral_id not in seen:
                deal.referral = None
        return list(records)

    def counted(self, number: int) -> str:
        said = ngettext("%(number)s ISV Connect deal", "%(number)s ISV Connect deals", number)
        return said % {"number": text.show(Decimal(number))}


def _of_id(typed: str) -> Q:
    try:
        return Q(public_id=UUID(typed))
    except ValueError:
        return Q(pk__in=[])


@dataclass
class Waiting:
    """A won referral of which a deal is to be reported, and whether the reader may do so (ISV-7)."""

    referral: Referral
    may_report: bool
    solutions: list[str]


def _report(row: Waiting) -> Shown:
    """Where it is reported, for who may do that (ISV-7)."""
    if not row.may_report:
        return None
    link = '<a class="btn btn-secondary btn-sm" href="{}">{}</a>'
    return format_html(link, reverse("report_isv_deal_of", args=[row.referral.public_id]), gettext("Register"))


class ToReportListing(_IsvListing):
    """Won referrals with the banner and no standing deal: *Action required* (ISV-2, ISV-5)."""

    code, model, own_tab = "isv_to_report", Referral, ACTION_REQUIRED
    cells = {
        "name": lambda row: row.referral.name,
        "customer": lambda row: row.referral.engagement.customer.name,
        "country": lambda row: country_name(row.referral.engagement.customer.country),
        "solution": lambda row: cells.several(row.solutions),
        "value": lambda row: cells.money(row.referral.value, row.referral.currency, row.referral.value_usd),
        "won": lambda row: short_day(row.referral.closed_at),
        "location": lambda row: row.referral.location.name if row.referral.location else None,
        "action": _report,
    }
    elsewhere = frozenset({SUBMITTED, CLOSED, ALL})
    columns = (
        Column("name", _("Deal"), "name", TITLE),
        Column("customer", _("Customer"), "customer"),
        Column("country", _("Country"), width=110),
        Column("solution", _("Solution")),
        Column("value", _("Value"), "value", NUMBER, RIGHT),
        Column("won", _("Won"), "won", DAY, is_named=True),
        Column("location", _("Location"), width=110, is_named=True),
        Column("action", _("Action"), width=120, css=STATE),
    )
    usual = frozenset({"customer", "solution", "value", "won", "action"})
    default_sort = "won"
    sorts = cursor.by_code(
        (
            Sort("name", folded("name"), cursor.text),
            Sort("customer", F("engagement__customer__search_text"), cursor.text),
            Sort("value", KNOWN_VALUE, cursor.amount, last_first=True),
            Sort("won", F("closed_at"), cursor.moment),
        )
    )
    filters = (
        Choices("country", _("Country"), countries, one_of("engagement__customer__country"), is_long=True),
        Range(
            "value", _("Value in USD"), within("value_usd"), amount, lambda value: text.money(value, "USD"), "amounts"
        ),
        Range("won", _("Won"), moments("closed_at"), day, text.day, "days"),
    )
    fields = (
        Field(_("Deal name"), lambda row: row.referral.name),
        Field(_("Customer"), lambda row: row.referral.engagement.customer.name),
        Field(_("Country"), lambda row: row.referral.engagement.customer.country),
        Field(_("Solutions"), lambda row: "; ".join(row.solutions)),
        Field(_("Value"), lambda row: row.referral.value),
        Field(_("Currency"), lambda row: row.referral.currency),
        Field(_("Value in USD"), lambda row: row.referral.value_usd),
        Field(_("Won (UTC)"), lambda row: row.referral.closed_at),
        Field(_("Location"), lambda row: str(row.referral.location) if row.referral.location else None),
        Field(_("Deal id"), lambda row: str(row.referral.public_id)),
    )
    file_ready = _("The file with %(count)s deals is ready. You can download it until %(until)s.")

    def record(self, item: Waiting) -> Referral:
        return item.referral

    def link(self, item: Waiting, address: str) -> str:
        return reverse("deal", args=[item.referral.public_id])

    def default_tab(self, actor: Actor) -> str:
        return ACTION_REQUIRED

    def visible(self, actor: Actor) -> ReferralQuerySet:
        return to_report(actor, now=timezone.now()).filter(company_id=actor.own_company_id)

    def of_tab(self, found: Any, tab: str, actor: Actor) -> ReferralQuerySet:
        return found

    def search(self, found: Any, query: str, actor: Actor) -> ReferralQuerySet:
        return found.filter(search.matching(query, actor=actor))

    def with_context(self, found: Any) -> ReferralQuerySet:
        return found.with_context().prefetch_related("team")

    def rows(self, records: Sequence[Referral], actor: Actor) -> list[Waiting]:
        found = {r.pk: Waiting(r, may_report(actor, r.location_id, r), []) for r in records}
        lines = ReferralSolution.objects.filter(referral__in=found, solution__publisher_id=actor.own_company_id)
        for line in lines.exclude(solution__biz_apps="").select_related("solution").order_by("pk"):
            found[line.referral_id].solutions.append(line.solution.name)
        return list(found.values())

    def counted(self, number: int) -> str:
        return ngettext("%(number)s deal", "%(number)s deals", number) % {"number": text.show(Decimal(number))}


ISV_DEALS, TO_REPORT = IsvDealListing(), ToReportListing()
LISTS.add(ISV_DEALS.code, ISV_DEALS, order=30)
LISTS.add(TO_REPORT.code, TO_REPORT, order=31)


def listing_of(tab: str, actor: Actor) -> _IsvListing:
    """The list whose rows the tab holds."""
    return TO_REPORT if tab == ACTION_REQUIRED and not actor.is_vendor else ISV_DEALS


@needs_actor
@require_GET
def isv_deals(request: ActorRequest) -> HttpResponse:
    listing = listing_of(request.GET.get("tab", ""), request.actor)
    return page.respond(request, listing, "isvconnect/list.html", _beside)


def _beside(actor: Actor) -> Mapping[str, Any]:
    return {"may_report_isv": may_report(actor, None)}
