"""A company keeps its own people, roles and locations (ORG-1, ORG-2), and asks people in by mail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.accounts import invites, rules, selectors, services
from portal.accounts.models import Invite, Location, Membership, User
from portal.accounts.rules import Grant
from portal.demo.cast import ANKARA, BERLIN, ISTANBUL, MUNICH, PASSWORD, Cast
from portal.events.models import Event
from portal.notify.models import Notice
from portal.notify.services import deliver_due
from portal.policy import services as policies
from portal.workflow.blockers import RuleViolation
from tests import build
from tests.build import DAY, NOW
from tests.edge import Live, parse
from tests.factories import PersonFactory, add_member
from tests.test_concurrency import at_once
from tests.turkish import Reader

ADMIN, MANAGER, VIEWER = "admin@contoso.example", "manager@vendor.example", "viewer@contoso.example"
NEW = "yeni@contoso.example"
ACCOUNT_ADMIN, REFERRALS_ADMIN, READER = Grant("account_admin"), Grant("referrals_admin"), Grant("viewer")
PASSPHRASE = "correct horse 7"
JOIN = {
    "first_name": "Yeni", "last_name": "Gelen", "phone": "", "language": "tr",
    "password": PASSPHRASE, "again": PASSPHRASE,
}  # fmt: skip


def invite(cast: Cast, email: str = NEW, *grants: Grant, company: str = "contoso", **changes: Any) -> Invite:
    given = {"actor": cast.actor(ADMIN), "language": "tr", "now": NOW, **changes}
    return invites.create(company=cast.companies[company], email=email, grants=grants or [READER], **given)


def membership(cast: Cast, email: str) -> Membership:
    return Membership.objects.get(user=cast.users[email], company=cast.companies["contoso"])


def held(email: str, company: str = "Contoso Yazılım") -> set[tuple[str, str | None]]:
    grants = Membership.objects.get(user__email=email, company__name=company).grants.select_related("location")
    return {(g.role, g.location.name if g.location else None) for g in grants}


def told(cast: Cast) -> list[str]:
    """What people did with Contoso; the cast itself was made by the system."""
    done = Event.objects.filter(company=cast.companies["contoso"], actor_kind="person")
    return list(done.order_by("pk").values_list("verb", flat=True))


def link(asked: Invite) -> str:
    return reverse("invite", args=[invites.token(asked)])


def text_of(response: HttpResponse) -> str:
    return parse(response).text


# Inviting -----------------------------------------------------------------------------------------------------------


def test_org_1_org_2_an_invitation_holds_roles_of_this_side_for_this_company_s_places(cast: Cast) -> None:
    """And is mailed from the outbox, in the language chosen, with a link that nothing else holds."""
    ankara = Grant("referrals_admin", cast.locations[ANKARA].pk)
    everywhere = Grant("viewer")
    asked = invite(cast, " Yeni@Contoso.example ", ankara, everywhere, Grant("viewer", cast.locations[BERLIN].pk))
    assert (asked.email, asked.wanted) == (NEW, {ankara, everywhere})
    assert asked.expires_at == NOW + 14 * DAY
    event = Event.objects.get(actor_kind="person")
    roles = [{"role": "referrals_admin", "location": "Ankara"}, {"role": "viewer", "location": None}]
    assert (event.verb, event.after, event.at) == ("invite.sent", {"email": NEW, "roles": roles}, NOW)
    notice = Notice.objects.get(event=event)
    assert (notice.email, notice.user, notice.language, notice.mail) == (NEW, None, "tr", "now")
    assert deliver_due(now=NOW) == 1
    (letter,) = mail.outbox
    assert letter.to == [NEW]
    assert settings.BASE_URL + link(asked) in str(letter.body)
    assert "team of this deal" not in str(letter.body)
    assert "ekibindesiniz" not in str(letter.body)

    for grants, code in (
        ([Grant("seller")], "wrong_role"),
        ([Grant("viewer", cast.locations[MUNICH].pk)], "foreign_location"),
        ([], "role_missing"),
        ([Grant("account_admin", cast.locations[ANKARA].pk)], "keeper_everywhere"),
    ):
        with pytest.raises(RuleViolation) as refused:
            invites.create(
                company=cast.companies["contoso"], email="b@contoso.example", grants=grants, language="en",
                actor=cast.actor(ADMIN), now=NOW,
            )  # fmt: skip
        assert refused.value.codes == [code]
    assert Invite.objects.count() == 1


def test_ref_24_a_company_mails_so_many_invitations_a_day(cast: Cast) -> None:
    """By the policy, repeats included; refused until the next day of UTC begins, and other companies go on."""
    policies.add_version(values={"invitations_per_day": 3}, effective_from=None, note="", by=None, now=NOW - DAY)
    first = invite(cast)
    invites.resend(first, actor=cast.actor(ADMIN), now=NOW)
    invite(cast, "second@contoso.example")
    for mailing in (
        lambda: invite(cast, "third@contoso.example"),
        lambda: invites.resend(first, actor=cast.actor(ADMIN), now=NOW + timedelta(hours=11)),
    ):
        with pytest.raises(RuleViolation) as refused:
            mailing()
        (blocker,) = refused.value.blockers
        assert (blocker.code, blocker.rule) == ("invitations_spent", "REF-24")
        assert blocker.params == {"most": 3, "until": datetime(2026, 11, 19, tzinfo=UTC)}
    assert Notice.objects.count() == 3
    invite(cast, company="northwind", actor=cast.actor(cast_admin(cast, "northwind")))
    invite(cast, "third@contoso.example", now=NOW + timedelta(hours=12))


def cast_admin(cast: Cast, company: str) -> str:
    """Somebody who keeps that company's people from now on."""
    email = f"referrals@{company}.example"
    add_member(user=cast.users[email], company=cast.companies[company], roles=["account_admin"])
    return email


def test_ref_24_the_page_says_until_when_no_invitation_goes_out(cast: Cast) -> None:
    policies.add_version(values={"invitations_per_day": 1}, effective_from=None, note="", by=None, now=NOW - DAY)
    client = Live(cast).browser(ADMIN)
    form = {"email": NEW, "language": "en", "viewer": "all"}
    assert client.post(reverse("invite_person"), form).status_code == 302
    refused = client.post(reverse("invite_person"), {**form, "email": "second@contoso.example"})
    assert refused.status_code == 422
    assert "today as a day allows: 1, repeats included. You can send more from " in text_of(refused)
    asked = Invite.objects.get()
    again = client.post(reverse("resend_invite", args=[asked.public_id]), follow=True)
    assert "a day allows: 1" in text_of(again)


def test_org_2_one_open_invitation_for_an_address_and_none_for_members(cast: Cast) -> None:
    first = invite(cast)
    for email, code in ((NEW, "invited_already"), (VIEWER, "member_already")):
        with pytest.raises(RuleViolation) as refused:
            invite(cast, email.upper())
        assert refused.value.codes == [code]
    services.set_active(membership(cast, VIEWER), active=False, actor=cast.actor(ADMIN), now=NOW)
    with pytest.raises(RuleViolation, match="member_already"):
        invite(cast, VIEWER)
    second = invite(cast, now=NOW + 14 * DAY)  # the first has expired at this very instant, and makes room
    assert Invite.objects.get(pk=first.pk).state(NOW) == rules.REVOKED
    assert list(Invite.objects.waiting()) == [second]
    foreign = invites.create(  # another company may ask the same person in
        company=cast.companies["fabrikam"], email=NEW, grants=[READER], language="en",
        actor=cast.actor(MANAGER), now=NOW,
    )  # fmt: skip
    assert foreign.company == cast.companies["fabrikam"]


def test_org_2_only_who_keeps_a_company_changes_its_people(cast: Cast) -> None:
    """Not the referrals admin, not another company's admin; the programme's managers may, in the administration."""
    contoso = cast.companies["contoso"]
    stranger = add_member(user=cast.users[build.SELLER], company=cast.companies["fabrikam"], roles=["account_admin"])
    strangers = selectors.actor_for(stranger)
    asked, target = invite(cast), membership(cast, VIEWER)
    place = cast.locations[BERLIN]
    for actor in (cast.actor(build.CONTOSO), cast.actor(VIEWER), strangers, cast.actor(build.REVIEWER)):
        who: dict[str, Any] = {"actor": actor, "now": NOW}
        for verb in (
            lambda who=who: invites.create(company=contoso, email="b@c.example", grants=[READER], language="", **who),
            lambda who=who: invites.resend(asked, **who),
            lambda who=who: invites.revoke(asked, **who),
            lambda who=who: services.change_roles(target, [REFERRALS_ADMIN], **who),
            lambda who=who: services.set_active(target, active=False, **who),
            lambda who=who: services.add_location(company=contoso, name="X", city="X", country="TR", mpn_id="1", **who),
            lambda who=who: services.change_location(place, name="X", **who),
        ):
            with pytest.raises(PermissionDenied):
                verb()
    assert told(cast) == ["invite.sent"]
    services.change_roles(target, [REFERRALS_ADMIN], actor=cast.actor(MANAGER), now=NOW)
    assert held(VIEWER) == {("referrals_admin", None)}


def test_org_2_an_invitation_is_sent_again_or_taken_back(cast: Cast) -> None:
    asked, admin = invite(cast), cast.actor(ADMIN)
    late, end = NOW + 20 * DAY, asked.expires_at
    assert [asked.state(at) for at in (end - timedelta(seconds=1), end)] == [rules.OPEN, rules.EXPIRED]
    assert invites.resend(asked, actor=admin, now=late).state(late + 13 * DAY) == rules.OPEN
    assert Notice.objects.filter(email=NEW).count() == 2
    invites.revoke(asked, actor=admin, now=late)
    for verb in (invites.revoke, invites.resend):
        with pytest.raises(RuleViolation, match="invite_revoked"):
            verb(asked, actor=admin, now=late)
    assert told(cast) == ["invite.sent", "invite.resent", "invite.revoked"]


# Accepting ----------------------------------------------------------------------------------------------------------


def test_org_1_somebody_without_an_account_joins_by_the_link(cast: Cast) -> None:
    """They see who invites them, give their name, and are in; the link is used up. It speaks the mail's language."""
    asked = invite(cast, NEW, Grant("referrals_admin", cast.locations[ANKARA].pk), now=timezone.now(), language="en")
    browser = Client()
    page = text_of(browser.get(link(asked)))
    for said in ("Ayşe Yönetici", NEW, "Join Contoso Yazılım", "Referrals admin (Ankara)"):
        assert said in page
    for wrong, said in (
        ({"password": "12345678", "again": "12345678"}, "too common"),
        ({"again": "other horse 7"}, "The two passwords differ."),
        ({"first_name": " "}, "has to be filled in"),
        ({"password": "yeni@contoso.example", "again": "yeni@contoso.example"}, "too similar"),
    ):
        answer = browser.post(link(asked), {**JOIN, **wrong})
        assert (answer.status_code, said in text_of(answer)) == (422, True), said
    assert not User.objects.filter(email=NEW).exists()
    assert browser.post(link(asked), JOIN)["Location"] == reverse("home")
    assert held(NEW) == {("referrals_admin", ANKARA)}
    person = User.objects.get(email=NEW)
    assert (str(person), person.language, person.time_zone) == ("Yeni Gelen", "tr", "Europe/Istanbul")
    assert person.check_password(PASSPHRASE)
    assert browser.get(reverse("home")).status_code == 200
    again = Client().get(link(asked))
    assert (again.status_code, "accepted already" in text_of(again)) == (410, True)
    assert Client().post(link(asked), JOIN).status_code == 410
    event = Event.objects.get(verb="member.joined")
    assert (event.actor_user, event.company) == (person, cast.companies["contoso"])


def test_org_1_somebody_with_an_account_accepts_and_belongs_to_both_companies(cast: Cast) -> None:
    live = Live(cast)
    friederike = "referrals@fabrikam.example"
    asked = invite(cast, friederike, READER, Grant("referrals_user"), now=live.now)
    stranger = Client()
    page = parse(stranger.get(link(asked)))
    sign_in = page.one("a", class_="btn").attrs["href"]
    assert "password" not in page.fields()
    signed_in = stranger.post(sign_in, {"login": friederike, "password": PASSWORD})
    assert signed_in["Location"] == link(asked)
    assert stranger.post(link(asked)).status_code == 302
    assert held(friederike) == {("viewer", None), ("referrals_user", None)}
    assert held(friederike, "Fabrikam GmbH") == {("referrals_admin", None)}
    assert "Contoso Yazılım" in text_of(stranger.get(reverse("home")))  # where they just joined
    assert stranger.post(link(asked)).status_code == 410


def test_org_2_nobody_accepts_what_is_another_person_s(cast: Cast) -> None:
    live = Live(cast)
    asked = invite(cast, NEW, now=live.now, language="en")
    other = live.browser("referrals@fabrikam.example")
    assert "Sign out to accept" in text_of(other.get(link(asked)))
    refused = other.post(link(asked), JOIN)
    assert (refused.status_code, "is for yeni@contoso.example" in text_of(refused)) == (422, True)
    assert not Membership.objects.filter(user__email=NEW).exists()
    assert asked.company.memberships.filter(user__email="referrals@fabrikam.example").count() == 0
    out = parse(other.get(link(asked))).one("form", action=reverse("account_logout")).fields()["next"]
    assert other.post(reverse("account_logout"), {"next": out})["Location"] == link(asked)


def test_org_2_a_link_that_is_no_good_says_why(cast: Cast) -> None:
    now = timezone.now()
    expired = invite(cast, "a@contoso.example", now=now - timedelta(days=14))
    revoked = invite(cast, "b@contoso.example", now=now)
    invites.revoke(revoked, actor=cast.actor(ADMIN), now=now)
    whole = link(invite(cast, "c@contoso.example", now=now))
    for address, status, said in (
        (link(expired), 410, "send it again"),
        (link(revoked), 410, "taken back"),
        (whole[:-3] + "/", 404, "cut at the end"),
        (reverse("invite", args=[str(revoked.public_id)]), 404, "cut at the end"),
    ):
        for answer in (Client().get(address), Client().post(address, JOIN)):
            assert (answer.status_code, said in text_of(answer)) == (status, True), address
    assert Client().get(whole).status_code == 200
    assert not User.objects.filter(email__in=["a@contoso.example", "b@contoso.example"]).exists()


def test_org_2_an_invitation_brings_nobody_back_who_was_deactivated(cast: Cast) -> None:
    admin, friederike = cast.actor(ADMIN), cast.users["referrals@fabrikam.example"]
    asked = invite(cast, friederike.email)
    add_member(user=friederike, company=cast.companies["contoso"], roles=["viewer"])
    services.set_active(membership(cast, friederike.email), active=False, actor=admin, now=NOW)
    assert Invite.objects.get(pk=asked.pk).state(NOW) == rules.REVOKED
    Invite.objects.filter(pk=asked.pk).update(revoked_at=None)  # as if it had been sent since
    with pytest.raises(RuleViolation, match="member_deactivated"):
        invites.accept(asked, user=friederike, now=NOW)


# Roles and access ---------------------------------------------------------------------------------------------------


def test_org_1_roles_are_changed_and_every_change_is_kept(cast: Cast) -> None:
    target, admin = membership(cast, VIEWER), cast.actor(ADMIN)
    ankara = Grant("referrals_admin", cast.locations[ANKARA].pk)
    services.change_roles(target, [ankara], actor=admin, now=NOW)
    services.change_roles(target, [ankara], actor=admin, now=NOW + DAY)  # nothing changes, so nothing is written
    event = Event.objects.get(actor_kind="person")
    assert (event.verb, event.actor_user, event.at) == ("member.roles_changed", cast.users[ADMIN], NOW)
    assert event.before == {"roles": [{"role": "viewer", "location": None}]}
    assert event.after == {"person": "Vildan Bakar", "roles": [{"role": "referrals_admin", "location": "Ankara"}]}
    with pytest.raises(RuleViolation, match="role_missing"):
        services.change_roles(target, [], actor=admin, now=NOW)
    assert held(VIEWER) == {("referrals_admin", ANKARA)}


def test_org_2_who_is_deactivated_loses_access_at_once_and_keeps_his_history(cast: Cast) -> None:
    live = Live(cast)
    deal = live.accepted()
    owner, admin = live.browser(build.CONTOSO), live.browser(ADMIN)
    page = reverse("deal", args=[deal.public_id])
    assert owner.get(page).status_code == 200
    target = membership(cast, build.CONTOSO)
    assert admin.post(reverse("deactivate_member", args=[target.pk])).status_code == 302
    assert (owner.get(page).status_code, owner.get(reverse("home")).status_code) == (403, 403)
    assert Event.objects.filter(actor_user=cast.users[build.CONTOSO], verb="referral.created").exists()
    assert "Deactivated" in text_of(admin.get(reverse("people")))
    assert admin.post(reverse("reactivate_member", args=[target.pk])).status_code == 302
    assert owner.get(page).status_code == 200
    assert held(build.CONTOSO) == {("referrals_admin", None)}
    assert told(cast)[-2:] == ["member.deactivated", "member.reactivated"]


@pytest.mark.parametrize("company", ["contoso", "vendor"])
def test_org_2_somebody_always_keeps_the_company(cast: Cast, company: str) -> None:
    """The last account admin can neither go nor lose the role; with a second one they can. So with the managers."""
    email, role = (ADMIN, "account_admin") if company == "contoso" else (MANAGER, "programme_manager")
    spare = VIEWER if company == "contoso" else build.REVIEWER
    target = Membership.objects.get(user=cast.users[email])
    who: dict[str, Any] = {"actor": cast.actor(email), "now": NOW}
    other = "viewer" if company == "contoso" else "seller"
    for verb in (
        lambda: services.set_active(target, active=False, **who),
        lambda: services.change_roles(target, [Grant(other)], **who),
    ):
        with pytest.raises(RuleViolation, match="last_keeper"):
            verb()
    second = Membership.objects.get(user=cast.users[spare])
    services.change_roles(second, [Grant(role)], **who)
    services.set_active(second, active=False, **who)
    with pytest.raises(RuleViolation, match="last_keeper"):  # whoever is away keeps nothing
        services.set_active(target, active=False, **who)
    services.set_active(second, active=True, **who)
    User.objects.filter(pk=second.user_id).update(is_active=False)
    with pytest.raises(RuleViolation, match="last_keeper"):  # nor whose account is closed
        services.set_active(target, active=False, **who)
    User.objects.filter(pk=second.user_id).update(is_active=True)
    if company == "contoso":
        services.set_active(target, active=False, **who)
        assert not Membership.objects.get(pk=target.pk).is_active
        with pytest.raises(RuleViolation, match="last_keeper"):
            services.set_active(second, active=False, actor=cast.actor(spare), now=NOW)
        services.set_active(second, active=False, actor=cast.actor(MANAGER), now=NOW)  # the programme may


# Pages --------------------------------------------------------------------------------------------------------------


def test_org_1_the_pages_of_an_account_admin_from_invitation_to_roles(cast: Cast) -> None:
    live = Live(cast)
    admin = live.browser(ADMIN)
    form = parse(admin.get(reverse("invite_person")))
    assert [e.attrs["value"] for e in form.all("input", name="account_admin")] == ["all"]
    assert len(form.all("input", name="viewer")) == 4  # everywhere, or one of three locations
    assert "seller" not in {e.attrs.get("name") for e in form.all("input")}
    nobody = admin.post(reverse("invite_person"), {"email": NEW, "language": "tr"})
    assert (nobody.status_code, "Choose at least one role." in text_of(nobody)) == (422, True)
    foreign = {"email": NEW, "language": "tr", "viewer": str(cast.locations[MUNICH].pk)}
    assert admin.post(reverse("invite_person"), foreign).status_code == 422
    places = [str(cast.locations[name].pk) for name in (ISTANBUL, ANKARA)]
    given = {"email": NEW, "language": "tr", "referrals_admin": places}
    assert admin.post(reverse("invite_person"), given).status_code == 302
    asked = Invite.objects.get()
    page = parse(admin.get(reverse("people")))
    assert "Referrals admin (Istanbul)" in page.one("section", id="invites").text
    assert "yeni@contoso.example was invited" in page.one("section", id="history").text
    members = page.one("section", id="members")
    assert len(members.one("tbody").all("tr")) == 5
    assert "Referrals admin (Ankara)" in members.text
    assert "admin@contoso.example" in members.text
    assert "fabrikam" not in members.text
    assert invites.token(asked) not in admin.get(reverse("people")).content.decode()

    for verb in ("resend_invite", "revoke_invite", "revoke_invite"):
        assert admin.post(reverse(verb, args=[asked.public_id])).status_code == 302
    assert "was taken back." in text_of(admin.get(reverse("people")))
    target = membership(cast, "ankara@contoso.example")
    address = reverse("member", args=[target.pk])
    shown = parse(admin.get(address)).fields()
    assert shown["referrals_admin"] == str(cast.locations[ANKARA].pk)
    assert admin.post(address, {"viewer": ["all", *places]}).status_code == 302
    assert held("ankara@contoso.example") == {("viewer", None)}
    own = reverse("member", args=[membership(cast, ADMIN).pk])
    last = admin.post(own, {"viewer": "all"})
    assert (last.status_code, "last account admin" in text_of(last)) == (422, True)


def test_org_6_another_company_s_people_and_places_don_t_exist(cast: Cast) -> None:
    live = Live(cast)
    admin = live.browser(ADMIN)
    foreign = Membership.objects.get(user=cast.users["referrals@fabrikam.example"])
    asked = invite(cast, NEW, company="fabrikam", actor=cast.actor(MANAGER))
    for name, pk, unknown in (
        ("member", foreign.pk, 0),
        ("deactivate_member", foreign.pk, 0),
        ("reactivate_member", foreign.pk, 0),
        ("edit_location", cast.locations[MUNICH].pk, 0),
        ("resend_invite", asked.public_id, "00000000-0000-0000-0000-000000000000"),
        ("revoke_invite", asked.public_id, "00000000-0000-0000-0000-000000000000"),
    ):
        for key in (pk, unknown):
            assert admin.post(reverse(name, args=[key]), {"name": "X", "city": "X"}).status_code == 404, name
    assert Membership.objects.get(pk=foreign.pk).is_active
    assert Location.objects.get(pk=cast.locations[MUNICH].pk).name == MUNICH
    assert asked.state(NOW) == rules.OPEN
    page = text_of(admin.get(reverse("people")))
    assert NEW not in page


def test_org_1_locations_are_added_and_renamed_and_a_partner_id_is_one_location_s(cast: Cast) -> None:
    live = Live(cast)
    admin = live.browser(ADMIN)
    place = {"name": "Izmir", "city": "İzmir", "country": "TR", "mpn_id": "4301009"}
    for wrong, said in (
        ({"mpn_id": "4302001"}, "This partner id is in use already."),  # Fabrikam's, which nobody is told
        ({"name": ANKARA}, "a location of this name already"),
        ({"country": "ZZ"}, "Choose from the list."),
    ):
        answer = admin.post(reverse("add_location"), {**place, **wrong})
        assert (answer.status_code, said in text_of(answer)) == (422, True), said
        assert "Fabrikam" not in text_of(answer)
    assert admin.post(reverse("add_location"), place).status_code == 302
    izmir = Location.objects.get(mpn_id="4301009")
    assert izmir.company == cast.companies["contoso"]
    address = reverse("edit_location", args=[izmir.pk])
    changed = {"name": "Izmir HQ", "city": "İzmir", "country": "DE", "mpn_id": "1"}
    assert admin.post(address, changed).status_code == 302
    izmir.refresh_from_db()
    assert (izmir.name, izmir.country, izmir.mpn_id) == ("Izmir HQ", "TR", "4301009")
    assert admin.post(address, {"name": ANKARA, "city": "x"}).status_code == 422
    assert "Izmir HQ" in text_of(admin.get(reverse("locations")))
    assert told(cast) == ["location.added", "location.changed"]
    change = Event.objects.get(verb="location.changed")
    assert (change.before, change.after) == ({"name": "Izmir"}, {"name": "Izmir HQ"})


def test_org_2_everybody_has_a_profile_and_only_keepers_more(cast: Cast) -> None:
    live = Live(cast)
    viewer, admin = live.browser(VIEWER), live.browser(ADMIN)
    assert viewer.get(reverse("settings"))["Location"] == reverse("profile")
    assert admin.get(reverse("settings"))["Location"] == reverse("people")
    for browser, tabs in (
        (viewer, ["Profile", "Notifications"]),
        (admin, ["People", "Locations", "Stage names", "API clients", "Webhook", "Profile", "Notifications"]),
    ):
        page = parse(browser.get(reverse("profile")))
        assert [a.text for a in page.one("nav", class_="o-tabs").all("a")] == tabs
        assert [a.text for a in page.one("nav", class_="o-tabs").all("a", aria_current="page")] == ["Profile"]
    given = {**parse(viewer.get(reverse("profile"))).one("form", class_="o-stack").fields(), "first_name": "Vuslat"}
    assert viewer.post(reverse("profile"), {**given, "email": "boss@contoso.example"}).status_code == 302
    person = User.objects.get(pk=cast.users[VIEWER].pk)
    assert (person.first_name, person.email, person.is_active) == ("Vuslat", VIEWER, True)
    event = Event.objects.get(verb="person.changed")
    assert (event.before, event.company) == ({"first_name": "Vildan"}, None)
    assert viewer.post(reverse("profile"), {**given, "time_zone": "Moon/Crater"}).status_code == 422


def test_org_2_the_administration_s_changes_are_kept_too(cast: Cast) -> None:
    """Whoever changes people, on whichever page, it is written down."""
    manager = Live(cast).browser(MANAGER)
    target = membership(cast, VIEWER)
    grant = target.grants.get()
    posted = {
        "is_active": "on", "grants-TOTAL_FORMS": "1", "grants-INITIAL_FORMS": "1",
        "grants-0-id": grant.pk, "grants-0-role": "referrals_admin", "grants-0-location": "",
    }  # fmt: skip
    assert manager.post(reverse("admin:accounts_membership_change", args=[target.pk]), posted).status_code == 302
    event = Event.objects.get(verb="member.roles_changed")
    assert (event.actor_user, event.company) == (cast.users[MANAGER], cast.companies["contoso"])
    page = text_of(Live(cast).browser(ADMIN).get(reverse("people")))
    assert "Vildan Bakar: Referrals admin; before: Viewer" in page


def test_the_people_page_asks_as_much_for_fifty_members_as_for_five(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    live = Live(cast)
    admin = live.browser(ADMIN)
    for number, user in enumerate(PersonFactory.create_batch(50)):
        add_member(user=user, company=cast.companies["contoso"], roles=["viewer"], locations=[cast.locations[ANKARA]])
        invite(cast, f"q{number}@contoso.example")
    admin.get(reverse("people"))
    with django_assert_max_num_queries(16):
        page = parse(admin.get(reverse("people")))
    assert len(page.one("section", id="members").one("tbody").all("tr")) == 55
    seen = [li.text for li in page.one("section", id="history").all("li")]
    while more := page.all("a", class_="btn-sm"):
        following = [a for a in more if "before=" in a.attrs.get("href", "")]
        if not following:
            break
        page = parse(admin.get(following[0].attrs["href"]))
        seen += [li.text for li in page.one("section", id="history").all("li")]
    assert len({line for line in seen if "was invited" in line}) == 50  # every one, once
    assert len([line for line in seen if "was invited" in line]) == 50


def test_the_settings_and_the_link_show_no_english_to_a_turk(cast: Cast) -> None:
    """REF-24: with history, invitations and every tab; and the mail's link before there is an account."""
    live = Live(cast)
    asked = invite(cast, now=live.now)
    services.change_roles(membership(cast, VIEWER), [REFERRALS_ADMIN], actor=cast.actor(ADMIN), now=live.now)
    User.objects.update(language="tr")
    admin, reader = live.browser(ADMIN), Reader()
    names = ["people", "invite_person", "locations", "add_location", "stage_names", "profile"]
    places = [*map(reverse, names), reverse("member", args=[membership(cast, VIEWER).pk])]
    places.append(reverse("edit_location", args=[cast.locations[ANKARA].pk]))
    english = {place: reader.page(admin.get(place)) for place in places}
    english["refused"] = reader.page(admin.post(reverse("invite_person"), {"email": VIEWER, "viewer": "all"}))
    english["link"] = reader.page(Client(headers={"accept-language": "tr"}).get(link(asked)))
    assert {place: words for place, words in english.items() if words} == {}


# Two at once --------------------------------------------------------------------------------------------------------

COMPANY = "SELECT 1 FROM accounts_company WHERE id = %s FOR NO KEY UPDATE"


@pytest.mark.django_db(transaction=True)
def test_org_2_a_link_used_twice_at_once_makes_one_account_and_one_membership(cast: Cast) -> None:
    asked, contoso = invite(cast), cast.companies["contoso"]
    details = {"first_name": "Yeni", "last_name": "Gelen"}

    def join() -> Any:
        return invites.accept_as_new(asked, password=PASSPHRASE, now=NOW, **details)

    results = at_once(COMPANY, [contoso.pk], join, join)
    assert sorted(isinstance(result, Membership) for result in results) == [False, True]
    assert ["invite_accepted"] in results
    assert Membership.objects.filter(user__email=NEW, company=contoso).count() == 1
    assert told(cast).count("member.joined") == 1


@pytest.mark.django_db(transaction=True)
def test_org_2_an_invitation_accepted_and_taken_back_at_once_is_one_of_both(cast: Cast) -> None:
    friederike, admin = cast.users["referrals@fabrikam.example"], cast.actor(ADMIN)
    asked, contoso = invite(cast, friederike.email), cast.companies["contoso"]
    results = at_once(
        COMPANY,
        [contoso.pk],
        lambda: invites.accept(asked, user=friederike, now=NOW),
        lambda: invites.revoke(asked, actor=admin, now=NOW),
        lambda: invites.revoke(asked, actor=admin, now=NOW),
    )
    state = Invite.objects.get(pk=asked.pk).state(NOW)
    refused = [r for r in results if r == [f"invite_{state}"]]
    assert len(refused) == 2, results
    assert Membership.objects.filter(user=friederike, company=contoso).exists() is (state == rules.ACCEPTED)
    assert len(told(cast)) == 2


@pytest.mark.django_db(transaction=True)
def test_org_2_two_admins_who_remove_each_other_at_once_don_t_both_succeed(cast: Cast) -> None:
    first, second, contoso = membership(cast, ADMIN), membership(cast, VIEWER), cast.companies["contoso"]
    services.change_roles(second, [ACCOUNT_ADMIN], actor=cast.actor(ADMIN), now=NOW)
    one, two = cast.actor(ADMIN), cast.actor(VIEWER)
    results = at_once(
        COMPANY,
        [contoso.pk],
        lambda: services.set_active(second, active=False, actor=one, now=NOW),
        lambda: services.set_active(first, active=False, actor=two, now=NOW),
    )
    assert ["last_keeper"] in results
    assert Membership.objects.filter(pk__in=[first.pk, second.pk], is_active=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_org_2_one_address_invited_twice_at_once_has_one_invitation(cast: Cast) -> None:
    contoso = cast.companies["contoso"]
    results = at_once(COMPANY, [contoso.pk], lambda: invite(cast), lambda: invite(cast))
    assert ["invited_already"] in results
    assert Invite.objects.count() == Notice.objects.count() == 1
