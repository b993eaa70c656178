"""The portal installed anew, twice: by the commands of docs/operations.md, and by those of Dockerfile and compose.

Slow: each makes a virtual environment and installs the packages. Where none can be had, that is said and it is skipped.
"""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests import installed
from tests.installed import Postgres

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/operations.md"
PATIENCE_SECONDS = 240
#: What pip and npm say where there is no network, or no registry in reach.
OFFLINE = re.compile(
    r"Could not find a version|No matching distribution|ENOTFOUND|ECONNREFUSED|EAI_AGAIN|NewConnectionError"
)
#: What `bootstrap` asks, and what a person would answer.
ANSWERS = [
    ("Vendor's name", ""),
    ("two letters", "Turkey"),
    ("two letters", "TR"),
    ("first name", "Ada"),
    ("last name", "Byron"),
    ("E-mail", "ada@vendor.example"),
    ("Password", "correct horse battery"),
    ("The same again", "correct horse battery"),
]


@pytest.fixture
def place() -> Iterator[Path]:
    """Not tmp_path: pytest closes its directories to the account that PostgreSQL runs as for root."""
    path = Path(os.environ["DATA_DIR"]) / f"i{uuid4().hex[:6]}"
    yield path
    shutil.rmtree(path, ignore_errors=True)


def blocks() -> str:
    """The commands of the section, in their order."""
    section = PAGE.read_text().split("\n## Without Docker\n")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))


def below(root: Path, text: str) -> str:
    """The same, with the machine's directories below `root`."""
    return re.sub(r"(?<![\w./-])/(?=(?:opt|etc|var/lib|usr/local/bin|usr/share/postgresql-common)/)", f"{root}/", text)


def sources(target: Path, root: Path) -> None:
    """The sources as they lie unpacked, with nothing that an installation makes."""
    made = shutil.ignore_patterns(".*", "node_modules", "__pycache__", "staticfiles", "*.mo", "tests", "bench", "docs")
    shutil.copytree(ROOT, target, ignore=made)
    for path in (target / "deploy").iterdir():
        path.write_text(below(root, path.read_text()))


def answered(script: Path, *, cwd: Path, env: dict[str, str]) -> tuple[int, str]:
    """The script run in a terminal with a person at it; its exit code and all it said."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        ["bash", "-eux", str(script)],
        cwd=cwd,
        env=env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    said, read, waiting = "", 0, list(ANSWERS)
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    said += os.read(ours, 65536).decode(errors="replace")
                except OSError:  # the other end is closed
                    break
            elif child.poll() is not None:
                break
            if waiting and (asked := said.find(waiting[0][0], read)) >= 0 and said.rstrip(" ").endswith(":"):
                read = asked + len(waiting[0][0])
                os.write(ours, f"{waiting.pop(0)[1]}\n".encode())
        else:
            os.killpg(child.pid, signal.SIGKILL)
            pytest.fail(f"not done after {PATIENCE_SECONDS} s:\n{said}")
    finally:
        os.close(ours)
    return child.wait(30), said


def skip_offline(said: str) -> None:
    if found := OFFLINE.search(said):
        pytest.skip(f"packages can't be installed on this machine: {found[0]}")


def end(pids: Path) -> None:
    """End what systemctl started, politely first."""
    started = [int(line) for line in pids.read_text().split()] if pids.exists() else []
    for signum in (signal.SIGTERM, signal.SIGKILL):
        for pid in started:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signum)
        time.sleep(2 if signum == signal.SIGTERM and started else 0)


def test_the_page_is_followed_from_top_to_bottom(place: Path) -> None:
    with installed.postgres(place / "pg", superuser="postgres") as server, installed.redis(place) as redis_port:
        root = place / "root"
        for there in (
            "etc/systemd/system",
            "etc/caddy",
            "usr/local/bin",
            "usr/share/postgresql-common/pgdg",
            "opt",
            "var/lib",
        ):
            (root / there).mkdir(parents=True)
        installed.program(root / "usr/share/postgresql-common/pgdg", "apt.postgresql.org.sh", "#!/bin/sh\n")
        sources(place / "sources", root)
        installed.stand_ins(place / "bin", root, server)
        port = installed.free_port()
        commands = below(root, blocks())
        for written, here in ((":5432/", f":{server.port}/"), (":6379/", f":{redis_port}/"), ("8000", str(port))):
            assert written in commands
            commands = commands.replace(written, here)
        (place / "page.sh").write_text(commands)
        path = f"{place / 'bin'}:{root / 'usr/local/bin'}:/usr/bin:/bin"
        environment = {"PATH": path, "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8"} | _of_the_registries()
        try:
            code, said = answered(place / "page.sh", cwd=place / "sources", env=environment)
            skip_offline(said)
            assert code == 0, said
            _is_up(port, root)
            _has_its_manager(server, root)
        finally:
            end(root / "pids")


def _of_the_registries() -> dict[str, str]:
    """How this machine reaches its package registries is its own affair."""
    return {
        name: value
        for name, value in os.environ.items()
        if re.match(r"(?i)pip_|npm_config_|https?_proxy|no_proxy", name)
    }


def _is_up(port: int, root: Path) -> None:
    address = f"http://127.0.0.1:{port}"
    status, ready = installed.fetch(f"{address}/readyz")
    assert (status, b'"worker": "ok"' in ready) == (200, True), ready
    assert installed.fetch(f"{address}/accounts/login/")[0] == 400, "production answers to its own name only"
    named = re.search(r'"app.css": "(.*?)"', (root / "opt/ortak/staticfiles/staticfiles.json").read_text())
    assert named
    assert (root / "opt/ortak/staticfiles" / named[1]).is_file()
    assert (root / "etc/ortak/owner.env").stat().st_mode & 0o077 == 0
    assert (root / "etc/ortak/ortak.env").stat().st_mode & 0o007 == 0


def _has_its_manager(server: Postgres, root: Path) -> None:
    query = "SELECT c.name, c.country, u.email FROM accounts_company c, accounts_user u"
    psql = [server.programs / "psql", "-XAt", "-U", "postgres", "-d", "ortak", "-c", query]
    rows = subprocess.run(psql, env=server.environment, capture_output=True, text=True, check=True).stdout
    assert rows == "Microsoft|TR|ada@vendor.example\n"
