"""docs/api-jobs.md as its readers run it: bash, curl and jq against the demo, with web and worker running."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from dealreg.models import Registration, Status
from portal.webhooks.models import Webhook
from referrals.models import Referral
from tests.e2e.portal import Portal, wait_for

PAGE = Path(settings.BASE_DIR) / "docs/api-jobs.md"
HOOK = "https://hooks.example.com/ortak"
JOB = "::job "
NEEDED = ("bash", "curl", "jq")


def script() -> str:
    """Every command of the page, each section behind its heading."""
    parts = re.split(r"^## (.+)$", PAGE.read_text(), flags=re.MULTILINE)
    lines = ["set -euo pipefail"]
    for heading, text in [("0. Start", parts[0]), *zip(parts[1::2], parts[2::2], strict=True)]:
        lines += [f"echo '{JOB}{heading}'", *re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]
    return "\n".join(lines)


def run(portal: Portal, folder: Path) -> list[str]:
    """What each section wrote, the start first."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    assert not missing, f"this test runs what the page tells its readers to; install {', '.join(missing)}"
    environment = {"PATH": os.environ["PATH"], "BASE": portal.url, "HOOK": HOOK, "NO_PROXY": "127.0.0.1"}
    ran = subprocess.run(
        ["bash", "-c", script()], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr
    return [part.partition("\n")[2].strip() for part in ran.stdout.split(JOB)[1:]]


def read(text: str) -> list[Any]:
    """JSON values that stand one after the other."""
    found, at, decoder = [], 0, json.JSONDecoder()
    while at < len(text):
        value, end = decoder.raw_decode(text, at)
        found.append(value)
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return found


@pytest.mark.usefixtures("transactional_db")
def test_the_ten_jobs_of_the_page_do_what_they_say(portal: Portal, tmp_path: Path) -> None:
    call_command("demo", verbosity=0)
    start, token, open_deals, created, one, stage, won, checked, registered, answered, heard = run(portal, tmp_path)
    assert start == token == ""
    rows = [line.split("\t") for line in open_deals.splitlines()]
    assert len(rows) > 10
    assert len({row[0] for row in rows}) == len(rows)
    assert created == "true"
    deal = Referral.objects.get(crm_id="006-17")
    shown, count = read(one)
    assert (shown["id"], shown["status"], shown["eTag"], count) == (str(deal.public_id), "Active", '"1"', 1)
    assert (stage, won) == ("Propose", "Won")
    assert (deal.stage, deal.substatus) == (100, "Won")
    criteria, _brace, judged = checked.partition("{")
    assert {line.split("\t")[1] for line in criteria.splitlines()} <= {"met", "settled"}, criteria
    judgement = json.loads("{" + judged)
    assert judgement["violations"] == []
    assert judgement["route"]["state"]
    assert registered == "1"
    assert answered.split() == ["Accepted", "Declined"]
    assert_registered(tmp_path)
    assert_heard(heard, deal)


def assert_registered(folder: Path) -> None:
    """The running worker checked what was filed."""
    latest = Registration.objects.exclude(submitted_at=None).latest("submitted_at")
    won = {deal["id"] for deal in json.loads((folder / "won.json").read_text())["value"]}
    assert str(latest.referral.public_id) in won
    pending = Registration.objects.filter(pk=latest.pk, status=Status.REGISTRATION_PENDING)
    wait_for(lambda: not pending.exists(), "the worker to check the registration")


def assert_heard(heard: str, deal: Referral) -> None:
    """The feed told of the new deal and of both its changes, and then of nothing; the webhook is there."""
    told = [line.split("\t") for line in heard.splitlines() if "\t" in line]
    assert [event for event, uri in told if uri.endswith(str(deal.public_id))] == [
        "referral.created",
        "referral.stage_set",
        "referral.won",
    ]
    rest = [line for line in heard.splitlines() if "\t" not in line]
    assert rest[0] == "0"
    assert "Secret" in heard
    assert Webhook.objects.get().url == HOOK
