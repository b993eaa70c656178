"""The programme manager's office: companies are closed, reopened and merged, and none is doubled unasked (ORG-1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import uuid6
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from portal.accounts import companies, invites, merging, selectors, services
from portal.accounts.models import Company, Membership
from portal.accounts.rules import Grant
from portal.api.models import ApiClient
from portal.api.services import clients, tokens
from portal.catalog.models import Solution
from portal.customers.models import Customer
from portal.demo.cast import ISTANBUL, Cast
from portal.events import services as events
from portal.events.models import Event
from portal.money.models import MonthlyRate
from portal.policy.models import PolicyVersion
from portal.workflow.blockers import RuleViolation
from referrals.models import Engagement, Referral, StageName
from referrals.selectors import partners
from referrals.selectors.history import events_of
from referrals.services import stage_names
from tests import build, do
from tests.edge import parse
from tests.test_accounts_admin import inline
from tests.test_after_creation import invitation
from tests.test_concurrency import at_once

MANAGER, ADMIN, OWNER = "manager@vendor.example", "admin@contoso.example", "referrals@contoso.example"
FABRIKAM, VIEWER = "referrals@fabrikam.example", "viewer@contoso.example"
PLACE = {"name": "Izmir", "city": "Izmir", "country": "TR", "mpn_id": "9900001"}


@pytest.fixture
def manager(cast: Cast) -> Client:
    return browser(cast, MANAGER)


def browser(cast: Cast, email: str) -> Client:
    client = Client()
    client.force_login(cast.users[email])
    return client


def by(cast: Cast, *, at: Any = None) -> dict[str, Any]:
    return {"actor": cast.actor(MANAGER), "now": at or timezone.now()}


def page(name: str, company: Company) -> str:
    return reverse(f"admin:accounts_company_{name}", args=[company.pk])


def again(company: Company) -> Company:
    return Company.objects.get(pk=company.pk)


# Twice the same name


def test_org_1_a_second_company_of_one_name_is_asked_about_and_can_be_meant(cast: Cast, manager: Client) -> None:
    """Two of one name in a country are rare, and happen."""
    posted = {"name": "CONTOSO yazilim", "country": "TR", **inline("locations", PLACE)}
    asked = manager.post(reverse("admin:accounts_company_add"), posted)
    form = parse(asked).one("form", id="company_form")
    assert "confirm below that both are meant" in form.text
    assert form.one("input", name="both_meant").attrs["type"] == "checkbox"
    assert not Company.objects.filter(name="CONTOSO yazilim").exists()
    assert manager.post(reverse("admin:accounts_company_add"), {**posted, "both_meant": "on"}).status_code == 302
    second = Company.objects.get(name="CONTOSO yazilim")
    place = second.locations.get()
    kept = {"name": second.name, "country": "TR", **inline("locations", {"id": place.pk, **PLACE}, initial=1)}
    assert manager.post(page("change", second), kept).status_code == 302, "what keeps its name is asked about nothing"


# Closing


def close(cast: Cast, company: Company, *, at: Any = None) -> Company:
    return companies.close(company, reason="Left the programme", **by(cast, at=at))


def test_org_2_a_company_is_closed_with_a_reason_and_reopened(cast: Cast, manager: Client) -> None:
    contoso, alive = cast.companies["contoso"], browser(cast, OWNER)
    assert alive.get(reverse("home")).status_code == 200
    refused = manager.post(page("close", contoso), {"reason": " "})
    assert "Say why" in parse(refused).one("main").text
    assert manager.post(page("close", contoso), {"reason": "Left the programme"}).status_code == 302
    (event,) = Event.objects.of_subject(contoso).filter(verb=companies.CLOSED)
    assert (event.comment, event.actor_user, event.company) == ("Left the programme", cast.users[MANAGER], contoso)
    assert "Left the programme" in parse(manager.get(page("change", contoso))).one("main").text

    ended = alive.get(reverse("deals"))
    assert ended["Location"] == reverse("account_login")
    assert "_auth_user_id" not in alive.session, "the session is over"
    assert "was closed in this programme" in alive.get(reverse("account_login")).content.decode()

    assert "is closed already" in parse(manager.post(page("close", contoso), {"reason": "Twice"})).one("main").text
    assert manager.post(page("reopen", contoso)).status_code == 302
    assert browser(cast, OWNER).get(reverse("home")).status_code == 200
    told = [label for _event, label, _changes in manager.get(page("history", contoso)).context["entries"]]
    assert told[:2] == ["Reopened", "Closed"]


def test_org_2_nobody_acts_for_a_closed_company_by_another_door(cast: Cast) -> None:
    """Clients, webhooks, invitations, choices of partners: each asks by itself."""
    contoso, now = cast.companies["contoso"], timezone.now()
    admin = {"actor": cast.actor(ADMIN), "now": now}
    client, secret = clients.create(company=contoso, name="CRM", scopes=["referrals.read"], role="viewer", **admin)
    token = {"grant_type": "client_credentials", "client_id": client.client_id, "client_secret": secret}

    def ask() -> Any:
        return Client().post(reverse("oauth_token"), token)

    given = ask().json()["access_token"]
    assert tokens.access_of(given) is not None
    joining = {"grants": [Grant("viewer")], "language": "en"}
    invited = invites.create(company=contoso, email="new@contoso.example", **joining, **admin)
    assert contoso in partners.ecosystem()
    deal = build.deal(cast)

    closed = close(cast, contoso, at=now)
    assert tokens.access_of(given) is None
    assert ask().status_code == 401
    join = {"first_name": "A", "last_name": "B", "password": "correct horse 7", "again": "correct horse 7"}
    joined = Client().post(reverse("invite", args=[invites.token(invited)]), {**join, "language": "en"})
    assert "was closed in this programme" in joined.content.decode()
    with pytest.raises(RuleViolation, match="company_closed"):
        invites.create(company=contoso, email="x@contoso.example", **joining, **admin)
    assert contoso not in partners.ecosystem()
    assert Referral.objects.get(pk=deal.pk).substatus == "Accepted", "its deals go on"
    with pytest.raises(RuleViolation, match="vendor_stays"):
        companies.close(cast.companies["vendor"], reason="Why", **by(cast))
    with pytest.raises(PermissionDenied):
        companies.close(cast.companies["fabrikam"], reason="Why", actor=cast.actor("reviewer@vendor.example"), now=now)

    companies.reopen(closed, **by(cast))
    assert ask().status_code == 200, "as it was"


def test_ref_9_who_invites_a_closed_company_is_told_so(cast: Cast) -> None:
    deal, fabrikam = build.deal(cast), cast.companies["fabrikam"]
    close(cast, fabrikam)
    asked = replace(invitation(cast), partner=again(fabrikam))
    with pytest.raises(RuleViolation, match="partner_closed"):
        do.invite_partner(deal, asked, actor=cast.actor(OWNER), now=build.NOW)


# Merging


def test_org_1_every_reference_to_a_company_follows_or_stays_for_a_reason() -> None:
    """Whoever adds a table that names a company says in its `merging` what becomes of it."""
    named = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in [*model._meta.concrete_fields, *model._meta.many_to_many]
        if field.related_model is Company
    }
    assert named == {*merging.FOLLOWS, *merging.STAYS}
    assert not {*merging.FOLLOWS} & {*merging.STAYS}


def duplicate(cast: Cast) -> Company:
    """Contoso once more: a site of the same name, people of both and one of its own, a stage name, a client, a deal."""
    twin = services.create_company(name="Contoso Yazilim A.S.", country="TR", **by(cast))
    services.add_location(company=twin, **{**PLACE, "name": ISTANBUL}, **by(cast))
    for email, role in ((ADMIN, "account_admin"), (VIEWER, "account_admin"), (FABRIKAM, "referrals_admin")):
        services.set_membership(user=cast.users[email], company=twin, grants=[Grant(role)], **by(cast))
    own: dict[str, Any] = {"company": twin, "now": timezone.now()}
    own["actor"] = selectors.actor_for(Membership.objects.get(user=cast.users[ADMIN], company=twin))
    stage_names.add(stage=40, name="Angebot", **own)
    clients.create(name="CRM", scopes=["referrals.read"], role="viewer", **own)
    return twin


def deal_of(cast: Cast, company: Company) -> Referral:
    """A private deal, the company's from its first event on."""
    deal = build.deal(cast, vendor_may_view=False, help_code="Unknown")
    Engagement.objects.filter(pk=deal.engagement_id).update(started_by=company)
    Referral.objects.filter(pk=deal.pk).update(company=company)
    what: dict[str, Any] = {"company_id": company.pk, "group": deal.event_group}
    events.record_one(deal, "referral.stage_set", **by(cast), **what)
    return Referral.objects.get(pk=deal.pk)


def test_org_1_a_duplicate_goes_into_the_one_that_stays(cast: Cast, manager: Client) -> None:
    twin, contoso = duplicate(cast), cast.companies["contoso"]
    deal, look = deal_of(cast, twin), {"into": contoso.pk}

    def shown() -> Any:
        return parse(manager.get(page("merge", twin), look)).one("main")

    assert "Close Contoso Yazilim A.S. first" in shown().text
    close(cast, twin)
    assert "a moment ago" in shown().text, "a request may be under way"
    Company.objects.filter(pk=twin.pk).update(closed_at=timezone.now() - timedelta(minutes=5))
    with CaptureQueriesContext(connection) as asked:
        assert "In both companies:" in shown().text
    assert len(asked) <= 60, "a few for each table that names companies, however many rows there are"
    assert "named with its partner id" in shown().text
    confirm = shown().one("form", method="post").fields()
    stale = manager.post(page("merge", twin), {**confirm, "seen": "0"})
    assert "Something changed meanwhile" in stale.content.decode()
    assert again(twin).merged_into is None
    assert manager.post(page("merge", twin), confirm).status_code == 302

    assert again(twin).merged_into == contoso
    assert Referral.objects.get(pk=deal.pk).company == contoso
    assert StageName.objects.get(name="Angebot").company == contoso
    assert ApiClient.objects.get(name="CRM").company == contoso
    assert contoso.locations.get(mpn_id=PLACE["mpn_id"]).name == f"{ISTANBUL} (9900001)"
    both = Membership.objects.get(user__email=VIEWER, company=contoso)
    assert {grant.role for grant in both.grants.all()} == {"viewer", "account_admin"}
    assert Membership.objects.get(user__email=FABRIKAM, company=contoso).grants.get().role == "referrals_admin"
    assert Event.objects.filter(verb=merging.MERGED, subject_id=twin.pk).exists()
    assert Event.objects.get(verb=merging.ABSORBED, subject_id=contoso.pk).after["name"] == twin.name
    assert "Merged into" in parse(manager.get(page("change", twin))).one("main").text
    for refused in (lambda: companies.reopen(twin, **by(cast)), lambda: merging.merge(twin, contoso, **by(cast))):
        with pytest.raises(RuleViolation, match="merged_already"):
            refused()

    told = Event.objects.get(verb="referral.stage_set")
    assert told not in events.seen_by_vendor(), "REF-3: what was private stays so"
    assert told in events_of(Referral.objects.get(pk=deal.pk), cast.actor(OWNER), []), "its history follows"


def test_org_1_two_copies_of_one_deal_refuse_a_merge_as_a_whole(cast: Cast) -> None:
    twin, contoso = duplicate(cast), cast.companies["contoso"]
    copy = build.deal(cast, vendor_may_view=False, help_code="Unknown")
    copy.pk, copy.public_id, copy.company, copy.location = None, uuid6.uuid7(), twin, twin.locations.get()
    copy.name = "Kept to itself"
    copy.save()
    close(cast, twin, at=timezone.now() - timedelta(hours=1))
    with pytest.raises(RuleViolation) as refused:
        merging.merge(twin, contoso, **by(cast))
    (blocker,) = refused.value.blockers
    assert (blocker.code, blocker.params["count"], blocker.params["names"]) == ("merge_same_deal", 1, "–")
    assert again(twin).merged_into is None
    assert Membership.objects.filter(company=twin).count() == 3, "nothing moved"


@pytest.mark.django_db(transaction=True)
def test_org_1_of_two_managers_at_once_each_is_told_what_the_other_did(cast: Cast) -> None:
    row, own = "SELECT 1 FROM accounts_company WHERE id = %s FOR UPDATE", by(cast)
    vendor, contoso, new = cast.companies["vendor"], cast.companies["contoso"], {"name": "Adatum", "country": "TR"}

    def of(company: Company, call: Callable[[], Any]) -> list[Any]:
        return [r if isinstance(r, list) else "done" for r in at_once(row, [company.pk], call, call)]

    added = of(vendor, lambda: services.create_company(**new, **own))
    assert sorted(map(str, added)) == ["['company_known']", "done"]
    twin, earlier = Company.objects.get(name="Adatum"), timezone.now() - timedelta(hours=1)
    closed = of(twin, lambda: companies.close(twin, reason="Twice", **{**own, "now": earlier}))
    assert sorted(map(str, closed)) == ["['closed_already']", "done"]
    merged = of(twin, lambda: merging.merge(twin, contoso, **own))
    assert sorted(map(str, merged)) == ["['merged_already']", "done"]
    assert Event.objects.filter(verb=merging.MERGED).count() == 1


# The first steps


def test_first_steps_lead_through_an_empty_installation_and_vanish(cast: Cast, manager: Client) -> None:
    """Each is read from the data and leads to its place; managers alone see them."""
    index = reverse("admin:index")
    assert "First steps" not in parse(manager.get(index)).text
    MonthlyRate.objects.all().delete()
    PolicyVersion.objects.all().delete()
    steps = parse(manager.get(index)).one("section", class_="o-steps")
    done = {item.one("a").text: "is-done" in item.attrs["class"] for item in steps.all("li")}
    assert [label for label, is_done in done.items() if not is_done] == [
        "Take in the monthly rates",
        "Look at the programme's numbers",
    ]
    for link in steps.all("a"):
        assert manager.get(link.attrs["href"]).status_code == 200
    assert "First steps" not in parse(browser(cast, "reviewer@vendor.example").get(index)).text
    Solution.objects.update(co_sell_ready=False, azure_ip=False)
    Customer.objects.filter(added_by=None).update(added_by=cast.companies["contoso"])
    steps = parse(manager.get(index)).one("section", class_="o-steps")
    assert len([item for item in steps.all("li") if "is-done" in item.attrs["class"]]) == 3
