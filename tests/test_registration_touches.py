"""A registration's change is a change of its deal: version, time of the change, and who is locked for it (wire.md)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Thread

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from dealreg import sweeps
from dealreg.models import Registration
from portal.demo.cast import Cast
from portal.workflow.services import run_from_page
from referrals import verbs
from referrals.models import Referral
from tests import build, do
from tests.build import CONTOSO, DAY, NOW
from tests.test_dealreg import BIG, decide, send_back

LATER = NOW + timedelta(hours=1)


@contextmanager
def touched(deal: Referral, times: int = 1, at: datetime = LATER) -> Iterator[None]:
    before = Referral.objects.get(pk=deal.pk)
    yield
    after = Referral.objects.get(pk=deal.pk)
    assert after.version == before.version + times
    assert (after.updated_at == at) is bool(times)
    own = {"version", "updated_at", "search_vector"}
    kept = [f.attname for f in Referral._meta.concrete_fields if f.attname not in own]
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]


def test_every_step_of_a_filed_registration_is_a_new_version_of_the_deal(cast: Cast) -> None:
    deal = build.won(cast)
    admin = cast.actor(CONTOSO)
    opened = Registration.objects.get(referral=deal)
    with touched(deal):
        filed = do.submit(opened, build.form(tcv=BIG), actor=admin, now=LATER)
    with touched(deal):
        routed = do.route(filed, now=LATER)
    with touched(deal):
        back = send_back(cast, routed, LATER)
    with touched(deal):
        again = do.resubmit(back, build.form(tcv=BIG), actor=admin, now=LATER)
    with touched(deal):
        passed = decide(cast, again, "pass_review", LATER)
    with touched(deal, at=LATER + DAY):
        assert sweeps.close_decided(now=LATER + DAY) == 1
    assert Registration.objects.get(pk=passed.pk).status == "closed"


def test_what_was_never_filed_shows_nothing_new(cast: Cast) -> None:
    deal = build.won(cast)
    with touched(deal, 0):
        closed = do.close_unregistered(Registration.objects.get(referral=deal), actor=cast.actor(CONTOSO), now=LATER)
        do.register_after_all(closed, actor=cast.actor(CONTOSO), now=LATER)


def test_a_batch_touches_its_deals_by_one_statement_each(cast: Cast) -> None:
    for _number in range(3):
        build.submitted(cast, build.won(cast), routed=True)
    with CaptureQueriesContext(connection) as asked:
        assert sweeps.close_decided(now=NOW + 30 * DAY) == 3
    written = [query["sql"] for query in asked if query["sql"].startswith('UPDATE "referrals_referral"')]
    assert len(written) == 1


def test_an_open_page_of_the_deal_is_not_refused(cast: Cast) -> None:
    """A raised version without a changed column refuses no page (REF-21)."""
    deal = build.accepted(cast)
    seen = Referral.objects.get(pk=deal.pk).version
    Referral.objects.filter(pk=deal.pk).touch(NOW)
    assert Referral.objects.get(pk=deal.pk).version == seen + 1
    note = verbs.NewNote("Filed.")
    run_from_page(deal, verbs.ADD_NOTE, note, seen_version=seen, actor=cast.actor(CONTOSO), now=LATER)


@pytest.mark.django_db(transaction=True)
def test_a_batch_never_waits_for_a_deal_that_somebody_works_on(cast: Cast) -> None:
    """Who works on a deal locks it before its registration; the batch has the registration first, so it leaves out."""
    busy, free = (build.submitted(cast, build.won(cast), routed=True) for _number in range(2))
    closed: list[int] = []

    def sweep() -> None:
        try:
            closed.append(sweeps.close_decided(now=NOW + 30 * DAY))
        finally:
            connection.close()

    with transaction.atomic():
        Referral.objects.select_for_update().get(pk=busy.referral_id)
        worker = Thread(target=sweep)
        worker.start()
        worker.join(20)
        assert closed == [1]
        list(Registration.objects.select_for_update(nowait=True).filter(pk=busy.pk))
    assert Registration.objects.get(pk=free.pk).status == "closed"
    assert sweeps.close_decided(now=NOW + 30 * DAY) == 1
