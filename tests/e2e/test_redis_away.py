"""Redis stopped, and Redis frozen: people go on working, and what waits is done when it is back (FLOW-1)."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from urllib.request import OpenerDirector

import pytest
from django.urls import reverse
from django.utils import timezone

from dealreg.models import Registration, Status
from portal import embedded, run
from portal.demo.cast import Cast
from portal.events.models import Event
from referrals.models import Referral
from tests import build
from tests.e2e import deals
from tests.e2e.portal import Process, answer, free_port, wait_for
from tests.e2e.test_run import plain_browser as browser
from tests.e2e.test_run import read, sign_in

TOKEN = "monitor"
#: Far more than a page takes on a busy machine, and far less than one that waits for Redis at each turn.
SOON = 8.0


class OwnRedis:
    """A Redis that only this test's portal uses."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        binary = embedded.redis_binary()
        assert binary
        options = ["--port", "0", "--unixsocket", str(self.socket), "--dir", str(folder), "--save", ""]
        self.process = Process([binary.path, *options], dict(os.environ), folder / "redis.log")

    def start(self) -> None:
        self.process.start()
        wait_for(self.socket.exists, "Redis")

    def signal(self, number: int) -> None:
        assert self.process.popen
        self.process.popen.send_signal(number)

    def go(self, how: str) -> None:
        if how == "frozen":
            self.signal(signal.SIGSTOP)
        else:
            self.process.kill()
            self.socket.unlink(missing_ok=True)

    def come_back(self, how: str) -> None:
        if how == "frozen":
            self.signal(signal.SIGCONT)
        else:
            self.start()


class Site:
    """Web, worker and beat, as `make run` starts them, on that Redis."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.redis = OwnRedis(folder)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        environment = environment | {
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "REDIS_URL": f"unix://{self.redis.socket}",
            "DATA_DIR": str(folder),
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "BASE_URL": self.url,
            "WEB_CONCURRENCY": "1",
            "STATUS_TOKEN": TOKEN,
            "EMAIL_URL": "dummymail://",
        }
        self.log = folder / "log"
        self.processes = [
            Process(child.command, environment, self.log / f"{child.name}.log") for child in run.children()
        ]

    def start(self) -> None:
        self.redis.start()
        for process in self.processes:
            process.start()
        wait_for(lambda: self.status()["status"] == "ok", "all parts", 90)

    def status(self) -> dict[str, str]:
        try:
            monitor = browser()
            monitor.addheaders = [("Authorization", f"Bearer {TOKEN}")]
            return json.loads(read(monitor, f"{self.url}/status"))
        except OSError as error:
            return {"status": str(error)}

    def stop(self) -> None:
        for process in self.processes:
            process.ask_to_end()
        for process in self.processes:
            process.stop()
            print(f"--- {process.log.name}", process.log.read_text()[-6000:], sep="\n")
        self.redis.process.kill()


@pytest.fixture
def site(process_env: dict[str, str]) -> Iterator[Site]:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ortak-away-"))  # a short path, for the socket
        site = Site(Path(folder), process_env)
        stack.callback(site.stop)
        site.start()
        yield site


def timed(person: OpenerDirector, url: str, form: dict[str, str] | None = None) -> str:
    """The page, which must come soon."""
    began = time.monotonic()
    page = read(person, url, form)
    assert time.monotonic() - began < SOON, url
    return page


def filled_in(page: str) -> dict[str, str]:
    """What somebody states about a contract over 40,000 EUR signed yesterday."""
    day = timezone.now().date()
    token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    return {
        "csrfmiddlewaretoken": token, "marketplace": "no", "deployment": "azure", "tenant": "customer",
        "pricing": "other", "term": "finite", "signed": str(day - timedelta(days=1)), "start": str(day),
        "end": str(day + timedelta(days=363)), "tcv": "40000", "tcv_currency": "EUR", "solution_value": "30000",
        "solution_value_currency": "EUR", "contract_names_confirmed": "on",
    }  # fmt: skip


def test_without_redis_people_work_and_what_waits_is_done_later(site: Site, cast: Cast) -> None:
    """FLOW-1, JOB: pages, a registration filed, and its route once Redis is back, by itself; twice on one portal, as
    it is well again after the first time."""
    person = browser()
    assert "Needs you now" in sign_in(person, f"{site.url}/accounts/login/", build.CONTOSO)
    for how in ("stopped", "frozen"):
        works_without_redis(site, person, deals.won(cast, name=how), how)


def works_without_redis(site: Site, person: OpenerDirector, referral: Referral, how: str) -> None:
    site.redis.go(how)
    status, body = answer(f"{site.url}/readyz")
    assert (status, json.loads(body)) == (
        200, {"status": "degraded", "database": "ok", "migrations": "ok", "redis": "failing: no answer"}
    )  # fmt: skip
    assert site.status()["workers"] == "unknown: Redis does not answer"
    register = site.url + reverse("registration", args=[referral.public_id])
    for path in ("/", reverse("deals"), reverse("insights"), reverse("deal", args=[referral.public_id])):
        assert "<main" in timed(person, site.url + path)
    timed(person, register, filled_in(timed(person, register)))
    filed = Registration.objects.filter(referral=referral)
    assert filed.get().is_being_routed, "taken, and nobody is told of an error"

    site.redis.come_back(how)
    wait_for(lambda: not filed.get().is_being_routed, "the sweep", 120)
    assert filed.get().status == Status.APPROVED
    assert Event.objects.filter(verb="registration.routed", subject_id=filed.get().pk).count() == 1
    wait_for(lambda: site.status()["status"] == "ok", "worker and beat to be back", 60)
