"""The portal installed anew, twice: by the commands of docs/operations.md, and by those of Dockerfile and compose.

Slow: each makes a virtual environment and installs the packages. Where none can be had, that is said and it is skipped.
"""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests import compose, installed
from tests.image import Image
from tests.installed import Postgres
from tests.test_compose import TYPED_IN

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/operations.md"
PATIENCE_SECONDS = 600
#: What pip and npm say where there is no network, or no registry in reach.
OFFLINE = re.compile(
    r"Could not find a version|No matching distribution|ENOTFOUND|ECONNREFUSED|EAI_AGAIN|NewConnectionError"
)
#: How many tables there are, and how many of them the portal's role reads.
TABLES = "SELECT count(*), sum(has_table_privilege('ortak_app', oid, 'SELECT')::int) FROM pg_class WHERE relkind = 'r'"
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
            child.wait()
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
        environment = {"PATH": path, "LANG": "C.UTF-8"} | installed.registries()
        environment["PIP_NO_COMPILE"] = "1"  # the first start compiles what it needs, which is a fraction
        try:
            code, said = answered(place / "page.sh", cwd=place / "sources", env=environment)
            skip_offline(said)
            assert code == 0, said
            _is_up(port, root)
            _has_its_manager(server, root)
            _works(server)
        finally:
            end(root / "pids")


def _is_up(port: int, root: Path) -> None:
    address = f"http://127.0.0.1:{port}"
    status, ready = installed.fetch(f"{address}/readyz")
    assert (status, b'"status": "ok"' in ready) == (200, True), ready
    assert installed.fetch(f"{address}/accounts/login/")[0] == 400, "production answers to its own name only"
    named = re.search(r'"app.css": "(.*?)"', (root / "opt/ortak/staticfiles/staticfiles.json").read_text())
    assert named
    assert (root / "opt/ortak/staticfiles" / named[1]).is_file()
    assert (root / "etc/ortak/owner.env").stat().st_mode & 0o077 == 0
    assert (root / "etc/ortak/ortak.env").stat().st_mode & 0o007 == 0


def _has_its_manager(server: Postgres, root: Path) -> None:
    rows = _asked(server, "SELECT c.name, c.country, u.email FROM accounts_company c, accounts_user u")
    assert rows == "Microsoft|TR|ada@vendor.example\n"


def _works(server: Postgres) -> None:
    """Beat asks a worker for a sign of life every 15 s."""
    installed.wait(lambda: bool(_asked(server, "SELECT at FROM notify_heartbeat")), "a worker has worked")


def _asked(server: Postgres, query: str) -> str:
    psql = [server.programs / "psql", "-XAt", "-U", "postgres", "-d", "ortak", "-c", query]
    return subprocess.run(psql, env=server.environment, capture_output=True, text=True, check=True).stdout


# The image's steps, and the services' commands


def test_the_images_steps_and_the_services_commands(place: Path) -> None:
    """All that Dockerfile and docker-compose.yml run, as they say it; addresses and directories are the test's."""
    with installed.postgres(place / "pg", superuser="ortak") as server, installed.redis(place) as redis_port:
        installed.stand_ins(place / "bin", place, server)
        image = Image(place / "image", place / "bin")
        (place / "image").mkdir()
        try:
            image.build()
        except subprocess.CalledProcessError as error:
            skip_offline(image.said)
            pytest.fail(f"{error}\n{image.said}")
        assert not (image.cwd / "node_modules").exists()
        assert (image.cwd / "staticfiles/staticfiles.json").is_file()
        machine = Machine(image, server, redis_port)
        machine.first_start_of_postgres()
        machine.run("migrate")
        with installed.processes() as start:
            for name in ("web", "worker", "beat"):
                machine.start(name, start)
            installed.wait(lambda: machine.ready(), "everything is ready", patience=90)
            for name in ("web", "worker", "beat", "postgres"):
                machine.check_health(name)
        machine.goes_back_to_its_backup()


class Machine:
    """The services of docker-compose.yml, each with its own environment, on this machine's PostgreSQL and Redis."""

    def __init__(self, image: Image, server: Postgres, redis_port: int) -> None:
        self.image, self.server, self.redis_port, self.port = image, server, redis_port, installed.free_port()
        given = {**compose.example((ROOT / ".env.example").read_text()), **TYPED_IN}
        self.services = compose.filled(compose.load()["services"], given)

    def here(self, text: str) -> str:
        """The same, with this test's directories and addresses."""
        text = text.replace("@postgres:5432/", f"@127.0.0.1:{self.server.port}/")
        text = text.replace("//redis:6379/", f"//127.0.0.1:{self.redis_port}/")
        return self.image.below(text.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}"))

    def environment(self, name: str) -> dict[str, str]:
        own = {key: self.here(value) for key, value in self.services[name]["environment"].items()}
        return {**self.image.environment, **own, "PORT": str(self.port), "HOST": "127.0.0.1"}

    def psql(self, *words: str) -> str:
        psql = [self.server.programs / "psql", "-XAt", "-v", "ON_ERROR_STOP=1", "-U", "ortak", "-d", "ortak", *words]
        passwords = {name: TYPED_IN[name] for name in ("DATABASE_PASSWORD", "DATABASE_OWNER_PASSWORD")}
        environment = {**self.server.environment, **passwords}
        return subprocess.run(psql, env=environment, capture_output=True, text=True, check=True).stdout

    def first_start_of_postgres(self) -> None:
        """What the image of PostgreSQL does with an empty volume."""
        own = self.services["postgres"]["environment"]
        self.psql("-d", "postgres", "-c", f"CREATE DATABASE {own['POSTGRES_DB']}")
        for config in self.services["postgres"]["configs"]:
            assert config["target"].startswith("/docker-entrypoint-initdb.d/")
            self.psql("-f", str(ROOT / compose.load()["configs"][config["source"]]["file"]))

    def run(self, name: str) -> None:
        words, environment = shlex.split(self.services[name]["command"]), self.environment(name)
        path = shutil.which(words[0], path=environment["PATH"])
        done = subprocess.run(
            [str(path), *words[1:]], cwd=self.image.cwd, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    def start(self, name: str, start: Callable[..., object]) -> None:
        command = self.services[name].get("command")
        words = shlex.split(command) if command else self.image.command
        environment = self.environment(name)
        words[0] = shutil.which(words[0], path=environment["PATH"])
        start(words, cwd=self.image.cwd, env=environment, log=self.image.place / f"{name}.log")

    def ready(self) -> bool:
        return installed.fetch(f"http://127.0.0.1:{self.port}/readyz")[0] == 200

    def check_health(self, name: str) -> None:
        kind, *words = self.services[name]["healthcheck"]["test"]
        words = [self.here(word) for word in words]
        command = words if kind == "CMD" else ["sh", "-c", *words]
        own = self.environment(name) if name != "postgres" else self._of_postgres()
        done = subprocess.run(command, cwd=self.image.cwd, env=own, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{name} isn't healthy: {done.stdout}{done.stderr}"

    def _of_postgres(self) -> dict[str, str]:
        return {**self.server.environment, "PATH": f"{self.server.programs}:/usr/bin:/bin"}

    def goes_back_to_its_backup(self) -> None:
        """Backup and way back as docs/operations.md writes them; between them an update changes the tables."""
        commands = re.findall(
            r"^    docker compose exec -T postgres (pg_.*before-update\.dump)$", PAGE.read_text(), re.M
        )
        assert [command.split()[0] for command in commands] == ["pg_dump", "pg_restore"]
        before = self.psql("-c", TABLES)
        self._in_postgres(commands[0])
        self.psql("-c", "CREATE TABLE later (company_id bigint REFERENCES accounts_company); DROP TABLE django_session")
        assert self.psql("-c", TABLES) != before
        self._in_postgres(commands[1])
        assert self.psql("-c", TABLES) == before
        self.run("migrate")

    def _in_postgres(self, command: str) -> None:
        subprocess.run(["sh", "-ec", command], cwd=self.image.place, env=self._of_postgres(), check=True)
