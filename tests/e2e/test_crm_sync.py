"""A two-way CRM keeps in step with the portal (examples/crm_sync), whatever is killed meanwhile."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from examples.crm_sync.crm import Crm
from examples.crm_sync.portal import Portal as Api
from examples.crm_sync.sync import Sync, values_of
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.webhooks.services import registration, signing
from portal.workflow.blockers import RuleViolation
from referrals.models import Referral
from tests import build, do
from tests.api import SECRET, make_client
from tests.e2e.portal import Portal, free_port, wait_for

ROOT = Path(__file__).resolve().parents[2]
#: Changes in all, on both sides; CI's default keeps the suite within its time.
CHANGES = int(os.environ.get("CRM_CHANGES", "150"))
DEALS = 12
STAGES = ["Qualify", "Develop", "Propose", "Close"]
DELIVER = "portal.webhooks.tasks.deliver"


def template(cast: Cast) -> dict[str, Any]:
    member = {"firstName": "Rüya", "lastName": "İpekçi", "phoneNumber": "+90 212 555 0101", "email": build.CONTOSO}
    return {
        "organizationId": str(cast.companies["contoso"].public_id),
        "type": "Independent",
        "customerProfile": {
            "name": "Anadolu Cam Sanayi",
            "address": {"city": "Istanbul", "country": "TR"},
            "ids": [{"profileType": "Duns", "id": "510000011"}],
        },
        "consent": {"consentToToShareInfoWithOthers": True, "consentToShareReferralWithMicrosoftSellers": False},
        "details": {"requirements": {"solutions": [{"id": "SOL-10001-CTS"}]}},
        "team": [member],
    }


class Program:
    """The example as its user runs it, in a process of its own that may be killed."""

    def __init__(self, path: Path, environment: dict[str, str]) -> None:
        self.command = [sys.executable, "-m", "examples.crm_sync", str(path)]
        self.environment, self.path, self.log = environment, path, path.with_suffix(".log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("a") as log:
            self.process = subprocess.Popen(self.command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @contextmanager
    def running(self) -> Iterator[None]:
        self.start()
        try:
            yield
        finally:
            self.kill()
            crm = Crm(self.path)
            refused = [tuple(row) for row in crm.db.execute("SELECT * FROM refusal")]
            crm.db.close()
            print("--- crm_sync", self.log.read_text(), refused, sep="\n")


def random_values(chance: random.Random) -> dict[str, str]:
    day = timezone.now().date() + timedelta(days=chance.randint(1, 300))
    anything = {
        "value": f"{chance.randint(1, 10**7)}.{chance.randint(0, 99):02}",
        "currency": chance.choice(["EUR", "USD", "TRY"]),
        "close": day.isoformat(),
        "campaign": f"C-{chance.randint(1, 99)}",
        "stage": chance.choice(STAGES),
    }
    return {name: anything[name] for name in chance.sample(sorted(anything), chance.randint(1, 3))}


def change_portal(cast: Cast, chance: random.Random) -> None:
    """As a person on the deal's page."""
    deal = Referral.objects.with_context().filter(company=cast.companies["contoso"]).order_by("?").first()
    assert deal is not None
    who: dict[str, Any] = {"actor": cast.actor(build.CONTOSO), "now": timezone.now()}
    values = random_values(chance)
    if "stage" in values:
        do.set_stage(deal, stage={"Qualify": 20, "Develop": 40, "Propose": 60, "Close": 80}[values.pop("stage")], **who)
    names = {"value": "value", "currency": "currency", "close": "close_date", "campaign": "campaign_id"}
    changes: dict[str, Any] = {names[name]: value for name, value in values.items()}
    if "value" in changes:
        changes["value"] = Decimal(changes["value"])
    if "close_date" in changes:
        changes["close_date"] = timezone.datetime.fromisoformat(changes["close_date"]).date()
    if changes:
        do.edit_details(deal, **changes, **who)


def quiet(sync: Sync) -> bool:
    """Nothing to do, several times in a row: what the killed program had under way may still arrive."""
    for _round in range(5):
        if sync.run_once():
            return False
        time.sleep(0.3)
    return True


def differences(crm: Crm, api: Api) -> list[tuple[int, dict[str, str], dict[str, str] | None]]:
    found = []
    for opportunity in crm.opportunities():
        deal = api.read(str(opportunity.referral))
        theirs = values_of(deal) if deal else None
        if theirs != dict(opportunity.mine) or opportunity.changes:
            found.append((opportunity.id, dict(opportunity.mine), theirs))
    return found


@pytest.mark.parametrize("seed", [int(os.environ.get("CRM_SEED", "7"))])
def test_both_sides_are_equal_in_the_end_and_echo_nothing(
    portal: Portal, cast: Cast, tmp_path: Path, seed: int, request: pytest.FixtureRequest
) -> None:
    chance, port, path = random.Random(seed), free_port(), tmp_path / "crm.sqlite"  # noqa: S311
    make_client(cast.companies["contoso"], client_id="contoso-crm")
    admin = cast.actor("admin@contoso.example")
    names = ["referral-created", "referral-updated"]
    hook, _new = registration.set_up(url=f"http://127.0.0.1:{port}/", names=names, actor=admin, now=timezone.now())
    (tmp_path / "template.json").write_text(json.dumps(template(cast)))
    environment = {
        **os.environ,
        "PORTAL_URL": portal.url,
        "CLIENT_ID": "contoso-crm",
        "CLIENT_SECRET": SECRET,
        "TEMPLATE": str(tmp_path / "template.json"),
        "WEBHOOK_PORT": str(port),
        "WEBHOOK_SECRET": signing.secret_of(hook.secret_seed),
    }
    crm = Crm(path)
    for number in range(DEALS):
        values = {"value": "1000.00", "currency": "EUR", "close": (timezone.now() + 30 * build.DAY).date().isoformat()}
        crm.add(f"Opportunity {number}", values)
    program = Program(path, environment)
    sync = Sync(Crm(path), Api(portal.url, "contoso-crm", SECRET), template(cast))
    for close in (crm.db.close, sync.crm.db.close, sync.portal.http.close):
        request.addfinalizer(close)
    with program.running():
        wait_for(lambda: Referral.objects.filter(company=cast.companies["contoso"]).exists(), "the first deals")
        for number in range(CHANGES):
            if chance.random() < 0.5:
                crm.change(chance.choice(crm.opportunities()).id, random_values(chance))
            else:
                try:
                    change_portal(cast, chance)
                except RuleViolation as refused:
                    if set(refused.codes) - {"same_stage", "stale", "conflict"}:  # or the CRM was faster
                        raise
            if number % 40 == 0:
                portal.beat(DELIVER)
            if number % 97 == 96:
                program.kill()
                program.start()
            if number % 211 == 210:
                portal.worker.kill()
                portal.worker.start()
            time.sleep(chance.random() * 0.02)
    wait_for(lambda: quiet(sync), "nothing left to do", seconds=60)
    assert differences(crm, sync.portal) == []
    assert len(crm.opportunities()) == Referral.objects.filter(company=cast.companies["contoso"]).count() == DEALS
    events = Event.objects.count()
    assert quiet(sync)
    assert Event.objects.count() == events
