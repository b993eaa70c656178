"""docker-compose.yml and .env.example, as far as they can be judged without an engine."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from portal import logs
from tests import compose

ROOT = Path(__file__).resolve().parent.parent
FILE = compose.load()
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
APP = ("web", "worker", "beat", "migrate")
EXAMPLE = (ROOT / ".env.example").read_text()
OPERATIONS = (ROOT / "docs/operations.md").read_text()
#: What whoever installs it types in; the rest of .env.example may stay.
TYPED_IN = {
    "SECRET_KEY": "s" * 50,
    "POSTGRES_PASSWORD": "one",
    "DATABASE_PASSWORD": "two",
    "DATABASE_OWNER_PASSWORD": "three",
    "EMAIL_URL": "smtp+tls://ada:hush@mail.example.com:587",
}
#: Every key that a service here has; a mistyped one is none of them.
KEYS = {
    "build",
    "cap_drop",
    "command",
    "configs",
    "depends_on",
    "deploy",
    "environment",
    "healthcheck",
    "image",
    "init",
    "logging",
    "mem_limit",
    "ports",
    "profiles",
    "pull_policy",
    "read_only",
    "restart",
    "security_opt",
    "shm_size",
    "stop_grace_period",
    "tmpfs",
    "volumes",
}
HEALTHCHECK_KEYS = {"test", "interval", "timeout", "retries", "start_period", "disable"}
#: Of the table in docs/operations.md: what compose leaves as the image has it, and what production can't have.
NOT_PASSED = {
    "STATIC_ROOT": "collected into the image",
    "DEBUG": "refused in production",
    "STATEMENT_SECONDS": "gunicorn says it",
}


def seconds(duration: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(s|m)", duration).groups()  # type: ignore[union-attr]
    return int(number) * {"s": 1, "m": 60}[unit]


def test_every_key_is_one_that_compose_knows() -> None:
    assert {key for key in FILE if not key.startswith("x-")} == {"name", "services", "configs", "volumes"}
    for name, service in SERVICES.items():
        assert set(service) <= KEYS, name
        assert set(service["healthcheck"]) <= HEALTHCHECK_KEYS, name
        for key in ("interval", "timeout", "start_period"):
            assert seconds(service["healthcheck"].get(key, "1s")) > 0
        assert re.fullmatch(r"\d+[mg]", service["mem_limit"]), name


def test_whatever_a_service_refers_to_exists() -> None:
    used: dict[str, set[str]] = {"volumes": set(), "configs": set()}
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert not SERVICES[other].get("profiles"), f"{name} waits for {other}, which may not be there"
            if how["condition"] == "service_healthy":
                assert "test" in SERVICES[other]["healthcheck"]
            else:
                assert how["condition"] == "service_completed_successfully"
                assert SERVICES[other]["restart"].startswith("on-failure:"), "always started anew, it would never end"
        used["volumes"] |= {volume.split(":")[0] for volume in service.get("volumes", [])}
        used["configs"] |= {config["source"] for config in service.get("configs", [])}
    assert used == {kind: set(FILE[kind]) for kind in used}
    assert all((ROOT / config["file"]).is_file() for config in FILE["configs"].values() if "file" in config)


def test_every_variable_is_in_the_example_and_in_the_documentation() -> None:
    written = compose.example(EXAMPLE)
    assert set(compose.variables()) | {"COMPOSE_PROFILES"} == set(written)
    for name in written:
        assert f"`{name}`" in OPERATIONS, f"docs/operations.md doesn't know {name}"


def test_every_variable_of_the_portal_reaches_its_containers() -> None:
    table = re.findall(r"^\| (`.*?`) \|", OPERATIONS.split("## Every variable")[1], re.MULTILINE)
    documented = {name for cell in table for name in re.findall(r"`(\w+)`", cell)}
    in_image = set(
        re.findall(r"(\w+)=", "".join(re.findall(r"^ENV (?:.*\\\n)*.*", (ROOT / "Dockerfile").read_text(), re.M)))
    )
    passed = {name for service in APP for name in SERVICES[service]["environment"]}
    assert documented - passed - in_image == set(NOT_PASSED)
    assert passed <= documented


def test_the_example_filled_in_is_what_the_portal_starts_with() -> None:
    given = {**compose.example(EXAMPLE), **TYPED_IN}
    environment = compose.filled(SERVICES["web"]["environment"], given)
    assert environment["DATABASE_URL"] == "postgresql://ortak_app:two@postgres:5432/ortak"
    code = (
        "from portal import settings as s; print(s.MODE, s.BASE_URL, s.ECB_FETCH, s.SECURE_SSL_REDIRECT, s.EMAIL_HOST)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "production https://portal.example.com False False mail.example.com\n", done.stderr


@pytest.mark.parametrize("name", [*TYPED_IN, "ORTAK_MODE"])
def test_what_is_not_typed_in_is_asked_for(name: str) -> None:
    given = {**compose.example(EXAMPLE), **TYPED_IN, name: ""}
    with pytest.raises(compose.Missing, match=f"set {name}, see .env.example"):
        compose.filled(FILE, given)


def test_it_is_built_once_and_nothing_floats() -> None:
    assert [name for name, service in SERVICES.items() if "build" in service] == ["migrate"]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for name in APP:
        assert SERVICES[name]["image"] == f"ortak:${{ORTAK_VERSION:-{version}}}"
        assert SERVICES[name]["pull_policy"] == "never", "no registry has it"
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for image in [*bases, *(service["image"] for name, service in SERVICES.items() if name not in APP)]:
        assert re.search(r":v?\d+\.\d+", image), image


def test_logs_and_memory_have_an_end() -> None:
    for name, service in SERVICES.items():
        assert {"max-size", "max-file"} <= set(service["logging"]["options"]), name
    queue = re.search(r"--maxmemory (\d+)mb", SERVICES["redis"]["command"])
    assert queue
    assert int(queue[1]) * 2 <= int(SERVICES["redis"]["mem_limit"].removesuffix("m")), "writing its file takes as much"


def test_whoever_stops_gets_the_time_they_need() -> None:
    gunicorn = runpy.run_path(str(ROOT / "portal/gunicorn.py"))
    assert seconds(SERVICES["web"]["stop_grace_period"]) > gunicorn["graceful_timeout"]
    assert seconds(SERVICES["worker"]["stop_grace_period"]) > seconds("30s")


def test_the_first_start_waits_for_the_server_that_stays() -> None:
    """While the image creates its cluster, a server listens on the socket only and ends again."""
    check = SERVICES["postgres"]["healthcheck"]
    assert "pg_isready -h 127.0.0.1 " in check["test"][1]
    assert seconds(check["start_period"]) >= 60


def test_mailpit_and_clamav_are_there_when_asked_for_only() -> None:
    asked_for = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}
    assert asked_for == {"mailpit": ["mailpit"], "clamav": ["clamav"]}


def test_reg_16_whoever_needs_the_documents_has_their_volume() -> None:
    volume = "documents:/data/documents"
    assert "install -d -o ortak -g ortak /data /data/documents" in (ROOT / "Dockerfile").read_text(), "whose it is then"
    assert {name for name, service in SERVICES.items() if volume in service.get("volumes", [])} == {"web", "worker"}


def test_the_compose_that_inline_configs_need_is_said() -> None:
    assert any("content" in config for config in FILE["configs"].values())
    assert "2.23.1" in compose.FILE.read_text().split("services:")[0]
    assert "2.23.1" in OPERATIONS


@pytest.mark.parametrize("place", ["docker-compose.yml", "deploy/Caddyfile"])
def test_the_proxys_log_lets_nobody_in(place: str) -> None:
    """Whatever the portal's own log cuts short, the proxy's does too, in errors as in requests (the log by default)."""
    caddyfile = FILE["configs"]["caddyfile"]["content"] if place.endswith(".yml") else (ROOT / place).read_text()
    ((pattern, kept),) = re.findall(r'request>uri regexp "(.+)" "\$+1(.*)"', caddyfile)
    for path in ("/invite/KEY/", "/invite/KEY/?next=1", "/accounts/password/reset/key/KEY/", "/co-sell/1/"):
        expected = logs._KEYS.sub(rf"\1{kept}", path)
        assert re.sub(pattern, rf"\1{kept}", path) == expected
        assert "KEY" not in expected
    assert "request>headers>Referer delete" in caddyfile
    assert re.search(r"^\s*log$", caddyfile, re.MULTILINE), "requests go to the log by default"
