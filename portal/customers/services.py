"""The verbs of the customer directory: add, say who is managed, import (REF-5)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from itertools import islice
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, connection, transaction

from portal.accounts.policies import check_runs_programme
from portal.accounts.rules import Actor
from portal.customers import rules, selectors
from portal.customers.models import Customer
from portal.customers.rules import Columns, CustomerRow, RowProblem
from portal.events import services as events
from portal.workflow.blockers import Blocker, RuleViolation

ADDED, IMPORTED = "customer.added", "customer.imported"
NAMED, CONFIRMED, MERGED = "customer.named", "customer.confirmed", "customer.merged"
CHANGED, MANAGED_CHANGED = "customer.changed", "customer.managed_changed"
#: Enough rows to forget the cost of a statement, few enough to hold their locks only for a moment.
BATCH_ROWS = 5_000


#: Which entry, the event's verb, and what it was before and after.
Happened = tuple[int, str, dict[str, Any], dict[str, Any]]


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


@transaction.atomic
def create_customer(
    *, name: str, country: str, actor: Actor, now: datetime, managed: bool = False, **details: Unpack[Details]
) -> Customer:
    """Add an entry; records `customer.added`.

    Raises PermissionDenied, and RuleViolation, also if the directory has the same entry already (`known`).
    """
    check_runs_programme(actor)
    values = rules.tidied(name=name, country=country, **details)
    if blockers := new_entry_blockers(values):
        raise RuleViolation(blockers)
    key, folded = rules.import_key(values), rules.search_text(values["name"])
    try:
        with transaction.atomic():
            customer = Customer.objects.create(import_key=key, search_text=folded, managed=managed, **values)
    except IntegrityError:
        raise RuleViolation([rules.KNOWN]) from None
    _record([(customer.pk, ADDED, {}, {**values, "managed": managed})], actor=actor, now=now)
    return customer


def same_named(values: Mapping[str, str], *, known: int | None = None) -> Customer | None:
    """Another entry of this name, however it is spelt, in the country; it may be a sister of this entity (REF-5)."""
    alike = Customer.objects.filter(country=values["country"], search_text=rules.search_text(values["name"]))
    return alike.filter(merged_into=None).exclude(pk=known or 0).order_by("pk").first()


@transaction.atomic
def correct(customer: Customer, *, actor: Actor, now: datetime, **given: str) -> Customer:
    """Correct what is given of an entry's text fields, and return the row as it then is. What was decided about it
    keeps the names that it was decided under.

    Records `customer.changed` with what it was before, if that is news. Raises PermissionDenied, and RuleViolation,
    also where the directory has the same entry already, or decisions stand on what would change.
    """
    check_runs_programme(actor)
    fresh = Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    if blockers := correction_blockers(fresh, given):
        raise RuleViolation(blockers)
    before = {name: getattr(fresh, name) for name in rules.LENGTHS}
    values = rules.tidied(**{**before, **given})
    was, is_now = events.changes(before, values)
    if not is_now:
        return fresh
    for name, value in is_now.items():
        setattr(fresh, name, value)
    fresh.import_key, fresh.search_text, fresh.updated_at = _key(fresh, values), rules.search_text(fresh.name), now
    try:
        with transaction.atomic():
            fresh.save(update_fields=[*is_now, "import_key", "search_text", "updated_at"])
    except IntegrityError:
        raise RuleViolation([rules.KNOWN]) from None
    _record([(fresh.pk, CHANGED, was, is_now)], actor=actor, now=now)
    return fresh


def correction_blockers(customer: Customer, given: Mapping[str, str]) -> list[Blocker]:
    """Everything that keeps an entry from being corrected like this."""
    before = {name: getattr(customer, name) for name in rules.LENGTHS}
    values = rules.tidied(**{**before, **given})
    changed = [name for name in values if values[name] != before[name]]
    blockers = rules.entry_blockers(values)
    blockers += rules.settled_blockers(settled(customer), changed)
    if not blockers and Customer.objects.filter(import_key=_key(customer, values)).exclude(pk=customer.pk).exists():
        blockers.append(rules.KNOWN)
    return blockers


def settled(customer: Customer) -> int:
    """How much was decided or issued about it."""
    return sum(count(customer.pk) for count in selectors.SETTLED.values())


def _key(customer: Customer, values: Mapping[str, str]) -> str:
    """A key that somebody else gave stays, as long as there is no D-U-N-S number."""
    given = customer.import_key.startswith(("key:", "named:"))
    return customer.import_key if given and not values["duns"] else rules.import_key(values)


def new_entry_blockers(values: Mapping[str, str]) -> list[Blocker]:
    """Everything that keeps the tidied values from becoming a new entry."""
    blockers = rules.entry_blockers(values)
    if not blockers and Customer.objects.filter(import_key=rules.import_key(values)).exists():
        blockers.append(rules.KNOWN)
    return blockers


def match_or_add(*, name: str, country: str, actor: Actor, now: datetime, **details: Unpack[Details]) -> Customer:
    """The entry that a company's client names: by D-U-N-S number, else by name, country and what it says of city and
    address. Where none fits, or several do, a new one that only its company sees until the programme confirms it.

    Records `customer.named` if it is new. Raises RuleViolation.
    """
    values = rules.tidied(name=name, country=country, **details)
    if blockers := rules.entry_blockers(values):
        raise RuleViolation(blockers)
    return match(values, actor.own_company_id) or _name_new(values, actor=actor, now=now)


def match(values: Mapping[str, str], company_id: int) -> Customer | None:
    """The entry that match_or_add would find for these (tidied) values; None where it would add one."""
    seen = Customer.objects.seen_by(company_id)
    numbered = seen.filter(duns=values["duns"], confirmed_at=None, added_by=None) if values["duns"] else seen.none()
    if values["duns"] and (found := numbered.first() or seen.filter(duns=values["duns"]).first()):
        return found
    alike = seen.filter(country=values["country"], search_text=rules.search_text(values["name"]))
    fitting = [one for one in alike if rules.same_entity(values, {name: getattr(one, name) for name in rules.LENGTHS})]
    return fitting[0] if len(fitting) == 1 else None


@transaction.atomic
def _name_new(values: dict[str, str], *, actor: Actor, now: datetime) -> Customer:
    """Once for each company, however often it is named; afterwards what the programme made of it."""
    key = f"named:{actor.own_company_id}:{rules.import_key(values)}"
    own = {**values, "added_by_id": actor.own_company_id, "search_text": rules.search_text(values["name"])}
    customer, new = Customer.objects.select_related("merged_into").get_or_create(import_key=key, defaults=own)
    if new:
        _record([(customer.pk, NAMED, {}, {**values, "company": actor.own_company_id})], actor=actor, now=now)
    return customer.merged_into or customer


@transaction.atomic
def confirm(customer: Customer, *, actor: Actor, now: datetime) -> Customer:
    """Take what a company named into the directory, where everybody finds it; records `customer.confirmed`.

    Raises PermissionDenied, and RuleViolation if the directory has the same entry already: then merge them.
    """
    check_runs_programme(actor)
    fresh = Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    if fresh.confirmed or fresh.merged_into_id:
        return fresh
    key = rules.import_key({name: getattr(fresh, name) for name in rules.LENGTHS})
    if Customer.objects.filter(import_key=key).exists():
        raise RuleViolation([rules.KNOWN])
    fresh.confirmed_at, fresh.updated_at, fresh.import_key = now, now, key
    fresh.save(update_fields=["confirmed_at", "updated_at", "import_key"])
    _record([(fresh.pk, CONFIRMED, {}, {"confirmed_at": now.isoformat()})], actor=actor, now=now)
    return fresh


def merge_blockers(named: Customer, into: Customer) -> list[Blocker]:
    """Why the one can't be merged into the other."""
    if named.confirmed or named.merged_into_id or not into.confirmed or into.merged_into_id:
        return [rules.NOT_MERGEABLE]
    return []


@transaction.atomic
def merge(customer: Customer, *, into: Customer, actor: Actor, now: datetime) -> Customer:
    """Say that what a company named is this entry of the directory: its deals go there. Returns that entry.

    Records `customer.merged` about it, on which the apps above move what is theirs. Raises PermissionDenied, and
    RuleViolation if either can't be merged.
    """
    check_runs_programme(actor)
    both = Customer.objects.select_for_update(of=("self",)).order_by("pk").in_bulk([customer.pk, into.pk])
    named, kept = both[customer.pk], both[into.pk]
    if blockers := merge_blockers(named, kept):
        raise RuleViolation(blockers)
    named.merged_into, named.updated_at = kept, now
    named.save(update_fields=["merged_into", "updated_at"])
    _record([(kept.pk, MERGED, {}, {"merged": named.pk, "name": named.name})], actor=actor, now=now)
    return kept


@transaction.atomic
def set_managed(customer: Customer, *, managed: bool, actor: Actor, now: datetime) -> Customer:
    """Say whether the vendor manages the account (ELIG-4) and return the row as it then is.

    Records `customer.managed_changed` if that is news. Raises PermissionDenied.
    """
    check_runs_programme(actor)
    fresh = Customer.objects.select_for_update().get(pk=customer.pk)
    if fresh.managed == managed:
        return fresh
    fresh.managed, fresh.updated_at = managed, now
    fresh.save(update_fields=["managed", "updated_at"])
    _record([(fresh.pk, MANAGED_CHANGED, {"managed": not managed}, {"managed": managed})], actor=actor, now=now)
    return fresh


@dataclass(frozen=True)
class Planned:
    """A row of a file: what it would do, and which columns it would change, each with what is there now."""

    row: CustomerRow
    outcome: str
    changes: tuple[tuple[str, Any, Any], ...] = ()


NEW, UPDATED, UNCHANGED = "new", "changed", "unchanged"


@dataclass(frozen=True)
class Preview:
    """What an import would do, as things stand."""

    rows: Sequence[Planned]
    refused: Sequence[RowProblem]

    def of(self, outcome: str) -> list[Planned]:
        return [planned for planned in self.rows if planned.outcome == outcome]

    @property
    def mark(self) -> str:
        """The same as long as the file and what it changes are."""
        return blake2b(repr((self.rows, self.refused)).encode(), digest_size=12).hexdigest()


def preview(lines: Iterable[str], *, columns: Columns) -> Preview:
    """What import_customers() would do with the same file; writes nothing. Raises rules.WrongColumns."""
    file = rules.open_file(lines, columns)
    refused: list[RowProblem] = []
    rows: list[CustomerRow] = []
    for row in file.rows:
        refused.append(row) if isinstance(row, RowProblem) else rows.append(row)
    kept = [name for name in CustomerRow._fields if name in file.fields]
    planned: list[Planned] = []
    for start in range(0, len(rows), BATCH_ROWS):
        batch, problems = _without_settled(rows[start : start + BATCH_ROWS], file)
        refused += problems
        known = {c.import_key: c for c in Customer.objects.filter(import_key__in=[row.import_key for row in batch])}
        planned += [_planned(row, known.get(row.import_key), kept) for row in batch]
    return Preview(planned, sorted(refused, key=lambda problem: problem.line))


def _without_settled(
    rows: Sequence[CustomerRow], file: rules.CustomerFile
) -> tuple[list[CustomerRow], list[RowProblem]]:
    """The rows that may be written, and those that would make another entity of an entry on which decisions stand."""
    given, problems = {row.import_key: row for row in rows}, list[RowProblem]()
    for known in Customer.objects.filter(import_key__in=given).only("import_key", *rules.IDENTITY):
        row = given[known.import_key]
        spoken_of = [name for name in rules.IDENTITY if name in file.fields]
        changed = [name for name in spoken_of if getattr(row, name) != getattr(known, name)]
        if changed and (blockers := tuple(rules.settled_blockers(settled(known), changed))):
            problems.append(RowProblem(file.lines[row.import_key], blockers))
            del given[row.import_key]
    return list(given.values()), problems


def _planned(row: CustomerRow, known: Customer | None, kept: Sequence[str]) -> Planned:
    if known is None:
        return Planned(row, NEW)
    pairs = [(name, getattr(known, name), getattr(row, name)) for name in kept]
    changes = tuple(pair for pair in pairs if pair[1] != pair[2])
    return Planned(row, UPDATED if changes else UNCHANGED, changes)


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
    Each batch records `customer.imported` with how many entries it added, and an event for each that it changed.
    Raises PermissionDenied, and rules.WrongColumns before anything is written.
    """
    check_runs_programme(actor)
    file = rules.open_file(lines, columns)
    statement, source = _write_statement(file.fields), columns.source
    created = updated = unchanged = skipped = 0
    while batch := list(islice(file.rows, batch_rows)):
        rows = []
        for row in batch:
            if isinstance(row, RowProblem):
                report(row)
            else:
                rows.append(row)
        rows, problems = _without_settled(rows, file)
        for problem in problems:
            report(problem)
        new, changed = _write(statement, rows, source=source, actor=actor, now=now) if rows else (0, 0)
        created, updated = created + new, updated + changed
        unchanged, skipped = unchanged + len(rows) - new - changed, skipped + len(batch) - len(rows)
    return Summary(created, updated, unchanged, skipped)


@transaction.atomic
def _write(statement: str, rows: Sequence[CustomerRow], *, source: str, actor: Actor, now: datetime) -> tuple[int, int]:
    """One batch in one statement, with the events it causes; how many entries are new, and how many were corrected."""
    # In the order of the keys: two imports at once then wait for each other instead of deadlocking.
    *texts, managed = zip(*sorted(rows), strict=True)
    # A column is sent as one text that PostgreSQL takes apart: twice as fast as an array of thousands of literals.
    columns = [rules.SEPARATOR.join(column) for column in (*texts, ["t" if flag else "f" for flag in managed])]
    with connection.cursor() as cursor:
        cursor.execute(statement, [now, now, *columns])
        created, first, last, changed = cursor.fetchone()
    corrected = json.loads(changed or "[]")
    happened = [what for pk, before, after in corrected for what in _corrections(pk, before, after)]
    if created:
        counted = {"source": source, "created": created, "first_id": first, "last_id": last}
        happened.append((first, IMPORTED, {}, counted))
    _record(happened, actor=actor, now=now)
    return created, len(corrected)


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
    recorded = [name for name in kept if name != "search_text"]
    was, is_now = (", ".join(f"'{name}', {row}.{name}" for name in recorded) for row in ("old", "new"))
    return f"""
        WITH written AS (
            INSERT INTO customers_customer AS known (public_id, created_at, updated_at, {given})
            SELECT uuidv7(), %s, %s, {values} FROM unnest({arrays}) AS given ({given})
            ON CONFLICT (import_key) DO UPDATE
            SET updated_at = EXCLUDED.updated_at, {", ".join(f"{name} = EXCLUDED.{name}" for name in kept)}
            WHERE ({known}) IS DISTINCT FROM ({offered})
            RETURNING new.id, old.id IS NULL AS is_new, CASE WHEN old.id IS NOT NULL THEN
                jsonb_build_array(new.id, jsonb_build_object({was}), jsonb_build_object({is_now})) END AS changed
        )
        SELECT count(*) FILTER (WHERE is_new), min(id) FILTER (WHERE is_new), max(id) FILTER (WHERE is_new),
            jsonb_agg(changed ORDER BY id) FILTER (WHERE NOT is_new)
        FROM written
    """  # noqa: S608  see the docstring


def _corrections(pk: int, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Happened]:
    """What an import changed of one entry; whom the vendor manages is told apart, for eligibility hangs on it."""
    was, is_now = events.changes(before, after)
    if "managed" in is_now:
        yield pk, MANAGED_CHANGED, {"managed": was.pop("managed")}, {"managed": is_now.pop("managed")}
    if is_now:
        yield pk, CHANGED, was, is_now


def _record(happened: Iterable[Happened], *, actor: Actor, now: datetime) -> None:
    """Write it down; these are nobody's records but the programme's, so without a company."""
    events.record(
        [
            events.new_event(Customer(pk=pk), verb, actor=actor, now=now, company_id=None, before=before, after=after)
            for pk, verb, before, after in happened
        ]
    )
