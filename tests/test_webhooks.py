"""Webhooks: each change is told once, in order, at least once, signed both ways, whatever receivers and workers do."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from portal.accounts.rules import SYSTEM, Actor, Grant
from portal.customers.models import Customer
from portal.demo.cast import Cast
from portal.events import services as events
from portal.events.models import Event
from portal.webhooks import rules, sweeps
from portal.webhooks.models import Delivery, FeedPosition, SigningKey, Webhook
from portal.webhooks.selectors import ANNOUNCERS, Announcement
from portal.webhooks.services import registration, signing
from portal.workflow.blockers import RuleViolation
from referrals import verbs
from referrals.models import Referral
from referrals.rules import NO_HELP
from tests import build, do, receiver
from tests.build import CONTOSO, DAY, NOW
from tests.receiver import Receiver, answers, listening
from tests.test_concurrency import at_once
from tests.test_feed import settled, uncommitted

pytestmark = pytest.mark.django_db(transaction=True)

ADMIN, MANAGER = "admin@contoso.example", "manager@vendor.example"
FABRIKAM, NORTHWIND = "referrals@fabrikam.example", "referrals@northwind.example"
ALL = [*rules.EVENTS]
#: What a round takes at most in these tests: pauses begin when an attempt has ended.
MOMENT = timedelta(seconds=5)


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with listening() as receiver:
        yield receiver


@pytest.fixture(autouse=True)
def _small_keys(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of the real size takes a quarter of a second: it is made where its certificate is fetched and used."""
    if "client" not in request.fixturenames:
        monkeypatch.setattr(signing, "KEY_BITS", 1024)


def collect() -> int:
    """Make deliveries of everything new in the feed; how many."""
    total = 0
    while (written := sweeps.collect_batch(NOW)) is not None:
        total += written
    return total


def keeper(cast: Cast, email: str) -> Actor:
    """This person, as if they kept their company."""
    role = "programme_manager" if email == MANAGER else "account_admin"
    return replace(cast.actor(email), grants=frozenset({Grant(role)}))


def subscribe(cast: Cast, url: str, *, by: str = ADMIN, names: list[str] | None = None, **given: Any) -> Webhook:
    made, _new = registration.set_up(
        url=url, names=names or ALL, actor=keeper(cast, by), now=given.pop("now", NOW), **given
    )
    return made


def deliver(now: datetime = NOW) -> int:
    settled()
    return sweeps.deliver_due(now=now)


def told(receiver: Receiver) -> list[tuple[str, str]]:
    """Names and the last part of the resources, in the order in which they came."""
    return [(r.json["EventName"], r.json["ResourceUri"].rpartition("/")[2]) for r in receiver.received]


# What is told to whom


def test_a_deal_and_what_becomes_of_it(cast: Cast, hook: Receiver) -> None:
    """F2: created, the vendor's copy beside it, the answer, a stage, the win with its registration."""
    subscribe(cast, hook.url)
    deal = build.deal(cast)
    vendors = build.vendor_copy(deal)
    own, other = str(deal.public_id), str(vendors.public_id)
    deliver()
    assert sorted(told(hook)) == sorted([("referral-created", own), ("related-referral-created", other)])
    hook.received.clear()
    build.accept(cast, vendors, at=NOW)
    do.set_stage(deal, stage=40, actor=cast.actor(CONTOSO), now=NOW)
    deliver()
    assert sorted(told(hook)) == sorted([("related-referral-updated", other), ("referral-updated", own)])
    hook.received.clear()
    do.win(deal, actor=cast.actor(CONTOSO), now=NOW)
    deliver()
    assert told(hook) == [("referral-updated", own)], "the win and the opened registration are one change"
    first = hook.received[0]
    assert first.json == {
        "EventName": "referral-updated",
        "ResourceUri": f"http://127.0.0.1:8000/engagements/v1/referrals/{own}",
        "ResourceName": "referral",
        "AuditUri": None,
        "ResourceChangeUtcDate": f"{NOW:%Y-%m-%dT%H:%M:%S}.0000000Z",
    }
    assert list(first.json) == ["EventName", "ResourceUri", "ResourceName", "AuditUri", "ResourceChangeUtcDate"]


def test_a_registration_is_told_as_itself_and_as_its_deal(cast: Cast, hook: Receiver) -> None:
    subscribe(cast, hook.url)
    deal = build.won(cast)
    deliver()
    hook.received.clear()
    filed = build.submitted(cast, deal)
    deliver()
    assert told(hook) == [
        ("registration-updated", str(filed.public_id)),
        ("referral-updated", str(deal.public_id)),
    ] or told(hook) == [("referral-updated", str(deal.public_id)), ("registration-updated", str(filed.public_id))]
    assert {r.json["ResourceUri"].partition("8000")[2].split("/")[1] for r in hook.received} == {"v1.0", "engagements"}


def test_org_6_only_what_the_own_page_shows(cast: Cast) -> None:
    """Two partners invited by a third don't learn of each other; nobody of notes that are private; the vendor of
    nothing private."""
    build.northwind_ready(cast)
    with listening() as contoso, listening() as fabrikam, listening() as northwind, listening() as vendor:
        subscribe(cast, contoso.url)
        subscribe(cast, fabrikam.url, by=FABRIKAM)
        subscribe(cast, northwind.url, by=NORTHWIND)
        subscribe(cast, vendor.url, by=MANAGER)
        deal = build.deal(cast, help_code=NO_HELP, vendor_may_view=False)
        deliver()
        assert told(contoso) == [("referral-created", str(deal.public_id))]
        copies = [_invite(cast, deal, partner) for partner in ("fabrikam", "northwind")]
        deliver()
        own, (one, two) = str(deal.public_id), [str(copy.public_id) for copy in copies]
        assert sorted(told(fabrikam)) == sorted(
            [
                ("referral-created", one),
                ("related-referral-created", own),
                ("referral-updated", one),
                ("related-referral-updated", own),
            ]
        )
        assert ("related-referral-created", two) in told(contoso)
        assert all(two not in pair for pair in told(fabrikam))
        assert all(one not in pair for pair in told(northwind))
        assert told(vendor) == []
        for each in (contoso, fabrikam, northwind):
            each.received.clear()
        do.add_note(deal, text="Ours.", shared=False, actor=cast.actor(CONTOSO), now=NOW)
        deliver()
        assert (told(contoso), told(fabrikam)) == ([("referral-updated", own)], [])
        do.share_with_vendor(deal, actor=cast.actor(CONTOSO), now=NOW)
        deliver()
        assert told(vendor) == [("related-referral-created", own)]


def _invite(cast: Cast, deal: Referral, partner: str) -> Referral:
    wanted = cast.companies[partner]
    solution = next(s for s in cast.solutions.values() if s.publisher_id == wanted.pk)
    invitation = verbs.Invitation(
        partner=wanted,
        solutions=[solution],
        value=deal.money,
        close_date=deal.close_date,
        help_code=build.HELP,
        team=[build.member(CONTOSO)],
    )
    return do.invite_partner(deal, invitation, actor=cast.actor(CONTOSO), now=NOW)


def test_only_the_chosen_events_come(cast: Cast, hook: Receiver) -> None:
    subscribe(cast, hook.url, names=["related-referral-created"])
    deal = build.deal(cast)
    deliver()
    assert told(hook) == [("related-referral-created", str(build.vendor_copy(deal).public_id))]


def test_what_happened_before_is_nobodys(cast: Cast, hook: Receiver) -> None:
    build.deal(cast)
    settled()
    subscribe(cast, hook.url)
    assert deliver() == 0
    assert hook.received == []


# Each event becomes deliveries once


def test_what_commits_late_is_told_too(cast: Cast, hook: Receiver, told_of_customers: None) -> None:
    subscribe(cast, hook.url)
    settled()
    with uncommitted():
        happen(2)
        collect()
        assert not Delivery.objects.exists()
    settled()
    collect()
    assert Delivery.objects.count() == 3


def test_two_workers_read_the_feed_at_once(cast: Cast, hook: Receiver, told_of_customers: None) -> None:
    subscribe(cast, hook.url)
    happen(30)
    settled()
    made = at_once("LOCK TABLE webhooks_delivery IN EXCLUSIVE MODE", [], collect)
    assert [*made, collect()] == [30, 0]
    assert Delivery.objects.count() == 30


def test_a_batch_that_cuts_a_transaction_in_two(cast: Cast, hook: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its changes of one deal are still one delivery, and what is new stays new."""
    subscribe(cast, hook.url)
    with transaction.atomic():
        deal = build.deal(cast)
        do.set_stage(deal, stage=40, actor=cast.actor(CONTOSO), now=NOW)
    settled()
    monkeypatch.setattr(sweeps, "BATCH", 1)
    collect()
    own = Delivery.objects.filter(resource_id=deal.public_id)
    assert [delivery.name for delivery in own] == ["referral-created"]


def test_a_crash_in_the_middle_of_a_batch(
    cast: Cast, hook: Receiver, told_of_customers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deliveries and the place in the feed go together."""
    subscribe(cast, hook.url)
    happen(3)
    settled()
    with monkeypatch.context() as patched:
        patched.setattr(sweeps, "_move", lambda *_given: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            collect()
    assert not Delivery.objects.exists()
    assert collect() == 3


@pytest.fixture
def told_of_customers() -> Iterator[None]:
    """An app that tells every webhook of test events, each about another resource."""

    def announce(found: Any, companies: Any) -> Any:
        for event in found:
            if event.verb == "test.done":
                ids = [event.public_id, "/x", event.public_id]
                for company_id in companies:
                    yield Announcement(event, company_id, "exception-updated", "exception", *ids)

    ANNOUNCERS.add("test", announce, order=999)
    yield
    ANNOUNCERS._places.pop("test")


def happen(number: int) -> list[Event]:
    """So many events, each in a transaction of its own."""
    return [
        events.record_one(Customer(pk=1), "test.done", actor=SYSTEM, now=NOW, company_id=None) for _ in range(number)
    ]


# In order, at least once


def test_deliveries_about_one_deal_wait_for_the_one_before(cast: Cast, hook: Receiver) -> None:
    """Also while it is being retried, and until it is parked; other deals go on."""
    subscribe(cast, hook.url)
    first, second = build.deal(cast), build.deal(cast)
    broken = str(first.public_id)

    def behave(handler: receiver.Handler) -> None:
        last = hook.received[-1].json["ResourceUri"]
        answers(500 if last.endswith(broken) else 200)(handler)

    hook.behave = receiver.after(0.01, lambda handler: answers(200)(handler))
    deliver()
    hook.received.clear()
    hook.behave = behave
    for deal in (first, second):
        for stage in (40, 60):
            do.set_stage(deal, stage=stage, actor=cast.actor(CONTOSO), now=NOW)
    settled()
    collect()
    Webhook.objects.update(down_since=NOW)  # one lane, so that what came last is what is answered
    deliver()
    assert [pk for _name, pk in told(hook)].count(broken) == 1
    assert [pk for _name, pk in told(hook)].count(str(second.public_id)) == 2
    now = NOW
    for pause in rules.PAUSES:
        now += pause + MOMENT
        deliver(now)
    mine = Delivery.objects.filter(resource_id=first.public_id, name="referral-updated").order_by("pk")
    assert [(d.state, d.attempts) for d in mine] == [("parked", 10), ("waiting", 1)]
    assert len({r.message for r in hook.received if r.json["ResourceUri"].endswith(broken)}) == 2


def test_every_attempt_has_the_same_id_and_body(cast: Cast, hook: Receiver) -> None:
    subscribe(cast, hook.url, names=["referral-created"])
    hook.behave = answers(500)
    build.deal(cast)
    deliver()
    deliver(NOW + rules.PAUSES[0] + MOMENT)
    first, second = hook.received
    assert (first.message, first.body) == (second.message, second.body)
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]


def test_ten_attempts_then_parked_then_replayed(cast: Cast, hook: Receiver) -> None:
    subscribe(cast, hook.url, names=["referral-created"])
    hook.behave = answers(404, b"no such hook \x00")
    build.deal(cast)
    now = NOW
    for pause in [timedelta(0), *rules.PAUSES]:
        before = len(hook.received)
        if pause:
            deliver(now + pause - MOMENT)
        assert len(hook.received) == before
        now += pause + MOMENT
        deliver(now)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, len(hook.received)) == ("parked", 10, 10)
    assert delivery.log[-1]["status"] == 404
    assert delivery.log[-1]["answer"] == "no such hook �"
    assert delivery.log[-1]["error"] == "refused"
    assert deliver(now + 30 * DAY) == 0
    hook.behave = answers(204, b"")
    later = now + 31 * DAY
    assert registration.replay(delivery, actor=cast.actor(ADMIN), now=later)
    assert not registration.replay(delivery, actor=cast.actor(ADMIN), now=later)
    assert deliver(later) == 1
    delivery.refresh_from_db()
    assert (delivery.state, len(delivery.log)) == ("delivered", 11)
    with pytest.raises(PermissionDenied):
        registration.replay(delivery, actor=keeper(cast, FABRIKAM), now=later)


def test_a_dead_receiver_for_a_day(cast: Cast) -> None:
    """Nothing is lost, nothing is parked, and what waited comes in order as soon as it is back."""
    with listening() as gone:
        url, port = gone.url, gone.port
    subscribe(cast, url, names=["referral-created", "referral-updated"])
    deals = [build.deal(cast) for _ in range(3)]
    for deal in deals:
        do.set_stage(deal, stage=40, actor=cast.actor(CONTOSO), now=NOW)
    for minute in range(0, 24 * 60, 30):
        deliver(NOW + timedelta(minutes=minute))
    assert {d.state for d in Delivery.objects.all()} == {"waiting"}
    assert max(Delivery.objects.values_list("attempts", flat=True)) < 10
    with listening() as back:
        Webhook.objects.update(url=back.url)
        assert port != back.port
        for minute in range(24 * 60, 28 * 60, 30):
            deliver(NOW + timedelta(minutes=minute))
        assert not Delivery.objects.waiting().exists()
        for deal in deals:
            mine = [name for name, pk in told(back) if pk == str(deal.public_id)]
            assert mine == ["referral-created", "referral-updated"]


def test_a_receiver_that_is_back_gets_what_waits_at_once(cast: Cast, hook: Receiver, told_of_customers: None) -> None:
    """One attempt that is due shows that it is back; the others don't wait for their pauses."""
    subscribe(cast, hook.url)
    hook.behave = answers(503)
    happen(9)
    deliver()
    deliver(NOW + MOMENT)
    assert len(hook.received) == rules.LANES, "one that is down is left alone"
    later = NOW + 2 * rules.DOWN
    deliver(later)
    assert len(hook.received) == rules.LANES + 1, "and asked by one delivery at a time"
    Delivery.objects.waiting().update(next_attempt_at=later + DAY)
    Delivery.objects.filter(pk=Delivery.objects.first().pk).update(next_attempt_at=later)
    hook.behave = answers(200)
    assert deliver(later + rules.REST + MOMENT) == 9
    assert Webhook.objects.get().down_since is None


# Killed, slow, lying


def test_a_sender_that_dies_leaves_its_deliveries_to_the_next(cast: Cast, hook: Receiver) -> None:
    """Its lock ends with its connection; while it lives nobody else sends."""
    subscribe(cast, hook.url, names=["referral-created"])
    build.deal(cast)
    settled()
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [sweeps.SENDING_LOCK])
        assert deliver() == 0
        assert hook.received == []
    finally:
        other.close()
    assert deliver() == 1


def test_a_slow_and_a_lying_receiver_beside_a_good_one(
    cast: Cast, told_of_customers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The good one has all of its deliveries long before the others have one."""
    monkeypatch.setattr(rules, "TOTAL_SECONDS", 4.0)
    with (
        listening() as good,
        listening(receiver.after(60, answers(200))) as slow,
        listening(receiver.drips) as dripping,
    ):
        subscribe(cast, good.url)
        subscribe(cast, slow.url, by=FABRIKAM)
        subscribe(cast, dripping.url, by=NORTHWIND)
        happen(20)
        settled()
        signing.signer(NOW)  # making the first key takes its time
        round_ = threading.Thread(target=lambda: (sweeps.deliver_due(now=NOW, seconds=3.0), connection.close()))
        round_.start()
        begun = time.monotonic()
        while len(good.received) < 20 and time.monotonic() - begun < 20:
            time.sleep(0.01)
        bad = Delivery.objects.exclude(webhook__company=cast.companies["contoso"]).exclude(attempts=0)
        assert len(good.received) == 20
        assert not bad.exists(), "not one attempt of the others has ended by then"
        assert good.most_at_once <= rules.LANES
        round_.join(30)
        assert not round_.is_alive()
        assert {d.log[0]["error"] for d in bad} == {"timeout"}
        assert slow.most_at_once <= rules.LANES


LIES = {
    "promises more than comes": (receiver.lies, 200, "", "that is all"),
    "talks without end": (receiver.talks, 200, "", "x" * rules.KEPT_ANSWER),
    "says no HTTP": (receiver.babbles, None, "broken", ""),
    "hangs up": (lambda _handler: None, None, "broken", ""),
    "points elsewhere": (answers(302, b"", Location="http://169.254.169.254/"), 302, "redirect", ""),
    "takes nothing": (answers(410, b"gone"), 410, "refused", "gone"),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_what_a_receiver_may_come_up_with(lie: Any, cast: Cast) -> None:
    """One delivery, one attempt, what was said in its log; never an error of ours."""
    behave, status, error, text = lie
    with listening(behave) as hook:
        subscribe(cast, hook.url, names=["test-created"], now=NOW)
        registration.send_test(actor=cast.actor(ADMIN), now=NOW)
        deliver()
    (attempt,) = Delivery.objects.get().log
    assert (attempt["status"], attempt["error"], attempt["answer"]) == (status, error, text)
    assert len(hook.received) == 1


# Signatures


def test_both_signatures_by_independent_verifiers(cast: Cast, hook: Receiver, client: Client) -> None:
    """`standardwebhooks` with the secret; `cryptography` with nothing but the certificate's address."""
    webhook = subscribe(cast, hook.url, names=["referral-created"])
    build.deal(cast)
    deliver(timezone.now())
    (got,) = hook.received
    verifier = Verifier(signing.secret_of(webhook.secret_seed))
    assert verifier.verify(got.body, got.headers) == got.json
    with pytest.raises(WebhookVerificationError):
        verifier.verify(got.body.replace(b"created", b"deleted"), got.headers)
    kind, _space, signature = got.headers["authorization"].partition(" ")
    assert (kind, got.headers["x-ms-signature-algorithm"]) == ("Signature", "rsa-sha256")
    verify(client, got, signature)
    with pytest.raises(InvalidSignature):
        verify(client, receiver.Received(got.headers, got.body + b" ", 0), signature)


def verify(client: Client, got: receiver.Received, signature: str) -> None:
    """As docs/webhooks.md says it."""
    address = got.headers["x-ms-certificate-url"]
    assert address.startswith("http://127.0.0.1:8000/webhooks/v1/certificates/")
    answer = client.get(address.partition("8000")[2])
    assert answer.status_code == 200
    certificate = x509.load_pem_x509_certificate(answer.content)
    assert certificate.not_valid_after_utc > timezone.now() + 365 * DAY
    certificate.public_key().verify(base64.b64decode(signature), got.body, padding.PKCS1v15(), hashes.SHA256())


def test_microsofts_signature_in_its_own_header(cast: Cast, hook: Receiver, client: Client) -> None:
    """F2: SignatureTokenToMsSignatureHeader, for receivers whose gateway takes Authorization for itself."""
    subscribe(cast, hook.url, names=["referral-created"], ms_signature_header=True)
    build.deal(cast)
    deliver()
    (got,) = hook.received
    assert "authorization" not in got.headers
    verify(client, got, got.headers["x-ms-signature"].removeprefix("Signature "))


def test_a_new_secret_overlaps_with_the_one_before(cast: Cast, hook: Receiver) -> None:
    now = timezone.now()
    before = signing.secret_of(subscribe(cast, hook.url, names=["test-created"], now=now).secret_seed)
    after = signing.secret_of(registration.renew_secret(actor=cast.actor(ADMIN), now=now).secret_seed)
    assert before != after
    registration.send_test(actor=cast.actor(ADMIN), now=now)
    deliver(now)
    for secret in (before, after):
        Verifier(secret).verify(hook.received[0].body, hook.received[0].headers)
    Webhook.objects.update(previous_until=now)
    registration.send_test(actor=cast.actor(ADMIN), now=now)
    deliver(timezone.now())
    Verifier(after).verify(hook.received[1].body, hook.received[1].headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(before).verify(hook.received[1].body, hook.received[1].headers)


def test_the_key_is_rotated_and_old_certificates_stay(cast: Cast, hook: Receiver, client: Client) -> None:
    """By the command, before the certificate ends, and when SECRET_KEY is another one; it is kept encrypted."""
    now = timezone.now()
    first = signing.signer(now)
    assert signing.signer(now).certificate_url == first.certificate_url
    assert "ENCRYPTED" in SigningKey.objects.get().private_key
    call_command("rotate_webhook_key", verbosity=0)
    second = signing.signer(now)
    third = signing.signer(now + signing.VALID - signing.RENEW_BEFORE + MOMENT)
    urls = {first.certificate_url, second.certificate_url, third.certificate_url}
    assert len(urls) == SigningKey.objects.count() == 3
    assert {client.get(url.partition("8000")[2]).status_code for url in urls} == {200}


def test_another_secret_key_makes_another_signing_key(cast: Cast, settings: Any) -> None:
    now = timezone.now()
    first = signing.signer(now)
    signing._signer.cache_clear()
    settings.SECRET_KEY = "another-" * 8
    assert signing.signer(now).certificate_url != first.certificate_url


# Settings


def test_pausing_keeps_what_happens(cast: Cast, hook: Receiver) -> None:
    subscribe(cast, hook.url, names=["referral-created"])
    registration.pause(actor=cast.actor(ADMIN), now=NOW)
    build.deal(cast)
    assert deliver() == 0
    registration.resume(actor=cast.actor(ADMIN), now=NOW + DAY)
    assert deliver(NOW + DAY) == 1
    assert [e.verb for e in Event.objects.filter(verb__startswith="webhook").order_by("pk")] == [
        "webhook.created",
        "webhook.paused",
        "webhook.resumed",
    ]


def test_no_event_tells_the_secret(cast: Cast, hook: Receiver) -> None:
    webhook = subscribe(cast, hook.url)
    registration.renew_secret(actor=cast.actor(ADMIN), now=NOW)
    subscribe(cast, hook.url, names=["test-created"])
    seeds = {webhook.secret_seed.hex, str(webhook.secret_seed)}
    told = [str((e.before, e.after)) for e in Event.objects.filter(verb__startswith="webhook")]
    assert len(told) == 3
    assert not any(seed in text for seed in seeds for text in told)


def test_two_tests_a_minute(cast: Cast, hook: Receiver) -> None:
    """F2; the third is refused until the first is a minute old."""
    subscribe(cast, hook.url)
    admin = cast.actor(ADMIN)
    for _turn in range(2):
        registration.send_test(actor=admin, now=NOW)
    with pytest.raises(RuleViolation) as refused:
        registration.send_test(actor=admin, now=NOW + timedelta(seconds=59))
    assert refused.value.codes == ["too_many_tests"]
    assert refused.value.blockers[0].params["until"] == NOW + timedelta(minutes=1)
    registration.send_test(actor=admin, now=NOW + timedelta(minutes=1))
    deliver(NOW + timedelta(minutes=1))
    assert hook.names == ["test-created"] * 3


def test_a_test_says_at_once_what_came_of_it(cast: Cast, hook: Receiver) -> None:
    subscribe(cast, hook.url)
    hook.behave = answers(500)
    registration.send_test(actor=cast.actor(ADMIN), now=NOW)
    deliver()
    assert Delivery.objects.get().state == "parked"


def test_old_deliveries_go_parked_ones_stay(cast: Cast, hook: Receiver, told_of_customers: None) -> None:
    subscribe(cast, hook.url)
    happen(2)
    registration.send_test(actor=cast.actor(ADMIN), now=NOW)
    deliver()
    Delivery.objects.filter(event=Event.objects.filter(verb="test.done").last()).update(
        delivered_at=None, parked_at=NOW
    )
    assert sweeps.purge(now=NOW + rules.KEEP_TESTS) == 0
    assert sweeps.purge(now=NOW + rules.KEEP_TESTS + timedelta(seconds=1)) == 1
    assert sweeps.purge(now=NOW + rules.KEEP_DELIVERED + DAY) == 1
    assert Delivery.objects.get().state == "parked"


def test_without_webhooks_the_feed_is_passed_by(cast: Cast) -> None:
    collect()
    build.deal(cast)
    settled()
    before = FeedPosition.objects.get()
    assert collect() == 0
    assert FeedPosition.objects.get().xid > before.xid
