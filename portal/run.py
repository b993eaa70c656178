"""The portal from one command (`make run`): its servers, its data, then web, worker and beat until told to stop."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from portal import embedded, translations
from portal.logfile import Log

BASE_DIR = Path(__file__).resolve().parent.parent
GRACE_SECONDS = 12.0
READY_SECONDS = 90.0
SIGN_INS = """\
Sign in with the password ortak-demo as
  vendor     seller@vendor.example    reviewer@vendor.example   council1@vendor.example   manager@vendor.example
  Contoso    admin@contoso.example    referrals@contoso.example ankara@contoso.example    user@contoso.example
             viewer@contoso.example
  Fabrikam   referrals@fabrikam.example
  Northwind  referrals@northwind.example"""

#: To our own address one never goes through a proxy.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Refused(Exception):
    """The portal can't run here; the message is one clear line."""


class Ended(BaseException):
    """Somebody asked the portal to end. Not an Exception: no library may swallow it."""


@dataclass(frozen=True)
class ServerConfig:
    """Where this copy serves and keeps its data."""

    host: str
    port: int
    data_dir: Path

    @property
    def own_url(self) -> str:
        """How this machine reaches it; a server on all addresses is also on this one."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104  compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


@dataclass
class Child:
    """A process to be kept alive."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    log: Log | None = None
    started_at: float = 0.0
    quick_deaths: int = 0
    not_before: float = 0.0


@dataclass
class Supervisor:
    """Starts the child processes, restarts those that end, and stops them all. Their logs go to `log_dir`."""

    log_dir: Path
    children: list[Child] = field(default_factory=list)

    def start(self, child: Child) -> None:
        child.log = child.log or Log(self.log_dir / f"{child.name}.log")
        child.process = subprocess.Popen(  # noqa: S603
            child.command,
            cwd=BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=child.log.fd,
            stderr=child.log.fd,
            # Its own session: Ctrl-C reaches only us, and we end the children in order.
            start_new_session=True,
            preexec_fn=embedded.die_with_parent(signal.SIGTERM),
        )
        child.started_at = time.monotonic()

    def watch(self) -> None:
        """Start again whoever ended; one that keeps ending waits longer each time."""
        for child in self.children:
            if child.log is not None:
                child.log.keep()
            if child.process is not None and (code := child.process.poll()) is not None:
                _kill_group(child.process.pid)
                lived = time.monotonic() - child.started_at
                child.quick_deaths = child.quick_deaths + 1 if lived < 10 else 0
                pause = min(2**child.quick_deaths, 30) if child.quick_deaths > 1 else 0
                say(f"{child.name} ended ({_how(code)}); starting it again{f' in {pause} s' if pause else ''}.")
                child.process, child.not_before = None, time.monotonic() + pause
            if child.process is None and time.monotonic() >= child.not_before:
                self.start(child)

    def stop(self) -> None:
        """End everyone: politely, then by force."""
        processes = [child.process for child in self.children if child.process is not None]
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
            _kill_group(process.pid)
            process.wait()
        for child in self.children:
            if child.log is not None:
                child.log.close()
                child.log = None


def main() -> None:
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, _end)
    if "MAKELEVEL" in os.environ:
        embedded.tie(os.getppid(), signal.SIGTERM)
    try:
        run(os.environ)
    except (Refused, embedded.CannotStart) as error:
        print(f"ortak: {error}", file=sys.stderr)
        sys.exit(1)
    except Ended:
        say("Ended.")


def run(environ: Mapping[str, str]) -> None:
    """Serve until a signal comes; whatever was started here has ended when this returns or raises."""
    config = config_from(environ)
    check(config)
    with _only_one(config.data_dir), _servers(config.data_dir):
        set_environment(config)
        prepare(config.data_dir)
        supervisor = Supervisor(config.data_dir / "log", children())
        try:
            for child in supervisor.children:
                supervisor.start(child)
            keep_going(config, supervisor)
        finally:
            _ignore_signals()
            supervisor.stop()


# Before the start


def config_from(environ: Mapping[str, str]) -> ServerConfig:
    port = environ.get("PORT") or "8000"
    if not port.isdecimal() or len(port) > 5 or not 0 < int(port) < 65536:
        raise Refused(f"PORT must be a number from 1 to 65535, not {port[:40]!r}.")
    data_dir = Path(environ.get("DATA_DIR") or BASE_DIR / ".data").resolve()
    return ServerConfig(environ.get("HOST") or "127.0.0.1", int(port), data_dir)


def check(config: ServerConfig) -> None:
    """Everything a start needs of the machine; raises Refused with the first thing missing."""
    if sys.version_info < (3, 11):  # noqa: UP036  run by hand, with whatever Python
        raise Refused(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
    if not (BASE_DIR / "node_modules/bootstrap/dist").is_dir():
        raise Refused("node_modules is missing or incomplete: `make run` installs it with npm.")
    if not os.environ.get("REDIS_URL") and embedded.redis_binary() is None:
        raise Refused(embedded.NO_REDIS)
    check_port(config)


def check_port(config: ServerConfig) -> None:
    """Whether the port can be had, now, rather than after a minute of preparations."""
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise Refused(f"HOST {config.host!r} is no address of this machine.") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            free = f"PORT={config.port + 1} make run"
            raise Refused(f"Port {config.port} on {config.host} is in use; try {free}.") from error
        raise Refused(f"Can't listen on {config.host}:{config.port}: {error.strerror}.") from error


def set_environment(config: ServerConfig) -> None:
    """What the settings of this process and its children read."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    # `make run` is the demo; a real installation starts its processes itself and says its own mode.
    os.environ.setdefault("ORTAK_MODE", "demo")
    os.environ.setdefault("BASE_URL", config.own_url)
    os.environ.setdefault("STATIC_ROOT", str(config.data_dir / "static"))
    os.environ.update(HOST=config.host, PORT=str(config.port), DATA_DIR=str(config.data_dir))


@contextlib.contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    """Two copies on the same data would share workers and beat."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / "run.lock").open("ab")
    except OSError as error:
        raise Refused(f"Can't use {data_dir} as data directory: {error.strerror}.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Refused(f"Ortak already runs on {data_dir}; a second copy needs its own DATA_DIR.") from error
        yield


@contextlib.contextmanager
def _servers(data_dir: Path) -> Iterator[None]:
    """PostgreSQL and Redis, ended again if they were started here."""
    theirs = embedded.running(data_dir)
    try:
        embedded.start(data_dir, tied=True)
        yield
    finally:
        _ignore_signals()
        if not theirs:
            embedded.stop(data_dir)


# Preparing


def prepare(data_dir: Path) -> None:
    """Tables, demo data, translations, static files; what is done already takes no time."""
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import CommandError
    from django.db import OperationalError

    if problems := translations.compile_all():
        raise Refused(problems[0])
    try:
        django.setup()
        check_redis()
        fill_database()
        collect_static(data_dir)
    except (CommandError, ImproperlyConfigured, OperationalError) as error:
        raise Refused(" ".join(str(error).split())) from error


def check_redis() -> None:
    """The portal would run without it, but nobody wants to start it so."""
    from portal.outage import redis_answers

    if not redis_answers():
        raise Refused("Redis does not answer; is REDIS_URL right?" if os.environ.get("REDIS_URL") else "Redis is away.")


def fill_database() -> None:
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0, interactive=False)
    if settings.MODE == "demo":
        call_command("demo", if_empty=True)
    connections.close_all()


def collect_static(data_dir: Path) -> None:
    """Collect the static files, unless they are those of the last time."""
    from django.conf import settings
    from django.core.management import call_command

    stamp = data_dir / "static.stamp"
    state = static_state()
    manifest = Path(str(settings.STATIC_ROOT)) / "staticfiles.json"
    if manifest.exists() and stamp.exists() and stamp.read_text() == state:
        return
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(state)


def static_state() -> str:
    """A digest of everything that static files come from."""
    digest = hashlib.sha256()
    for name in ("package-lock.json", "pyproject.toml", "portal/settings.py"):
        digest.update((BASE_DIR / name).read_bytes())
    for folder in (BASE_DIR / "static", *sorted((BASE_DIR / "portal").glob("*/static"))):
        for path in sorted(folder.rglob("*")):
            stat = path.stat()
            digest.update(f"{path}:{stat.st_size}:{stat.st_mtime_ns}".encode())
    return digest.hexdigest()


# While it runs


def children() -> list[Child]:
    python = sys.executable
    celery = [python, "-m", "celery", "-A", "portal.celery"]
    return [
        Child("web", [python, "-m", "gunicorn", "-c", str(BASE_DIR / "portal/gunicorn.py")]),
        # Gossip and mingle are for workers that need each other; without them one starts a second sooner.
        Child("worker", [*celery, "worker", "-c", "2", "-l", "INFO", "--without-gossip", "--without-mingle"]),
        Child("beat", [*celery, "beat", "-l", "WARNING"]),
    ]


def keep_going(config: ServerConfig, supervisor: Supervisor) -> None:
    """Watch over children and servers; say once when the portal is ready. Only a signal ends this."""
    from portal import health  # needs the settings

    announced, began, looked = False, time.monotonic(), time.monotonic()
    started = datetime.now(UTC)
    while True:
        supervisor.watch()
        if not announced and ready(config) and health.worked_since(started):
            announce(config)
            announced = True
        if not announced and time.monotonic() - began > READY_SECONDS:
            say(f"Still not ready after {READY_SECONDS:.0f} s; see {config.own_url}/readyz and {supervisor.log_dir}.")
            announced = True
        if time.monotonic() - looked > 5:
            look_after_servers(config.data_dir)
            looked = time.monotonic()
        time.sleep(0.2)


def look_after_servers(data_dir: Path) -> None:
    if embedded.running(data_dir):
        return
    say("PostgreSQL or Redis ended; starting it again.")
    try:
        embedded.start(data_dir, tied=True)
    except embedded.CannotStart as error:
        say(str(error))


def ready(config: ServerConfig) -> bool:
    try:
        with _direct.open(f"{config.own_url}/readyz", timeout=2) as answer:
            return bool(json.load(answer)["status"] == "ok")
    except (OSError, ValueError):
        return False


def announce(config: ServerConfig) -> None:
    say(f"Ortak is ready at {os.environ['BASE_URL']}")
    if os.environ["ORTAK_MODE"] == "demo":
        say(SIGN_INS)
        if not os.environ.get("EMAIL_URL"):
            say(f"The mail it would send: {os.environ['BASE_URL']}/demo/mail/")
    say(f"Logs: {config.data_dir / 'log'}. Ctrl-C ends it.")


# Small things


def say(line: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone
        print(line, flush=True)


def _end(*_args: object) -> None:
    raise Ended


def _ignore_signals() -> None:
    """Once ending, end in order: a second Ctrl-C must leave nothing behind."""
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)


def _kill_group(pid: int) -> None:
    """End what a child left behind in its session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


if __name__ == "__main__":
    main()
