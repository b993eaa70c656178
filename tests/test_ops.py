"""Starting, refusing to start, first steps and probes: what whoever runs the portal relies on."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import environ
import pytest
import yaml
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from portal import database_roles, embedded, health, logs, run, translations
from portal.accounts import rules, selectors
from portal.accounts.models import Company, User
from portal.events.models import Event
from portal.notify import services as notify
from portal.notify.tasks import heartbeat
from tests.test_modes import loaded

ROOT = Path(__file__).resolve().parent.parent
SECRET = "x" * 40
OWNED = {"SECRET_KEY": SECRET, "DATABASE_OWNER_URL": "postgresql://owner@db/ortak"}


# Where the embedded servers are


def test_servers_live_under_the_data_directory() -> None:
    data = Path("/srv/ortak")
    servers = embedded.urls(data)
    assert servers.database == "postgresql://ortak_app:@/ortak?host=/srv/ortak/run/pg"
    assert servers.owner == "postgresql://ortak_owner:@/ortak?host=/srv/ortak/run/pg"
    assert servers.redis == "unix:///srv/ortak/run/redis.sock"


@pytest.mark.parametrize("data", ["/srv/" + "deep/" * 30, "/srv/my data", "/srv/veri#1", "/srv/çınar"])
def test_paths_no_socket_or_url_can_hold_get_a_short_one(data: str) -> None:
    servers = embedded.urls(Path(data))
    assert re.fullmatch(r"unix:///tmp/ortak-\d+-[0-9a-f]{12}/redis\.sock", servers.redis)
    assert servers == embedded.urls(Path(data))
    assert servers != embedded.urls(Path(data + "x"))


def test_django_reads_the_database_url() -> None:
    config = environ.Env().db_url_config(embedded.urls(Path("/srv/ortak")).database)
    assert (config["NAME"], config["USER"], config["OPTIONS"]) == ("ortak", "ortak_app", {"host": "/srv/ortak/run/pg"})


@pytest.fixture
def data_dir() -> Path:
    """Not tmp_path: pytest closes its directories to the account that PostgreSQL runs as for root."""
    return Path(os.environ["DATA_DIR"]) / f"own-{uuid4().hex[:8]}"


def test_servers_start_once_and_keep_their_data(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert not embedded.running(data_dir)
    try:
        servers = embedded.start(data_dir, tied=True, durable=False)
        first = (data_dir / "postgres/postmaster.pid").read_text()
        assert embedded.start(data_dir, tied=True) == servers == embedded.urls(data_dir)
        assert (data_dir / "postgres/postmaster.pid").read_text() == first
        assert embedded.running(data_dir)
    finally:
        embedded.stop(data_dir)
    assert not embedded.running(data_dir)
    embedded.stop(data_dir)  # and once more does nothing


def test_only_the_server_that_was_not_given_is_started(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/else")
    monkeypatch.delenv("REDIS_URL", raising=False)
    try:
        servers = embedded.start(data_dir, tied=True)
        assert servers == embedded.Servers("postgresql://somewhere/else", embedded.urls(data_dir).redis)
        assert not (data_dir / "postgres").exists()
    finally:
        embedded.stop(data_dir)


# Settings that refuse


def _settings(code: str = "from portal import settings", **variables: str) -> subprocess.CompletedProcess[str]:
    """Load the settings of production in a process of their own, with only these variables."""
    environment = {"PATH": os.environ["PATH"], "ORTAK_MODE": "production", **variables}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


UNSAFE: list[tuple[dict[str, str], str]] = [
    ({}, "Production needs SECRET_KEY"),
    ({"SECRET_KEY": "ortak-demo-secret-key-never-use-it-in-production"}, "not the demo key"),
    ({"SECRET_KEY": "short"}, "at least 32 characters"),
    ({"SECRET_KEY": SECRET, "DEBUG": "true"}, "never runs with DEBUG"),
    ({**OWNED, "DATABASE_URL": "postgresql://db/ortak"}, "must both name their role"),
    ({**OWNED, "DATABASE_URL": "postgresql://app@db/other"}, "must name the same database"),
]


def test_unsafe_settings_are_refused() -> None:
    said = loaded([{"ORTAK_MODE": "production", **variables} for variables, _message in UNSAFE])
    for (_variables, message), words in zip(UNSAFE, said, strict=True):
        assert words.startswith("ortak: ")
        assert message in words


def test_production_settings_load_and_nothing_is_open_by_default() -> None:
    code = "from portal import settings as s; print(s.MODE, s.DEBUG, s.ALLOWED_HOSTS, s.SESSION_COOKIE_SECURE)"
    result = _settings(code, SECRET_KEY=SECRET, BASE_URL="https://portal.example.com")
    assert result.stdout.strip() == "production False [] True", result.stderr


def test_celery_gets_the_same_redis_in_its_own_words() -> None:
    brokers = {
        "redis://redis:6379/0": "redis://redis:6379/0",
        "unix:///run/r.sock": "redis+socket:///run/r.sock",
        "unix:///run/r.sock?db=3": "redis+socket:///run/r.sock?virtual_host=3",
    }
    production = {"ORTAK_MODE": "production", "SECRET_KEY": SECRET}
    said = loaded([{**production, "REDIS_URL": redis} for redis in brokers], "CELERY_BROKER_URL")
    assert said == list(brokers.values())


# The first steps of a real installation

MANAGER = {
    "vendor_name": "Example Corp",
    "first_name": "Ayşe",
    "last_name": "Yıldız",
    "email": "Ayse@vendor.example",
    "password": "correct horse battery",
}


def _bootstrap(**changed: Any) -> str:
    out = io.StringIO()
    call_command("bootstrap", stdout=out, **{**MANAGER, **changed})
    return out.getvalue()


@pytest.mark.django_db
def test_bootstrap_makes_the_vendor_and_its_programme_manager() -> None:
    assert "Created Example Corp" in _bootstrap()
    manager = User.objects.get(email="ayse@vendor.example")
    assert manager.check_password(MANAGER["password"])
    actor = selectors.actor_for(selectors.memberships(manager)[0])
    assert actor.is_vendor
    assert actor.has(rules.PROGRAMME_MANAGER)
    assert not selectors.demo_accounts_exist()
    told = Event.objects.filter(actor_kind="system").order_by("pk").values_list("verb", flat=True)
    assert list(told) == ["company.added", "person.added", "member.added"]


@pytest.mark.django_db
def test_bootstrap_refuses_a_second_vendor() -> None:
    _bootstrap()
    with pytest.raises(CommandError, match="a vendor already"):
        _bootstrap(email="other@vendor.example")
    assert Company.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"email": "nobody"}, "not an e-mail address"),
        ({"password": "12345"}, "too short.*too common"),
        ({"last_name": None}, "No terminal to ask in: give --last-name"),
        ({"first_name": ""}, "No terminal to ask in: give --first-name"),
        ({"country": "Turkey"}, "--country: 'Turkey' is no country's two-letter code"),
        ({"vendor_name": "n" * 201, "email": "@"}, "--vendor-name: .*At most 200.* --email: "),
    ],
)
def test_bootstrap_says_what_is_wrong(
    changed: dict[str, str | None], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(CommandError, match=message):
        _bootstrap(**changed)
    assert not Company.objects.exists()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str], list[str]], list[str]]:
    """Answers what is asked in a terminal, passwords apart; returns the questions asked so far."""
    asked: list[str] = []

    def answering(answers: list[str], passwords: list[str]) -> list[str]:
        given = {"input": iter(answers), "getpass": iter(passwords)}

        def answer(kind: str, question: str) -> str:
            asked.append(question)
            if (said := next(given[kind], None)) is None:
                raise EOFError
            return said

        screen = io.StringIO()
        screen.isatty = lambda: True  # type: ignore[method-assign]
        monkeypatch.setattr("sys.stdin", screen)
        monkeypatch.setattr("builtins.input", partial(answer, "input"))
        monkeypatch.setattr("portal.accounts.management.commands.bootstrap.getpass", partial(answer, "getpass"))
        return asked

    return answering


@pytest.mark.django_db
def test_bootstrap_asks_in_a_terminal(terminal: Any) -> None:
    asked = terminal(["", "tr", "Ayşe", "Yıldız", "ayse@vendor.example"], [MANAGER["password"]] * 2)
    _bootstrap(**dict.fromkeys(MANAGER))
    vendor = Company.objects.get()
    assert (vendor.name, vendor.country) == ("Microsoft", "TR")
    assert User.objects.get().email == "ayse@vendor.example"
    assert asked[:2] == ["Vendor's name [Microsoft]: ", "Vendor's country, two letters [US]: "]


@pytest.mark.django_db
def test_bootstrap_asks_again_for_a_wrong_answer_only(terminal: Any) -> None:
    words = ["n" * 201, "Example", "Turkey", "DE", "", "Ada", "Byron", "ada", "ada@vendor.example"]
    asked = terminal(
        words, ["ada@vendor", "ada@vendor", "12345", "12345", "correct horse", "other", *["hotel 7 sky"] * 2]
    )
    said = io.StringIO()
    _bootstrap(**dict.fromkeys(MANAGER), stderr=said)
    assert Company.objects.get().country == "DE"
    assert User.objects.get().check_password("hotel 7 sky")
    complaints = (
        "At most 200",
        "'Turkey' is no country's",
        "has to be filled in",
        "not an e-mail address",
        "too similar",
        "too common",
    )
    for complaint in complaints:
        assert complaint in said.getvalue()
    assert [asked.count(f"Programme manager's {name} name: ") for name in ("first", "last")] == [2, 1]


@pytest.mark.django_db
def test_bootstrap_asks_for_an_option_that_is_wrong_and_takes_the_others(terminal: Any) -> None:
    asked = terminal(["ayse@vendor.example"], [])
    _bootstrap(email="ayse", country="gb")
    assert asked == ["E-mail: "]
    assert User.objects.get().first_name == "Ayşe"


@pytest.mark.django_db
def test_bootstrap_that_is_left_creates_nothing(terminal: Any) -> None:
    terminal(["", "US", "Ada"], [])
    with pytest.raises(CommandError, match="nothing was created"):
        _bootstrap(**dict.fromkeys(MANAGER))
    assert not Company.objects.exists()


# Probes


def test_healthz_asks_no_server(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_readyz_names_every_part_and_asks_no_worker(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.json() == {"status": "ok", "database": "ok", "migrations": "ok", "redis": "ok"}
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("part", "status", "code"),
    [("database", "failing", 503), ("migrations", "failing", 503), ("redis", "degraded", 200)],
)
def test_readyz_says_what_fails_and_tells_only_the_kind(
    client: Client, part: str, status: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> str:
        raise ConnectionError("postgres://secret@db.internal")

    monkeypatch.setitem(health.CHECKS, part, broken)
    answer = client.get("/readyz")
    assert answer.status_code == code
    assert answer.json()["status"] == status
    assert answer.json()[part] == "failing: ConnectionError"
    assert "secret" not in answer.content.decode()


#: /status without what only running workers answer; that is asked in tests/e2e.
IDLE = {"status": "degraded", "workers": "failing: none answers", "tasks_waiting": 0, "tasks_taken": 0}


@pytest.mark.django_db
def test_status_says_everything_to_whoever_has_the_token(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STATUS_TOKEN = SECRET
    monkeypatch.setattr(health, "QUEUE_SECONDS", 0.05)  # no worker runs that would answer
    token = {"authorization": f"Bearer {SECRET}"}
    answer = client.get("/status", headers=token).json()
    assert answer.pop("version") == "0.1.0"
    assert answer == {**IDLE, "database": "ok", "migrations": "ok", "redis": "ok", "heartbeat": "failing: none yet"}
    heartbeat()
    assert client.get("/status", headers=token).json()["heartbeat"] == "ok"
    notify.keep_heartbeat(now=timezone.now() - timedelta(seconds=61))
    late = client.get("/status", headers=token).json()["heartbeat"]
    assert re.fullmatch(r"failing: the last one was 6\d s ago", late)


@pytest.mark.django_db
@pytest.mark.parametrize("set_to", ["", SECRET])
def test_status_gives_nothing_away_to_strangers(client: Client, settings: Any, set_to: str) -> None:
    """tests/test_roles.py has every role."""
    settings.STATUS_TOKEN = set_to
    for given in ("", "Bearer ", "Bearer wrong", f"Bearer {SECRET}x", "Bearer ı"):
        answer = client.get("/status", headers={"authorization": given})
        assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/status")


@pytest.mark.django_db
def test_probes_need_no_host_name_and_no_https(client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["portal.example.com"]
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz", headers={"host": "10.0.0.7"}).status_code == 200
    assert client.post("/healthz").status_code == 405


# The supervisor


def test_a_place_is_read_from_the_environment() -> None:
    config = run.config_from({"PORT": "9000", "HOST": "0.0.0.0", "DATA_DIR": "/srv/ortak"})  # noqa: S104
    assert config == run.ServerConfig("0.0.0.0", 9000, Path("/srv/ortak"))  # noqa: S104
    assert config.own_url == "http://127.0.0.1:9000"
    assert run.ServerConfig("::", 9000, Path("/srv")).own_url == "http://[::1]:9000"


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1", "9" * 5_000])
def test_a_wrong_port_is_refused(port: str) -> None:
    with pytest.raises(run.Refused, match="PORT must be"):
        run.config_from({"PORT": port})


def test_a_port_in_use_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = {**os.environ, "PORT": str(port), "DATA_DIR": str(tmp_path)}
        result = subprocess.run(
            [sys.executable, "-m", "portal.run"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert f"Port {port} on 127.0.0.1 is in use" in result.stderr or "node_modules is missing" in result.stderr


def test_two_copies_never_share_a_data_directory(tmp_path: Path) -> None:
    with run._only_one(tmp_path), pytest.raises(run.Refused, match="already runs"), run._only_one(tmp_path):
        pass


def test_a_child_that_dies_is_started_again_and_all_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    child = run.Child("napper", [sys.executable, "-c", "import time; time.sleep(60)"])
    supervisor = run.Supervisor(tmp_path, [child])
    supervisor.watch()
    assert child.process is not None
    first = child.process
    first.send_signal(signal.SIGKILL)
    first.wait()
    supervisor.watch()
    assert child.process is not None
    second = child.process
    assert second.pid != first.pid
    assert "napper ended (signal 9)" in capsys.readouterr().out
    began = time.monotonic()
    supervisor.stop()
    assert second.poll() is not None
    assert time.monotonic() - began < run.GRACE_SECONDS


# What others install from


def test_compose_file_has_every_part_once() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services_ = compose["services"]
    assert services_.pop("clamav")["profiles"] == ["clamav"], "only where it is asked for"
    assert set(services_) == {"proxy", "web", "worker", "beat", "migrate", "postgres", "redis", "mailpit"}
    for name, service in services_.items():
        assert "healthcheck" in service, name
        assert "container_name" not in service, f"{name} could not be scaled"
    assert all("ports" not in services_[name] for name in ("web", "worker", "beat", "migrate", "postgres", "redis"))
    assert services_["beat"]["deploy"]["replicas"] == 1
    assert services_["web"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert services_["postgres"]["image"].startswith("postgres:18.")


def test_compose_file_holds_no_secret() -> None:
    environment = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["web"]["environment"]
    assert environment["ORTAK_MODE"].startswith("${ORTAK_MODE:?")
    assert environment["SECRET_KEY"].startswith("${SECRET_KEY:?")
    assert "${DATABASE_PASSWORD:?" in environment["DATABASE_URL"]


def test_compose_gives_the_owners_role_to_the_migration_only() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services_ = compose["services"]
    for name in ("web", "worker", "beat", "migrate"):
        environment = services_[name]["environment"]
        assert environment["DATABASE_URL"].startswith("postgresql://ortak_app:${DATABASE_PASSWORD:?"), name
        assert ("DATABASE_OWNER_URL" in environment) == (name == "migrate"), name
        assert "POSTGRES_PASSWORD" not in str(environment), f"{name} knows the superuser's password"
    owner = services_["migrate"]["environment"]
    assert owner["DATABASE_OWNER_URL"].startswith("postgresql://ortak_owner:${DATABASE_OWNER_PASSWORD:?")
    assert owner["SECRET_KEY"] == services_["web"]["environment"]["SECRET_KEY"]


def test_compose_makes_the_roles_with_the_passwords_that_the_portal_has() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    postgres = compose["services"]["postgres"]
    (script,) = postgres["configs"]
    assert script["target"] == f"/docker-entrypoint-initdb.d/{database_roles.SQL.name}"
    assert ROOT / compose["configs"][script["source"]]["file"] == database_roles.SQL
    asked = re.findall(r"\\getenv \w+ (\w+)", database_roles.SQL.read_text())
    example = (ROOT / ".env.example").read_text()
    for name in (*asked, "POSTGRES_PASSWORD"):
        assert postgres["environment"][name].startswith(f"${{{name}:?"), name
        assert f"\n{name}=\n" in example
    assert asked == ["DATABASE_PASSWORD", "DATABASE_OWNER_PASSWORD"]


def test_image_runs_as_nobody_special() -> None:
    stages = (ROOT / "Dockerfile").read_text().split("\nFROM ")
    assert "\nUSER ortak\n" in stages[-1]
    assert "npm" not in stages[-1]


def test_npm_lock_names_no_registry() -> None:
    assert "resolved" not in (ROOT / "package-lock.json").read_text()


# Translations


def _catalog(tmp_path: Path, body: str) -> Path:
    source = tmp_path / "tr/LC_MESSAGES/django.po"
    source.parent.mkdir(parents=True)
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    source.write_text(header + body)
    return source


def test_catalogs_compile_without_gettext(tmp_path: Path) -> None:
    source = _catalog(tmp_path, 'msgid "Deal"\nmsgstr "Anlaşma"\n')
    assert translations.compile_all(tmp_path) == translations.check_all(tmp_path) == []
    assert source.with_suffix(".mo").exists()


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('msgid "Deal"\nmsgstr ""\n', "not translated"),
        ('#, fuzzy\nmsgid "Deal"\nmsgstr "Anlaş"\n', "not translated"),
        ('#, python-format\nmsgid "%(n)s deals"\nmsgstr "%(m)s anlaşma"\n', "placeholder"),
    ],
)
def test_an_incomplete_catalog_is_a_problem(tmp_path: Path, body: str, problem: str) -> None:
    _catalog(tmp_path, body)
    assert problem in " ".join(translations.check_all(tmp_path))


@pytest.mark.django_db
def test_logs_hide_the_links_that_let_somebody_in(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """A refused link is logged by Django with its path; the key in it stays out of the line."""
    client.get("/invite/SECRET-KEY/")
    (record,) = [r for r in caplog.records if r.name == "django.request"]
    line = logs.formatter().format(record)
    assert "SECRET-KEY" in record.getMessage()
    assert json.loads(line)["event"] == "Not Found: /invite/…/"
