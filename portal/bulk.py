"""New rows of one model, however many: a few by INSERT, many by COPY, which takes a fraction of the time."""

from __future__ import annotations

import gc
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

import orjson
from django.db import connection, models
from django.db.models.expressions import DatabaseDefault

#: From so many rows on, COPY is quicker.
MANY = 100
#: What orjson, which takes a tenth of the time, would write in its own way: left to the field's encoder.
_LEFT_TO_ENCODER = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
#: So many rows are one COPY, to bound the text that is in memory at once.
BATCH = 5_000


@contextmanager
def uncollected() -> Iterator[None]:
    """Within it Python looks for no reference cycles.

    A batch makes a hundred thousand objects and needs all of them until it ends: walking through them again and again
    takes a fifth of its time.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def insert(rows: Sequence[models.Model], *, once: Sequence[str] = ()) -> None:
    """Save new rows in the caller's transaction; each has its primary key afterwards.

    `once`: the columns of a unique constraint. Of rows that agree in them the first is saved, unless there is one
    already; the others, and a few rows at once, stay without a primary key. Columns may hold texts, finite numbers,
    booleans, dates, instants, UUIDs and JSON. What the database refuses is refused either way, as an error of Django's.
    """
    if len(rows) < MANY:
        if rows:
            type(rows[0])._default_manager.bulk_create(rows, ignore_conflicts=bool(once))
        return
    if once:
        rows = _unsaved(rows, once)
    for start in range(0, len(rows), BATCH):
        _copy(rows[start : start + BATCH])


def _unsaved(rows: Sequence[models.Model], once: Sequence[str]) -> list[models.Model]:
    first: dict[tuple[Any, ...], models.Model] = {}
    for row in rows:
        first.setdefault(tuple(getattr(row, name) for name in once), row)
    saved = type(rows[0])._default_manager.filter(**{f"{once[0]}__in": {key[0] for key in first}})
    for key in saved.values_list(*once):
        first.pop(key, None)
    return list(first.values())


def _copy(rows: Sequence[models.Model]) -> None:
    """The keys are taken from the sequence first: COPY returns none, and reactions need those of events."""
    meta = rows[0]._meta
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [meta.db_table, meta.pk.attname, len(rows)],
        )
        for row, (key,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = key
            row._state.adding, row._state.db = False, connection.alias
    fields = [f for f in meta.concrete_fields if not _made_by_database(f, rows[0])]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    _send(f"COPY {quote(meta.db_table)} ({columns}) FROM STDIN", _text(rows, fields))


def _made_by_database(field: models.Field[Any, Any], row: models.Model) -> bool:
    return field.generated or isinstance(getattr(row, field.attname), DatabaseDefault)


def _text(rows: Sequence[models.Model], fields: Sequence[models.Field[Any, Any]]) -> str:
    """The rows in COPY's text format: a line each, tabs between the columns."""
    values = zip(*map(attrgetter(*(field.attname for field in fields)), rows), strict=True)
    columns = [_column(field, column) for field, column in zip(fields, values, strict=True)]
    return "".join(["\t".join(line) + "\n" for line in zip(*columns, strict=True)])


def _column(field: models.Field[Any, Any], values: Iterable[Any]) -> list[str]:
    is_json = isinstance(field, models.JSONField)
    texts: list[str] = []
    last, text = None, r"\N"
    for value in values:
        if value is not last:  # most columns hold one and the same value in all rows
            last, text = value, _json(value, field) if is_json else _cell(value)
        texts.append(text)
    return texts


def _cell(value: Any) -> str:
    return r"\N" if value is None else _escaped(value) if isinstance(value, str) else str(value)


def _json(value: Any, field: models.Field[Any, Any]) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, dict | list) and not value:
        return str(value)
    try:
        return _escaped(orjson.dumps(value, option=_LEFT_TO_ENCODER).decode())
    except TypeError:  # what only the encoder knows; large integers; lone surrogates, which the database refuses
        return _escaped(json.dumps(value, cls=field.encoder))  # type: ignore[attr-defined]


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")


def _send(statement: str, text: str) -> None:
    """The one place that knows what the drivers call COPY (decision 0003)."""
    with connection.cursor() as cursor, connection.wrap_database_errors:
        raw: Any = cursor.cursor
        if hasattr(raw, "copy_expert"):  # psycopg 2
            raw.copy_expert(statement, io.StringIO(text))
        else:
            with raw.copy(statement) as copy:
                copy.write(text)
