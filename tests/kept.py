"""What tests begin with: written by the services once in a run, and copied into the tables for each further test."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from django.db import connection, transaction

Made = TypeVar("Made")


@dataclass(frozen=True)
class Kept(Generic[Made]):
    """The rows of each table as COPY wrote them, and what the services returned for them, pickled: everybody gets
    objects of their own, which deepcopy would make in five times as long."""

    rows: dict[str, str]
    pickled: bytes

    @property
    def made(self) -> Made:
        return cast(Made, pickle.loads(self.pickled))  # noqa: S301  pickled by ourselves


def made_once(
    kept: dict[object, Kept[Made]], key: object, make: Callable[[], Made], *, past_triggers: bool = False
) -> Made:
    """What `make` writes and returns; from the second time on brought back from `kept`."""
    if key in kept:
        return bring_back(kept[key], past_triggers=past_triggers)
    kept[key] = keep(make)
    return kept[key].made


def keep(make: Callable[[], Made]) -> Kept[Made]:
    """Let `make` write into tables, and keep what it wrote; it may only fill tables that are empty."""
    before = _counts()
    made = make()
    filled = [table for table, count in _counts().items() if count != before[table]]
    assert not any(before[table] for table in filled), filled
    rows = {}
    with connection.cursor() as cursor:
        for table in filled:
            copied = io.StringIO()
            rows[f'"{table}" ({_columns(table)})'] = copied
            cursor.copy_expert(f'COPY "{table}" ({_columns(table)}) TO STDOUT', copied)
    return Kept({head: copied.getvalue() for head, copied in rows.items()}, pickle.dumps(made))


def bring_back(kept: Kept[Made], *, past_triggers: bool = False) -> Made:
    """Copy the rows in as they were, keys included: the sequences have gone beyond them.

    Some triggers refuse rows about what has ended, as a vote on what is decided. `past_triggers` copies without them,
    which only a server of the run's own allows.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if past_triggers:
            cursor.execute("SET LOCAL session_replication_role = replica")
        for head, rows in kept.rows.items():
            cursor.copy_expert(f"COPY {head} FROM STDIN", io.StringIO(rows))
        if past_triggers:  # the test's transaction goes on, with all of them
            cursor.execute("SET LOCAL session_replication_role = origin")
    return kept.made


def _counts() -> dict[str, int]:
    counts = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608  the database's own names
            (counts[table],) = cursor.fetchone()
    return counts


def _columns(table: str) -> str:
    """Those that a row is made of: not what the database makes of them, as the transaction that wrote it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'"
            " AND (column_name <> 'xid' OR column_default IS NULL) ORDER BY ordinal_position",
            [table],
        )
        return ", ".join(f'"{name}"' for (name,) in cursor.fetchall())
