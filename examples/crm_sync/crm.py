"""The CRM's side: opportunities in a SQLite file, and what the sync has to remember about each."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: What both sides keep equal. Everything is text here, as both sides write it.
FIELDS = ("value", "currency", "close", "campaign", "stage", "status")

#: The status of an opportunity that the portal took no deal for.
REFUSED = "refused"

SCHEMA = """
CREATE TABLE IF NOT EXISTS opportunity (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    value TEXT NOT NULL, currency TEXT NOT NULL, close TEXT NOT NULL,
    campaign TEXT NOT NULL DEFAULT '', stage TEXT NOT NULL DEFAULT '', status TEXT NOT NULL DEFAULT 'open',
    -- The deal's id in the portal; until it has one, the key under which it is created exactly once.
    referral TEXT UNIQUE, key TEXT NOT NULL,
    -- The values on which both sides last agreed, and the version of the deal that had them.
    base TEXT NOT NULL DEFAULT '{}', etag TEXT NOT NULL DEFAULT ''
);
-- Deals that have to be read again; a webhook or the feed named them. `seen` grows, so that none is lost on the way.
CREATE TABLE IF NOT EXISTS inbox (referral TEXT PRIMARY KEY, seen INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS place (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS refusal (opportunity INTEGER NOT NULL, wanted TEXT NOT NULL, why TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Opportunity:
    """One sale. `mine`: the CRM's values now; `base`: those on which both sides last agreed."""

    id: int
    name: str
    referral: str | None
    key: str
    etag: str
    mine: Mapping[str, str]
    base: Mapping[str, str]

    @property
    def changes(self) -> dict[str, str]:
        """What was changed in the CRM since both sides agreed."""
        return {name: value for name, value in self.mine.items() if value != self.base.get(name)}


class Crm:
    """The CRM's file. Several processes may have it open: the sync, the webhooks' receiver, and people."""

    def __init__(self, path: Path | str) -> None:
        self.db = sqlite3.connect(path, timeout=30, isolation_level=None)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; nobody else writes meanwhile."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    # What people do in the CRM

    def add(self, name: str, values: Mapping[str, str]) -> int:
        columns = ", ".join(values)
        marks = ", ".join("?" for _ in values)
        found = self.db.execute(
            f"INSERT INTO opportunity (name, key, {columns}) VALUES (?, ?, {marks})",  # noqa: S608  our own columns
            [name, str(uuid.uuid4()), *values.values()],
        )
        return int(found.lastrowid or 0)

    def change(self, opportunity: int, values: Mapping[str, str]) -> None:
        assert set(values) <= set(FIELDS)
        columns = ", ".join(f"{name} = ?" for name in values)
        self.db.execute(
            f"UPDATE opportunity SET {columns} WHERE id = ?",  # noqa: S608  our own columns
            [*values.values(), opportunity],
        )

    # What the sync reads and writes

    def opportunities(self) -> list[Opportunity]:
        return [_opportunity(row) for row in self.db.execute("SELECT * FROM opportunity ORDER BY id")]

    def to_push(self) -> list[Opportunity]:
        """Those that the portal doesn't have yet, or not as they are now."""
        everything = self.opportunities()
        return [o for o in everything if o.mine["status"] != REFUSED and (o.referral is None or o.changes)]

    def with_referral(self, referral: str) -> Opportunity | None:
        row = self.db.execute("SELECT * FROM opportunity WHERE referral = ?", [referral]).fetchone()
        return _opportunity(row) if row else None

    def begin(self, opportunity: Opportunity) -> Mapping[str, str]:
        """The values to create its deal with: once begun, always the same, because the key stands for them."""
        if not opportunity.base:
            with self.transaction():
                base = json.dumps(dict(opportunity.mine))
                self.db.execute("UPDATE opportunity SET base = ? WHERE id = ?", [base, opportunity.id])
        return opportunity.base or opportunity.mine

    def agree(
        self, opportunity: int, referral: str, etag: str, *, base: Mapping[str, str], mine: Mapping[str, str]
    ) -> None:
        """Both sides have `base` now; the CRM goes on with `mine`."""
        self.change(opportunity, mine)
        self.db.execute(
            "UPDATE opportunity SET referral = ?, base = ?, etag = ? WHERE id = ?",
            [referral, json.dumps(dict(base)), etag, opportunity],
        )

    def refuse(self, opportunity: int, wanted: Mapping[str, str], why: str) -> None:
        """Keep what the portal refused, for a person to read."""
        self.db.execute("INSERT INTO refusal VALUES (?, ?, ?)", [opportunity, json.dumps(dict(wanted)), why])

    def note(self, referrals: list[str]) -> None:
        """These deals changed in the portal."""
        self.db.executemany(
            "INSERT INTO inbox VALUES (?, 1) ON CONFLICT (referral) DO UPDATE SET seen = seen + 1",
            [[referral] for referral in referrals],
        )

    def inbox(self) -> list[tuple[str, int]]:
        return [(row["referral"], row["seen"]) for row in self.db.execute("SELECT * FROM inbox")]

    def done(self, referral: str, seen: int) -> None:
        """Forget it, unless it was named again meanwhile."""
        self.db.execute("DELETE FROM inbox WHERE referral = ? AND seen = ?", [referral, seen])

    def place(self, name: str) -> str:
        row = self.db.execute("SELECT value FROM place WHERE name = ?", [name]).fetchone()
        return str(row["value"]) if row else ""

    def remember(self, name: str, value: str) -> None:
        self.db.execute(
            "INSERT INTO place VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", [name, value]
        )


def _opportunity(row: sqlite3.Row) -> Opportunity:
    return Opportunity(
        id=row["id"],
        name=row["name"],
        referral=row["referral"],
        key=row["key"],
        etag=row["etag"],
        mine={name: row[name] for name in FIELDS},
        base=json.loads(row["base"]),
    )
