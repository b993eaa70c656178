"""Events, mail and deals in the admin: read by the vendor's people, except what is not theirs to see (REF-3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.demo.cast import Cast
from portal.events.models import Event
from portal.notify import services as notify
from portal.notify.models import Notice
from referrals import rules
from referrals.notifications import ANSWER
from tests import build, do

EVENTS = "admin:events_event_changelist"
NOTICES = "admin:notify_notice_changelist"
DEALS = "admin:referrals_referral_changelist"


def client_of(cast: Cast, email: str) -> Client:
    client = Client()
    client.force_login(cast.users[email])
    return client


@pytest.fixture
def reviewer(cast: Cast) -> Client:
    return client_of(cast, "reviewer@vendor.example")


def test_ref_3_a_private_deal_shows_nowhere_in_the_admin(cast: Cast, reviewer: Client) -> None:
    shared = build.deal(cast, name="Shared deal")
    private = build.deal(cast, name="Private deal", help_code=rules.NO_HELP, vendor_may_view=False)
    secret = Event.objects.of_subject(private).get()
    told = notify.Message(
        secret, ["user@contoso.example"], "About %(deal)s", "", "/", {"deal": private.name}, category=ANSWER
    )
    notify.notify([told])
    hidden = Notice.objects.get(event=secret)

    deals = reviewer.get(reverse(DEALS)).content.decode()
    assert "Shared deal" in deals
    assert "Private deal" not in deals
    page = reverse("admin:referrals_referral_change", args=[shared.pk])
    assert "Anadolu Cam Sanayi" in reviewer.get(page).content.decode()
    assert reviewer.post(page, {"name": "Other"}).status_code == 403
    assert reviewer.get(reverse("admin:referrals_referral_change", args=[private.pk])).status_code == 302

    events = reviewer.get(reverse(EVENTS), {"verb": "referral.created"}).content.decode()
    assert reverse("admin:events_event_change", args=[Event.objects.of_subject(shared).get().pk]) in events
    assert reverse("admin:events_event_change", args=[secret.pk]) not in events
    assert reviewer.get(reverse("admin:events_event_change", args=[secret.pk])).status_code == 302

    notices = reviewer.get(reverse(NOTICES)).content.decode()
    assert "New deal to answer: Shared deal" in notices
    assert "About Private deal" not in notices
    assert reviewer.get(reverse("admin:notify_notice_change", args=[hidden.pk])).status_code == 302


def test_ref_3_events_tell_the_vendor_nothing_of_a_partners_own_references(cast: Cast, reviewer: Client) -> None:
    deal = build.deal(cast, crm_id="OPP-1")
    wanted = {"name": "Ovens", "crm_id": "OPP-7731", "campaign_id": "spring"}
    do.edit_details(deal, **wanted, actor=cast.actor(build.CONTOSO), now=build.NOW)
    edited = Event.objects.get(verb="referral.edited")
    assert edited.after["crm_id"] == "OPP-7731"
    page = reviewer.get(reverse("admin:events_event_change", args=[edited.pk])).content.decode()
    assert "Plant monitoring → Ovens" in page
    assert not [text for text in ("OPP-", "spring", "crm_id", "campaign_id") if text in page]


def test_flow_7_events_are_filtered_and_changed_by_nobody(cast: Cast, reviewer: Client) -> None:
    build.accepted(cast)
    accepted = Event.objects.get(verb="referral.accepted")
    created = Event.objects.get(verb="referral.created")
    page, other = (reverse("admin:events_event_change", args=[e.pk]) for e in (accepted, created))
    for query in (
        {"verb": "referral.accepted"},
        {"company__id__exact": cast.companies["vendor"].pk},
        {"at__gte": (created.at + timedelta(minutes=1)).isoformat()},
    ):
        listed = reviewer.get(reverse(EVENTS), query).content.decode()
        assert page in listed
        assert other not in listed
    assert "Accepted" in reviewer.get(page).content.decode()
    manager = client_of(cast, "manager@vendor.example")
    assert manager.post(page, {"verb": "x"}).status_code == 403
    assert manager.post(reverse("admin:events_event_delete", args=[accepted.pk]), {"post": "yes"}).status_code == 403
    assert manager.get(reverse("admin:events_event_add")).status_code == 403
    assert Event.objects.get(pk=accepted.pk).verb == "referral.accepted"


def test_ref_24_mail_that_was_given_up_is_sent_again_by_a_manager(cast: Cast, reviewer: Client) -> None:
    build.accepted(cast)
    parked, sent = Notice.objects.order_by("pk")[:2]
    now = timezone.now()
    Notice.objects.filter(pk=parked.pk).update(parked_at=now, attempts=10, last_error="no route")
    Notice.objects.filter(pk=sent.pk).update(sent_at=now, attempts=1)
    Notice.objects.exclude(pk__in=[parked.pk, sent.pk]).update(next_attempt_at=now + timedelta(days=1))
    for state, shown, other in (("parked", parked, sent), ("sent", sent, parked)):
        listed = reviewer.get(reverse(NOTICES), {"state": state}).content.decode()
        assert reverse("admin:notify_notice_change", args=[shown.pk]) in listed
        assert reverse("admin:notify_notice_change", args=[other.pk]) not in listed
    again = {"action": "send_again", "_selected_action": [parked.pk, sent.pk]}
    reviewer.post(reverse(NOTICES), again)
    assert notify.deliver_due(now=timezone.now()) == 0
    manager = client_of(cast, "manager@vendor.example")
    told = manager.post(reverse(NOTICES), again, follow=True).content.decode()
    assert "1 mail is sent again." in told
    waiting = Notice.objects.get(pk=parked.pk)
    assert (waiting.attempts, waiting.parked_at, waiting.last_error) == (0, None, "")
    assert not notify.retry(waiting, now=now)
    assert notify.deliver_due(now=timezone.now()) == 1
    assert [letter.to for letter in mail.outbox] == [[parked.email]]
    assert "None of these mails was given up" in manager.post(reverse(NOTICES), again, follow=True).content.decode()
    assert not notify.retry(Notice.objects.get(pk=sent.pk), now=now)
