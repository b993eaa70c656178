"""What has a day: on home, on the page *Deadlines*, and in people's calendars (FLOW-8)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import pytest
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from portal import logs
from portal.accounts import selectors as accounts
from portal.accounts.models import Membership, RoleGrant, User
from portal.demo.cast import ANKARA
from portal.pages import calendar
from portal.pages.models import CalendarFeed
from portal.policy import services as policies
from portal.ui import deadlines
from portal.ui.deadlines import Cursor, DeadlineQuery
from referrals.models import Referral
from tests import build, do
from tests.edge import STRANGER, Live, parse

USER, ADMIN = "user@contoso.example", "admin@contoso.example"


def planned(live: Live, **changes: Any) -> Referral:
    return do.schedule_win(live.accepted(days=1, **changes), actor=live.cast.actor(build.CONTOSO), now=live.now)


def query(live: Live, email: str = build.CONTOSO, **asked: Any) -> DeadlineQuery:
    return DeadlineQuery(live.cast.actor(email), timezone.now(), **asked)


def kinds(found: Sequence[deadlines.Deadline]) -> list[str]:
    return [deadline.kind for deadline in found]


def everything(live: Live) -> dict[str, Referral]:
    """One deadline of each kind, and what has none."""
    live.deal(help_code="Unknown", vendor_may_view=False, close_date=live.day(200), name="Far away")
    do.lose(live.accepted(), actor=live.cast.actor(build.CONTOSO), now=live.now, reason_code="budget")
    live.submitted()
    return {
        "answer": live.received(days=12),
        "win": planned(live, close_date=live.day(90)),
        "register": live.won(won=2),
    }


def test_flow_8_every_kind_is_found_the_first_first(live: Live) -> None:
    deals = everything(live)
    found = deadlines.first(query(live), 20, people=True)
    assert kinds(found) == ["answer", "win", "register", "close", "close"]
    assert sum(deadlines.count(query(live)).values()) == len(found)
    won, window = deals["register"].closed_at, policies.current(live.now).register_within
    assert won is not None
    assert found[0].until == deals["answer"].expires_at
    assert found[1].until == deals["win"].win_at
    assert (found[2].day, found[2].until) == ((won + window).date(), None)
    assert found[2].note == "If the contract was signed on the day of the win"
    assert [deadline.day for deadline in found[3:]] == [live.day(90), live.day(200)]
    assert found[0].uid == f"answer-{deals['answer'].public_id}"
    assert all(deadline.who[0] == "You" and deadline.customer and deadline.money for deadline in found)


def test_org_2_deadlines_are_those_of_deals_that_the_person_may_see(live: Live) -> None:
    everything(live)
    ankara = live.accepted(location=live.cast.locations[ANKARA], team=[build.member(build.CONTOSO)], name="Ankara's")
    listed = deadlines.first(query(live, USER), 20)
    assert kinds(listed) == ["win", "register", "close", "close"]
    assert [d.name for d in deadlines.first(query(live, "ankara@contoso.example"), 20)] == [ankara.name]
    assert "Ankara's" not in {deadline.name for deadline in listed}
    assert deadlines.first(query(live, STRANGER), 20, people=True)[0].name != ankara.name
    nobody = User.objects.create(email="nobody@contoso.example")
    membership = Membership.objects.create(user=nobody, company=live.cast.companies["contoso"])
    actor = accounts.actor_for(membership)
    assert deadlines.first(DeadlineQuery(actor, live.now), 20) == []


def test_flow_8_mine_are_the_deals_whose_team_lists_me(live: Live) -> None:
    everything(live)
    other = live.accepted(team=[build.member(build.CONTOSO)], name="Not the user's")
    assert [d.name for d in deadlines.first(query(live, mine=True), 20)] == [other.name]
    everyone = {d.name for d in deadlines.first(query(live), 20)}
    assert {d.name for d in deadlines.first(query(live, USER, mine=True), 20)} == everyone - {other.name}
    assert deadlines.first(query(live, ADMIN, mine=True), 20) == []


def test_flow_8_pages_by_key_show_each_deadline_once(live: Live) -> None:
    """Also where a day and many kinds end at the same instant, whatever zone it is read in."""
    live.won()
    window = policies.current(live.now).registration_window_days
    for day in (window - 2, window - 1):  # the day before the window of that ends, and the same
        live.accepted(days=1, close_date=live.day(day))
    first = live.accepted(days=1, close_date=live.day(3))
    build.multiply(first, 7)
    same = live.now.replace(hour=23, minute=59, second=59, microsecond=999999) + timedelta(days=3)
    for count in range(3):
        Referral.objects.filter(pk=live.received().pk).update(expires_at=same + timedelta(days=count % 2))
    Referral.objects.filter(pk=planned(live).pk).update(win_at=same)
    asked = query(live)
    for zone in ("UTC", "Europe/Istanbul", "America/New_York"):
        with timezone.override(zone):
            whole = deadlines.first(asked, 100)
            assert [d.end for d in whole] == sorted(d.end for d in whole)
            assert [d.shown_day for d in whole] == sorted(d.shown_day for d in whole)
            paged: list[deadlines.Deadline] = []
            while page := deadlines.first(asked, 1):
                paged += page
                asked = replace(asked, after=Cursor.parse(page[-1].cursor))
            asked = replace(asked, after=None)
            assert [d.uid for d in paged] == [d.uid for d in whole]
            assert len({d.uid for d in whole}) == len(whole) == 16


@pytest.mark.parametrize("text", ["", "1", "1.2", "1.2.3.4", "a.b.c", "-1.0.1", f"{2**63 - 1}.1.1", "9" * 30 + ".1.1"])
def test_a_cursor_that_no_page_wrote_is_none(text: str) -> None:
    assert Cursor.parse(text) is None


def test_home_says_how_many_more_there_are(live: Live) -> None:
    client = live.browser(build.CONTOSO)
    live.accepted(days=1, close_date=live.day(3))
    card = parse(client.get(reverse("home"))).one("section", id="deadlines")
    assert "more" not in card.text
    assert card.one("a", href=reverse("deadlines")).text == "All deadlines"
    build.multiply(Referral.objects.get(close_date=live.day(3), company__name__startswith="Contoso"), 10)
    card = parse(client.get(reverse("home"))).one("section", id="deadlines")
    assert (len(card.all("li")), "3 more" in card.text) == (8, True)


def test_the_page_filters_by_kind_and_by_whose(live: Live) -> None:
    everything(live)
    client = live.browser(build.CONTOSO)
    page = parse(client.get(reverse("deadlines")))
    assert len(page.all("a", class_="o-rowlink")) == 5
    assert "days left" in page.text
    assert "You" in page.text
    page = parse(client.get(reverse("deadlines") + "?kind=close"))
    assert len(page.all("a", class_="o-rowlink")) == 2
    page = parse(live.browser(USER).get(reverse("deadlines") + "?kind=unknown&of=mine&after=x"))
    assert len(page.all("a", class_="o-rowlink")) == 4
    nothing = parse(live.browser(ADMIN).get(reverse("deadlines") + "?of=mine"))
    assert "No deadlines" in nothing.text


def test_the_page_loads_more_by_key(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.pages.deadlines.PAGE", 2)
    everything(live)
    client = live.browser(build.CONTOSO)
    first = parse(client.get(reverse("deadlines")))
    link = first.one("p", class_="o-more").one("a").attrs
    more = client.get(link["hx-get"], headers={"HX-Request": "true"})
    assert b"<html" not in more.content
    assert "HX-Request" in more["Vary"]
    again = parse(client.get(link["href"]))
    rows = [row.text for page in (first, again) for row in page.all("td", class_="is-title")]
    assert len(rows) == len(set(rows)) == 4


# The calendar


def address(client: Client, **sent: str) -> str:
    """Make an address on the page and read it there; the path of it."""
    client.post(reverse("change_calendar"), {"of": "all", **sent})
    field = parse(client.get(reverse("deadlines"))).one("input", id="calendar-address")
    return re.sub(r"^https?://[^/]+", "", field.attrs["value"])


def read(url: str) -> icalendar.Calendar:
    response = Client().get(url)
    assert (response.status_code, response["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    found = icalendar.Calendar.from_ical(response.content)
    assert isinstance(found, icalendar.Calendar)
    assert [event.errors for event in found.walk() if event.errors] == []
    return found


def events(calendar: icalendar.Calendar) -> dict[str, icalendar.Component]:
    return {str(event["uid"]).partition("-")[0]: event for event in calendar.walk("VEVENT")}


def test_flow_8_a_calendar_reads_what_the_person_sees(live: Live) -> None:
    deals = everything(live)
    url = address(live.browser(build.CONTOSO))
    found = events(read(url))
    assert set(found) == {"answer", "win", "register", "close"}
    answer, close = found["answer"], found["close"]
    expires = deals["answer"].expires_at
    assert expires is not None
    assert answer.decoded("dtstart") == expires.replace(microsecond=0)
    assert answer["dtstart"].to_ical().endswith(b"Z")
    assert answer.decoded("dtstamp") == deals["answer"].updated_at.replace(microsecond=0)
    assert answer["summary"] == f"Answer this deal: {deals['answer'].name}"
    assert str(answer["url"]).endswith(reverse("deal", args=[deals["answer"].public_id]))
    assert type(close.decoded("dtstart")) is date
    assert close["dtstart"].params["VALUE"] == "DATE"


def test_a_calendar_is_written_so_that_every_name_is_read_back(live: Live) -> None:
    """Commas, semicolons, backslashes and lines' ends are escaped; lines are folded at 75 octets, never in a letter."""
    name = "Ağır; sanayi, \\ fabrikası " + "İşçi Şöförü " * 12
    live.accepted(name=name.strip(), close_date=live.day(5))
    url = address(live.browser(build.CONTOSO))
    body = Client().get(url).content
    assert max(map(len, body.split(b"\r\n"))) <= 75
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert events(read(url))["close"]["summary"] == f"Estimated close: {name.strip()}"


def test_a_calendar_speaks_its_persons_language_in_their_zone(live: Live) -> None:
    everything(live)
    url = address(live.browser(build.CONTOSO))
    User.objects.filter(email=build.CONTOSO).update(language="tr", time_zone="Europe/Istanbul")
    with translation.override("tr"):
        expected = translation.gettext("Estimated close")
    assert expected != "Estimated close"
    assert str(events(read(url))["close"]["summary"]).startswith(expected)


def test_a_calendar_that_did_not_change_is_304_and_head_works(live: Live) -> None:
    everything(live)
    url = address(live.browser(build.CONTOSO))
    first = Client().get(url)
    assert first["Cache-Control"] == "no-store"
    same = Client().get(url, headers={"If-None-Match": first["ETag"]})
    assert (same.status_code, same.content) == (304, b"")
    head = Client().head(url)
    assert (head.status_code, head.content, head["ETag"]) == (200, b"", first["ETag"])
    assert Client().post(url).status_code == 405
    live.accepted(close_date=live.day(4))
    assert Client().get(url, headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_org_2_an_address_lets_in_only_whom_the_portal_would(live: Live) -> None:
    """Renewed, revoked, without roles, deactivated, account closed: 404, as for an address that nobody made."""
    everything(live)
    client = live.browser(build.CONTOSO)
    first = address(client)
    second = address(client, of="mine")
    assert first != second
    assert [Client().get(url).status_code for url in (first, second)] == [404, 200]
    membership = Membership.objects.get(user__email=build.CONTOSO)
    grants = list(RoleGrant.objects.filter(membership=membership))
    RoleGrant.objects.filter(membership=membership).delete()
    assert Client().get(second).status_code == 404
    RoleGrant.objects.bulk_create(grants)
    for row, column in ((membership, "is_active"), (membership.user, "is_active")):
        type(row)._default_manager.filter(pk=row.pk).update(**{column: False})
        refused = Client().get(second)
        assert (refused.status_code, b"VCALENDAR" in refused.content) == (404, False)
        type(row)._default_manager.filter(pk=row.pk).update(**{column: True})
    assert Client().get(second).status_code == 200
    client.post(reverse("change_calendar"), {"revoke": "yes"})
    assert Client().get(second).status_code == 404
    assert Client().get(reverse("calendar", args=["made-up"])).status_code == 404
    assert parse(client.get(reverse("deadlines"))).all("input", id="calendar-address") == []


def test_org_2_an_address_holds_one_company_and_what_it_shows_follows_the_roles(live: Live) -> None:
    everything(live)
    live.accepted(location=live.cast.locations[ANKARA], team=[build.member(build.CONTOSO)], name="Ankara's")
    url = address(live.browser("ankara@contoso.example"))
    assert [str(e["summary"]).partition(": ")[2] for e in read(url).walk("VEVENT")] == ["Ankara's"]
    grants = RoleGrant.objects.filter(membership__user__email="ankara@contoso.example")
    grants.update(role="referrals_user")
    assert list(read(url).walk("VEVENT")) == []


def test_an_address_is_kept_nowhere(live: Live) -> None:
    url = address(live.browser(build.CONTOSO))
    token = url.split("/")[2]
    feed = CalendarFeed.objects.get()
    assert feed.token_hash == hashlib.sha256(token.encode()).hexdigest()
    assert token not in str({name: getattr(feed, name) for name in vars(feed)})
    assert logs.without_keys(f"GET {url} 200") == "GET /calendar/…/deadlines.ics 200"
    with pytest.raises(IntegrityError):
        CalendarFeed.objects.create(membership=feed.membership, token_hash="x", created_at=live.now)


def test_after_a_new_secret_key_an_address_works_on_and_is_not_shown(live: Live, settings: Any) -> None:
    client = live.browser(build.CONTOSO)
    url = address(client)
    settings.SECRET_KEY = "another-key-of-the-same-portal-" * 2
    client = live.browser(build.CONTOSO)
    assert Client().get(url).status_code == 200
    assert parse(client.get(reverse("deadlines"))).all("input", id="calendar-address") == []
    assert address(client) != url
    assert Client().get(url).status_code == 404


def test_a_calendar_that_asks_too_often_waits(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    url = address(live.browser(build.CONTOSO))
    monkeypatch.setattr(calendar, "feed", lambda *_given, **_more: b"BEGIN:VCALENDAR")  # what it holds takes longest
    answers = [Client().get(url).status_code for _n in range(31)]
    assert answers == [200] * 30 + [429]
    assert Client().get(url)["Retry-After"] == "300"


def test_flow_8_uids_stay_when_the_day_moves(live: Live) -> None:
    deal = live.accepted(close_date=live.day(5))
    url = address(live.browser(build.CONTOSO))
    before = events(read(url))["close"]
    Referral.objects.filter(pk=deal.pk).update(close_date=live.day(6), updated_at=datetime.now(UTC))
    after = events(read(url))["close"]
    assert (before["uid"], before.decoded("dtstart")) == (after["uid"], live.day(5))
    assert after.decoded("dtstart") == live.day(6)
    assert after.decoded("dtstamp") > before.decoded("dtstamp")
