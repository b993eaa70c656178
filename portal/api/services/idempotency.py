"""Answers that are given again: one row for each key, written in the transaction of the change itself (wire.md).

While the first request runs, its row is not committed, and PostgreSQL lets a second one with the same key wait for it.
If the first fails, its row is gone with all it did, and the second is the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from portal.api.models import Answer

#: So long an answer is given again.
KEPT = timedelta(hours=24)
#: So many rows a sweep deletes in one statement.
BATCH = 5_000

_RESERVE = """
    INSERT INTO api_answer (owner, method, path, key, digest, created_at, status, headers, body)
    VALUES (%s, %s, %s, %s, %s, %s, 0, '{}', '')
    ON CONFLICT (owner, method, path, key) DO UPDATE
    SET digest = excluded.digest, created_at = excluded.created_at, status = 0, headers = '{}', body = ''
    WHERE api_answer.created_at <= %s
    RETURNING id
"""


@dataclass(frozen=True)
class Key:
    """What makes two requests the same: who asks what of which resource by which key; and what they sent."""

    owner: str
    method: str
    path: str
    key: str
    digest: str


def reserve(key: Key, *, now: datetime) -> Answer | int:
    """The kept answer to an earlier request with this key, or the number of the row for the one to come.

    Must run in the transaction of the change. Waits for a request with the same key that is still running; raises
    OperationalError if that takes longer than a statement may.
    """
    given: list[Any] = [key.owner, key.method, key.path, key.key, key.digest, now, now - KEPT]
    with connection.cursor() as cursor:
        cursor.execute(_RESERVE, given)
        if row := cursor.fetchone():
            return int(row[0])
    return Answer.objects.get(owner=key.owner, method=key.method, path=key.path, key=key.key)


def keep(number: int, *, status: int, headers: dict[str, str], body: bytes) -> None:
    """Write down the answer to the request that reserved this row."""
    Answer.objects.filter(pk=number).update(status=status, headers=headers, body=body)


def purge(*, now: datetime) -> int:
    """Delete what is kept no longer; how many."""
    total = 0
    while True:
        old = Answer.objects.filter(created_at__lte=now - KEPT).values("pk")[:BATCH]
        deleted, _by_model = Answer.objects.filter(pk__in=old).delete()
        total += deleted
        if deleted < BATCH:
            return total
