"""The desk's list: queues, columns, filters and search of the reviewers' cases (FLOW-12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Func, Min, Q, TextField, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from portal import once
from portal.accounts.models import Company, User
from portal.accounts.rules import Actor
from portal.desk.models import Case, CaseQuerySet
from portal.desk.rules import KINDS, Outcome, reason_text
from portal.desk.selectors import MARK
from portal.folding import tokens
from portal.policy import services as policies
from portal.policy.calendar import days_left
from portal.ui.listing import cursor
from portal.ui.listing.columns import RIGHT, Column
from portal.ui.listing.cursor import Order, Sort
from portal.ui.listing.filters import Choices, Filter, Range, Text, amount, day, moments, one_of, within
from portal.ui.listing.lists import Listing, count
from portal.ui.listing.query import ListQuery
from portal.ui.listing.rows import listed
from portal.workflow import text
from portal.workflow.blockers import _

MINE, UNASSIGNED, OPEN, MARKETPLACE, RETURNED, DECIDED = (
    "mine",
    "unassigned",
    "open",
    "marketplace",
    "returned",
    "decided",
)
QUEUES = {
    MINE: _("Mine"),
    UNASSIGNED: _("Unassigned"),
    OPEN: _("All open"),
    MARKETPLACE: _("Marketplace"),
    RETURNED: _("Returned by partners"),
}
#: Of what was typed: more tells no case from another.
MAX_WORDS = 8
#: The ages of open cases, in days: from, and to before; None: no end.
AGES: Mapping[str, tuple[int, int | None]] = {"0-1": (0, 2), "2-4": (2, 5), "5-9": (5, 10), "10": (10, None)}
OVERDUE, TODAY, LATER = "overdue", "today", "later"
_DUE = {OVERDUE: _("Overdue"), TODAY: _("Due today"), LATER: _("Due after today")}
#: Among the people who decide: nobody.
WORKERS = "0"
_FAR = datetime(9999, 1, 1, tzinfo=UTC)


def due_labels() -> dict[str, str]:
    return {code: gettext(label) for code, label in _DUE.items()}


def age_labels() -> dict[str, str]:
    shown = {code: f"{first}–{last - 1}" if last else f"{first}+" for code, (first, last) in AGES.items()}
    return {code: gettext("%(days)s days") % {"days": days} for code, days in shown.items()}


def _of_ages(today: date, chosen: Sequence[str]) -> Q:
    """Those that came so many days (UTC) ago."""
    found, midnight = Q(), datetime.combine(today + timedelta(days=1), time(tzinfo=UTC))
    for first, last in (AGES[code] for code in chosen):
        came = Q(opened_at__lt=midnight - timedelta(days=first))
        found |= came & Q(opened_at__gte=midnight - timedelta(days=last)) if last else came
    return found


def _of_due(today: date, chosen: Sequence[str]) -> Q:
    found = Q()
    asked = {OVERDUE: Q(due_on__lt=today), TODAY: Q(due_on=today), LATER: Q(due_on__gt=today)}
    for code in chosen:
        found |= asked[code]
    return found


def _reasons() -> dict[str, str]:
    return {code: label for kind in KINDS.values() for code, label in kind.reasons.items()}


def _people() -> dict[str, str]:
    """Whoever is, or was, one of the vendor's people; two filters of the desk ask for them."""
    return once.answer("desk_people", _find_people)


def _find_people() -> dict[str, str]:
    found = User.objects.filter(memberships__company__kind=Company.Kind.VENDOR).order_by(
        "first_name", "last_name", "pk"
    )
    people = {str(user.pk): str(user).replace("%", "%%") for user in found}
    return {**people, WORKERS: _("Workers")}


def _by_decider(_actor: Actor, chosen: Sequence[str]) -> Q:
    found = Q(decider__in=[pk for pk in chosen if pk != WORKERS])
    return found | Q(closed_at__isnull=False, decider=None) if WORKERS in chosen else found


def _filters(today: date) -> list[Filter]:
    return [
        Text("company", _("Partner"), lambda _a, typed: Q(company__name__icontains=typed), _("Part of its name")),
        Range("value", _("Value in USD"), within("value_usd"), amount, lambda v: text.money(v, "USD"), "amounts"),
        Choices("reason", _("Reason"), _reasons, lambda _a, chosen: Q(reasons__has_any_keys=chosen)),
        Choices("kind", _("Kind"), lambda: {code: kind.label for code, kind in KINDS.items()}, one_of("kind")),
        Choices("due", _("Due"), lambda: _DUE, lambda _a, chosen: _of_due(today, chosen)),
        Choices("age", _("Age"), age_labels, lambda _a, chosen: _of_ages(today, chosen)),
        Choices("outcome", _("Outcome"), lambda: Outcome.LABELS, one_of("outcome")),
        Choices("decider", _("Decided by"), _people, _by_decider),
        Range("decided", _("Decided"), moments("closed_at"), day, text.day, "days"),
    ]


class DeskListing(Listing):
    """The cases as one person sees them at one moment: made anew for each request, it keeps what it counted."""

    code, model, url = "desk", Case, "admin:desk_case_changelist"
    title, hint = _("Review desk"), _("Deal, partner, customer, filer")
    columns = (
        Column("deal", _("Deal")),
        Column("customer", _("Customer")),
        Column("company", _("Partner")),
        Column("reason", _("Why it is here")),
        Column("value", _("Value in USD"), "value", css=RIGHT),
        Column("age", _("Age"), "opened", css=RIGHT),
        Column("due", _("Due"), "due"),
        Column("claimed", _("Claimed by")),
        Column("outcome", _("Outcome")),
        Column("decider", _("Decided by")),
        Column("closed", _("Decided"), "closed"),
    )
    default_sort = "due"
    sorts = cursor.by_code(
        (
            Sort("due", F("due_on"), cursor.day),
            Sort("opened", F("opened_at"), cursor.moment),
            Sort("value", Coalesce(F("value_usd"), Value(Decimal(0))), cursor.amount, last_first=True),
            Sort("closed", Coalesce(F("closed_at"), Value(_FAR)), cursor.moment, last_first=True),
        )
    )
    filters = ()
    last_menus = ("outcome", "decider", "decided")

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.oldest: dict[str, datetime | None] = {}
        self._counts: dict[str, int] = {}

    def tabs(self, actor: Actor) -> Mapping[str, str]:
        return {tab: label for tabs in self.groups(actor).values() for tab, label in tabs.items()}

    def groups(self, actor: Actor) -> dict[str, dict[str, str]]:
        """Queues, the reasons of what one claims, the other kinds, and what was decided; labels are translated."""
        claimed = {code: kind for code, kind in KINDS.items() if kind.is_claimed}
        reasons = {f"{k}.{reason}": label for k, kind in claimed.items() for reason, label in kind.reasons.items()}
        others = {code: kind.label for code, kind in KINDS.items() if not kind.is_claimed}
        groups = {
            gettext("Queues"): QUEUES,
            gettext("By reason"): reasons,
            gettext("Other work"): {**others, DECIDED: _("Decided")},
        }
        return {name: {tab: text.phrase(label) for tab, label in tabs.items()} for name, tabs in groups.items()}

    def default_tab(self, actor: Actor) -> str:
        return OPEN

    def visible(self, actor: Actor) -> CaseQuerySet:
        return Case.objects.visible_to(actor)

    def filters_offered(self, actor: Actor | None) -> list[Filter]:
        """What is due, and how old it is, depends on the day."""
        return _filters(self.now.date())

    def of_tab(self, found: Any, tab: str, actor: Actor) -> CaseQuerySet:
        kind, _separator, reason = tab.partition(".")
        if tab == DECIDED:
            return found.decided()
        waiting: CaseQuerySet = found.open()
        if kind in KINDS:
            of_kind = waiting.filter(kind=kind)
            return of_kind.with_reason(reason) if reason else of_kind
        queues = {
            MINE: waiting.held_by(actor.user_id, self.now),
            UNASSIGNED: waiting.unassigned(self.now),
            MARKETPLACE: waiting.filter(is_marketplace=True),
            RETURNED: waiting.filter(is_returned=True),
        }
        return queues.get(tab, waiting)

    def counts(self, actor: Actor, asked: ListQuery, found: Any) -> dict[str, int]:
        """Each queue's number of cases and since when the oldest waits: three queries, once for a request."""
        if not self._counts:
            waiting = {**self._of_queues(found, actor), **self._of_kinds(found), **self.of_reasons(found)}
            self.oldest = {tab: oldest for tab, (_number, oldest) in waiting.items()}
            self._counts = {tab: waiting.get(tab, (0, None))[0] for tab in self.tabs(actor)}
            self._counts[DECIDED] = count(found.decided())
        return self._counts

    def _of_queues(self, found: Any, actor: Actor) -> dict[str, tuple[int, datetime | None]]:
        held = Q(claim_ends_at__gt=self.now)
        claimed = Q(kind__in=[code for code, kind in KINDS.items() if kind.is_claimed])
        conditions = {
            MINE: held & Q(claimed_by=actor.user_id or 0),
            UNASSIGNED: claimed & (Q(claimed_by=None) | Q(claim_ends_at__lte=self.now)),
            OPEN: Q(),
            MARKETPLACE: Q(is_marketplace=True),
            RETURNED: Q(is_returned=True),
        }
        asked: dict[str, Any] = {f"{tab}_count": Count("pk", filter=q) for tab, q in conditions.items()}
        asked |= {f"{tab}_oldest": Min("opened_at", filter=q) for tab, q in conditions.items()}
        row = found.open().order_by().aggregate(**asked)
        return {tab: (row[f"{tab}_count"], row[f"{tab}_oldest"]) for tab in conditions}

    @staticmethod
    def _of_kinds(found: Any) -> dict[str, tuple[int, datetime | None]]:
        rows = found.open().order_by().values("kind").annotate(number=Count("pk"), oldest=Min("opened_at"))
        return {row["kind"]: (row["number"], row["oldest"]) for row in rows}

    @staticmethod
    def of_reasons(found: Any) -> dict[str, tuple[int, datetime | None]]:
        """By kind and reason; a case that has several counts under each."""
        each = Func(F("reasons"), function="jsonb_array_elements_text", output_field=TextField(), set_returning=True)
        rows = found.open().order_by().annotate(reason=each).values("kind", "reason")
        rows = rows.annotate(number=Count("pk"), oldest=Min("opened_at"))
        return {f"{row['kind']}.{row['reason']}": (row["number"], row["oldest"]) for row in rows}

    # Search

    def is_long_enough(self, typed: str) -> bool:
        return max(map(len, tokens(typed)), default=0) >= self.shortest()

    def shortest(self) -> int:
        return policies.current(self.now).search_min_letters

    def search(self, found: Any, query: str, actor: Actor) -> CaseQuerySet:
        return found.found_by([f"{MARK}{word}" for word in tokens(query)[:MAX_WORDS]])

    # Rows

    def rows(self, records: Sequence[Case], actor: Actor) -> list[Row]:
        return [Row(case, self.now, actor) for case in records]

    def counted(self, number: int) -> str:
        return ngettext("%(number)s case", "%(number)s cases", number) % {"number": text.show(Decimal(number))}


@dataclass(frozen=True)
class Row:
    """A case as a line of the list shows it."""

    case: Case
    now: datetime
    actor: Actor

    @property
    def url(self) -> str:
        return reverse(KINDS[self.case.kind].page, args=[self.case.object_id])

    @property
    def reasons(self) -> list[str]:
        return [text.phrase(reason_text(self.case.kind, code)) for code in self.case.reasons]

    @property
    def age(self) -> int:
        """In days, until it was decided."""
        return ((self.case.closed_at or self.now).date() - self.case.opened_at.date()).days

    @property
    def is_overdue(self) -> bool:
        return self.case.closed_at is None and self.case.due_on < self.now.date()

    @property
    def is_soon(self) -> bool:
        return not self.is_overdue and days_to(self.case.due_on, self.now) <= SOON

    @property
    def due(self) -> str:
        """Calendar days over, or business days left."""
        over = (self.now.date() - self.case.due_on).days
        if over > 0:
            return ngettext("%(days)s day overdue", "%(days)s days overdue", over) % {"days": over}
        left = days_to(self.case.due_on, self.now)
        return ngettext("%(days)s day left", "%(days)s days left", left) % {"days": left} if left else gettext("Today")

    @property
    def is_mine(self) -> bool:
        return self.case.is_mine(self.actor, self.now)

    @property
    def holder(self) -> Any:
        return self.case.claimed_by if self.case.is_held(self.now) else None

    @property
    def is_plain(self) -> bool:
        """Whether it can be ticked, to be passed with others."""
        kind = KINDS[self.case.kind]
        return self.case.closed_at is None and kind.pass_plain is not None and kind.may_decide(self.actor)


#: So many business days are few.
SOON = 2


def days_to(due: date, now: datetime) -> int:
    return days_left(now.date(), due, policies.current(now))


# Where one came from


@dataclass(frozen=True)
class Queue:
    """The cases of an address of the desk, in its order."""

    rows: CaseQuerySet
    order: Order

    def after(self, case: Case) -> Case | None:
        return self.beyond(case).first()

    def before(self, case: Case) -> Case | None:
        return replace(self, order=self.order.reversed()).after(case)

    def beyond(self, case: Case) -> CaseQuerySet:
        """Those below the case, whether it is among them or not."""
        there = self.order.apply(Case.objects.filter(pk=case.pk)).get()
        return self.order.apply(self.order.beyond(self.rows, self.order.cursor(there)))

    def in_order(self) -> CaseQuerySet:
        return self.order.apply(self.rows)


def query_of(listing: DeskListing, address: str, actor: Actor) -> ListQuery:
    """What an address of the desk asks."""
    asked = ListQuery.at(listing, address, actor)
    return in_tab(listing, asked, asked.tab)


def in_tab(listing: DeskListing, asked: ListQuery, tab: str) -> ListQuery:
    """The query in that tab; what was decided last comes first there, unless another order was asked for."""
    if tab == DECIDED and str(asked.order) == listing.default_sort:
        return replace(asked, tab=tab, order=listing.order("-closed"))
    return replace(asked, tab=tab)


def queue_of(address: str, actor: Actor, now: datetime) -> Queue:
    listing = DeskListing(now)
    asked = query_of(listing, address, actor)
    found: Any = listed(actor, asked)
    return Queue(listing.of_tab(found, asked.tab or listing.default_tab(actor), actor), asked.order)
