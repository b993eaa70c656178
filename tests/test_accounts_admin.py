"""Companies and people in the admin: who keeps them, and what is refused (ORG-1, ORG-2)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.accounts import rules, selectors, services
from portal.accounts.models import Company, Location, Membership, User
from portal.accounts.rules import Grant
from portal.accounts.tasks import tell_account_holders
from portal.demo.cast import ANKARA, ISTANBUL, MUNICH, Cast
from portal.notify.tasks import deliver_due
from portal.workflow.blockers import RuleViolation

MANAGER, REVIEWER, SELLER = "manager@vendor.example", "reviewer@vendor.example", "seller@vendor.example"


def client_of(cast: Cast, email: str) -> Client:
    client = Client()
    client.force_login(cast.users[email])
    return client


@pytest.fixture
def manager(cast: Cast) -> Client:
    return client_of(cast, MANAGER)


def deliver() -> None:
    """What a worker does with the links that were asked for."""
    tell_account_holders()
    deliver_due()


def inline(prefix: str, *rows: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    """An inline formset as the browser posts it."""
    posted = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": initial}
    for number, row in enumerate(rows):
        posted.update({f"{prefix}-{number}-{name}": value for name, value in row.items()})
    return posted


def held(email: str, company: str) -> set[tuple[str, str | None]]:
    grants = Membership.objects.get(user__email=email, company__name=company).grants.select_related("location")
    return {(g.role, g.location.name if g.location else None) for g in grants}


PERSON = {"first_name": "İpek", "last_name": "Yıldız", "phone": "", "language": "tr", "time_zone": "Europe/Istanbul"}


def test_org_1_the_first_partner_from_company_to_a_person_who_signs_in(cast: Cast, manager: Client) -> None:
    """The way the README leads through: company with locations, person, membership with roles, password by mail."""
    place = {"name": "Izmir", "city": "Izmir", "country": "TR", "mpn_id": "9900001"}
    posted = {"name": "Adatum", "country": "TR", **inline("locations", place)}
    assert manager.post(reverse("admin:accounts_company_add"), posted).status_code == 302
    company = Company.objects.get(name="Adatum")
    izmir = company.locations.get()
    assert (company.kind, company.country, izmir.country, izmir.mpn_id) == ("partner", "TR", "TR", "9900001")

    posted = {"email": "Ipek@Adatum.example", "password": "", **PERSON, "_save": "1"}
    answer = manager.post(reverse("admin:accounts_user_add"), posted)
    person = User.objects.get(email="ipek@adatum.example")
    assert answer["Location"] == f"{reverse('admin:accounts_membership_add')}?user={person.pk}"
    assert not person.has_usable_password()
    assert str(person.pk) in manager.get(answer["Location"]).content.decode()

    roles = inline("grants", {"role": "referrals_admin", "location": izmir.pk}, {"role": "account_admin"}, {"role": ""})
    posted = {"user": person.pk, "company": company.pk, "is_active": "on", **roles}
    assert manager.post(reverse("admin:accounts_membership_add"), posted).status_code == 302
    assert held(person.email, "Adatum") == {("referrals_admin", "Izmir"), ("account_admin", None)}

    deliver()
    (letter,) = mail.outbox
    assert letter.to == [person.email]
    link = re.search(rf"{settings.BASE_URL}(\S+)", str(letter.body))
    assert link is not None
    stranger = Client()
    form = stranger.get(link[1], follow=True)
    password = {"password1": "correct horse 7", "password2": "correct horse 7"}
    stranger.post(form.redirect_chain[-1][0], password)
    signed_in = stranger.post(reverse("account_login"), {"login": person.email, "password": "correct horse 7"})
    assert signed_in["Location"] == reverse("home")


@pytest.mark.parametrize(
    ("company", "row", "said"),
    [
        ("contoso", {"role": "seller"}, "Only the vendor&#x27;s people hold this role"),
        ("vendor", {"role": "viewer"}, "This is a partner&#x27;s role"),
        ("contoso", {"role": "viewer", "location": MUNICH}, "This location belongs to another company"),
    ],
)
def test_org_2_a_role_of_the_other_side_or_place_is_refused(
    cast: Cast, manager: Client, company: str, row: dict[str, Any], said: str
) -> None:
    if "location" in row:
        row = {**row, "location": cast.locations[row["location"]].pk}
    person = cast.users["referrals@northwind.example"]
    posted = {"user": person.pk, "company": cast.companies[company].pk, "is_active": "on", **inline("grants", row)}
    answer = manager.post(reverse("admin:accounts_membership_add"), posted)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert person.memberships.count() == 1


def test_org_1_roles_are_given_taken_and_moved(cast: Cast, manager: Client) -> None:
    membership = cast.users["ankara@contoso.example"].memberships.get()
    grant = membership.grants.get()
    change = reverse("admin:accounts_membership_change", args=[membership.pk])
    page = manager.get(change).content.decode()
    assert "Contoso Yazılım: Ankara" in page
    assert "Munich" not in page
    assert 'value="seller"' not in page
    moved = {"id": grant.pk, "role": "referrals_admin", "location": cast.locations[ISTANBUL].pk}
    posted = {"is_active": "on", **inline("grants", moved, {"role": "viewer"}, initial=1)}
    assert manager.post(change, posted).status_code == 302
    assert held("ankara@contoso.example", "Contoso Yazılım") == {("referrals_admin", ISTANBUL), ("viewer", None)}
    rows = [
        {"id": g.pk, "role": g.role, "location": g.location_id or "", "DELETE": "on" if g.role == "viewer" else ""}
        for g in membership.grants.order_by("pk")
    ]
    assert manager.post(change, inline("grants", *rows, initial=2)).status_code == 302
    assert held("ankara@contoso.example", "Contoso Yazılım") == {("referrals_admin", ISTANBUL)}
    assert not Membership.objects.get(pk=membership.pk).is_active


def test_org_2_no_manager_locks_himself_out(cast: Cast, manager: Client) -> None:
    user = cast.users[MANAGER]
    membership = user.memberships.get()
    grant = membership.grants.get()
    change = reverse("admin:accounts_membership_change", args=[membership.pk])
    kept = {"id": grant.pk, "role": "programme_manager"}
    for posted in (
        {"is_active": "on", **inline("grants", {**kept, "DELETE": "on"}, initial=1)},
        {"is_active": "on", **inline("grants", {**kept, "role": "seller"}, initial=1)},
        inline("grants", kept, initial=1),
    ):
        answer = manager.post(change, posted)
        assert "take your own access away" in answer.content.decode()
    more = {"is_active": "on", **inline("grants", kept, {"role": "reviewer"}, initial=1)}
    assert manager.post(change, more).status_code == 302
    assert held(MANAGER, "Microsoft") == {("programme_manager", None), ("reviewer", None)}
    own = {**PERSON, **inline("memberships", {"id": membership.pk}, initial=1)}
    assert manager.post(reverse("admin:accounts_user_change", args=[user.pk]), own).status_code == 302
    assert User.objects.get(pk=user.pk).is_active
    assert User.objects.get(pk=user.pk).first_name == "İpek"
    actor = cast.actor(MANAGER)
    with pytest.raises(RuleViolation, match="own_access"):
        services.change_person(user, actor=actor, now=timezone.now(), is_active=False, **PERSON)  # type: ignore[arg-type]
    with pytest.raises(RuleViolation, match="own_access"):
        services.set_membership(user=user, company=cast.companies["vendor"], grants=[], actor=actor, now=timezone.now())


def test_org_1_org_2_the_service_refuses_what_the_form_refuses(cast: Cast) -> None:
    person, actor = cast.users["referrals@northwind.example"], cast.actor(MANAGER)
    wrong = [Grant(rules.SELLER), Grant(rules.VIEWER, cast.locations[MUNICH].pk), Grant("king")]
    with pytest.raises(RuleViolation) as refused:
        services.set_membership(
            user=person, company=cast.companies["contoso"], grants=wrong, actor=actor, now=timezone.now()
        )
    assert sorted(refused.value.codes) == ["foreign_location", "wrong_role", "wrong_role"]
    assert person.memberships.count() == 1


def test_org_2_people_are_corrected_closed_and_mailed(cast: Cast, manager: Client) -> None:
    person = cast.users["viewer@contoso.example"]
    assert manager.get(reverse("admin:accounts_user_changelist"), {"q": "vildan"}).status_code == 200
    change = reverse("admin:accounts_user_change", args=[person.pk])
    assert "Contoso Yazılım" in manager.get(change).content.decode()
    action = {"action": "send_password_link", "_selected_action": [person.pk]}
    manager.post(reverse("admin:accounts_user_changelist"), action)
    deliver()
    assert [letter.to for letter in mail.outbox] == [[person.email]]
    there = inline("memberships", {"id": person.memberships.get().pk}, initial=1)
    posted = {**PERSON, **there, "email": "other@contoso.example", "is_active": ""}
    assert manager.post(change, posted).status_code == 302
    changed = User.objects.get(pk=person.pk)
    assert (changed.email, changed.last_name, changed.is_active) == (person.email, "Yıldız", False)
    manager.post(reverse("admin:accounts_user_changelist"), action)
    deliver()
    assert len(mail.outbox) == 1
    weak = {"email": "new@contoso.example", "password": "12345678", **PERSON}
    assert "too common" in manager.post(reverse("admin:accounts_user_add"), weak).content.decode()
    twice = {**weak, "email": person.email.upper(), "password": "correct horse 7"}
    assert "already exists" in manager.post(reverse("admin:accounts_user_add"), twice).content.decode()
    good = {**weak, "password": "correct horse 7"}
    assert manager.post(reverse("admin:accounts_user_add"), good).status_code == 302
    assert User.objects.get(email="new@contoso.example").check_password("correct horse 7")
    assert len(mail.outbox) == 1


def test_org_1_a_company_and_its_locations_are_corrected(cast: Cast, manager: Client) -> None:
    company, place = cast.companies["northwind"], cast.locations["Seattle"]
    change = reverse("admin:accounts_company_change", args=[company.pk])
    row = {"id": place.pk, "name": "Seattle", "city": "Bellevue", "country": "US", "mpn_id": place.mpn_id}
    assert "locations-0-DELETE" not in manager.get(change).content.decode()  # deals are at it for good (ORG-4)
    wrong = {**row, "country": "XX"}
    said = manager.post(change, {"name": "N", "country": "US", **inline("locations", wrong, initial=1)})
    assert "Choose from the list." in said.content.decode()
    taken = {**row, "mpn_id": cast.locations[ANKARA].mpn_id}
    said = manager.post(change, {"name": "N", "country": "US", **inline("locations", taken, initial=1)})
    assert "already exists" in said.content.decode()
    posted = {"name": "Northwind Ltd", "country": "CA", "kind": "vendor", **inline("locations", row, initial=1)}
    assert manager.post(change, posted).status_code == 302
    changed = Company.objects.get(pk=company.pk)
    assert (changed.name, changed.country, changed.kind) == ("Northwind Ltd", "CA", "partner")
    assert Location.objects.get(pk=place.pk).city == "Bellevue"


def test_org_2_renaming_the_vendor_shows_at_once(cast: Cast, manager: Client) -> None:
    assert selectors.vendor_name() == "Microsoft"
    vendor = cast.companies["vendor"]
    change = reverse("admin:accounts_company_change", args=[vendor.pk])
    manager.post(change, {"name": "Example Corp", "country": "US", **inline("locations")})
    assert selectors.vendor_name() == "Example Corp"


def test_org_2_reviewers_read_and_others_stay_out(cast: Cast) -> None:
    reviewer, seller = client_of(cast, REVIEWER), client_of(cast, SELLER)
    membership = cast.users["viewer@contoso.example"].memberships.get()
    pages = {
        "company": cast.companies["contoso"].pk,
        "user": membership.user_id,
        "membership": membership.pk,
    }
    for name, pk in pages.items():
        add, change = reverse(f"admin:accounts_{name}_add"), reverse(f"admin:accounts_{name}_change", args=[pk])
        listed = reverse(f"admin:accounts_{name}_changelist")
        assert [reviewer.get(url).status_code for url in (listed, change, add)] == [200, 200, 403]
        assert [reviewer.post(url, {}).status_code for url in (change, add)] == [403, 403]
        assert seller.get(change).status_code == 302
        delete = reverse(f"admin:accounts_{name}_delete", args=[pk])
        assert client_of(cast, MANAGER).post(delete, {"post": "yes"}).status_code == 403
    action = {"action": "send_password_link", "_selected_action": [membership.user_id]}
    reviewer.post(reverse("admin:accounts_user_changelist"), action)
    deliver()
    assert not mail.outbox
