"""Events stay as they were written: by the database's roles, and by a trigger that refuses the owner as well."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import ProgrammingError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from portal import bulk, database, database_roles, embedded
from portal.accounts.rules import SYSTEM
from portal.customers.models import Customer
from portal.events import services
from portal.events.models import Event
from tests.build import NOW
from tests.conftest import as_superuser

REFUSED = {
    "update": "UPDATE events_event SET verb = 'other'",
    "of no row": "UPDATE events_event SET verb = 'other' WHERE false",
    "delete": "DELETE FROM events_event",
    "upsert": "INSERT INTO events_event SELECT * FROM events_event ON CONFLICT (id) DO UPDATE SET verb = 'other'",
    "truncate": "TRUNCATE events_event CASCADE",
}
#: What a role might try that wants to get around its limits.
WAYS_AROUND = {
    "lock": "SELECT * FROM events_event FOR UPDATE",
    "disable": "ALTER TABLE events_event DISABLE TRIGGER ALL",
    "replace": "CREATE OR REPLACE FUNCTION events_event_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
    "drop": "DROP TABLE events_event",
    "replica": "SET session_replication_role = replica",
    "become": "SET ROLE ortak_owner",
    "make": "CREATE TABLE events_other (id int)",
    "unmigrate": "DELETE FROM django_migrations",
    "empty others": "TRUNCATE customers_customer CASCADE",
}


@pytest.fixture
def event() -> Event:
    return services.record([services.new_event(Customer(pk=1), "test.done", actor=SYSTEM, now=NOW, company_id=None)])[0]


@pytest.fixture
def app(transactional_db: None) -> Iterator[BaseDatabaseWrapper]:
    """Connected as the processes of the portal are."""
    if not settings.DATABASE_OWNER:
        pytest.skip("the tests run on a database of one role only (DATABASE_URL without DATABASE_OWNER_URL)")
    app = connection.copy("app")
    app.settings_dict["USER"] = settings.DATABASE_ROLE
    yield app
    app.close()


def run(database: BaseDatabaseWrapper, statement: str) -> None:
    with database.cursor() as cursor:
        cursor.execute(statement)


def test_the_apps_role_copies_events(app: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    """COPY needs no more than INSERT, and the sequence."""
    monkeypatch.setattr(bulk, "connection", app)
    monkeypatch.setattr(bulk, "MANY", 1)
    made = services.new_event(Customer(pk=1), "test.copied", actor=SYSTEM, now=NOW, company_id=None)
    bulk.insert([made])
    assert Event.objects.get(verb="test.copied").pk == made.pk


@pytest.mark.parametrize("statement", [*REFUSED.values(), *WAYS_AROUND.values()], ids=[*REFUSED, *WAYS_AROUND])
def test_the_apps_role_changes_no_event(app: BaseDatabaseWrapper, event: Event, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        run(app, statement)
    assert [e.verb for e in Event.objects.all()] == [event.verb]


def test_the_apps_role_reads_and_writes_everything_else(app: BaseDatabaseWrapper, event: Event) -> None:
    """Nothing more than rows, and the limits are what portal/database.py says."""
    query = """
        SELECT c.relname, string_agg(privilege, ', ' ORDER BY place)
        FROM pg_class c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'])
            WITH ORDINALITY AS p (privilege, place)
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND has_table_privilege(c.oid, privilege)
        GROUP BY c.relname
    """
    with app.cursor() as cursor:
        cursor.execute(query)
        allowed = dict(cursor.fetchall())
        assert set(allowed) == set(connection.introspection.table_names())
        assert {
            name: what for name, what in allowed.items() if what != "SELECT, INSERT, UPDATE, DELETE"
        } == database.LIMITED
        columns = ", ".join(f'"{f.column}"' for f in Event._meta.fields if f.name not in {"id", "public_id"})
        cursor.execute(f"INSERT INTO events_event (public_id, {columns}) SELECT uuidv7(), {columns} FROM events_event")  # noqa: S608
    assert Event.objects.count() == 2


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED)
@pytest.mark.django_db
def test_the_trigger_refuses_the_owner_too(event: Event, statement: str) -> None:
    run(connection, "SET CONSTRAINTS ALL IMMEDIATE")
    run(connection, "ALTER TABLE events_event ENABLE TRIGGER events_event_stay_all")  # see tests/conftest.py
    with pytest.raises(ProgrammingError, match="Events are never changed or deleted"), transaction.atomic():
        run(connection, statement)
    with pytest.raises(ProgrammingError, match="Events are never changed or deleted"), transaction.atomic():
        event.delete()
    assert Event.objects.get().verb == event.verb


@pytest.mark.django_db
def test_a_role_that_could_change_events_is_told_of() -> None:
    """Here it is the owner's, as in an installation with DATABASE_URL only."""
    assert [warning.id for warning in database.check_roles()] == ["ortak.W001"]
    err = io.StringIO()
    call_command("migrate", "events", stdout=io.StringIO(), stderr=err, no_color=True)
    assert "could change and delete events" in err.getvalue()


def test_the_apps_role_is_told_of_nothing(app: BaseDatabaseWrapper, process_env: dict[str, str]) -> None:
    environment = {**process_env, "ORTAK_MODE": "test", "DJANGO_SETTINGS_MODULE": "portal.settings"}
    command = [sys.executable, "-W", "ignore", "manage.py", "check", "--deploy"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "ortak.W001" not in done.stderr
    assert "security." in done.stderr, "deploy checks were run"


# Installed, upgraded, restored


@pytest.fixture
def data_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Servers of our own, started by hand. Not tmp_path: PostgreSQL's account could not reach it."""
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    data_dir = Path(os.environ["DATA_DIR"]) / f"own-{uuid4().hex[:8]}"
    embedded.start(data_dir, tied=True, durable=False)
    yield data_dir
    embedded.stop(data_dir)


def migrate(data_dir: Path, **environment: str) -> str:
    """`manage.py migrate` on the servers of this directory, as `make run` and docker-compose.yml do it."""
    given = {**os.environ, "ORTAK_MODE": "demo", "DATA_DIR": str(data_dir), "DJANGO_SETTINGS_MODULE": "portal.settings"}
    command = [sys.executable, "manage.py", "migrate", "--noinput"]
    done = subprocess.run(command, env={**given, **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


WHO_OWNS = "SELECT DISTINCT relowner::regrole FROM pg_class WHERE relnamespace = 'public'::regnamespace"
MAY = """
    SELECT string_agg(p, ' ') FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS p
    WHERE has_table_privilege('ortak_app', '{}', p)
"""
AS_APP = "SET SESSION AUTHORIZATION ortak_app; "
EVENT = """
    INSERT INTO events_event (public_id, at, verb, subject_type, subject_id, shared, actor_kind, before, after, reasons,
        comment, policy_version, actor_client)
    VALUES (uuidv7(), now(), 'test.done', 'x', 1, false, 'system', '{}', '{}', '[]', '', 0, '')
"""


def test_a_database_of_one_superuser_becomes_one_of_two_roles(data_dir: Path) -> None:
    """As it was before there were two: the next start and the next migrate put it right, and again change nothing;
    nor does a backup that is restored."""
    before = "DROP DATABASE ortak", "CREATE DATABASE ortak OWNER postgres"
    sockets = embedded.urls(data_dir).owner.partition("?host=")[2]
    for statement in before:
        psql = [embedded._postgres_bin() / "psql", "-X", "-h", sockets, "-U", "postgres", "-d", "postgres"]
        subprocess.run([*psql, "-c", statement], check=True, capture_output=True)
    old = embedded.urls(data_dir).database.replace("ortak_app", "postgres")
    assert "could change and delete events" in migrate(data_dir, DATABASE_URL=old)
    assert as_superuser(WHO_OWNS, data_dir=data_dir) == "postgres"
    embedded.stop(data_dir)

    for _again in range(2):
        embedded.start(data_dir, tied=True, durable=False)
        assert migrate(data_dir) == ""
        assert as_superuser(WHO_OWNS, data_dir=data_dir) == "ortak_owner"
        assert as_superuser(MAY.format("events_event"), data_dir=data_dir) == "SELECT INSERT"
        assert as_superuser(MAY.format("customers_customer"), data_dir=data_dir) == "SELECT INSERT UPDATE DELETE"
        embedded.stop(data_dir)
    embedded.start(data_dir, tied=True, durable=False)
    roles = (
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'ortak%' AND rolcanlogin AND NOT (rolsuper OR rolcreaterole)"
    )
    assert as_superuser(roles, data_dir=data_dir).split() == ["ortak_owner", "ortak_app"]
    _restored_backup_is_as_limited_as_before(data_dir)


def test_the_roles_get_their_passwords_from_the_environment(data_dir: Path) -> None:
    """As the postgres image runs the file; run without them later, each role keeps its own."""
    sockets = embedded.urls(data_dir).owner.partition("?host=")[2]
    psql = [embedded._postgres_bin() / "psql", "-X", "-h", sockets, "-U", "postgres", "-d", "ortak"]
    secrets = {"DATABASE_PASSWORD": "a'pp", "DATABASE_OWNER_PASSWORD": "owner"}
    kept = "SELECT rolname, rolpassword FROM pg_authid WHERE rolname LIKE 'ortak%' ORDER BY 1"
    assert as_superuser(kept, data_dir=data_dir).split() == ["ortak_app|", "ortak_owner|"]
    subprocess.run([*psql, "-f", database_roles.SQL], env=secrets, check=True, capture_output=True)
    given = as_superuser(kept, data_dir=data_dir)
    assert given.count("SCRAM-SHA-256$") == 2
    subprocess.run([*psql, "-f", database_roles.SQL], env={}, check=True, capture_output=True)
    assert as_superuser(kept, data_dir=data_dir) == given


def _restored_backup_is_as_limited_as_before(data_dir: Path) -> None:
    """docs/operations.md: dumped and restored by the superuser of the cluster, with what was there dropped first."""
    as_superuser(AS_APP + EVENT, data_dir=data_dir)
    server = ["-h", embedded.urls(data_dir).owner.partition("?host=")[2], "-U", "postgres"]
    binaries = embedded._postgres_bin()
    dump = subprocess.run([binaries / "pg_dump", *server, "-Fc", "ortak"], check=True, capture_output=True).stdout
    as_superuser(AS_APP + EVENT, data_dir=data_dir)
    restore = [binaries / "pg_restore", *server, "-d", "ortak", "--clean", "--if-exists", "--exit-on-error"]
    subprocess.run(restore, input=dump, check=True, capture_output=True)
    assert as_superuser("SELECT count(*) FROM events_event", data_dir=data_dir) == "1"
    assert as_superuser(WHO_OWNS, data_dir=data_dir) == "ortak_owner"
    assert as_superuser(MAY.format("events_event"), data_dir=data_dir) == "SELECT INSERT"
    for statement in ("UPDATE events_event SET verb = ''", "TRUNCATE events_event CASCADE"):
        with pytest.raises(subprocess.CalledProcessError) as refused:
            as_superuser(statement, data_dir=data_dir)
        assert "Events are never changed or deleted" in refused.value.stderr
