"""The deals that a figure of Insights counts, as a list: with the columns, orders and files of the list of deals, of
the rows that the figures are made of (REF-17)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.db.models import Exists, OuterRef, Q, Sum
from django.utils.translation import gettext

from dealreg.models import Registration
from dealreg.rules import states
from dealreg.selectors.figures import RESULTS
from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.catalog.models import Solution
from portal.pages.deals import filters
from portal.pages.deals.listing import MAX_SUGGESTED, DealListing
from portal.policy import services as policies
from portal.ui.listing.filters import Choices, Filter, Range, Text, day, one_of
from portal.ui.listing.lists import LISTS, Total
from portal.ui.listing.query import ListQuery
from portal.workflow import text
from portal.workflow.blockers import _
from referrals import rules
from referrals.models import ReferralQuerySet, ReferralSolution
from referrals.selectors import standing
from referrals.selectors.figures import ANSWERED, STEPS, counted, reached
from referrals.web.insights import today

ALL = "all"
#: Of the filter by the stage of open deals.
ANY = "any"
_RESULTS = {
    "approved": _("Approved"),
    "progress": _("In progress"),
    "rejected": _("Rejected"),
    "withdrawn": _("Withdrawn"),
    "reviewed": _("Reviewed"),
    "passed": _("Review passed"),
    "failed": _("Review failed"),
}


def _partners() -> Mapping[str, str]:
    partners = Company.objects.filter(kind=Company.Kind.PARTNER).order_by("name")
    return {str(public_id): name for public_id, name in partners.values_list("public_id", "name")}


def _reasons() -> Mapping[str, str]:
    return {**states.ACTION_REASONS, **states.FAIL_REASONS}


def _steps() -> Mapping[str, str]:
    return {**{code: step.label for code, step in STEPS.items()}, "answered": ANSWERED.label}


def _reached(_actor: Actor, chosen: Sequence[str]) -> Q:
    steps = {**dict(STEPS.items()), "answered": ANSWERED}
    return Q.create([steps[code].reached or Q(pk__isnull=False) for code in chosen], Q.OR)


def _stages() -> Mapping[str, str]:
    stages = {str(stage): label for stage, label in rules.STAGES.items() if stage < rules.WON_STAGE}
    return {ANY: _("Any stage"), **stages}


def _idle() -> Mapping[str, str]:
    days = policies.by_database_clock().idle_parts
    found = {str(days[0]): gettext("Up to %(days)s days") % {"days": days[0]}}
    for before, last in pairwise(days):
        found[str(last)] = gettext("%(first)s to %(last)s days") % {"first": before + 1, "last": last}
    return {**found, standing.LONGER: gettext("More than %(days)s days") % {"days": days[-1]}}


def _open(actor: Actor, chosen: Sequence[str]) -> Q:
    found = standing.standing(actor)
    stages = [int(code) for code in chosen if code != ANY]
    return Q(pk__in=(found if ANY in chosen else found.filter(reached__in=stages)).values("pk"))


def _unmoved(actor: Actor, chosen: Sequence[str]) -> Q:
    parts = standing.idle(today(), policies.by_database_clock())
    found = standing.moved(standing.standing(actor), actor)
    return Q(pk__in=found.filter(Q.create([parts[code] for code in chosen], Q.OR)).values("pk"))


def _of_campaign(actor: Actor, typed: str) -> Q:
    """A campaign id is its own company's only (REF-3)."""
    return Q(company_id=actor.own_company_id, campaign_id=typed)


def _created(_actor: Actor, ends: tuple[Any, Any]) -> Q:
    """By the day in UTC, as the figures count."""
    first, last = ends
    found = Q(created_at__gte=datetime.combine(first, time.min, UTC)) if first else Q()
    return found & Q(created_at__lte=datetime.combine(last, time.max, UTC)) if last else found


def _solutions(typed: str) -> list[int]:
    """The one of that id; else those whose names contain it."""
    named = Solution.objects.filter(code__iexact=typed) or Solution.objects.filter(name__icontains=typed)
    return [solution.pk for solution in named]


def _sold(_actor: Actor, typed: str) -> Q:
    return Q(Exists(ReferralSolution.objects.filter(referral=OuterRef("pk"), solution__in=_solutions(typed))))


def _registered(_actor: Actor, typed: str) -> Q:
    return Q(Exists(Registration.objects.filter(referral=OuterRef("pk"), solution__in=_solutions(typed))))


_SHARED = {item.name: item for item in filters.FILTERS}
_HINT = _("Name or solution id")
FILTERS: tuple[Filter, ...] = (
    Choices("partner", _("Partner"), _partners, one_of("company__public_id"), for_partner=False, is_long=True),
    Choices("step", _("Reached"), _steps, _reached),
    *(_SHARED[name] for name in ("status", "stage")),
    Choices("open", _("Open, at stage"), _stages, _open),
    Choices("idle", _("Open, has not moved for"), _idle, _unmoved),
    Choices("result", _("Registration"), lambda: _RESULTS, lambda _actor, chosen: Q.create(
        [RESULTS[code] for code in chosen], Q.OR)),
    Choices("reason", _("Reason"), _reasons, one_of("registration__reason_code")),
    _SHARED["country"],
    Range("created", _("Created (UTC)"), _created, day, text.day, "days"),
    _SHARED["close"],
    Text("campaign", _("Campaign id"), _of_campaign, _("All of it"), is_exact=True),
    Text("solution", _("Solution"), _sold, _HINT),
    Text("registered", _("Registered solution"), _registered, _HINT),
)  # fmt: skip


class CountedListing(DealListing):
    """Whatever the figures count of this person, and so in no other tab."""

    code, url = "insights", "insights_deals"
    title = _("Deals counted in Insights")
    filters = FILTERS
    file_ready = _("The file with %(count)s deals is ready. You can download it until %(until)s.")
    menus = {"open": "open", "idle": "open"} | dict.fromkeys(
        ("created", "close", "campaign", "solution", "registered"), "more"
    )
    menu_labels = {"open": _("Open deals"), "more": _("More")}
    last_menus = ("more",)
    hidden = frozenset()

    def tabs(self, actor: Actor) -> Mapping[str, str]:
        return {ALL: _("All")}

    def default_tab(self, actor: Actor) -> str:
        return ALL

    def visible(self, actor: Actor) -> ReferralQuerySet:
        return counted(actor)

    def of_tab(self, found: Any, tab: str, actor: Actor) -> ReferralQuerySet:
        return found

    def totals(self, actor: Actor, asked: ListQuery, found: Any) -> Sequence[Total]:
        """As the figures sum them; the forecast's where open deals are looked at."""
        wanted = {"usd": Sum("value_usd"), "acv": Sum("registration__acv_usd")}
        if "open" in asked.state:
            found = found.annotate(reached=reached(actor))
            wanted["weighted"] = standing.weighted(policies.by_database_clock())
        sums: dict[str, Decimal | None] = found.aggregate(**wanted)
        usd = sums["usd"] or Decimal(0)
        totals = [Total("usd", usd, gettext("value %(usd)s") % {"usd": text.money(usd, "USD")})]
        if "weighted" in sums:
            worth = standing.from_hundredths(sums["weighted"])
            totals.append(Total("weighted", worth, gettext("weighted %(usd)s") % {"usd": text.money(worth, "USD")}))
        if sums["acv"]:
            acv = gettext("annual contract value %(usd)s") % {"usd": text.money(sums["acv"], "USD")}
            totals.append(Total("acv", sums["acv"], acv))
        return totals

    def suggested(self, actor: Actor) -> Mapping[str, Sequence[str]]:
        solutions = Solution.objects.order_by("name").values_list("name", flat=True)[:MAX_SUGGESTED]
        names = {"solution": list(solutions), "registered": list(solutions)}
        partners = {"partner": list(_partners().values())[:MAX_SUGGESTED]} if actor.is_vendor else {}
        return {**super().suggested(actor), **names, **partners}


COUNTED = CountedListing()
LISTS.add(COUNTED.code, COUNTED, order=40)
