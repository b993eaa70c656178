"""Nothing runs out in silence (FLOW-8, REF-13): who is reminded when, each deadline and lead once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dealreg import sweeps as dealreg_sweeps
from dealreg.models import Registration
from portal import bulk
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.notify import reminders, selectors
from portal.notify.models import Notice
from portal.pages.deal import context as deal_page
from portal.policy import services as policies
from referrals import sweeps
from referrals.models import Engagement, Referral
from referrals.notifications import DEADLINE
from tests import build, do
from tests.build import DAY, NOW

HOUR = timedelta(hours=1)
USER = "user@contoso.example"


def received(cast: Cast, *, at: datetime = NOW, **changes: Any) -> Referral:
    """The vendor's copy of a deal, unanswered."""
    return build.vendor_copy(build.deal(cast, at=at, **changes))


def reminded(verb: str = "referral.reminded") -> list[tuple[int, datetime]]:
    """The leads that were written down, each with its instant."""
    return [(e.after["lead"], e.at) for e in Event.objects.filter(verb=verb).order_by("pk")]


def sweep(first: datetime, days: int, remind: Callable[..., int] = sweeps.remind) -> None:
    for half in range(days * 2 + 1):
        remind(now=first + half * 12 * HOUR)


def test_ref_13_flow_8_who_can_answer_is_reminded_7_3_and_1_days_before(cast: Cast) -> None:
    """14 days before there was nothing to be reminded of yet; nothing comes twice, and nothing after the end."""
    copy = received(cast)
    sweep(NOW, 16)
    assert reminded() == [(lead, NOW + (14 - lead) * DAY) for lead in (7, 3, 1)]
    told = Notice.objects.filter(event__verb="referral.reminded").order_by("pk")
    assert [(n.email, n.category, n.mail) for n in told] == [(build.SELLER, DEADLINE, "now")] * 3
    assert [selectors.rendered(n).subject for n in told] == [
        "7 days left to answer: Plant monitoring",
        "3 days left to answer: Plant monitoring",
        "One day left to answer: Plant monitoring",
    ]
    assert "Accept or decline it until 2 Dec 2026, 12:00 UTC" in selectors.rendered(told[0]).body
    page = deal_page.context(copy, cast.actor(build.SELLER), now=NOW + 14 * DAY)
    lines = [entry["text"] for entry in page["timeline"] if entry["verb"] == "referral.reminded"]
    assert lines == ["Microsoft was reminded to answer until 2 Dec 2026, 12:00 UTC"] * 3


def test_flow_8_after_an_outage_only_the_nearest_lead_counts(cast: Cast) -> None:
    received(cast)
    assert sweeps.remind(now=NOW + 12 * DAY) == 1
    assert reminded() == [(3, NOW + 12 * DAY)]
    assert selectors.rendered(Notice.objects.get(event__verb="referral.reminded")).subject.startswith("2 days left")
    assert sweeps.remind(now=NOW + 12 * DAY) == 0


def test_flow_8_what_moved_on_is_not_reminded_of(cast: Cast) -> None:
    build.accept(cast, received(cast, name="Accepted"), at=NOW + DAY)
    do.expire(received(cast, name="Expired"), now=NOW + DAY)
    assert sweeps.remind(now=NOW + 10 * DAY) == 0
    received(cast, name="Over")
    assert sweeps.remind(now=NOW + 14 * DAY) == 0


def test_flow_8_the_leads_are_the_policys(cast: Cast) -> None:
    policies.add_version(values={"reminder_days": [10, 5]}, effective_from=None, note="", by=None, now=NOW)
    received(cast)
    sweep(NOW, 14)
    assert [lead for lead, _at in reminded()] == [10, 5]
    policies.add_version(values={"reminder_days": []}, effective_from=NOW + DAY, note="", by=None, now=NOW)
    received(cast, name="Quiet")
    assert sweeps.remind(now=NOW + 13 * DAY) == 0


def test_flow_8_a_deadline_that_moved_is_reminded_of_again(cast: Cast) -> None:
    copy = received(cast)
    sweeps.remind(now=NOW + 7 * DAY)
    Referral.objects.filter(pk=copy.pk).update(expires_at=copy.expires_at + 5 * DAY)
    assert [sweeps.remind(now=NOW + 12 * DAY + n * HOUR) for n in range(2)] == [1, 0]
    assert [lead for lead, _at in reminded()] == [7, 7]


def test_flow_8_org_3_who_can_register_is_reminded_before_the_window_closes(cast: Cast) -> None:
    """60 days from the signing; while that isn't known, the day is only what it would be for the day of the win."""
    team = [build.member(email) for email in (USER, "viewer@contoso.example", "contact@elsewhere.example")]
    deal = build.won(cast, at=NOW, team=team)
    build.won(cast, at=NOW, name="Filed")
    build.submitted(cast, Referral.objects.get(name="Filed", company=deal.company))
    sweep(NOW + 45 * DAY, 16, dealreg_sweeps.remind)
    over = datetime(2027, 1, 18, tzinfo=UTC)
    assert reminded("registration.reminded") == [(lead, over - lead * DAY) for lead in (14, 7, 3, 1)]
    told = Notice.objects.filter(event__verb="registration.reminded").order_by("event", "email")
    assert [n.email for n in told] == ["referrals@contoso.example", USER] * 4
    assert selectors.rendered(told[0]).subject == "Not registered yet: Plant monitoring"
    assert "until 17 Jan 2027, if that was on the day of the win" in selectors.rendered(told[0]).body


def test_flow_8_a_registration_opened_late_skips_the_leads_it_never_had(cast: Cast) -> None:
    """ELIG-9: the missing piece came 55 days after the win; five days are left then."""
    deal = build.won(cast, at=NOW)
    late = NOW + 55 * DAY
    Registration.objects.filter(referral=deal).update(created_at=late)
    sweep(late, 6, dealreg_sweeps.remind)
    assert [lead for lead, _at in reminded("registration.reminded")] == [3, 1]


# Many, several at once, and killed


def clones(copy: Referral, count: int) -> None:
    """More unanswered copies with engagements of their own, written in bulk."""
    engagements = Engagement.objects.bulk_create(
        Engagement(customer=copy.engagement.customer, started_by=copy.engagement.started_by, created_at=NOW)
        for _number in range(count)
    )
    columns = {f.attname for f in Referral._meta.concrete_fields if not f.primary_key and not f.generated}
    held = {name: getattr(copy, name) for name in columns - {"public_id", "engagement_id"}}
    Referral.objects.bulk_create(Referral(**held, engagement=engagement) for engagement in engagements)


def test_flow_8_job_a_thousand_cost_as_many_statements_as_one(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MANY", 1)
    copy = received(cast)
    with CaptureQueriesContext(connection) as one:
        assert sweeps.remind(now=NOW + 7 * DAY) == 1
    clones(copy, 999)
    with CaptureQueriesContext(connection) as thousand:
        assert sweeps.remind(now=NOW + 7 * DAY) == 999
    assert len(thousand) - 1 <= len(one) <= 20  # many rows are copied in, which asks for their ids first
    assert Event.objects.filter(verb="referral.reminded").count() == 1000
    assert Notice.objects.filter(event__verb="referral.reminded").count() == 1000
    assert sweeps.remind(now=NOW + 7 * DAY) == 0


def test_job_killed_in_the_middle_nothing_is_lost_and_nothing_repeated(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    received(cast)
    with monkeypatch.context() as patched:
        patched.setattr("referrals.reactions.notify", _killed)
        with pytest.raises(KeyboardInterrupt):
            sweeps.remind(now=NOW + 7 * DAY)
    assert reminded() == []
    assert [sweeps.remind(now=NOW + 7 * DAY) for _turn in range(2)] == [1, 0]
    assert Notice.objects.filter(event__verb="referral.reminded").count() == 1


def _killed(_messages: Any) -> None:
    raise KeyboardInterrupt


def test_job_a_reminder_written_while_we_looked_is_seen_behind_the_lock(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our statement may have looked before another worker's commit, and locked after it."""
    received(cast)
    assert sweeps.remind(now=NOW + 7 * DAY) == 1
    looks: list[int] = []
    look = reminders._unwritten

    def too_early(keys: Any, *of: Any) -> Any:
        looks.append(len(keys))
        return keys if len(looks) == 1 else look(keys, *of)

    monkeypatch.setattr(reminders, "_unwritten", too_early)
    assert sweeps.remind(now=NOW + 7 * DAY) == 0
    assert looks == [1, 1]
    assert len(reminded()) == 1


def test_job_a_sweep_walks_on_past_what_was_reminded_of_and_reads_it_once(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FLOW-8: each row is looked at once a turn, however many batches there are, and however many were told before."""
    clones(received(cast), 29)
    looked: list[int] = []
    look = reminders._unwritten

    def counted(keys: Any, *of: Any) -> Any:
        looked.append(len(keys))
        return look(keys, *of)

    monkeypatch.setattr(reminders, "_unwritten", counted)
    assert sweeps.remind(now=NOW + 7 * DAY, limit=10) == 30
    assert looked == [10, 10] * 3  # before the lock, and behind it
    looked.clear()
    assert sweeps.remind(now=NOW + 7 * DAY, limit=10) == 0
    assert looked == [10] * 3


def test_job_two_workers_at_once_remind_once(transactional_db: None, cast: Cast) -> None:
    clones(received(cast), 40)
    start, written = threading.Barrier(2), []

    def work() -> None:
        start.wait()
        while done := sweeps.remind(now=NOW + 7 * DAY, limit=9):
            written.append(done)
        connection.close()

    workers = [threading.Thread(target=work) for _number in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    sweeps.remind(now=NOW + 7 * DAY)  # what one of them skipped while the other held it
    subjects = list(Event.objects.filter(verb="referral.reminded").values_list("subject_id", flat=True))
    assert len(subjects) == len(set(subjects)) == 41


def test_flow_8_filing_ends_the_reminders(cast: Cast) -> None:
    deal = build.won(cast, at=NOW)
    build.submitted(cast, deal, at=NOW + HOUR)
    do.route(Registration.objects.get(referral=deal), now=NOW + HOUR)
    assert dealreg_sweeps.remind(now=NOW + 59 * DAY) == 0
