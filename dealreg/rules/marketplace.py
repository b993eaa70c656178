"""Marketplace transactions: which one belongs to which registration, and the file they come in (FLOW-3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation

from dealreg.rules import states
from portal import sheets
from portal.money.rules import KNOWN_CURRENCIES
from portal.policy.rules import Policy
from portal.sheets import LineError
from portal.workflow.blockers import Blocker, Param, _

#: The state in which a registration waits.
WAITS = states.MARKETPLACE_PENDING
#: The partner company, the customer and the solution, by their keys.
Sale = tuple[int, int, int]

MAX_ID_LENGTH = 100
CENT = Decimal("0.01")
TOO_LARGE = Decimal(10) ** 16


# Matching


@dataclass(frozen=True)
class Waiting:
    """A registration that waits for its transaction."""

    key: int
    sale: Sale
    expected: date
    submitted_at: datetime


@dataclass(frozen=True)
class Offered:
    """A transaction that belongs to no registration. `released_from`: the one it was last taken back from."""

    key: int
    sale: Sale
    date: date
    released_from: int | None = None


def window(expected: date, policy: Policy) -> tuple[date, date]:
    """The first and the last day on which a transaction matches."""
    days = timedelta(days=policy.marketplace_match_days)
    first = expected - days if expected - date.min > days else date.min
    return first, expected + days  # REG-1 keeps it far from the calendar's other end


def wait_until(expected: date, since: datetime, policy: Policy) -> datetime:
    """The instant at which a transaction has been waited for long enough: the end of the last day, in UTC.

    `since`: the submission, or the retraction of a decision.
    """
    last_day = max(expected, since.date()) + timedelta(days=policy.marketplace_wait_days)
    return datetime.combine(last_day + timedelta(days=1), time.min, UTC)


def fits(waiting: Waiting, offered: Offered, policy: Policy) -> bool:
    """Whether the worker may give this transaction to this registration."""
    first, last = window(waiting.expected, policy)
    same_sale = waiting.sale == offered.sale and offered.released_from != waiting.key
    return same_sale and first <= offered.date <= last


def assign(waiting: Iterable[Waiting], offered: Iterable[Offered], policy: Policy) -> dict[int, int]:
    """The transaction's key for each registration that gets one, each transaction once.

    The nearest pair comes first; of pairs equally near, the registration submitted first, then the earlier transaction.
    """
    by_sale: dict[Sale, list[Offered]] = defaultdict(list)
    for transaction in offered:
        by_sale[transaction.sale].append(transaction)
    pairs = [(w, t) for w in waiting for t in by_sale.get(w.sale, ()) if fits(w, t, policy)]
    pairs.sort(key=lambda pair: _distance(*pair))
    given: dict[int, int] = {}
    taken: set[int] = set()
    for registration, transaction in pairs:
        if registration.key not in given and transaction.key not in taken:
            given[registration.key] = transaction.key
            taken.add(transaction.key)
    return given


def _distance(waiting: Waiting, offered: Offered) -> tuple[int, datetime, int, date, int]:
    return abs((offered.date - waiting.expected).days), waiting.submitted_at, waiting.key, offered.date, offered.key


# What a transaction may be


@dataclass(frozen=True)
class Details:
    """What a transaction says of itself."""

    transaction_id: str
    date: date
    amount: Decimal
    currency: str


def blockers(details: Details, *, today: date) -> list[Blocker]:
    """Everything that keeps it from being a marketplace transaction; `today` is a day in UTC."""
    return [*_id_blockers(details.transaction_id), *_value_blockers(details, today=today)]


def _id_blockers(transaction_id: str) -> Iterator[Blocker]:
    if not transaction_id:
        yield _blocker("transaction_id_required", _("The transaction id is missing."), "transaction_id")
    elif len(transaction_id) > MAX_ID_LENGTH:
        message = _("The transaction id is longer than %(longest)s characters.")
        yield _blocker("transaction_id_too_long", message, "transaction_id", longest=MAX_ID_LENGTH)
    elif not transaction_id.isprintable():
        message = _("The transaction id holds a character that can't be printed.")
        yield _blocker("transaction_id_unprintable", message, "transaction_id")


def _value_blockers(details: Details, *, today: date) -> Iterator[Blocker]:
    if details.date > today:
        yield _blocker("transaction_in_future", _("The transaction lies in the future."), "date")
    if not is_amount(details.amount):
        yield _blocker("amount_not_positive", _("The amount must be above zero, with two decimals at most."), "amount")
    if details.currency not in KNOWN_CURRENCIES:
        message = _("“%(value)s” is not a currency code.")
        yield _blocker("unknown_currency", message, "currency", value=details.currency)


def is_amount(amount: Decimal) -> bool:
    return amount.is_finite() and 0 < amount < TOO_LARGE and amount == amount.quantize(CENT)


def _blocker(code: str, message: str, field: str = "", **params: Param) -> Blocker:
    return Blocker(code, message, "FLOW-3", field, params)


# The file

COLUMNS = ("transaction_id", "partner", "customer", "solution", "date", "amount", "currency")


@dataclass(frozen=True)
class Line:
    """A line of a file: a transaction, and how the file names the partner, the customer and the solution."""

    number: int
    details: Details
    partner: str
    customer: str
    solution: str


def read_file(text: str, *, today: date) -> tuple[list[Line], list[LineError]]:
    """The lines that are transactions, and everything that is wrong with the others."""
    sheet = sheets.read_sheet(text, COLUMNS, rule="FLOW-3")
    lines: dict[str, Line] = {}
    errors = list(sheet.errors)
    for number, cells in sheet.lines:
        found, wrong = _read_line(number, cells, sheet, today=today)
        if found and found.details.transaction_id in lines:
            wrong = [_blocker("repeated", _("This transaction id is on an earlier line, too."))]
        elif found:
            lines[found.details.transaction_id] = found
        errors += [LineError(number, blocker) for blocker in wrong]
    if not lines and not errors:
        errors.append(LineError(1, _blocker("empty", _("There are no transactions in the file."))))
    return list(lines.values()), sorted(errors, key=lambda error: error.line)


def _read_line(
    number: int, cells: Sequence[str], sheet: sheets.Sheet, *, today: date
) -> tuple[Line | None, list[Blocker]]:
    values: Mapping[str, str] = dict(zip(COLUMNS, cells, strict=True))
    day, amount = _day(values["date"]), _amount(sheet.number(values["amount"]))
    details = Details(values["transaction_id"], day or today, amount or CENT, values["currency"].upper())
    wrong = blockers(details, today=today)
    if any("\0" in cell for cell in cells):
        wrong.append(_blocker("control_character", _("The line holds a NUL character.")))
    if day is None:
        message = _("“%(value)s” is not a date (2026-11-30 or 30.11.2026).")
        wrong.append(_blocker("date_unreadable", message, "date", value=values["date"]))
    if amount is None:
        message = _("“%(value)s” is not an amount above zero with two decimals at most.")
        wrong.append(_blocker("amount_unreadable", message, "amount", value=values["amount"]))
    if wrong:
        return None, wrong
    return Line(number, details, values["partner"], values["customer"], values["solution"]), []


def _day(cell: str) -> date | None:
    for pattern in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            return datetime.strptime(cell, pattern).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None


def _amount(cell: str) -> Decimal | None:
    try:
        amount = Decimal(cell)
    except InvalidOperation:
        return None
    return amount if is_amount(amount) else None
