"""What is looked for on the marketplace for a registration, and which transactions there are (FLOW-3, FLOW-11)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import DateField, Exists, ExpressionWrapper, F, OuterRef

from dealreg.models import MarketplaceTransaction, Registration, RegistrationQuerySet
from dealreg.models.marketplace import MarketplaceTransactionQuerySet
from dealreg.rules import marketplace as rules
from portal.policy import services as policies
from portal.workflow.blockers import Blocker, Param, _
from portal.workflow.verbs import Context

#: How many transactions a page lists.
MAX_LISTED = 20


@dataclass(frozen=True)
class Search:
    """What is looked for: a transaction of the registration's partner, customer and solution within these days.

    `transaction` is the one that was found, `candidates` those that fit, the nearest first.
    """

    registration: Registration
    first: date
    last: date
    transaction: MarketplaceTransaction | None
    candidates: tuple[MarketplaceTransaction, ...] = ()

    @property
    def until(self) -> datetime | None:
        """Until when; None unless it is waited for."""
        waits = self.registration.status == rules.WAITS
        return self.registration.marketplace_until if waits else None


def search_of(registration: Registration, *, now: datetime, candidates: bool = False) -> Search | None:
    """None for what is no marketplace sale."""
    if not registration.marketplace or registration.marketplace_date is None:
        return None
    first, last = rules.window(registration.marketplace_date, policies.current(now))
    found = MarketplaceTransaction.objects.filter(registration=registration).first()
    return Search(
        registration, first, last, found, tuple(fitting(registration, now=now)[:MAX_LISTED]) if candidates else ()
    )


def fitting(registration: Registration, *, now: datetime) -> MarketplaceTransactionQuerySet:
    """Transactions that would match the registration, the nearest first (FLOW-11)."""
    assert registration.marketplace_date is not None
    first, last = rules.window(registration.marketplace_date, policies.current(now))
    return MarketplaceTransaction.objects.fitting(registration, first, last)


def wait_until(registration: Registration, context: Context) -> datetime:
    """Until when the transaction is waited for, if the wait begins now."""
    assert registration.marketplace_date is not None
    return rules.wait_until(registration.marketplace_date, context.now, context.policy)


def looked_for(registration: Registration, context: Context) -> Blocker:
    """The search in words, for the event of a decision."""
    assert registration.marketplace_date is not None
    first, last = rules.window(registration.marketplace_date, context.policy)
    partner, customer, solution = registration.sale_names
    message = _(
        "Looked for: a transaction of %(partner)s with %(customer)s for %(solution)s from %(first)s to %(last)s."
    )
    params: dict[str, Param] = {
        "partner": partner,
        "customer": customer,
        "solution": solution,
        "first": first,
        "last": last,
    }
    return Blocker("marketplace_search", message, "FLOW-3", params=params)


def waiting() -> list[rules.Waiting]:
    """Every registration that waits for its transaction."""
    rows = Registration.objects.awaiting_transaction().values_list(
        "pk",
        "referral__company_id",
        "referral__engagement__customer_id",
        "solution_id",
        "marketplace_date",
        "submitted_at",
    )
    return [rules.Waiting(key, (p, c, s), day, at) for key, p, c, s, day, at in rows if day and at]


def offered(waiting: Iterable[rules.Waiting], *, now: datetime) -> list[rules.Offered]:
    """The free transactions that any of these could get."""
    policy = policies.current(now)
    windows = [rules.window(registration.expected, policy) for registration in waiting]
    if not windows:
        return []
    days = min(first for first, _last in windows), max(last for _first, last in windows)
    sought = MarketplaceTransaction.objects.free().filter(
        date__range=days, customer_id__in={registration.sale[1] for registration in waiting}
    )
    rows = sought.values_list("pk", "company_id", "customer_id", "solution_id", "date", "released_from_id")
    return [rules.Offered(key, (p, c, s), day, before) for key, p, c, s, day, before in rows]


def overdue(*, now: datetime) -> RegistrationQuerySet:
    """Registrations whose transaction was waited for long enough, and for which there is none."""
    days = timedelta(days=policies.current(now).marketplace_match_days)
    expected = OuterRef("marketplace_date")
    fits = MarketplaceTransaction.objects.free().filter(
        company=OuterRef("referral__company"),
        customer=OuterRef("referral__engagement__customer"),
        solution=OuterRef("solution"),
        date__gte=ExpressionWrapper(expected - days, output_field=DateField()),
        date__lte=ExpressionWrapper(expected + days, output_field=DateField()),
    )
    due = Registration.objects.awaiting_transaction().filter(marketplace_until__lte=now)
    return due.exclude(Exists(fits.exclude(released_from=OuterRef("pk")))).order_by(F("marketplace_until"))
