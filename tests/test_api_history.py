"""Any sequence of calls by two clients leaves a history that leads to what there is (done-when 3 of the API)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import models, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dealreg.models import Registration
from portal.demo.cast import Cast
from portal.events import services as events
from portal.events.models import Event
from referrals.models import Referral
from tests.api import Api, make_client
from tests.edge import Live
from tests.test_api_referrals_create import body
from tests.test_connector import registration_value
from tests.test_machines import columns_of, key

REFERRALS = "/v1.0/engagements/referrals"
EXAMPLES = int(os.environ.get("ORTAK_API_HISTORIES", "8"))
STEPS = 14
WALK = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
PERSON = {"firstName": "A", "lastName": "B", "phoneNumber": "+90 212", "email": "new@contoso.example"}
WON = [("/status", "Closed"), ("/substatus", "Won")]
LOST = [("/status", "Closed"), ("/substatus", "Lost"), ("/statusReason", "4")]


def replaced(*pairs: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"op": "replace", "path": path, "value": value} for path, value in pairs]


def calls(live: Live) -> list[tuple[str, str, Any]]:
    """Method, what follows the deal's address, and body; most of them are often allowed."""
    value = registration_value(live, value="2000000", currency="EUR")
    patches = [
        replaced(("/salesStage", "Propose")),
        replaced(("/salesStage", 20), ("/campaignId", "spring")),
        replaced(("/details/dealValue", "45000"), ("/details/currency", "USD")),
        replaced(("/details/dealValue", -1), ("/campaignId", "never")),
        replaced(("/details/notes", "Called them")),
        replaced(("/lastModifiedVia", "CRM"), ("/lastRunId", "r1"), ("/externalReferenceId", "006-18")),
        replaced(("/consent/consentToShareReferralWithMicrosoftSellers", True)),
        [{"op": "add", "path": "/team/-", "value": PERSON}],
        replaced(*WON),
        replaced(*LOST),
        [{"op": "add", "path": "/registrations/-", "value": value}],
        replaced(("/registrations/0/contract/value", "41000")),
    ]
    actions = [{"action": "setStage", "stage": "40"}, {"action": "scheduleWin"}, {"action": "cancelWin"}]
    actions += [{"action": "lose", "reasonCode": "other", "note": "Too dear"}, {"action": "no"}]
    return [
        *(("PATCH", "", one) for one in patches),
        *(("POST", "/actions", one) for one in actions),
        ("POST", "/notes", {"text": "Hello", "shared": False}),
        ("PUT", "", {"name": "Renamed", "details": {"dealValue": 5, "currency": "EUR"}}),
    ]


@dataclass
class Walk:
    """Two clients of one company and a stranger, and one deal."""

    data: Any
    clients: list[Api]
    stranger: Api
    calls: list[tuple[str, str, Any]]
    pk: int
    address: str
    #: The version that each client read last, and what it sent under a key, with its answer.
    seen: dict[int, int] = field(default_factory=dict)
    kept: list[tuple[int, str, str, Any, dict[str, str], Any]] = field(default_factory=list)

    @property
    def deal(self) -> Referral:
        return Referral.objects.get(pk=self.pk)

    def rows(self) -> list[models.Model]:
        return [self.deal, *Registration.objects.filter(referral=self.pk)]

    def state(self) -> Any:
        """Everything that a call could have changed."""
        columns = {key(row): [row.version, events.snapshot(row)] for row in self.rows()}  # type: ignore[attr-defined]
        team = sorted(self.deal.team.values_list("email", flat=True))
        group = Event.objects.filter(group=self.deal.event_group)
        return columns, team, self.deal.engagement.notes.count(), group.count()

    def step(self) -> None:
        draw = self.data.draw
        who = draw(st.integers(0, len(self.clients) - 1))
        kind = draw(st.sampled_from(["read", "write", "write", "write", "again", "other body", "stranger"]))
        if kind == "read":
            self.seen[who] = int(self.clients[who].get(self.address)["ETag"].strip('"'))
        elif kind == "write":
            self.write(who, draw)
        elif kind == "stranger":
            method, rest, sent = draw(st.sampled_from(self.calls))
            self.unchanged(self.stranger, method, rest, sent, {"If_Match": "*"}, 404)
        elif self.kept:
            self.again(kind, draw)

    def write(self, who: int, draw: Any) -> None:
        method, rest, sent = draw(st.sampled_from(self.calls))
        before, version = self.state(), self.deal.version
        headers = {}
        if who in self.seen and draw(st.integers(0, 3)):
            headers["If_Match"] = f'"{self.seen[who]}"'
        elif method == "PUT":
            headers["If_Match"] = "*"
        if draw(st.booleans()):
            headers["Idempotency_Key"] = f"k{len(self.kept)}"
        answer = self.clients[who].call(method, self.address + rest, sent, **headers)
        stale = headers.get("If_Match", "*") not in ("*", f'"{version}"')
        assert answer.status_code in (200, 201, 204, 400, 403, 409, 412, 422), answer.content
        if answer.status_code >= 400:
            assert self.state() == before
            # What the state doesn't allow any more says so, whatever version it was decided on (FLOW-7).
            assert answer.status_code in (400, 409, 412) if stale else answer.status_code != 412, answer.content
            return
        assert not stale
        assert (self.deal.version > version) == (self.state() != before)
        if "ETag" in answer:
            assert answer["ETag"] == f'"{self.deal.version}"'
            self.seen[who] = self.deal.version
        if "Idempotency_Key" in headers and method != "PUT":
            self.kept.append((who, method, rest, sent, headers, answer))

    def again(self, kind: str, draw: Any) -> None:
        """The same request under the same key is answered as it was; another body under it is refused."""
        who, method, rest, sent, headers, first = draw(st.sampled_from(self.kept))
        if kind == "other body":
            self.unchanged(self.clients[who], method, rest, {"action": "x"}, headers, 409)
            return
        answer = self.unchanged(self.clients[who], method, rest, sent, headers, first.status_code)
        assert (answer.content, answer.get("ETag")) == (first.content, first.get("ETag"))
        assert answer["Idempotency-Replayed"] == "true"

    def unchanged(self, api: Api, method: str, rest: str, sent: Any, headers: dict[str, str], status: int) -> Any:
        before = self.state()
        answer = api.call(method, self.address + rest, sent, **headers)
        assert answer.status_code == status, answer.content
        assert self.state() == before
        return answer

    def check_history(self) -> None:
        """Each event begins where the one before it ended, and the last ends at what there is; versions only grow."""
        for row in self.rows():
            told = list(Event.objects.of_subject(row).exclude(verb="referral.note_added").order_by("pk"))
            state: dict[str, Any] = {}
            for event in told:
                for name, value in columns_of(event.before, row).items():
                    assert state.setdefault(name, value) == value, (event.verb, name)
                state |= columns_of(event.after, row)
            assert state.items() <= columns_of(events.snapshot(row), row).items()
            versions = [event.version for event in told if event.version]
            assert versions == sorted(set(versions))
            assert not versions or versions[-1] <= row.version  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_any_interleaving_of_two_clients_leaves_a_consistent_history(cast: Cast, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 0
    contoso, fabrikam = cast.companies["contoso"], cast.companies["fabrikam"]
    clients = [Api(make_client(contoso, client_id=name)) for name in ("one", "two")]
    stranger, live = Api(make_client(fabrikam)), Live(cast)
    statuses = []

    @WALK
    @given(st.data())
    def walk(data: Any) -> None:
        with transaction.atomic():
            made = clients[0].post(REFERRALS, body()).json()
            deal = Referral.objects.get(public_id=made["id"])
            walked = Walk(data, clients, stranger, calls(live), deal.pk, f"{REFERRALS}/{made['id']}")
            for _number in range(STEPS):
                walked.step()
            walked.check_history()
            statuses.append(walked.deal.substatus)
            transaction.set_rollback(True)

    walk()
    assert len(set(statuses)) > 1
