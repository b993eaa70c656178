"""The database's two roles (database_roles.sql): the owner makes the schema; the app's reads and writes rows.

What is written in the tables of `LIMITED` stays: the app's role can add events and invoices, and change or delete none.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

EVENTS = "events_event"
INVOICES = "isvconnect_invoice"
#: Tables whose rows the app's role may do less with than read and write.
LIMITED = {EVENTS: "SELECT, INSERT", INVOICES: "SELECT, INSERT", "django_migrations": "SELECT"}
#: How far this server's numbers of transactions lag behind those in the events.
FEED_OFFSET = "CREATE OR REPLACE FUNCTION events_feed_offset() RETURNS bigint STABLE RETURN {}::bigint"
#: For whoever runs the portal; it works all the same.
ONE_ROLE = (
    "The portal's database role could change and delete events: it owns them, or is a superuser. Give the portal a "
    "role of its own, and DATABASE_OWNER_URL for migrations: docs/operations.md, 'The database's roles'."
)
#: How a connection is made; the database itself is the same for both roles.
_LOGIN = ("USER", "PASSWORD", "HOST", "PORT", "OPTIONS")


@contextlib.contextmanager
def as_owner(database: BaseDatabaseWrapper) -> Iterator[None]:
    """Connect as the owner for the length of the block, where the settings name one (DATABASE_OWNER_URL)."""
    owner = settings.DATABASE_OWNER
    if not owner or owner["USER"] == database.settings_dict["USER"]:
        yield
        return
    app = {name: database.settings_dict[name] for name in _LOGIN}
    database.close()
    database.settings_dict.update({name: owner[name] for name in _LOGIN if name in owner})
    try:
        yield
    finally:
        database.close()
        database.settings_dict.update(app)


def grant(database: BaseDatabaseWrapper) -> None:
    """Say what the app's role may do, as the owner, after each migrate: new tables are the owner's alone at first.

    In one transaction, so that at no moment it may do more. Without an owner's role there is nothing to say.
    """
    if not settings.DATABASE_OWNER:
        return
    role = database.ops.quote_name(settings.DATABASE_ROLE)
    with transaction.atomic(using=database.alias), database.cursor() as cursor:
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}")
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
        for table in set(LIMITED).intersection(database.introspection.table_names(cursor)):
            cursor.execute(f"REVOKE ALL ON {table} FROM {role}")
            cursor.execute(f"GRANT {LIMITED[table]} ON {table} TO {role}")


def continue_feed(database: BaseDatabaseWrapper) -> None:
    """Let new events come after all there are (architecture, Feed order): a restored database may have events of a
    server that had counted more transactions than this one. As the owner, after each migrate."""
    with transaction.atomic(using=database.alias), database.cursor() as cursor:
        cursor.execute("SELECT to_regprocedure('events_feed_offset()') IS NOT NULL")
        if not cursor.fetchone()[0]:  # migrated back to before there was a feed
            return
        cursor.execute(
            """
            SELECT coalesce(max(xid), 0) + 1 - pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
                events_feed_offset()
            FROM events_event
            """
        )
        needed, offset = cursor.fetchone()
        if needed > offset:
            cursor.execute(FEED_OFFSET.format(needed))


def can_change_events() -> bool:
    """Whether the role we are connected as could rewrite what happened: a superuser's, or the owner's own."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(bool_or(has_table_privilege(oid, 'UPDATE, DELETE, TRUNCATE')
                OR pg_has_role(relowner, 'MEMBER')), false)
            FROM pg_class WHERE oid = to_regclass(%s)
            """,
            [EVENTS],
        )
        return bool(cursor.fetchone()[0])


def check_roles(**_options: object) -> list[CheckMessage]:
    """For `manage.py check --deploy`."""
    with contextlib.suppress(DatabaseError):  # no database to ask is for others to say
        if can_change_events():
            return [Warning(ONE_ROLE, id="ortak.W001")]
    return []
