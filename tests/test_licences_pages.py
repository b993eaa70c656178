"""The partner's page *Manage licences* (LIC-1 to LIC-7), through Django's own client."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from isvconnect.models import IsvDeal
from licensing.models import Invitation, InvitationState, Licences, PlanCount
from licensing.rules import count_field
from licensing.services import invitations
from portal.demo.cast import Cast
from tests import build, licences
from tests.edge import Element, Live, parse
from tests.licences import TENANT

OWNER, VIEWER, MANAGER = build.CONTOSO, "viewer@contoso.example", "manager@vendor.example"
HOSTILE = '<b>Fırın</b> & "İçki" 🙂 شركة %(x)s {{ x }}'


@pytest.fixture
def live(cast: Cast) -> Live:
    return Live(cast)


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
