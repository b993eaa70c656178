"""The registration of webhooks by API (F2), and the feed of events (wire.md, /v1.0/events)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from standardwebhooks import Webhook as Verifier

from portal.accounts import rules as roles
from portal.api import rules as scopes
from portal.demo.cast import ANKARA, Cast
from portal.events.models import Event
from portal.events.selectors import Cursor
from portal.webhooks import rules, selectors, sweeps
from portal.webhooks.models import Delivery, Webhook
from referrals.rules import NO_HELP
from tests import build, do, exceptions
from tests.api import Api, make_client
from tests.build import CONTOSO, DAY, NOW
from tests.receiver import answers, listening
from tests.test_feed import happened, settled

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/webhooks/v1/registration"
URL = "https://crm.example.com/hooks?key=1"


@pytest.fixture
def api(cast: Cast) -> Api:
    return Api(make_client(cast.companies["contoso"]))


def given(**changes: Any) -> dict[str, Any]:
    return {"WebhookUrl": URL, "WebhookEvents": ["referral-created", "test-created"], **changes}


# F2, call by call


def test_the_events_there_are(api: Api) -> None:
    answer = api.get(f"{PATH}/events")
    assert (answer.status_code, answer.json()) == (200, list(rules.EVENTS))
    assert {"referral-created", "related-referral-updated", "test-created"} <= set(answer.json())


def test_set_up_read_and_change(api: Api) -> None:
    assert api.get(PATH).status_code == 404
    assert api.put(PATH, given()).status_code == 404
    made = api.post(PATH, given())
    assert made.status_code == 200
    webhook = Webhook.objects.get()
    secret = made.json()["Secret"]
    assert secret.startswith("whsec_")
    shown = {"WebhookUrl": URL, "WebhookEvents": ["referral-created", "test-created"]}
    assert made.json() == {"SubscriberId": str(webhook.public_id), **shown, "Secret": secret}
    assert api.get(PATH).json() == shown
    changed = api.put(f"{PATH}/", given(WebhookEvents=["referral-updated"], SignatureTokenToMsSignatureHeader=True))
    assert changed.json() == {
        "SubscriberId": str(webhook.public_id),
        "WebhookUrl": URL,
        "WebhookEvents": ["referral-updated"],
    }
    webhook.refresh_from_db()
    assert webhook.ms_signature_header
    assert "Secret" not in api.post(PATH, given()).json()
    told = Event.objects.filter(verb__startswith="webhook.").order_by("pk")
    assert [(e.verb, e.actor_kind) for e in told] == [
        ("webhook.created", "client"),
        ("webhook.changed", "client"),
        ("webhook.changed", "client"),
    ]


def test_keys_in_any_case(api: Api) -> None:
    body = {"webhookurl": URL, "WEBHOOKEVENTS": ["test-created"], "signatureTokenToMSSignatureHeader": True}
    assert api.post(PATH, body).status_code == 200
    assert Webhook.objects.get().ms_signature_header


WRONG = {
    "no url": ({"WebhookEvents": ["test-created"]}, 400, "WebhookUrl"),
    "no events": ({"WebhookUrl": URL}, 400, "WebhookEvents"),
    "events are none": (given(WebhookEvents="test-created"), 400, "WebhookEvents"),
    "empty events": (given(WebhookEvents=[]), 422, "WebhookEvents"),
    "unknown event": (given(WebhookEvents=["deal-sneezed"]), 422, "WebhookEvents"),
    "no https": (given(WebhookUrl="http://example.com/"), 422, "WebhookUrl"),
    "inside": (given(WebhookUrl="https://10.0.0.1/"), 422, "WebhookUrl"),
    "no address": (given(WebhookUrl="here"), 422, "WebhookUrl"),
    "no object": ([1], 400, ""),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_is_refused_names_its_field(wrong: Any, api: Api) -> None:
    body, status, target = wrong
    answer = api.post(PATH, body)
    assert answer.status_code == status, answer.content
    assert answer.json()["error"]["code"] == "invalidRequest"
    assert answer.json()["error"]["target"] == target
    assert not Webhook.objects.exists()


def test_a_test_from_its_asking_to_its_result(api: Api) -> None:
    """F2: validationEvents, two a minute."""
    with listening(answers(202, b"thanks")) as hook:
        secret = api.post(PATH, given(WebhookUrl=hook.url)).json()["Secret"]
        asked = api.post(f"{PATH}/validationEvents")
        assert asked.status_code == 200
        (key, number) = next(iter(asked.json().items()))
        assert key == "correlationId"
        waiting = api.get(f"{PATH}/validationEvents/{number}").json()
        assert (waiting["status"], waiting["results"]) == ("pending", [])
        assert sweeps.deliver_due(now=timezone.now()) == 1
        got = hook.received[0]
    assert Verifier(secret).verify(got.body, got.headers)["EventName"] == "test-created"
    result = api.get(f"{PATH}/validationEvents/{number}").json()
    assert list(result) == ["correlationId", "partnerId", "status", "callbackUrl", "results"]
    assert (result["status"], result["callbackUrl"]) == ("completed", hook.url)
    (attempt,) = result["results"]
    assert (attempt["responseCode"], attempt["responseMessage"], attempt["systemError"]) == ("202", "thanks", False)
    assert api.post(f"{PATH}/validationEvents").status_code == 200
    third = api.post(f"{PATH}/validationEvents")
    assert third.status_code == 429
    assert 0 < int(third.headers["Retry-After"]) <= 60
    Delivery.objects.update(created_at=timezone.now() - rules.KEEP_TESTS - DAY)
    assert api.get(f"{PATH}/validationEvents/{number}").status_code == 404


def test_a_test_that_was_not_registered(api: Api) -> None:
    assert api.post(f"{PATH}/validationEvents").status_code == 404
    api.post(PATH, given(WebhookEvents=["referral-created"]))
    refused = api.post(f"{PATH}/validationEvents")
    assert refused.status_code == 422
    assert refused.json()["error"]["details"][0]["code"] == "test_not_chosen"


def test_org_6_another_companys_webhook_is_none(cast: Cast, api: Api) -> None:
    api.post(PATH, given())
    number = api.post(f"{PATH}/validationEvents").json()["correlationId"]
    other = Api(make_client(cast.companies["fabrikam"]))
    assert other.get(PATH).status_code == 404
    assert other.get(f"{PATH}/validationEvents/{number}").status_code == 404
    assert other.get(f"{PATH}/validationEvents/{uuid4()}").status_code == 404
    assert other.get(f"{PATH}/validationEvents/none").status_code == 404
    other.post(PATH, given(WebhookUrl="https://fabrikam.example.com/"))
    assert api.get(PATH).json()["WebhookUrl"] == URL


CALLS = [
    ("GET", PATH),
    ("POST", PATH),
    ("PUT", PATH),
    ("GET", f"{PATH}/events"),
    ("POST", f"{PATH}/validationEvents"),
    ("GET", f"{PATH}/validationEvents/0197a3a0-0000-7000-8000-00000000beef"),
    ("GET", "/v1.0/events"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_token_and_its_scope_are_needed(method: str, path: str, cast: Cast) -> None:
    api = Api(make_client(cast.companies["contoso"], scopes=scopes.READ))
    assert api.call(method, path, given()).status_code == 403
    assert api.call(method, path, given(), Authorization="Bearer none").status_code == 401
    assert api.call(method, path, given(), Authorization="").status_code == 401


# The feed


def feed(api: Api, start: str = "/v1.0/events") -> list[dict[str, Any]]:
    """Every page, by the links alone."""
    settled()
    found: list[dict[str, Any]] = []
    path: str | None = start
    while path:
        page = api.get(path)
        assert page.status_code == 200, page.content
        found += page.json()["value"]
        link = page.json().get("@odata.nextLink")
        path = link.partition("8000")[2] if link else None
        delta = page.json().get("@odata.deltaLink")
        assert bool(link) != bool(delta)
    return found


def test_a_reader_catches_up(cast: Cast, api: Api) -> None:
    """From the start, page by page, and later from where it was."""
    deal = build.deal(cast)
    first = feed(api, "/v1.0/events?$top=1")
    assert sorted((e["event"], e["related"]) for e in first) == [
        ("referral.created", False),
        ("referral.received", True),
    ]
    own = next(e for e in first if not e["related"])
    assert own["resourceUri"] == f"http://127.0.0.1:8000/engagements/v1/referrals/{deal.public_id}"
    assert own["resourceId"] == str(deal.public_id)
    assert own["eTag"] == '"1"'
    assert list(own) == [
        "id",
        "cursor",
        "event",
        "dateTime",
        "resourceName",
        "resourceId",
        "resourceUri",
        "related",
        "eTag",
        "actorType",
        "actorName",
    ]
    delta = api.get(f"/v1.0/events?$skiptoken={first[-1]['cursor']}").json()["@odata.deltaLink"]
    do.set_stage(deal, stage=40, actor=cast.actor(CONTOSO), now=NOW)
    later = feed(api, delta.partition("8000")[2])
    assert [e["event"] for e in later] == ["referral.stage_set"]
    assert later[0]["actorName"] == "Rüya İpekçi"


def test_org_6_others_events_say_no_more_than_a_card(cast: Cast, api: Api) -> None:
    deal = build.deal(cast)
    vendors = build.vendor_copy(deal)
    build.accept(cast, vendors, at=NOW)
    do.add_note(vendors, text="Ours.", shared=False, actor=cast.actor(build.SELLER), now=NOW)
    related = [e for e in feed(api) if e["related"]]
    assert sorted(e["event"] for e in related) == ["referral.accepted", "referral.received"]
    assert {(e["eTag"], e["actorType"], e["actorName"]) for e in related} == {(None, None, None)}
    assert {e["resourceId"] for e in related} == {str(vendors.public_id)}


def test_org_6_strangers_and_the_vendor_read_nothing_of_a_private_deal(cast: Cast, api: Api) -> None:
    deal = build.deal(cast, help_code=NO_HELP, vendor_may_view=False)
    stranger = Api(make_client(cast.companies["fabrikam"]))
    vendor = Api(make_client(cast.companies["vendor"], role=roles.PROGRAMME_MANAGER, client_id="vendor"))
    assert (feed(stranger), feed(vendor)) == ([], [])
    do.share_with_vendor(deal, actor=cast.actor(CONTOSO), now=NOW)
    do.set_stage(deal, stage=40, actor=cast.actor(CONTOSO), now=NOW)
    assert "referral.stage_set" in [e["event"] for e in feed(vendor)]
    assert all(e["related"] and e["actorName"] is None for e in feed(vendor))
    assert feed(stranger) == []


def test_org_4_a_client_of_a_location_reads_what_happens_there(cast: Cast) -> None:
    ankara = Api(make_client(cast.companies["contoso"], location=cast.locations[ANKARA], client_id="ankara"))
    build.deal(cast)
    assert feed(ankara) == []
    build.deal(cast, location=cast.locations[ANKARA])
    assert "referral.created" in [e["event"] for e in feed(ankara)]


def test_registrations_stand_in_the_feed(cast: Cast, api: Api) -> None:
    filed = build.submitted(cast, build.won(cast))
    told = [e for e in feed(api) if e["resourceName"] == "registration"]
    assert [e["event"] for e in told] == ["registration.opened", "registration.submitted"]
    assert told[0]["resourceUri"].endswith(f"/v1.0/registrations/{filed.public_id}")
    vendor = Api(make_client(cast.companies["vendor"], role=roles.REVIEWER, client_id="vendor"))
    assert [e["event"] for e in feed(vendor) if e["resourceName"] == "registration"] == [e["event"] for e in told]


def test_exc_8_requests_for_exceptions_stand_in_the_feed_without_votes(cast: Cast, api: Api) -> None:
    """And webhooks tell the partner of the decision, the vendor of each vote, too."""
    asked = exceptions.asked(cast, exceptions.ineligible(cast))
    vendor = Api(make_client(cast.companies["vendor"], role=roles.PROGRAMME_MANAGER, client_id="vendor"))
    with listening() as partners, listening() as vendors:
        for client, hook in ((api, partners), (vendor, vendors)):
            client.post(PATH, given(WebhookUrl=hook.url, WebhookEvents=["exception-updated"]))
        exceptions.vote(cast, asked, "approve", "approve")
        settled()
        sweeps.deliver_due(now=NOW)
    assert [r.json["ResourceUri"].partition("8000")[2] for r in partners.received] == [
        f"/v1.0/exceptions/{asked.public_id}"
    ]
    assert len(vendors.received) == 2
    mine = [e for e in feed(api) if e["resourceName"] == "exception"]
    assert [e["event"] for e in mine] == ["exception.asked", "exception.approved"]
    assert [e["actorName"] for e in mine] == ["Rüya İpekçi", None]
    theirs = [e["event"] for e in feed(vendor) if e["resourceName"] == "exception"]
    assert sorted(theirs) == ["exception.approved", "exception.asked", "exception.voted", "exception.voted"]


def test_rare_events_among_those_of_others(
    cast: Cast, api: Api, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    """A request looks through a bounded part of the feed; pages may be empty, and lead on."""
    monkeypatch.setattr(selectors, "WINDOW", 10)
    happened(45)
    build.deal(cast)
    happened(7)
    assert {e["event"] for e in feed(api)} >= {"referral.created"}
    with django_assert_max_num_queries(12):
        api.get("/v1.0/events")


@pytest.mark.parametrize("query", ["$top=0", "$top=-1", "$top=x", "$skiptoken=x", "$skiptoken=1", "$skiptoken=-1-1"])
def test_what_cant_be_read_is_400(query: str, api: Api) -> None:
    answer = api.get(f"/v1.0/events?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["target"] == query.partition("=")[0]


def test_a_cursor_of_the_last_event_and_a_large_top(cast: Cast, api: Api) -> None:
    build.deal(cast)
    settled()
    last = Event.objects.order_by("-xid", "-pk")[0]
    page = api.get(f"/v1.0/events?$top=100000&$skiptoken={Cursor.of(last)}").json()
    assert page["value"] == []
    assert f"%24top={500}&%24skiptoken={Cursor.of(last)}" in page["@odata.deltaLink"]
