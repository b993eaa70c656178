"""`make run`'s second half, from the first line to the last process: `python -m portal.run` on an empty directory."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, ProxyHandler, build_opener
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from portal import run
from portal.demo.cast import PASSWORD
from tests.conftest import as_superuser
from tests.e2e.conftest import sign_in as sign_in_by_browser
from tests.e2e.portal import answer, free_port, wait_for
from tests.e2e.test_access import problems

#: What belongs to the test run, and not to a copy of the portal that somebody starts by hand.
OF_THE_TESTS = re.compile(r"ORTAK_|PYTEST_|DJANGO_|DATABASE_|(DATA_DIR|REDIS_URL|BASE_URL|HOST|PORT|MAKELEVEL)$")


class Copy:
    """A copy of the portal that runs from one command, with its own port and data."""

    process: subprocess.Popen[bytes]
    family: set[int]

    def __init__(self, data_dir: Path) -> None:
        self.data_dir, self.port = data_dir, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        data_dir.mkdir(exist_ok=True)
        self.output = data_dir / "output"
        self.family = set()

    def start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not OF_THE_TESTS.match(name)}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "portal.run"],
                cwd=run.BASE_DIR,
                env={**environment, "DATA_DIR": str(self.data_dir), "PORT": str(self.port)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        # Its patience begins when tables and demo data are there; ours, now.
        wait_for(lambda: self.says(f"Ortak is ready at {self.url}\n"), "the ready line", 2 * run.READY_SECONDS)

    def says(self, words: str) -> bool:
        assert self.process.poll() is None, f"it ended: {self.output.read_text()}"
        return words in self.output.read_text()

    def child(self, name: str) -> int | None:
        """The number of its own process whose command line has this word."""
        return next((p for p, (parent, line) in processes().items() if parent == self.process.pid and name in line), 0)

    def end(self) -> int:
        """Ask it to end, as Ctrl-C does; its exit code."""
        self.family = descendants(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(run.GRACE_SECONDS + 20)

    def left(self) -> dict[int, str]:
        """Which of its processes there still are, or were started for its data since."""
        found = processes().items()
        return {pid: line for pid, (_parent, line) in found if pid in self.family or str(self.data_dir) in line}


@pytest.fixture
def copy() -> Iterator[Copy]:
    if not (run.BASE_DIR / "node_modules/bootstrap/dist").is_dir():
        pytest.skip("node_modules is missing: `make setup` installs it")
    if not Path("/proc/self/stat").exists():
        pytest.skip("this machine has no /proc to look for processes in")
    copy = Copy(Path(os.environ["DATA_DIR"]) / f"run-{uuid4().hex[:8]}")
    yield copy
    if copy.process.poll() is None:
        copy.end()
    for pid in copy.left():  # the test is red then, but the machine stays clean
        os.kill(pid, signal.SIGKILL)


def processes() -> dict[int, tuple[int, str]]:
    """Every process with its parent and its command line."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        found[int(folder.name)] = (parent, line)
    return found


def descendants(pid: int) -> set[int]:
    """The process and everything it started, at any remove."""
    tree, size = {pid}, 0
    everything = processes()
    while len(tree) > size:
        size = len(tree)
        tree |= {child for child, (parent, _line) in everything.items() if parent in tree}
    return tree


def plain_browser() -> OpenerDirector:
    return build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))


def read(browser: OpenerDirector, url: str, form: dict[str, str] | None = None) -> str:
    with browser.open(url, urlencode(form).encode() if form else None, timeout=30) as page:
        return page.read().decode()


def sign_in(browser: OpenerDirector, url: str, email: str) -> str:
    """Sign in without JavaScript or CSS, and what is shown then."""
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', read(browser, url))
    return read(browser, url, {"csrfmiddlewaretoken": token[1] if token else "", "login": email, "password": PASSWORD})


def test_one_command_starts_everything_keeps_it_alive_and_ends_it(copy: Copy, browser: Browser) -> None:
    """Done when 1: a stranger's first minute, the next morning, and the mail of the demo.

    What stops a start is in tests/test_ops.py.
    """
    copy.start()
    wait_for(lambda: copy.says("referrals@contoso.example"), "the demo sign-ins")
    assert answer(f"{copy.url}/readyz")[0] == 200
    person, entrance = plain_browser(), f"{copy.url}/accounts/login/"
    styles = re.search(r"/static/app\.[0-9a-f]{12}\.css", read(person, entrance))
    assert styles, "static files are served under names with a digest"
    assert answer(f"{copy.url}{styles[0]}")[0] == 200
    assert "Needs you now" in sign_in(person, entrance, "referrals@contoso.example")

    connected = "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = 'ortak' AND pid <> pg_backend_pid()"
    assert as_superuser(connected, data_dir=copy.data_dir) == "ortak_app", "nobody is connected as a superuser"

    first = copy.child(" worker ")
    assert first
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: copy.says("worker ended (signal 9); starting it again."), "the supervisor to notice")
    wait_for(lambda: copy.child(" worker ") not in {0, first}, "the next worker")
    assert_ends(copy)

    copy.start()
    assert "Needs you now" in read(person, f"{copy.url}/"), "the data is kept, who was signed in still is"
    invited_person_reads_the_mail_and_joins(browser, copy)
    assert_ends(copy)


def assert_ends(copy: Copy) -> None:
    """SIGTERM ends everything it started and says so."""
    assert copy.end() == 0
    assert copy.output.read_text().endswith("Ended.\n")
    assert len(copy.family) > 10, "web, worker and beat with their children, PostgreSQL and Redis"
    assert copy.left() == {}


def invited_person_reads_the_mail_and_joins(browser: Browser, copy: Copy) -> None:
    """The mail is found from the sign-in page, and its link leads in: nobody needs an account or a log to try it."""
    invite(visitor(browser, copy), "deniz@contoso.example")
    deniz = visitor(browser, copy)
    open_mail(deniz, "deniz@contoso.example")
    mail = deniz.url
    assert not [found for url in ("/demo/mail/", f"{mail}?text", mail) for found in problems(deniz, "mail", url)]
    expect(deniz.get_by_role("link", name="Text")).to_be_visible()
    deniz.frame_locator("iframe.o-mail").get_by_role("link", name="Open the invitation").click()
    deniz.wait_for_url("**/invite/**")
    deniz.get_by_label("First name").fill("Deniz")
    deniz.get_by_label("Last name").fill("Aksoy")
    for label in ("Password", "Password, again"):
        deniz.get_by_label(re.compile(f"^{label}\\W*$")).fill("correct horse battery")
    deniz.get_by_role("button", name="Create my account and join").click()
    expect(deniz.get_by_role("link", name="Mail of the demo")).to_be_visible()
    expect(deniz.locator(".o-top")).to_contain_text("Deniz")


def visitor(browser: Browser, copy: Copy) -> Page:
    page = browser.new_context(base_url=copy.url, locale="en-US").new_page()
    page.set_default_timeout(20_000)
    return page


def invite(page: Page, email: str) -> None:
    """As Contoso's account admin, to read every deal."""
    sign_in_by_browser(page, "admin@contoso.example")
    page.goto("/settings/people/invite/")
    page.get_by_label(re.compile("^E-mail")).fill(email)
    page.get_by_role("group", name="Viewer").get_by_label("Entire company").check()
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.locator("#invites")).to_contain_text(email)


def open_mail(page: Page, to: str) -> None:
    """From the sign-in page, as somebody without an account; the worker mails within seconds."""
    page.goto("/")
    page.get_by_role("link", name="Mail of the demo").click()
    page.get_by_role("searchbox", name="To whom").fill(to)
    page.get_by_role("button", name="Show").click()
    found = page.locator("#mails").get_by_role("link", name=re.compile("invites you"))
    wait_for(lambda: found.count() or (page.reload() and False), f"the mail to {to}")
    found.click()
