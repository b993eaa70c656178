"""Every process says in one line why it doesn't start: the mode, a badly typed variable, demo data in production."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from portal.accounts.models import User
from portal.refusals import DEMO_ACCOUNTS, EXIT_CODE
from portal.variables import Refused, Variables

ROOT = Path(__file__).resolve().parent.parent
SECRET = "x" * 40
CELERY = ["-m", "celery", "-A", "portal.celery"]
PROCESSES = {
    "manage.py": ["manage.py", "check"],
    "web": ["-m", "gunicorn", "-c", "portal/gunicorn.py"],
    "worker": [*CELERY, "worker", "--pool", "solo", "--loglevel", "INFO"],
    "beat": [*CELERY, "beat", "--schedule", "{schedule}", "--loglevel", "INFO"],
}
MODES = "production, demo or test"


def command(name: str, tmp_path: Path) -> list[str]:
    return [sys.executable, *(part.format(schedule=tmp_path / "schedule") for part in PROCESSES[name])]


def ended(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The process once it has ended, with nothing of this one's environment but what is given."""
    return subprocess.run(
        arguments,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("process", "variables", "line"),
    [
        *((process, {}, f"ORTAK_MODE is not set: it must be {MODES}.") for process in PROCESSES),
        ("web", {"ORTAK_MODE": "demo", "PORT": "http"}, "PORT must be a whole number from 0 to 65535, not 'http'."),
        ("web", {"ORTAK_MODE": "demo", "WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY must be a whole number from 1 to"),
    ],
)
def test_every_process_asks_for_the_mode_and_says_what_is_wrong_in_one_line(
    process: str, variables: dict[str, str], line: str, tmp_path: Path
) -> None:
    result = ended(command(process, tmp_path), {"DATA_DIR": str(tmp_path / "data"), **variables})
    assert "Traceback" not in result.stdout + result.stderr
    complaints = [said for said in result.stderr.splitlines() if "[INFO]" not in said]  # gunicorn greets first
    assert len(complaints) == 1
    assert complaints[0].startswith(f"ortak: {line}")
    assert result.returncode == 1
    assert not (tmp_path / "data").exists(), "no server was started for it"


#: Loads the settings with each of the given environments in turn; writes down the refusal, or how one of them is set.
LOAD = """
import importlib, json, os, sys
said = []
for variables in json.load(sys.stdin):
    os.environ.update(variables)
    try:
        settings = importlib.import_module("portal.settings")
    except SystemExit as end:
        said.append(end.code)
    else:
        said.append(getattr(settings, sys.argv[1]))
        del sys.modules["portal.settings"]
    for name in variables:
        del os.environ[name]
json.dump(said, sys.stdout)
"""
BADLY_TYPED = [
    ("ORTAK_MODE", "prodution", f"must be {MODES}, not 'prodution'."),
    ("DEBUG", "maybe", "must be true or false, not 'maybe'"),
    ("DEBUG", "2", "must be true or false, not '2'"),
    ("ECB_FETCH", "ja", "must be true or false, not 'ja'"),
    ("SSL_REDIRECT", "o n", "must be true or false"),
    ("BEHIND_PROXY", "caddy", "must be true or false"),
    ("LOG_LEVEL", "LOUD", "must be DEBUG, INFO, WARNING, ERROR or CRITICAL, not 'LOUD'"),
    ("BASE_URL", "portal.example.com", "must look like https://portal.example.com"),
    ("DATABASE_URL", "mysql://ortak:hush@db/ortak", "must look like postgresql://"),
    ("DATABASE_URL", "postgresql://ortak:hush@db:port/ortak", "must look like postgresql://"),
    ("DATABASE_URL", "postgresql://ortak:hush@db", "must look like postgresql://"),
    ("REDIS_URL", "http://:hush@redis:6379", "must look like redis://"),
    ("EMAIL_URL", "mail.example.com:587", "must look like smtp+tls://"),
    ("EMAIL_URL", "smtp+tls://ada:hush@mail:five", "must look like smtp+tls://"),
    ("ALLOWED_HOSTS", "https://portal.example.com", "must be host names separated by commas, without https://"),
    ("CSRF_TRUSTED_ORIGINS", "portal.example.com", "must be origins like https://portal.example.com"),
]


def loaded(environments: Sequence[Mapping[str, str]], setting: str = "MODE") -> list[str]:
    """What each environment's settings are refused with, or how this one of them is set; all in one process."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LOAD, setting],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        input=json.dumps(environments),
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


def test_a_badly_typed_variable_is_one_line_that_shows_no_password() -> None:
    demo = {"ORTAK_MODE": "demo"}
    *said, good = loaded([*({**demo, name: value} for name, value, _line in BADLY_TYPED), demo])
    assert good == "demo"
    for (name, _value, line), words in zip(BADLY_TYPED, said, strict=True):
        assert words.startswith(f"ortak: {name} {line}")
        assert "\n" not in words
        assert "hush" not in words


@pytest.mark.parametrize(("value", "read"), [("", False), ("TRUE", True), ("1", True), ("off", False), (" no ", False)])
def test_yes_and_no_are_read_in_the_usual_spellings_and_empty_is_not_given(value: str, read: bool) -> None:
    assert Variables({"DEBUG": value}).flag("DEBUG", False) is read
    assert Variables({"DEBUG": ""}).flag("DEBUG", True) is True


def test_a_secret_that_begins_with_a_dollar_is_taken_as_it_is() -> None:
    assert Variables({"SECRET_KEY": "$HOME", "HOME": "/root"}).text("SECRET_KEY") == "$HOME"


@pytest.mark.parametrize("value", ["http", "²", "-1", "65536", "1.5", "9" * 5000])
def test_a_number_is_whole_and_within_its_bounds(value: str) -> None:
    with pytest.raises(Refused, match="PORT must be a whole number from 0 to 65535"):
        Variables({"PORT": value}).number("PORT", 8000, highest=65535)


# Demo data in production


@pytest.fixture
def production(process_env: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """A production process's environment on this test's database."""
    own = {"ORTAK_MODE": "production", "SECRET_KEY": SECRET, "DJANGO_SETTINGS_MODULE": "portal.settings", "PORT": "0"}
    return {**process_env, **own, "STATIC_ROOT": str(tmp_path), "DATA_DIR": str(tmp_path)}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("process", ["web", "worker", "beat"])
def test_no_process_of_production_runs_over_demo_accounts(
    process: str, production: dict[str, str], tmp_path: Path
) -> None:
    User.objects.create_user("someone@vendor.example", is_demo=True)
    result = ended(command(process, tmp_path), production)
    assert result.returncode == EXIT_CODE
    assert f"ortak: {DEMO_ACCOUNTS}" in result.stderr.splitlines()
    assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.django_db
def test_the_demo_is_never_loaded_in_production(settings: object) -> None:
    settings.MODE = "production"  # type: ignore[attr-defined]
    for options in ([], ["--if-empty"]):
        with pytest.raises(CommandError, match="Production never runs with demo accounts"):
            call_command("demo", *options)
    assert not User.objects.exists()
