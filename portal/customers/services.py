"""The verbs of the customer directory: add, say who is managed, import (REF-5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypedDict, Unpack

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from portal.accounts.rules import Actor
from portal.customers import policies, rules
from portal.customers.models import Customer
from portal.customers.rules import Columns, CustomerRow, RowProblem
from portal.events import services as events
from portal.workflow.blockers import Blocker, RuleViolation

MANAGED_CHANGED = "customer.managed_changed"
#: Enough rows to forget the cost of a statement, few enough to hold their locks only for a moment.
BATCH_ROWS = 5_000


@dataclass(frozen=True)
class Summary:
    """What an import did with its rows."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0


class Details(TypedDict, total=False):
    """What else tells an entry from others of its name; those left out are empty."""

    city: str
    state: str
    postal_code: str
    address_line1: str
    address_line2: str
    duns: str


def create_customer(*, name: str, country: str, managed: bool = False, **details: Unpack[Details]) -> Customer:
    """Add an entry. Raises RuleViolation, also if the directory has the same entry already (`known`)."""
    values = rules.tidied(name=name, country=country, **details)
    if blockers := new_entry_blockers(values):
        raise RuleViolation(blockers)
    key, folded = rules.import_key(values), rules.search_text(values["name"])
    try:
        with transaction.atomic():
            return Customer.objects.create(import_key=key, search_text=folded, managed=managed, **values)
    except IntegrityError:  # someone else added it a moment ago
        raise RuleViolation([rules.KNOWN]) from None


def new_entry_blockers(values: Mapping[str, str]) -> list[Blocker]:
    """Everything that keeps the tidied values from becoming a new entry."""
    blockers = rules.entry_blockers(values)
    if not blockers and Customer.objects.filter(import_key=rules.import_key(values)).exists():
        blockers.append(rules.KNOWN)
    return blockers


@transaction.atomic
def set_managed(customer: Customer, *, managed: bool, actor: Actor, now: datetime) -> Customer:
    """Say whether the vendor manages the account (ELIG-4) and return the row as it then is.

    Records `customer.managed_changed` if that is news. Raises PermissionDenied.
    """
    if not policies.may_keep(actor):
        raise PermissionDenied
    fresh = Customer.objects.select_for_update().get(pk=customer.pk)
    if fresh.managed == managed:
        return fresh
    fresh.managed, fresh.updated_at = managed, now
    fresh.save(update_fields=["managed", "updated_at"])
    _record_managed({fresh.pk: managed}, actor=actor, now=now)
    return fresh


def import_customers(
    lines: Iterable[str],
    *,
    columns: Columns,
    actor: Actor,
    now: datetime,
    report: Callable[[RowProblem], None],
    batch_rows: int = BATCH_ROWS,
) -> Summary:
    """Add or correct the entries of a CSV file, given as its lines, header first.

    Rows that are no entry go to `report` and are skipped. Fields the file doesn't speak of stay as they are. Each batch
    is its own transaction: an import that broke off is repeated, and repeating changes nothing that is done already.
    Raises PermissionDenied, and rules.WrongColumns before anything is written.
    """
    if not policies.may_keep(actor):
        raise PermissionDenied
    file = rules.open_file(lines, columns)
    statement = _write_statement(file.fields)
    created = updated = unchanged = skipped = 0
    while batch := list(islice(file.rows, batch_rows)):
        rows = []
        for row in batch:
            if isinstance(row, RowProblem):
                report(row)
            else:
                rows.append(row)
        new, changed = _write(statement, rows, actor=actor, now=now) if rows else (0, 0)
        created, updated = created + new, updated + changed
        unchanged, skipped = unchanged + len(rows) - new - changed, skipped + len(batch) - len(rows)
    return Summary(created, updated, unchanged, skipped)


@transaction.atomic
def _write(statement: str, rows: Sequence[CustomerRow], *, actor: Actor, now: datetime) -> tuple[int, int]:
    """One batch in one statement, with the events it causes; how many entries are new, and how many were corrected."""
    # In the order of the keys: two imports at once then wait for each other instead of deadlocking.
    *texts, managed = zip(*sorted(rows), strict=True)
    # A column is sent as one text that PostgreSQL takes apart: twice as fast as an array of thousands of literals.
    columns = [rules.SEPARATOR.join(column) for column in (*texts, ["t" if flag else "f" for flag in managed])]
    with connection.cursor() as cursor:
        cursor.execute(statement, [now, now, *columns])
        created, updated, became_managed, became_unmanaged = cursor.fetchone()
    flags = dict.fromkeys(became_managed or (), True) | dict.fromkeys(became_unmanaged or (), False)
    _record_managed(flags, actor=actor, now=now)
    return created, updated


def _write_statement(fields: frozenset[str]) -> str:
    """The upsert of a batch that sets only `fields` of the entries the directory has already.

    Every name in it is ours; the file's words are parameters.
    """
    names = CustomerRow._fields
    given = ", ".join(names)
    # The array of a lone empty text comes out empty, hence the coalesce.
    values = ", ".join(f"{name}::boolean" if name == "managed" else f"coalesce({name}, '')" for name in names)
    arrays = ", ".join("string_to_array(%s, chr(31))" for _name in names)
    kept = [name for name in names if name in fields] + ["search_text"]
    known, offered = (", ".join(f"{row}.{name}" for name in kept) for row in ("known", "EXCLUDED"))
    return f"""
        WITH written AS (
            INSERT INTO customers_customer AS known (public_id, created_at, updated_at, {given})
            SELECT uuidv7(), %s, %s, {values} FROM unnest({arrays}) AS given ({given})
            ON CONFLICT (import_key) DO UPDATE
            SET updated_at = EXCLUDED.updated_at, {", ".join(f"{name} = EXCLUDED.{name}" for name in kept)}
            WHERE ({known}) IS DISTINCT FROM ({offered})
            RETURNING new.id, old.id IS NULL AS is_new, old.managed AS was_managed, new.managed AS is_managed
        )
        SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new),
            array_agg(id ORDER BY id) FILTER (WHERE NOT is_new AND is_managed AND NOT was_managed),
            array_agg(id ORDER BY id) FILTER (WHERE NOT is_new AND was_managed AND NOT is_managed)
        FROM written
    """  # noqa: S608  see the docstring


def _record_managed(flags: dict[int, bool], *, actor: Actor, now: datetime) -> None:
    """Write down whose managed flag changed to what; nobody's record but the programme's, so without a company."""
    changes = [
        events.new_event(
            Customer(pk=pk),
            MANAGED_CHANGED,
            actor=actor,
            now=now,
            company_id=None,
            before={"managed": not managed},
            after={"managed": managed},
        )
        for pk, managed in sorted(flags.items())
    ]
    if changes:
        events.record(changes)
