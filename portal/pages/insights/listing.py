"""The deals that a figure of Insights counts, as a list: with the columns, orders and files of the list of deals, of
the rows that the figures are made of (REF-17)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any

from django.db.models import Exists, OuterRef, Q

from dealreg.models import Registration
from dealreg.rules import states
from dealreg.selectors.figures import RESULTS
from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.catalog.models import Solution
from portal.pages.deals import filters
from portal.pages.deals.listing import MAX_SUGGESTED, DealListing
from portal.ui.listing.filters import Choices, Filter, Range, Text, day, one_of
from portal.ui.listing.lists import LISTS
from portal.workflow import text
from portal.workflow.blockers import _
from referrals.models import ReferralQuerySet, ReferralSolution
from referrals.selectors.figures import ANSWERED, STEPS, counted

ALL = "all"
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
    Choices("result", _("Registration"), lambda: _RESULTS, lambda _actor, chosen: Q.create(
        [RESULTS[code] for code in chosen], Q.OR)),
    Choices("reason", _("Reason"), _reasons, one_of("registration__reason_code")),
    _SHARED["country"],
    Range("created", _("Created (UTC)"), _created, day, text.day, "days"),
    Text("solution", _("Solution"), _sold, _HINT),
    Text("registered", _("Registered solution"), _registered, _HINT),
)  # fmt: skip


class CountedListing(DealListing):
    """Whatever the figures count of this person, and so in no other tab."""

    code, url = "insights", "insights_deals"
    title = _("Deals counted in Insights")
    filters = FILTERS
    file_ready = _("The file with %(count)s deals is ready. You can download it until %(until)s.")
    menus = {"created": "more", "solution": "more", "registered": "more"}
    menu_labels = {"more": _("More")}
    last_menus = frozenset({"more"})
    hidden = frozenset()

    def tabs(self, actor: Actor) -> Mapping[str, str]:
        return {ALL: _("All")}

    def default_tab(self, actor: Actor) -> str:
        return ALL

    def visible(self, actor: Actor) -> ReferralQuerySet:
        return counted(actor)

    def of_tab(self, found: Any, tab: str, actor: Actor) -> ReferralQuerySet:
        return found

    def suggested(self, actor: Actor) -> Mapping[str, Sequence[str]]:
        solutions = Solution.objects.order_by("name").values_list("name", flat=True)[:MAX_SUGGESTED]
        names = {"solution": list(solutions), "registered": list(solutions)}
        partners = {"partner": list(_partners().values())[:MAX_SUGGESTED]} if actor.is_vendor else {}
        return {**super().suggested(actor), **names, **partners}


COUNTED = CountedListing()
LISTS.add(COUNTED.code, COUNTED, order=40)
