"""The end-to-end tests run what they test as the app's role in the database, which can change no event."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import connection

from portal.demo.cast import Cast
from portal.events.models import Event
from tests import build, edge
from tests.e2e.portal import Portal, answer, wait_for


def test_web_and_worker_are_the_apps_role_and_write_events(portal: Portal, cast: Cast) -> None:
    if not settings.DATABASE_OWNER:
        pytest.skip("the tests run on a database of one role only (DATABASE_URL without DATABASE_OWNER_URL)")
    vendors = build.vendor_copy(edge.Live(cast).deal(days=15))
    assert answer(f"{portal.url}/readyz")[0] == 200
    portal.beat("referrals.tasks.expire_due")
    wait_for(Event.objects.filter(verb="referral.expired", subject_id=vendors.pk).exists, "the worker")
    query = """
        SELECT DISTINCT usename FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_start >=
            (SELECT min(backend_start) FROM pg_stat_activity WHERE datname = current_database() AND usename = %s)
    """  # the test run's own sessions are older than those of the portal it started
    with connection.cursor() as cursor:
        cursor.execute(query, [settings.DATABASE_ROLE])
        assert cursor.fetchall() == [(settings.DATABASE_ROLE,)]
    assert settings.DATABASE_OWNER["USER"] != settings.DATABASE_ROLE
