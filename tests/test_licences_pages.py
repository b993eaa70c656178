"""The partner's page *Manage licences* (LIC-1 to LIC-7), through Django's own client."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from isvconnect.models import IsvDeal
from licensing.models import Invitation, InvitationState, Licences, PlanCount
from licensing.rules import count_field
from licensing.services import invitations
from portal.events.models import Event
from tests import build, licences
from tests.edge import Element, Live, parse
from tests.licences import TENANT

OWNER, VIEWER, MANAGER = build.CONTOSO, "viewer@contoso.example", "manager@vendor.example"


def url(deal: IsvDeal, name: str = "isv_licences", *more: Any) -> str:
    return reverse(name, args=[deal.public_id, *more])


def opened(client: Client, deal: IsvDeal, status: int = 200) -> Element:
    response = client.get(url(deal))
    assert response.status_code == status, response.content.decode()[:2000]
    return parse(response)


def sent(client: Client, deal: IsvDeal, data: dict[str, Any], status: int) -> Element:
    response = client.post(url(deal), data)
    assert response.status_code == status, parse(response).text
    return parse(response)


def form_of(page: Element) -> dict[str, Any]:
    return page.one("form", id="licences-form").fields()


def given(live: Live, **counts: int) -> Licences:
    return licences.given(live.cast, now=live.now, **counts)


def field(deal: IsvDeal, code: str = "basic") -> str:
    return count_field(licences.plan(deal, code).pk)


def test_lic_2_the_button_is_disabled_until_the_server_says_otherwise(live: Live) -> None:
    deal, client = licences.isv_deal(live.cast), live.browser(OWNER)
    page = opened(client, deal)
    assert "No customer has given your company consent yet" in page.one("section", id="customer").text
    assert "disabled" in page.one("span", id="update").all("button")[0].attrs
    reasons = page.one("div", id="judgement").text
    assert "Choose a customer" in reasons
    assert "Add at least one plan." in reasons
    licences.consented(live.cast, deal, now=live.now)
    page = opened(client, deal)
    data = form_of(page) | {"go": "add", "add": licences.plan(deal).pk}
    assert data["relationship"]  # the deal's own customer is chosen
    page = sent(client, deal, data, 200)
    assert "Enter how many licences of Basic." in page.one("div", id="judgement").text
    data = form_of(page) | {field(deal): "0"}
    assert (
        "Zero" in parse(client.post(url(deal, "isv_licences_check"), data)).text
        or "above zero" in parse(client.post(url(deal, "isv_licences_check"), data)).text
    )
    checked = parse(client.post(url(deal, "isv_licences_check"), data | {field(deal): "30"}))
    assert "Ready to update" in checked.text
    assert "disabled" not in checked.one("span", id="update").one("button").attrs
    assert not Licences.objects.exists()
    sent(client, deal, data | {field(deal): "30"}, 302)
    assert licences.counts(Licences.objects.get()) == {"basic": (30, 0)}
    page = opened(client, deal)
    assert "can't be changed after the first update" in page.one("section", id="customer").text
    assert "relationship" not in form_of(page)
    assert "Basic 0 → 30" in page.one("section", id="history").text


def test_lic_4_a_count_below_what_is_assigned_is_refused_with_the_number(live: Live) -> None:
    """Also where the customer assigned them after the page was opened; to exactly that number it goes."""
    held, client = given(live, basic=10), live.browser(OWNER)
    data = form_of(opened(client, held.deal))
    licences.assigned(held, *licences.people(4), now=live.now)
    page = sent(client, held.deal, data | {field(held.deal): "3"}, 422)
    assert "4 licences of Basic are assigned" in page.one("div", role="alert").text
    assert page.one("input", id=f"id_{field(held.deal)}").attrs["value"] == "3"
    assert "@anadolu.example" not in page.text
    sent(client, held.deal, data | {field(held.deal): "4"}, 302)
    assert licences.counts(held) == {"basic": (4, 4)}


def test_ref_21_who_saves_second_reads_what_it_is_now(live: Live) -> None:
    """And may send again; sending the same twice changes nothing more."""
    held, client = given(live, basic=10), live.browser(OWNER)
    data = form_of(opened(client, held.deal))
    licences.updated(live.cast, held.deal, basic=25, now=live.now)
    page = sent(client, held.deal, data | {field(held.deal): "12"}, 422)
    assert "it is now “25”" in page.text
    again = form_of(page)
    assert again[field(held.deal)] == "12"
    sent(client, held.deal, again, 302)
    sent(client, held.deal, again, 302)
    assert licences.counts(held) == {"basic": (12, 0)}
    assert counted(held) == [12, 25, 10]


def counted(held: Licences) -> list[int]:
    """What its only plan was set to, newest first (LIC-5)."""
    events = Event.objects.of_subject(held).order_by("-pk")
    return [count for event in events for count in event.after.get("counts", {}).values()]


def test_lic_2_two_first_updates_don_t_overwrite_each_other(live: Live) -> None:
    deal, client = licences.isv_deal(live.cast), live.browser(OWNER)
    relationship = licences.consented(live.cast, deal, now=live.now)
    data = form_of(opened(client, deal)) | {"plan": licences.plan(deal).pk, field(deal): "5"}
    licences.updated(live.cast, deal, relationship, basic=7, now=live.now)
    page = sent(client, deal, data, 422)
    assert "it is now “7”" in page.text
    assert licences.counts(Licences.objects.get()) == {"basic": (7, 0)}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Enter how many licences of Basic."),
        ("0", "Zero is no number of licences."),
        ("-3", "Zero is no number of licences."),
        ("many", "Write a whole number here."),
        ("1.5", "Write a whole number here."),
        ("9" * 400, "Write a whole number here."),
        ("9999999999", "Enter at most"),
        ("🙂", "Write a whole number here."),
    ],
)
def test_lic_3_counts_are_whole_and_above_zero(live: Live, typed: str, said: str) -> None:
    held, client = given(live, basic=10), live.browser(OWNER)
    data = form_of(opened(client, held.deal)) | {field(held.deal): typed}
    page = sent(client, held.deal, data, 422)
    assert said in page.text
    assert page.one("input", id=f"id_{field(held.deal)}").attrs.get("value", "") == typed
    assert licences.counts(held) == {"basic": (10, 0)}


def test_lic_3_counts_are_read_as_people_write_them(live: Live) -> None:
    held, client = given(live, basic=10), live.browser(OWNER)
    for typed, count in (("1.200", 1_200), ("1,300", 1_300), (" 1 400 ", 1_400), ("40", 40)):
        sent(client, held.deal, form_of(opened(client, held.deal)) | {field(held.deal): typed}, 302)
        assert licences.counts(held)["basic"] == (count, 0)


def test_lic_3_the_bin_names_how_many_and_asks_again_when_there_are_more(live: Live) -> None:
    held, client = given(live, basic=10, premium=1), live.browser(OWNER)
    licences.assigned(held, *licences.people(2), now=live.now)
    place = url(held.deal, "isv_remove_plan", licences.plan(held.deal).pk)
    page = parse(client.get(place))
    assert "2 people lose their licence of Basic" in page.text
    data = page.one("form", class_="o-confirm").fields()
    licences.assigned(held, "late@anadolu.example", now=live.now)
    refused = client.post(place, data)
    assert refused.status_code == 422
    page = parse(refused)
    assert "3 people lose their licence of Basic" in page.text
    assert client.post(place, page.one("form", class_="o-confirm").fields()).status_code == 302
    assert licences.counts(held) == {"premium": (1, 0)}
    assert client.get(place).status_code == 404


def test_lic_6_another_tenant_is_asked_about_before_the_first_update(live: Live) -> None:
    deal = licences.isv_deal(live.cast, tenant_guid=licences.OTHER_TENANT)
    relationship = licences.consented(live.cast, deal, now=live.now)
    client = live.browser(OWNER)
    page = opened(client, deal)
    assert form_of(page)["relationship"] == ""  # nothing is chosen for anybody
    chosen = {"relationship": relationship.public_id, "plan": licences.plan(deal).pk, field(deal): "5"}
    page = sent(client, deal, form_of(page) | chosen, 422)
    assert str(TENANT) in page.one("div", id="other-customer").text
    sent(client, deal, form_of(page) | {"confirmed_other_customer": "on"}, 302)
    assert Licences.objects.get().relationship == relationship


def test_lic_7_frozen_counts_say_why(live: Live) -> None:
    held, client = given(live, basic=10), live.browser(OWNER)
    licences.revoked(held.relationship, now=live.now)
    page = opened(client, held.deal)
    assert "The customer took the consent back" in page.text
    assert not page.all("select", id="id_add")
    data = form_of(page)
    assert "but not raised" in sent(client, held.deal, data | {field(held.deal): "11"}, 422).text
    sent(client, held.deal, data | {field(held.deal): "9"}, 302)


def test_lic_1_the_link_is_shown_once_and_each_invitation_s_state_stays(live: Live) -> None:
    deal, client = licences.isv_deal(live.cast), live.browser(OWNER)
    shown = parse(client.post(url(deal, "isv_invite_customer")))
    link = shown.one("input", id="consent-link").attrs["value"]
    found = invitations.of_token(link.rstrip("/").rpartition("/")[2])
    assert found is not None
    assert found.deal == deal
    assert link not in opened(client, deal).text
    assert client.get(url(deal, "isv_invite_customer")).status_code == 405
    client.post(url(deal, "isv_invite_customer"))  # pressed twice: the first link is of no use any more
    states = [one.text for one in opened(client, deal).one("section", id="invitations").all("span", class_="o-badge")]
    assert states == ["Waiting for the customer", "Withdrawn"]
    newest = Invitation.objects.latest("pk")
    assert client.post(url(deal, "isv_withdraw_invitation", newest.public_id)).status_code == 302
    assert client.post(url(deal, "isv_withdraw_invitation", newest.public_id)).status_code == 422
    assert set(Invitation.objects.values_list("state", flat=True)) == {InvitationState.WITHDRAWN}


def test_isv_7_who_only_reads_gets_no_form(live: Live) -> None:
    held = given(live, basic=10)
    for person in (VIEWER, MANAGER):
        page = opened(live.browser(person), held.deal)
        assert "Basic" in page.one("section", id="plans").text
        assert page.all("form", id="licences-form") == []
        assert "Invite new customer" not in page.text


def test_lic_2_what_is_another_deal_s_is_no_choice(live: Live) -> None:
    """A foreign consent, a plan of another solution, and one that isn't offered any more."""
    deal, client = licences.isv_deal(live.cast), live.browser(OWNER)
    licences.consented(live.cast, deal, now=live.now)
    elsewhere = licences.plans(live.cast.solutions["factory"])[0]
    data = form_of(opened(client, deal)) | {"go": "add"}
    page = sent(client, deal, data | {"add": elsewhere.pk}, 200)
    assert page.all("input", name="plan") == []
    classic = licences.plan(deal, "classic")
    page = sent(client, deal, data | {"go": "update", "plan": classic.pk, count_field(classic.pk): "5"}, 422)
    assert "Classic is no longer offered." in page.text
    page = sent(client, deal, data | {"go": "update", "relationship": str(uuid.uuid4())}, 422)
    assert "Choose a customer who consented." in page.text
    assert not PlanCount.objects.exists()
