"""The forecast beside every step of a new deal: the criteria of the registration, asked of a draft (ELIG)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dealreg.rules.forecast import Plan, forecast
from dealreg.selectors.registration import eligibility_of
from portal.policy.rules import Policy
from portal.workflow import text
from portal.workflow.blockers import Money
from referrals import rules
from referrals.models import Draft, Referral
from tests import build
from tests.edge import Element, Live, parse
from tests.test_forms import OWNER
from tests.test_wizard import Writer, writer

POLICY = Policy()
READY = Plan(
    deal_type="partner_led",
    value=Money(Decimal(52_000), "EUR"),
    value_usd=Decimal("58248.004"),
    rate_month=build.NOW.date().replace(day=1),
    customer_managed=True,
    azure_ip_solutions=("Factory Insights",),
    safe_win_at=build.NOW,
)


def said(plan: Plan) -> dict[str, str]:
    return {line.criterion.code: line.state for line in forecast(plan, POLICY).lines}


# Rules


def test_elig_what_is_not_answered_yet_is_open_and_never_judged() -> None:
    nothing = Plan(None, None, None, None, None, None, safe_win_at=build.NOW)
    found = forecast(nothing, POLICY)
    assert found.verdict == "unknown"
    assert found.remedies == []
    assert {line.criterion.code for line in found.of("unknown")} == {
        "deal_type", "minimum_value", "managed_customer", "ip_solution",
    }  # fmt: skip
    assert forecast(READY, POLICY).verdict == "met"
    assert said(READY) == {
        **dict.fromkeys(("not_assessment", "deal_type", "minimum_value", "managed_customer", "ip_solution"), "met"),
        "won": "notYet",
    }
    assert said(replace(READY, deal_type="co_sell"))["vendor_accepted"] == "notYet"
    assert said(replace(READY, value_usd=None))["minimum_value"] == "notYet"  # the rate is still to come (FX-2)


def test_elig_2_a_private_deal_is_told_the_cheapest_remedy_first() -> None:
    """REF-1: to be viewed takes nobody's answer, help does; each was tried on the criterion itself."""
    found = forecast(replace(READY, deal_type="private"), POLICY)
    assert found.verdict == "notMet"
    assert [r.deal_type for r in found.remedies] == ["partner_led", "co_sell"]
    assessment = forecast(replace(READY, deal_type="solution_assessment"), POLICY)
    assert [(line.criterion.rule, line.state) for line in assessment.lines] == [("ELIG-1", "notMet")]


def test_elig_3_a_value_below_the_minimum_says_what_is_missing_to_the_cent(live: Live) -> None:
    found = forecast(replace(READY, value_usd=Decimal("24999.994")), POLICY)
    (line,) = found.of("notMet")
    assert line.why is not None
    assert text.text(line.why) == "At least 25,000 USD is needed; 0.01 USD is missing."
    assert [text.text(r.what) for r in found.remedies] == ["Raise the value by 0.01 USD or more"]
    assert forecast(replace(READY, value_usd=Decimal("24999.995")), POLICY).verdict == "met"  # the cents that are shown


# Pages


def card(page: Element) -> Element:
    return page.one("section", class_="o-forecast")


def verdict(page: Element) -> str:
    return card(page).one("h2").text


def unmet(page: Element) -> list[str]:
    return [li.one("span", class_="o-forecast__name").text for li in card(page).all("li", class_="is-notMet")]


DEALS: dict[str, tuple[dict[str, dict[str, Any]], list[str]]] = {
    "as it should be": ({}, []),
    "led by the partner": ({"help": {"help_code": rules.NO_HELP, "vendor_may_view": "yes"}}, []),
    "private": ({"help": {"help_code": rules.NO_HELP, "vendor_may_view": "no"}}, ["Deal type"]),
    "small": ({"deal": {"value": "9000"}}, ["Minimum value"]),
    "without Azure IP": ({"solutions": {"solutions": "field"}}, ["Azure IP solution"]),
    "of a customer that is not managed": ({"customer": {"customer": "bogaz"}}, ["Managed customer"]),
}


def filled(live: Live, changes: dict[str, dict[str, Any]]) -> Writer:
    named: dict[str, Any] = {"solutions": live.cast.solutions, "customer": live.cast.customers}
    given = {
        step: {k: named[k][v].public_id if k in named else v for k, v in of.items()} for step, of in changes.items()
    }
    page = writer(live)
    page.fill(**given)
    return page


def test_the_forecast_says_of_a_draft_what_the_registration_says_of_its_deal(live: Live) -> None:
    """ELIG-1 to ELIG-7: the same criteria in the same state, before the deal is created and after."""
    for what, (changes, expected) in DEALS.items():
        page = filled(live, changes)
        assert unmet(page.page) == expected, what
        assert (verdict(page.page) == "Can be registered once won") is (not expected), what
        before = {
            li.one("span", class_="o-forecast__name").text: "is-met" in li.attrs["class"]
            for li in card(page.page).all("li")
        }
        page.post(go="create")
        deal = Referral.objects.filter(company=live.cast.companies["contoso"]).latest("pk")
        after = {c.code: c for c in eligibility_of(deal, POLICY).criteria}
        assert {c.rule for c in after.values() if c.state == "notMet"} == {
            {"Deal type": "ELIG-2", "Minimum value": "ELIG-3", "Azure IP solution": "ELIG-5"}.get(name, "ELIG-4")
            for name in expected
        }, what
        assert sum(before.values()) == sum(
            c.state == "met" for c in after.values() if c.code != "vendor_accepted" or deal.help_code != rules.NO_HELP
        ), what


def test_every_step_has_the_forecast_and_what_is_typed_changes_it(live: Live) -> None:
    """Without JavaScript when a step is opened; with it in the answer of the draft that saves itself."""
    page = writer(live)
    assert verdict(page.page) == "Can still be registered"
    assert {b.attrs["value"] for b in card(page.page).all("button")} == {"deal", "solutions", "help"}
    page.fill("help")
    for step in ("customer", "deal", "team", "solutions"):
        assert verdict(page.step(step)) == "Can still be registered", step
    page.step("help")  # private is what it shows chosen, so it says what that costs
    assert (verdict(page.page), unmet(page.page)) == ("Can't be registered as it stands", ["Deal type"])
    assert "would not count for the incentive" in card(page.page).text
    assert "Ask for any help, and Microsoft can accept it" in card(page.page).text
    page.post(vendor_may_view="yes")
    assert verdict(page.page) == "Can be registered once won"
    page.step("deal")
    answer = parse(page.client.post(page.url, {**page.form(), "go": "save", "value": "9.000"}))
    line, rest = (answer.one("div", id=f"forecast-registration{part}") for part in ("", "-rest"))
    assert (line.attrs["hx-swap-oob"], line.one("h2").text) == ("innerHTML", "Can't be registered as it stands")
    assert "At least 25,000 USD is needed; " in rest.text
    assert "Raise the value by" in rest.text
    assert verdict(page.step("review")) == "Can't be registered as it stands"


def test_help_sets_and_locks_who_may_view_and_gives_the_answer_back_without_it(live: Live) -> None:
    """REF-1: help implies the view; what was chosen before isn't forgotten."""
    page = writer(live)
    page.fill("help")
    page.post(help_code=rules.NO_HELP, vendor_may_view="no")
    answer = parse(page.client.post(page.url, {**page.form(), "go": "save", "help_code": build.HELP}))
    for shown in (answer, page.step("help")):
        locked = shown.one("div", id="visibility").all("input", type="radio")
        assert [("disabled" in r.attrs, "checked" in r.attrs) for r in locked] == [(True, False), (True, True)]
        assert "Set by the help you ask for" in shown.one("div", id="visibility").text
    assert page.form()["vendor_may_view"] == "no"
    assert verdict(page.page) == "Can be registered once won"
    assert page.go_on().status_code == 302
    assert page.problems() == {}
    page.step("help")
    page.post(help_code=rules.NO_HELP)
    assert page.form()["vendor_may_view"] == "no"
    assert unmet(page.page) == ["Deal type"]


def test_the_catalogue_marks_azure_ip_where_solutions_are_chosen(live: Live) -> None:
    page = writer(live)
    page.fill("solutions")
    marked = [label.text for label in page.page.one("section", id="solutions").all("label") if "Azure IP" in label.text]
    assert any("Contoso Factory Insights" in label for label in marked)
    assert not any("Field Service" in label for label in marked)


def test_the_forecast_asks_nothing_but_the_rate(live: Live) -> None:
    """Whatever else it needs, the step's own checks have read; a step that checks nothing reads the three others."""
    page = writer(live)
    page.fill("team")
    address = reverse("new_deal_step", args=[Draft.objects.get().public_id, "team"])
    client = live.browser(OWNER)
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    assert len(queries) <= 15
