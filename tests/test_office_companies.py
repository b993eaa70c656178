"""What the office refuses of companies and solutions, at its place; and whose deals its Insights count."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.accounts import services
from portal.accounts.models import Company
from portal.catalog.models import Solution
from portal.demo.cast import Cast
from portal.workflow.blockers import RuleViolation
from tests import build
from tests.edge import Live, parse
from tests.test_accounts_admin import inline
from tests.test_insights import ADDRESS, LED, NOW, table

MANAGER, REVIEWER, SELLER = "manager@vendor.example", "reviewer@vendor.example", "seller@vendor.example"
PLACE = {"name": "Izmir", "city": "Izmir", "country": "TR", "mpn_id": "9900001"}


@pytest.fixture
def manager(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.users[MANAGER])
    return client


def add(manager: Client, *rows: dict[str, Any], **given: str) -> Any:
    posted = {"name": "Adatum", "country": "TR", **given, **inline("locations", *rows)}
    return manager.post(reverse("admin:accounts_company_add"), posted)


def errors(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = answer.context["adminform"].form.errors
    return found


def test_org_1_a_country_is_chosen_by_name_wherever_it_is_asked_for(cast: Cast, manager: Client) -> None:
    """Typed text became another country: of *Great* two letters were left."""
    for page in ("accounts_company_add", "customers_customer_add"):
        form = parse(manager.get(reverse(f"admin:{page}"))).one(
            "form", method="post", id=page[:-4].split("_")[1] + "_form"
        )
        for name in [name for name in form.fields() if name.endswith("country")]:
            select = form.one("select", name=name)
            assert select.one("option", value="GB").text == "United Kingdom"
    assert "country" in errors(add(manager, PLACE, country="Great"))
    assert not Company.objects.filter(name="Adatum").exists()


def test_org_1_a_partner_without_a_location_is_refused_at_the_place(cast: Cast, manager: Client) -> None:
    refused = add(manager, {"name": "", "city": "", "country": "", "mpn_id": ""})
    assert "A company needs at least one location" in refused.content.decode()
    assert not Company.objects.filter(name="Adatum").exists()
    assert add(manager, PLACE).status_code == 302
    vendor = cast.companies["vendor"]
    change = reverse("admin:accounts_company_change", args=[vendor.pk])
    posted = {"name": "Microsoft", "country": "US", **inline("locations")}
    assert manager.post(change, posted).status_code == 302, "the vendor has none"


@pytest.mark.parametrize("name", ["Contoso Yazılım", "CONTOSO  YAZILIM", "contoso yazilim"])
def test_org_1_a_second_company_of_one_name_and_country_is_refused(cast: Cast, manager: Client, name: str) -> None:
    assert (
        "There is a company “Contoso Yazılım” in this country already."
        in errors(add(manager, PLACE, name=name))["name"][0]
    )
    assert add(manager, {**PLACE, "country": "DE"}, name=name, country="DE").status_code == 302
    fabrikam, who = cast.companies["fabrikam"], {"actor": cast.actor(MANAGER), "now": timezone.now()}
    with pytest.raises(RuleViolation, match="company_known"):
        services.change_company(fabrikam, name=name, country="TR", **who)
    assert services.change_company(fabrikam, name="Fabrikam GMBH", **who).name == "Fabrikam GMBH"


def test_org_5_ready_without_the_market_is_refused_where_it_is_said(cast: Cast, manager: Client) -> None:
    solution = cast.solutions["consulting"]
    change = reverse("admin:catalog_solution_change", args=[solution.pk])
    plans = {"plans-TOTAL_FORMS": 0, "plans-INITIAL_FORMS": 0, "code": solution.code, "name": solution.name}
    plans |= {"publisher": solution.publisher_id, "kind": solution.kind}
    refused = manager.post(change, {**plans, "co_sell_ready": "on"})
    assert "Only a solution in the market can be co-sell ready" in errors(refused)["co_sell_ready"][0]
    assert not Solution.objects.filter(pk=solution.pk, co_sell_ready=True).exists()
    assert manager.post(change, {**plans, "co_sell_ready": "on", "published": "on"}).status_code == 302


def test_org_5_a_partner_is_told_who_can_list_its_solution(cast: Cast) -> None:
    page = parse(Live(cast).browser("referrals@northwind.example").get(reverse("home"))).text
    assert "Microsoft lists solutions and says which of them are ready" in page
    assert "Publish one" not in page


def test_ref_17_managers_insights_count_the_partners_deals_and_not_the_vendors_copies(cast: Cast) -> None:
    """REF-3: what the vendor may not view is in no figure. A seller's are still those of the own company."""
    live = Live(cast)
    live.now = NOW
    for made in (build.won(cast), live.deal(**LED), live.deal(vendor_may_view=False, help_code="Unknown")):
        assert made.company == cast.companies["contoso"]
    for email in (MANAGER, REVIEWER):
        found = table(live, "funnel", by=email)
        assert (found["Created or received"][0], found["Won"][0]) == ("2", "1")
        assert "Registered" in found
    assert "Registered" not in table(live, "funnel", by=SELLER)
    page = parse(live.browser(MANAGER).get(reverse("insights") + ADDRESS))
    assert "Registrations" in page.one("main").text
