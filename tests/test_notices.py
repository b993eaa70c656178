"""Who is told what (REF-24): recipients, words, preferences, the notices in the portal, and the mails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from dealreg import notifications as registrations
from dealreg.services import registration as dealreg
from portal.accounts import selectors as accounts
from portal.accounts.models import Membership, RoleGrant
from portal.accounts.rules import SYSTEM
from portal.demo.cast import ANKARA, Cast
from portal.events import services as events
from portal.notify import rules, selectors, services
from portal.notify.models import Mail, Notice
from referrals import notifications as deals
from referrals import verbs
from referrals.models import Referral
from referrals.policies import may_read
from tests import build, do
from tests.build import DAY, NOW
from tests.edge import Element, Live, parse
from tests.factories import add_member

USER, ANKARAS, STRANGER = "user@contoso.example", "ankara@contoso.example", "referrals@fabrikam.example"


def told_of(verb: str) -> dict[str, Notice]:
    return {notice.email: notice for notice in Notice.objects.filter(event__verb=verb)}


def said(notice: Notice, language: str = "en") -> str:
    with translation.override(language):
        told = selectors.rendered(notice)
    return f"{told.subject}\n{told.body}"


def some_notices(deal: Referral, count: int, *, to: str = USER, at: datetime = NOW, **changes: Any) -> list[Notice]:
    """Notices about events of their own, one a minute."""
    for number in range(count):
        when = at + number * timedelta(minutes=1)
        event = events.new_event(deal, "test.happened", actor=SYSTEM, now=when, company_id=deal.company_id)
        events.record([event])
        given = {"subject": "Number %(n)s of %(deal)s", "body": "It happened.", "category": deals.ANSWER, **changes}
        params = {"n": number, "deal": deal.name}
        services.notify(
            [services.Message(event, [to], link=reverse("deal", args=[deal.public_id]), params=params, **given)]
        )
    return list(Notice.objects.filter(event__verb="test.happened").order_by("pk"))


# Who is told


def test_ref_24_ref_12_sender_and_receiver_hear_of_every_step(cast: Cast) -> None:
    """F5.1: the acknowledgment with the time to answer, the answer with contact or with reason and notes, or none."""
    copies = [build.vendor_copy(build.deal(cast, at=NOW - 15 * DAY, name=name)) for name in ("One", "Two", "Three")]
    received = told_of("referral.received")
    assert set(received) == {build.SELLER, USER}
    assert received[build.SELLER].category == deals.TO_ANSWER
    assert received[USER].category == deals.ANSWER
    assert "was sent to Microsoft, with 14 days to answer it" in said(received[USER])

    build.accept(cast, copies[0], at=NOW - 14 * DAY)
    seller = cast.actor(build.SELLER)
    do.decline(copies[1], actor=seller, now=NOW - 14 * DAY, reason_code="timeline", comment="Not before\nJune.")
    do.expire(copies[2], now=NOW)
    for verb, words in {
        "referral.accepted": "Your contact there: Sam Seller, seller@vendor.example, +90 212 555 01 00",
        "referral.declined": "The proposed timeline was too short. Your own deal stays active.\n\nNot before\nJune.",
        "referral.expired": "The time in which Microsoft could answer your deal “Three” is over.",
    }.items():
        answered = told_of(verb)
        assert set(answered) == {USER}
        assert answered[USER].category == deals.ANSWER
        assert words in said(answered[USER])
    assert "declined your deal" not in said(told_of("referral.declined")[USER], "tr")


def test_ref_24_flow_5_the_team_hears_of_the_registration(cast: Cast) -> None:
    """F5.1, F5.2: opened, routed, sent back with the reviewer's words (mandatory), failed with the reason."""
    registration = build.in_review(cast)
    reviewer = cast.actor(build.REVIEWER)
    back = {"reason_code": "hardware_in_value", "comment": "Without the ovens."}
    dealreg.decide(registration, "require_action", actor=reviewer, now=NOW, **back)
    assert {n.category for n in told_of("registration.opened").values()} == {registrations.REGISTRATION}
    assert "“Review (Pending)”" in said(told_of("registration.routed")[USER])
    sent_back = told_of("registration.action_required")[USER]
    assert sent_back.category == registrations.ACTION_REQUIRED
    assert "The contract value includes hardware, which doesn't count.\n\nWithout the ovens." in said(sent_back)


def test_ref_24_nobody_is_told_of_a_deal_he_may_not_see(cast: Cast) -> None:
    """Of those on the team only who has an account and still sees the deal; no stranger, nobody who left."""
    contact, gone, closed = "contact@elsewhere.example", "admin@contoso.example", "viewer@contoso.example"
    team = [build.member(e) for e in (USER, ANKARAS, STRANGER, contact, gone, closed, "referrals@contoso.example")]
    Membership.objects.filter(user__email=gone).update(is_active=False)
    type(cast.users[closed]).objects.filter(email=closed).update(is_active=False)
    deal = build.deal(cast, team=team)
    told = {email for email in told_of("referral.received") if email != build.SELLER}
    assert told == {USER, "referrals@contoso.example"}

    RoleGrant.objects.filter(membership__user__email=USER).delete()  # before the mail went out
    build.accept(cast, build.vendor_copy(deal), at=NOW)
    assert USER not in told_of("referral.accepted")
    services.deliver_due(now=NOW)
    assert sorted({m.to[0] for m in mail.outbox}) == ["referrals@contoso.example", build.SELLER]
    assert Notice.objects.get(email=USER).mail == Mail.OFF


def test_ref_24_nobody_can_make_the_portal_mail_strangers(cast: Cast) -> None:
    """A deal "Free iPhone" with invented people on its teams mailed each of them at every step."""
    build.northwind_ready(cast)
    crowd = [build.member(f"victim{number}@elsewhere.example") for number in range(49)]
    deal = build.deal(cast, name="Free iPhone", team=[build.member(), *crowd])
    invitation = verbs.Invitation(
        partner=cast.companies["northwind"],
        close_date=deal.close_date,
        value=deal.money,
        help_code=build.HELP,
        team=crowd,
        solutions=[cast.solutions["twin"]],
    )
    do.invite_partner(deal, invitation, actor=cast.actor(build.CONTOSO), now=NOW - 9 * DAY)
    build.accept(cast, build.vendor_copy(deal), at=NOW - DAY)
    do.win(Referral.objects.get(pk=deal.pk), actor=cast.actor(build.CONTOSO), now=NOW)
    assert not [email for email in Notice.objects.values_list("email", flat=True) if "victim" in email]

    left = Notice.objects.filter(email=USER).first()  # one of before this rule, still to be sent
    assert left is not None
    Notice.objects.filter(pk=left.pk).update(user=None, email="victim@elsewhere.example")
    while services.deliver_due(now=NOW + DAY):
        pass
    assert mail.outbox
    assert {m.to[0] for m in mail.outbox} <= set(cast.users)


def test_ref_24_a_deal_whose_team_nobody_reaches_tells_the_referrals_admins(cast: Cast) -> None:
    """Those of its location, else those of the entire company; never everybody at once."""
    nobody = [build.member("contact@elsewhere.example")]
    build.deal(cast, team=nobody, location=cast.locations[ANKARA])
    assert set(told_of("referral.received")) == {build.SELLER, ANKARAS}
    Notice.objects.all().delete()
    build.deal(cast, team=nobody)
    assert set(told_of("referral.received")) == {build.SELLER, "referrals@contoso.example"}


def test_ref_24_a_deal_to_answer_goes_to_the_location_or_the_admins(cast: Cast) -> None:
    """F5.1: referrals admins of the location and company-wide; who can't be found there, the account admins."""
    copy = Live(cast).received()
    assert set(told_of("referral.received")) == {"referrals@contoso.example", STRANGER}  # and the sender
    Referral.objects.filter(pk=copy.pk).update(location=cast.locations[ANKARA])
    event = events.Event.objects.get(verb="referral.received", subject_id=copy.pk)
    Notice.objects.all().delete()
    events.react([event])
    assert set(told_of("referral.received")) == {"referrals@contoso.example", ANKARAS, STRANGER}
    RoleGrant.objects.filter(role="referrals_admin").delete()
    Notice.objects.all().delete()
    events.react([event])
    assert set(told_of("referral.received")) == {"admin@contoso.example"}


def test_ref_24_org_2_what_is_told_follows_what_is_seen(cast: Cast) -> None:
    """may_read, asked of one deal, is visible_to, asked of all."""
    build.deal(cast)
    build.deal(cast, location=cast.locations[ANKARA], team=[build.member("referrals@contoso.example")])
    build.deal(cast, help_code="Unknown", vendor_may_view=False)
    build.deal(cast, help_code="Unknown", vendor_may_view=True)
    deals = list(Referral.objects.with_context().prefetch_related("team"))
    assert len(deals) == 6
    for email in cast.users:
        actor = cast.actor(email)
        visible = set(Referral.objects.visible_to(actor).values_list("pk", flat=True))
        assert {deal.pk for deal in deals if may_read(actor, deal)} == visible, email


def test_ref_24_telling_of_many_costs_what_telling_of_one_does(cast: Cast) -> None:
    build.deal(cast)
    for number in range(12):
        build.deal(cast, name=f"Deal {number}", team=[build.member("viewer@contoso.example"), build.member()])
    received = list(events.Event.objects.filter(verb="referral.received"))
    counts = []
    for batch in (received[:1], received):
        Notice.objects.all().delete()
        with CaptureQueriesContext(connection) as queries:
            events.react(batch)
        counts.append(len(queries))
    assert counts[0] == counts[1] < 15
    assert Notice.objects.count() == 38


# Preferences


def test_f5_2_a_person_chooses_but_not_about_what_asks_something_of_him(cast: Cast) -> None:
    """REF-24: at once, once a day or never by mail; mandatory ones at once; in the portal always."""
    client = Client()
    client.force_login(cast.users[USER])
    page = parse(client.get(reverse("notification_settings")))
    form = next(f for f in page.all("form") if "optional" in {c.attrs.get("id") for c in f})
    fields = form.fields()
    assert (fields["answer"], fields["registration"], fields["export"]) == ("now", "now", "now")
    assert not {deals.DEADLINE, deals.TO_ANSWER, registrations.ACTION_REQUIRED} & set(fields)
    assert not {"council", "desk_new", "desk_due"} & set(fields)
    assert "Fee rates of ISV Connect" not in page.one("section", id="mandatory").text
    sent = {**fields, "answer": "off", "registration": "digest", "deadline": "off"}
    assert client.post(reverse("notification_settings"), {**sent, "answer": "weekly"}).status_code == 422
    services.set_preferences(cast.users[USER], {"council": "digest"})  # chosen when they had the role, and kept for it
    assert client.post(reverse("notification_settings"), sent).status_code == 302
    assert services.preferences(cast.users[USER]) == {
        "answer": "off",
        "registration": "digest",
        "export": "now",
        "upload": "now",
        "council": "digest",
        "licences": "now",
        "desk_new": "off",
        "desk_due": "digest",
    }

    deal = build.deal(cast)
    some_notices(deal, 1, category=registrations.REGISTRATION)
    some_notices(deal, 1, category=deals.DEADLINE)
    mails = {n.category: n.mail for n in Notice.objects.filter(email=USER)}
    assert mails == {"answer": "off", "registration": "digest", "deadline": "now"}
    assert selectors.unread_count(cast.users[USER].pk) == 3


def test_f5_2_the_digest_comes_once_a_day_in_the_morning_of_the_persons_zone(cast: Cast) -> None:
    user = cast.users[USER]  # in Istanbul, three hours ahead
    services.set_preferences(user, {"answer": "digest", "registration": "digest"})
    deal = build.deal(cast, name="Ege & <b>Söhne</b>")
    Notice.objects.all().delete()
    some_notices(deal, 3)  # on the 18th, at noon UTC
    for hours in range(15):
        assert services.deliver_digests(now=NOW + timedelta(hours=hours)) == 0
    morning = datetime(2026, 11, 19, 4, 0, tzinfo=UTC)
    assert [services.deliver_digests(now=morning + timedelta(hours=h)) for h in range(3)] == [1, 0, 0]
    [letter] = mail.outbox
    assert letter.subject == "3 notices since yesterday"
    html = str(letter.alternatives[0][0])
    for number in range(3):
        assert f"Number {number} of Ege & <b>Söhne</b>" in letter.body
        assert f"Number {number} of Ege &amp; &lt;b&gt;Söhne&lt;/b&gt;" in html
    assert Notice.objects.filter(sent_at=morning, attempts=1).count() == 3


def test_f5_2_job_a_round_of_digests_counts_people(cast: Cast) -> None:
    """However much there is to tell each of them."""
    deal = build.deal(cast)
    Notice.objects.all().delete()
    for email in (USER, build.CONTOSO):
        services.set_preferences(cast.users[email], {"answer": "digest"})
        some_notices(deal, 3, to=email)
    assert services.deliver_digests(now=NOW + DAY, limit=2) == 2
    assert [letter.to for letter in mail.outbox] == [[USER], [build.CONTOSO]]


def test_f5_2_what_nobody_wants_any_more_is_not_mailed(cast: Cast) -> None:
    user = cast.users[USER]
    services.set_preferences(user, {"answer": "digest"})
    some_notices(build.deal(cast), 2)
    services.set_preferences(user, {"answer": "off"})
    assert services.deliver_digests(now=NOW + 3 * DAY) == 0


def test_f5_2_rules_of_the_digest_hour() -> None:
    istanbul, noon = ZoneInfo("Europe/Istanbul"), NOW
    assert rules.next_digest(noon, istanbul).astimezone(UTC) == datetime(2026, 11, 19, 4, tzinfo=UTC)
    before = datetime(2026, 11, 18, 3, 59, tzinfo=UTC)
    assert rules.next_digest(before, istanbul).astimezone(UTC) == datetime(2026, 11, 18, 4, tzinfo=UTC)
    assert rules.next_digest(datetime(2026, 11, 18, 4, 0, tzinfo=UTC), istanbul).astimezone(UTC).day == 19
    assert rules.mail_for(deals.DEADLINE, "off") == rules.mail_for("unknown", "off") == rules.NOW
    assert rules.mail_for(deals.ANSWER, "off") == rules.OFF
    assert [rules.pause_after(n) is None for n in (1, 9, 10)] == [False, False, True]


# In the portal


def test_ref_24_the_notices_page(cast: Cast) -> None:
    """Newest first, in the reader's language, read by opening; more by key; the count in the top bar."""
    live = Live(cast)
    deal = live.deal(days=3)
    Notice.objects.all().delete()
    notices = some_notices(deal, 31, at=live.ago(2))
    client = live.browser(USER)
    page = parse(client.get("/notices/"))
    shown = [e.attrs["href"] for e in page.all("a", class_="o-notice")]
    assert shown == [reverse("open_notice", args=[n.pk]) for n in reversed(notices[1:])]
    assert len(page.all("a", class_="is-unread")) == 30
    assert page.one("a", class_="o-bell").one("span", class_="o-count").text == "31"
    some_notices(deal, 1, at=live.now)  # nothing is shown twice although one came
    more = page.one(class_="o-more").one("a").attrs["hx-get"]
    rest = parse(client.get(more, headers={"HX-Request": "true"}))
    assert [e.attrs["href"] for e in rest.all("a", class_="o-notice")] == [reverse("open_notice", args=[notices[0].pk])]
    assert not rest.all(class_="o-more")

    opened = client.get(shown[0])
    assert (opened.status_code, opened["Location"]) == (302, reverse("deal", args=[deal.public_id]))
    newest = page.one("input", name="newest").attrs["value"]
    assert client.post(reverse("read_notices"), {"newest": newest}).status_code == 302
    unread = Notice.objects.of(cast.users[USER].pk).unread().get()
    assert unread.pk > int(newest)  # it came after the page was read
    assert client.post(reverse("read_notices"), {"newest": "all"}).status_code == 404
    stranger = live.browser(STRANGER)
    assert stranger.get(shown[0]).status_code == stranger.get(reverse("open_notice", args=[0])).status_code == 404


def test_ref_24_the_count_is_one_small_query(cast: Cast) -> None:
    notices = some_notices(build.deal(cast), 1)
    Notice.objects.bulk_create(
        [Notice(**{**_columns(notices[0]), "email": f"{n}@elsewhere.example"}) for n in range(150)]
    )
    with CaptureQueriesContext(connection) as queries:
        assert selectors.unread_count(cast.users[USER].pk) == selectors.MAX_COUNTED + 1
    assert len(queries) == 1
    client = Client()
    client.force_login(cast.users[USER])
    assert parse(client.get("/notices/")).one("a", class_="o-bell").one("span", class_="o-count").text == "99+"


def _columns(notice: Notice) -> dict[str, Any]:
    return {f.attname: getattr(notice, f.attname) for f in notice._meta.concrete_fields if not f.primary_key}


def test_ref_24_a_notice_about_what_one_sees_no_more_shows_nothing(cast: Cast) -> None:
    live = Live(cast)
    deal = live.deal(name="Secret oven")
    [notice] = some_notices(deal, 1, at=live.now)
    client = live.browser(USER)
    assert "Secret oven" in client.get("/notices/").content.decode()
    deal.team.all().delete()
    page = client.get("/notices/").content.decode()
    assert "Secret oven" not in page
    assert str(deal.public_id) not in page
    assert "that you can&#x27;t see any more" in page or "that you can't see any more" in page
    assert client.get(reverse("open_notice", args=[notice.pk])).status_code == 404


def test_ref_24_org_2_a_notice_opens_as_a_member_of_the_company_it_concerns(cast: Cast) -> None:
    """A person of two companies needn't switch first."""
    live = Live(cast)
    person, fabrikam = cast.users[USER], cast.companies["fabrikam"]
    add_member(user=person, company=fabrikam, roles=["viewer"])
    copy = live.received()
    origin = Referral.objects.get(engagement=copy.engagement, company=fabrikam)
    Notice.objects.all().delete()
    [notice] = some_notices(origin, 1, at=live.now)
    client = live.browser(USER)
    assert client.get(reverse("deal", args=[origin.public_id])).status_code == 404
    opened = client.get(reverse("open_notice", args=[notice.pk]), follow=True)
    assert opened.status_code == 200
    assert opened.wsgi_request.actor.company_id == fabrikam.pk


# Mail


def test_ref_24_mail_is_text_and_html_in_the_persons_language(cast: Cast) -> None:
    type(cast.users[USER]).objects.filter(email=USER).update(language="tr")
    deal = build.deal(cast, name="A\r\nBcc: x@y.example <script>")
    Notice.objects.all().delete()
    some_notices(deal, 1, body="Line one\n\n%(deal)s", category=deals.ANSWER)
    assert services.deliver_due(now=NOW + DAY) == 1
    [letter] = mail.outbox
    assert letter.subject == "Number 0 of A Bcc: x@y.example <script>"
    html, kind = letter.alternatives[0]
    assert kind == "text/html"
    assert "&lt;script&gt;" in str(html)
    assert "<script>" not in str(html)
    assert 'lang="tr"' in str(html)
    link = reverse("deal", args=[deal.public_id])
    assert all(link in part and reverse("notification_settings") in part for part in (str(letter.body), str(html)))
    notice = Notice.objects.get()
    assert letter.extra_headers["Message-ID"].startswith(f"<notice-{notice.pk}@")


@pytest.mark.parametrize("unknown", ["/nowhere/", "/co-sell/"])
def test_notices_that_lead_elsewhere_are_open_to_all(cast: Cast, unknown: str) -> None:
    memberships = accounts.memberships(cast.users[USER])
    assert selectors.openers(memberships, [unknown]) == {unknown: None}


# People without an account


def marks(page: Element) -> dict[str, list[str]]:
    """Who is marked as told nothing, with where *Invite* leads, or who can invite."""
    found = {}
    for row in page.all("div", class_="o-small"):
        if "No account: not told" in row.text:
            links = [link.attrs["href"] for link in row.all("a")]
            found[row.text.rpartition(" ")[2]] = links
    return found


def test_ref_24_who_has_no_account_is_marked_with_the_way_to_invite_them(cast: Cast) -> None:
    """On the deal page, in the wizard and in the form that accepts; an account elsewhere is none here (ORG-6)."""
    add_member(user=cast.users["admin@contoso.example"], company=cast.companies["contoso"], roles=["viewer"])
    RoleGrant.objects.create(
        membership=Membership.objects.get(user__email="admin@contoso.example"), role="referrals_admin"
    )
    live = Live(cast)
    contact, gone = "contact@elsewhere.example", "viewer@contoso.example"
    Membership.objects.filter(user__email=gone).update(is_active=False)
    deal = live.deal(team=[build.member(email) for email in (USER, contact, STRANGER, gone)])
    address, admin = reverse("deal", args=[deal.public_id]), live.browser("admin@contoso.example")
    invite = reverse("invite_person")
    page = parse(admin.get(address))
    assert marks(page) == {email: [f"{invite}?email={quote(email)}"] for email in (contact, STRANGER, gone)}
    form = parse(admin.get(f"{invite}?email={contact}"))
    assert form.one("input", name="email").attrs["value"] == contact

    owner = live.browser(build.CONTOSO)
    page = parse(owner.get(address))
    assert list(marks(page).values()) == [[]]
    keeper = cast.users["admin@contoso.example"].get_full_name()
    assert page.text.count(f"No account: not told To invite: {keeper}") == 3
    seller = parse(live.browser(build.SELLER).get(address))
    assert "No account" not in seller.text  # no business of theirs

    edit = parse(owner.get(reverse("edit_team", args=[deal.public_id])))
    assert edit.text.count("No account: not told") == 3
    draft = live.draft()
    rows = {"team-TOTAL_FORMS": "1", "team-INITIAL_FORMS": "0", "team-0-email": f" {contact.upper()}", "add": "1"}
    owner.post(reverse("new_deal_step", args=[draft.public_id, "team"]), rows)
    step = parse(owner.get(reverse("new_deal_step", args=[draft.public_id, "team"])))
    assert step.text.count("No account: not told") == 1
    accept = reverse("act", args=[live.received().public_id, "accept"])
    refused = parse(owner.post(accept, {**rows, "team-1-email": "not an address"}))
    assert refused.text.count("No account: not told") == 1
