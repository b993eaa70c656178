"""What the whole suite stands on: real PostgreSQL and Redis for the run, a clean cache, Chromium if there is one."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import hypothesis
import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase
from django.utils import timezone
from redis import Redis

from portal import circuit, embedded
from portal.demo.cast import Cast
from portal.demo.cast import create as create_cast
from portal.frames import with_room
from portal.money import services as money
from tests import build
from tests.api import Api, make_client
from tests.edge import Live
from tests.kept import Kept, Made, made_once

# A busy machine is no failing test: only what a test finds counts, not how long an example took.
hypothesis.settings.register_profile("ortak", deadline=None)
hypothesis.settings.load_profile("ortak")

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pytest_django import DjangoDbBlocker

    from tests.test_roles import World

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Of Chromium's features, off in the tests: the pages behind the address bar, which nobody sees and each new window
#: loads, and all that Playwright turns off itself, as the last list is the one that counts.
FEATURES_OFF = (
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup",
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled",
    "PreconnectToSearch",
)  # fmt: skip
#: Lets Django's ORM work where an event loop runs; set for the browser's tests, and never for another process.
ASYNC_UNSAFE = "DJANGO_ALLOW_ASYNC_UNSAFE"


def _data_dir() -> Path:
    return Path(os.environ["DATA_DIR"])


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _runs_tests(config: pytest.Config) -> bool:
    """Whether this process runs tests itself: then it has servers of its own."""
    return not config.option.collectonly and (_is_worker(config) or not config.getoption("numprocesses", None))


def _has_own_servers() -> bool:
    return embedded.start(_data_dir(), tied=True, durable=False).owner == embedded.urls(_data_dir()).owner


def pytest_configure(config: pytest.Config) -> None:
    if not _is_worker(config):
        _forget_killed_runs(_data_dir().parent)
    if _runs_tests(config) and _has_own_servers():
        as_superuser("ALTER ROLE ortak_owner CREATEDB; GRANT pg_read_all_stats TO ortak_owner")
        as_superuser("GRANT SET ON PARAMETER session_replication_role TO ortak_owner")
        # What a test writes is gone with it: a table vacuumed in between is taken for empty from then on, and the
        # next test's few hundred rows are joined by comparing each with each.
        as_superuser("ALTER SYSTEM SET autovacuum = off")
        as_superuser("SELECT pg_reload_conf()")


def pytest_collection_finish(session: pytest.Session) -> None:
    """As a worker of the portal does (portal/gunicorn.py): what was loaded stays, and needn't be walked for cycles;
    what tests leave behind may lie longer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 50, 50)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> object:
    """As pytest does it, but with room for what a page calls, as the web server's threads have."""
    runner = item.config.pluginmanager.get_plugin("runner")
    return with_room(runner.pytest_runtest_protocol, item, nextitem)


def as_superuser(statements: str, *, data_dir: Path | None = None) -> str:
    """What only the superuser of an embedded server may do, and what it answers."""
    sockets = urlsplit(embedded.urls(data_dir or _data_dir()).owner).query.removeprefix("host=")
    command = [embedded._postgres_bin() / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
    command += ["-h", sockets, "-U", "postgres", "-d", embedded.DATABASE, "-c", statements]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _forget_killed_runs(runs: Path) -> None:
    """A run that was killed could not clear up; its servers died with it."""
    for run in runs.glob("[0-9]*"):
        if not Path(f"/proc/{run.name}").exists() and Path("/proc/self").exists():
            shutil.rmtree(run, ignore_errors=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    if _runs_tests(config):
        embedded.stop(_data_dir())
    shutil.rmtree(_data_dir(), ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """A server of the run's own goes with it: nothing is dropped, nor waits for a session that is about to end."""
    return _has_own_servers()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """After a test on real transactions Django truncates every table, which takes longer than most tests, and which
    those of events and invoices refuse."""
    if _has_own_servers():
        TransactionTestCase._fixture_teardown = _empty_tables  # type: ignore[method-assign]
        return
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for table in ("events_event", "isvconnect_invoice"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_stay_all")


#: What migrations fill.
_FILLED = ("django_migrations", "django_content_type", "auth_permission")


def _empty_tables(_test: TransactionTestCase) -> None:
    """Delete the rows; truncate only what has grown, as nothing vacuums it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # no trigger refuses, no key is looked up
        cursor.execute(
            "SELECT relname, pg_relation_size(oid) > 1e6 FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace AND relname <> ALL(%s)",
            [list(_FILLED)],
        )
        for table, has_grown in cursor.fetchall():
            cursor.execute(f'TRUNCATE "{table}" CASCADE' if has_grown else f'DELETE FROM "{table}"')  # noqa: S608


@pytest.fixture(scope="session")
def own_redis() -> Iterator[Redis]:
    """A client of the run's Redis; the cache itself would hide that it can't be reached."""
    from django.conf import settings

    with Redis.from_url(settings.REDIS_URL) as client:
        yield client


@pytest.fixture(autouse=True)
def _clean_cache(own_redis: Redis) -> None:
    """Nothing cached, no task queued and nothing found out about Redis by the test before."""
    circuit.CACHE.close()
    circuit.QUEUE.close()
    own_redis.flushdb()


@pytest.fixture
def process_env(transactional_db: None) -> dict[str, str]:
    """The environment for a real process (gunicorn, Celery, manage.py) on this test's database and Redis."""
    from django.conf import settings
    from django.db import connection

    database = urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}")
    urls = {"DATABASE_URL": database.geturl(), "DATABASE_OWNER_URL": "", "REDIS_URL": settings.REDIS_URL}
    own = {name: value for name, value in os.environ.items() if name != ASYNC_UNSAFE}
    return {**own, **urls}


def chromium() -> str | None:
    """The machine's Chromium."""
    return next((path for name in CHROMIUM if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The machine's Chromium, driven by Playwright; without one the browser tests are skipped, and say so."""
    path = chromium()
    if path is None:
        pytest.skip(f"no Chromium on this machine (looked for {', '.join(CHROMIUM)})")
    from playwright.sync_api import sync_playwright

    # Playwright's event loop lives in this thread, where Django would refuse the ORM.
    os.environ[ASYNC_UNSAFE] = "true"
    with sync_playwright() as playwright:
        # Root (containers, CI) can't have Chromium's sandbox.
        browser = playwright.chromium.launch(
            executable_path=path,
            chromium_sandbox=os.getuid() != 0,
            args=[f"--disable-features={','.join(FEATURES_OFF)}"],
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh browser profile's page, in English."""
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def casts() -> dict[object, Kept[Any]]:
    """The casts, and worlds around them, that the run's tests have made so far."""
    return {}


@pytest.fixture
def cast(db: None, casts: dict[object, Kept[Any]]) -> Cast:
    """The demo's companies, people, solutions and customers, with round rates for a year around build.NOW."""
    return made_once(casts, build.NOW, _make_cast)


def _make_cast() -> Cast:
    rates = {"EUR": Decimal("1.10"), "GBP": Decimal("1.25"), "TRY": Decimal("0.03"), "CHF": Decimal("1.05")}
    for month in build.MONTHS:
        money.import_month(month=month, rates=rates, source="test", publication="", now=build.MONTHS_OVER)
    return create_cast(now=build.NOW - 20 * build.DAY)


@pytest.fixture
def once(db: None, casts: dict[object, Kept[Any]]) -> Callable[[Callable[[Cast], Made]], Made]:
    """Returns what a function makes around a cast: made for the first test that asks, and copied for the others; anew
    each day, as what is made counts from today."""

    def made(make: Callable[[Cast], Made]) -> Made:
        if not _has_own_servers():  # triggers of another server can't be passed
            return make(_make_cast())
        return made_once(casts, (make, timezone.now().date()), lambda: make(_make_cast()), past_triggers=True)

    return made


@pytest.fixture
def world(once: Callable[[Callable[[Cast], World]], World]) -> World:
    """What the table of roles is about, with a cast of its own."""
    from tests.test_roles import World

    return once(World)


@pytest.fixture
def live(cast: Cast) -> Live:
    return Live(cast)


@pytest.fixture
def contoso(cast: Cast) -> Api:
    """Contoso's API client."""
    return Api(make_client(cast.companies["contoso"]))


@pytest.fixture
def fabrikam(cast: Cast) -> Api:
    """Fabrikam's API client."""
    return Api(make_client(cast.companies["fabrikam"]))
