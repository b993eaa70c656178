"""The portal as its users have it: real processes, a real browser, the cast, and the clock on the wall."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from portal import run
from portal.accounts.models import User
from portal.demo.cast import PASSWORD, Cast
from portal.demo.cast import create as create_cast
from portal.money import services as money
from tests.e2e.portal import Mailbox, Portal, Process, free_port
from tests.kept import Kept, made_once

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

#: USD per unit, round enough to reckon with.
RATES = {"EUR": Decimal("1.10"), "GBP": Decimal("1.25"), "TRY": Decimal("0.03")}

#: What is logged though all is well: a request that the next letter typed replaced (hx-sync), and a form that came
#: back with its errors.
IN_ORDER = re.compile("htmx:(sendAbort|afterRequest),|.* a status of 422 ")

Visit = Callable[..., "Page"]


def _environment(port: int, mailbox: Mailbox) -> dict[str, str]:
    """For processes that serve this test run's database, and mail into its mailbox."""
    database = urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}")
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": database.geturl(),
        "DATABASE_OWNER_URL": "",
        "REDIS_URL": settings.REDIS_URL,
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "BASE_URL": f"http://127.0.0.1:{port}",
        "EMAIL_URL": f"smtp://127.0.0.1:{mailbox.port}",
        "WEB_CONCURRENCY": "2",
    }


@pytest.fixture(scope="package")
def running(django_db_setup: None) -> Iterator[Portal]:
    """Web and worker, started once for the package: a start costs more than most tests, which share no data anyway."""
    port, mailbox = free_port(), Mailbox()
    environment = _environment(port, mailbox)
    log = Path(settings.DATA_DIR) / "log"
    commands = {child.name: child.command for child in run.children()}
    web, worker = (
        Process(commands[name], environment, log / f"{connection.settings_dict['NAME']}-{name}.log")
        for name in ("web", "worker")
    )
    portal = Portal(environment["BASE_URL"], web, worker, mailbox)
    mailbox.start()
    yield portal
    portal.stop()


@pytest.fixture
def portal(running: Portal, transactional_db: None) -> Iterator[Portal]:
    """The running portal on empty tables; what it logged meanwhile is shown when the test fails."""
    running.mailbox.mails.clear()
    logs = {process.log: process.logged for process in (running.web, running.worker)}
    running.ensure()
    yield running
    for log, before in logs.items():
        print(f"--- {log.name}", log.read_text()[before:], sep="\n")


@pytest.fixture
def cast(transactional_db: None, casts: dict[object, Kept[Cast]]) -> Cast:
    """The demo's cast, with rates around the real today: a browser's clock can't be set to tests.build.NOW."""
    return made_once(casts, timezone.now().date(), _make_cast)


def _make_cast() -> Cast:
    today = timezone.now().date()
    for month in {(today - timedelta(days=days)).replace(day=1) for days in range(0, 60, 5)}:
        money.import_month(month=month, rates=RATES, source="test", publication="", now=timezone.now())
    return create_cast(now=timezone.now())


@pytest.fixture
def visit(browser: Browser, portal: Portal) -> Iterator[Visit]:
    """A browser profile of one's own on the portal, signed in as `email` if one is given.

    Whatever the browser complains of on any page (a script's error, a breach of the content security policy, a file
    that is missing) fails the test.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not IN_ORDER.match(message.text):
            complaints.append(f"{message.location.get('url', '')}: {message.text}")

    def open_page(email: str = "", **options: object) -> Page:
        defaults = {"base_url": portal.url, "locale": "en-US", "viewport": {"width": 1440, "height": 900}}
        context = browser.new_context(**(defaults | options))
        context.set_default_timeout(10_000)
        context.on("console", listen)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        contexts.append(context)
        page = context.new_page()
        if email:
            sign_in_at_once(context, email, portal.url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)


def sign_in_at_once(context: BrowserContext, email: str, url: str) -> None:
    """Without the form, which takes longer than most pages that tests look at."""
    client = Client()
    client.force_login(User.objects.get(email=email))
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])


def sign_in(page: Page, email: str) -> None:
    """Through the form, as everybody."""
    page.goto("/accounts/login/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label(re.compile("^Password")).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
