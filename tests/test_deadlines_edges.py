"""What nobody means to type and somebody does: the last day there is, forged places, control characters (FLOW-8)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import icalendar
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.accounts.models import User
from portal.demo.cast import Cast
from portal.pages import deadlines
from portal.pages.services import calendar as services
from tests import build
from tests.edge import Live

#: The last microseconds that there are (UTC).
LAST = 253_402_300_799_999_999


def calendar_of(live: Live) -> bytes:
    feed = services.renew_calendar_feed(mine=False, actor=live.cast.actor(build.CONTOSO), now=live.now)
    return Client().get(reverse("calendar", args=[services.calendar_token(feed)])).content


@pytest.mark.parametrize("zone", ["Europe/Istanbul", "America/New_York"])
def test_flow_8_a_deal_that_closes_on_the_last_day_there_is_breaks_nobodys_page(
    live: Live, zone: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(deadlines, "PAGE", 1)
    for name in ("First", "Second"):
        live.accepted(close_date=date.max, name=name)
    User.objects.filter(email=build.CONTOSO).update(time_zone=zone)
    browser = live.browser(build.CONTOSO)
    page = browser.get(reverse("deadlines"))
    assert (page.status_code, b"First" in page.content) == (200, True)
    after = browser.get(page.context["more_url"])
    assert (after.status_code, b"Second" in after.content, b"First" in after.content) == (200, True, False)
    assert browser.get(reverse("home")).status_code == 200


@pytest.mark.parametrize("zone", ["Europe/Istanbul", "America/New_York"])
@pytest.mark.parametrize("micros", [0, LAST, LAST - 3_600_000_000, 2**63 - 1])
def test_flow_8_a_place_that_no_page_wrote_breaks_nothing(live: Live, zone: str, micros: int) -> None:
    live.accepted()
    User.objects.filter(email=build.CONTOSO).update(time_zone=zone)
    browser = live.browser(build.CONTOSO)
    for kind in ("", "close", "register", "answer"):
        asked = {"after": f"{micros}.{2**63 - 1}.{2**63 - 1}", "kind": kind}
        assert browser.get(reverse("deadlines"), asked).status_code == 200


def test_flow_8_a_day_that_is_over_here_but_not_in_utc_stands_under_today(cast: Cast) -> None:
    """On Monday at one in Istanbul, Sunday has two hours to go."""
    build.accepted(cast, close_date=date(2026, 11, 22))
    with timezone.override("Europe/Istanbul"):
        now = datetime(2026, 11, 22, 22, tzinfo=UTC)
        page = deadlines.context(cast.actor(build.CONTOSO), deadlines.PageQuery(), now=now)
    (week,) = page["weeks"]
    assert (week["title"], [day["today"] for day in week["days"]]) == ("This week", [True])


def test_flow_8_a_calendar_is_told_how_often_to_read_as_calendars_write_it(live: Live) -> None:
    body = calendar_of(live)
    assert b"X-PUBLISHED-TTL:PT1H\r\n" in body
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n" in body


def test_flow_8_no_control_character_of_a_name_gets_into_a_calendar(live: Live) -> None:
    """RFC 5545 forbids them, and readers that split at any line's end would take the rest for a line of its own."""
    live.accepted(name="Plant\rBEGIN:VEVENT\r\nX\x0b\x0c\x1c\x85\u2028\x07Y 😀", close_date=live.day(5))
    body = calendar_of(live)
    assert body.decode().splitlines() == body.decode().split("\r\n")[:-1]
    assert not any(ord(letter) < 32 for line in body.decode().split("\r\n") for letter in line)
    event = icalendar.Calendar.from_ical(body).walk("VEVENT")[0]
    assert event["summary"] == "Estimated close: Plant BEGIN:VEVENT X Y 😀"
