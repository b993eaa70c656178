"""What a machine has before the portal is installed (PostgreSQL 18, Redis), and stand-ins for root and systemd."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from portal import embedded

ROOT = Path(__file__).resolve().parent.parent
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def registries() -> dict[str, str]:
    """How this machine reaches its package registries is its own affair."""
    own = re.compile(r"(?i)home$|pip_|npm_config_|https?_proxy$|no_proxy$|ssl_cert")
    return {name: value for name, value in os.environ.items() if own.match(name)}


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def wait(condition: Callable[[], bool], what: str, patience: float = 60) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true within {patience} s"
        time.sleep(0.2)


def fetch(url: str) -> tuple[int, bytes]:
    """What a page answers; (0, b"") if nobody does."""
    try:
        with _direct.open(url, timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL 18 of this machine: by its socket for the superuser, with passwords over TCP."""

    port: int
    sockets: Path
    programs: Path

    @property
    def environment(self) -> dict[str, str]:
        """For the superuser's psql, pg_dump and the like."""
        return {"PGHOST": str(self.sockets), "PGPORT": str(self.port)}


@contextlib.contextmanager
def postgres(directory: Path, *, superuser: str) -> Iterator[Postgres]:
    """An empty cluster below a directory that an unprivileged account can pass through."""
    programs, data = embedded._postgres_bin(), directory / "cluster"
    account = pwd.getpwnam(embedded.UNPRIVILEGED) if os.getuid() == 0 else None
    directory.mkdir(parents=True)
    if account:
        os.chown(directory, account.pw_uid, account.pw_gid)
    run_as = embedded._as(account)
    initdb = [*embedded.INITDB[1:], "--auth-local=trust", "--auth-host=scram-sha-256"]
    password = directory / "password"
    password.write_text("superuser's own")
    password.chmod(0o644)
    subprocess.run(
        [programs / "initdb", "-N", "-D", data, "-U", superuser, f"--pwfile={password}", *initdb],
        check=True,
        capture_output=True,
        **run_as,
    )
    port = free_port()
    server = subprocess.Popen(
        [programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", directory, "-c", "fsync=off"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=embedded.die_with_parent(signal.SIGINT),
        **run_as,
    )
    try:
        ready = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
        wait(lambda: subprocess.run(ready, check=False).returncode == 0, "PostgreSQL answers")
        yield Postgres(port, directory, programs)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


@contextlib.contextmanager
def redis(directory: Path) -> Iterator[int]:
    """A Redis of this machine, by its port."""
    port, binary = free_port(), embedded.redis_binary()
    assert binary
    server = subprocess.Popen(
        [binary.path, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(directory)],
        stdout=subprocess.DEVNULL,
        preexec_fn=embedded.die_with_parent(signal.SIGTERM),
    )
    try:
        wait(lambda: _listens(port), "Redis answers")
        yield port
    finally:
        server.terminate()
        server.wait(30)


@contextlib.contextmanager
def processes() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts processes, each with its log; all of them have ended afterwards."""
    started: list[subprocess.Popen[bytes]] = []

    def start(command: list[str], *, cwd: Path, env: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as out:
            child = subprocess.Popen(command, cwd=cwd, env=env, stdout=out, stderr=out, start_new_session=True)
        started.append(child)
        return child

    try:
        yield start
    finally:
        for child in started:
            child.terminate()
        for child in started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(20)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def program(directory: Path, name: str, script: str) -> None:
    """A command that comes first on the PATH of whoever has `directory` there."""
    path = directory / name
    path.write_text(script)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


#: systemctl for services of ours: it knows [Service], EnvironmentFile and the order of After=; others run already.
SYSTEMCTL = """#!{python}
import os, pathlib, shlex, socket, subprocess, sys
root = pathlib.Path({root!r})

def unit(name):
    found, lines = {{}}, (root / f"etc/systemd/system/{{name}}.service").read_text().splitlines()
    for line in lines:
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found

def start(name):
    service = unit(name)
    environment = {{"PATH": os.environ["PATH"]}}
    for file in service["EnvironmentFile"]:
        for line in shlex.split(pathlib.Path(file).read_text()):
            key, _equals, value = line.partition("=")
            environment[key] = value
    (command,) = service["ExecStart"]
    notes = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notes.bind("\\0ortak-notify-" + str(os.getpid()) + name)
    notes.settimeout(60)
    if service["Type"] == ["notify"]:
        environment["NOTIFY_SOCKET"] = "@" + notes.getsockname()[1:].decode()
    log = (root / f"{{name}}.log").open("ab")
    child = subprocess.Popen(
        shlex.split(command), cwd=service["WorkingDirectory"][0], env=environment,
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
    )
    if service["Type"] == ["oneshot"]:
        if child.wait():
            sys.exit(f"{{name}} failed: " + (root / f"{{name}}.log").read_text())
    else:
        with (root / "pids").open("a") as pids:
            pids.write(f"{{child.pid}}\\n")
        while service["Type"] == ["notify"] and b"READY=1" not in notes.recv(4096):
            pass

verb, *names = [word for word in sys.argv[1:] if not word.startswith("--")]
ours = [name for name in names if name.startswith("ortak-")]
for name in sorted(ours, key=lambda name: "ortak-" + "migrate.service" in " ".join(unit(name).get("After", []))):
    assert verb in {{"enable", "start"}}
    start(name)
"""
#: What only root may do, or a machine has to be connected for: done before, or not needed by an account of one's own.
SKIPPED = ("apt-get", "useradd", "chown")
SUDO = """#!/bin/sh
while :; do case "$1" in -u) shift 2;; --preserve-env=*) shift;; *) break;; esac; done
exec "$@"
"""
INSTALL = """#!{python}
import os, sys
words, kept = iter(sys.argv[1:]), []
for word in words:
    if word in ("-o", "-g"):
        next(words)
    else:
        kept.append(word)
os.execv({install!r}, ["install", *kept])
"""


def stand_ins(directory: Path, root: Path, server: Postgres) -> None:
    """The commands of docs/operations.md that an account without root, systemd and network has not."""
    python = sys.executable
    install, npm = shutil.which("install"), shutil.which("npm") or str(Path(python).parent / "npm")
    directory.mkdir()
    for name in SKIPPED:
        program(directory, name, "#!/bin/sh\nexit 0\n")
    program(directory, "sudo", SUDO)
    program(directory, "install", INSTALL.format(python=python, install=install))
    program(directory, "systemctl", SYSTEMCTL.format(python=python, root=str(root)))
    program(directory, "npm", f'#!/bin/sh\nexec {shlex.quote(npm)} "$@"\n')
    base = getattr(sys, "_base_executable", python)
    for name in ("python", "python3"):
        program(directory, name, f'#!/bin/sh\nexec {shlex.quote(base)} "$@"\n')
    psql = shlex.quote(str(server.programs / "psql"))
    program(directory, "psql", f'#!/bin/sh\nexec env {_words(server.environment)} PGUSER=postgres {psql} -X "$@"\n')


def _words(environment: Mapping[str, str]) -> str:
    return " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
