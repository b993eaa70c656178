"""Who may open and do what without an account (LIC-1, LIC-4, LIC-8): a table beside the one of test_roles, for the
customer's admin with a valid link, another customer's, a stranger with a link that was used up, and the partner."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from licensing.models import Licences
from licensing.services import links
from licensing.web.urls import urlpatterns
from portal.demo.cast import Cast
from tests import build, licences
from tests.edge import Browser, Live

ACTORS = ("admin", "other", "strang", "partner")
#: Address, method, of what, and the answer to each. `ask`: they are sent to ask for a link; `in`: to sign in.
TABLE = """
consent              GET  open     200 200 200 200
consent              POST open     302 302 302 302
consent              GET  used     410 410 410 410
consent              POST used     410 410 410 410
consent              GET  nobodys  404 404 404 404
consent              POST nobodys  404 404 404 404
licence_link         GET  -        200 200 200 200
licence_link         POST -        200 200 200 200
licence_page         GET  mailed   200 200 200 200
licence_page         POST mailed   302 302 302 302
licence_page         GET  spent    410 410 410 410
licence_page         POST spent    410 410 410 410
licence_page         GET  open     404 404 404 404
customer_licences    GET  own      200 ask ask ask
customer_licences    GET  others   ask 200 ask ask
customer_licences    GET  nobodys  ask ask ask ask
customer_plan        GET  own      200 ask ask ask
customer_plan        POST own      302 ask ask ask
customer_plan        GET  crossed  404 ask ask ask
customer_plan        POST crossed  404 ask ask ask
revoke_consent       GET  own      200 ask ask ask
revoke_consent       POST own      302 ask ask ask
end_licence_visit    POST own      ask ask ask ask
isv_licences         GET  deal      in  in  in 200
isv_licences         POST deal      in  in  in 422
isv_invite_customer  POST deal      in  in  in 200
"""
SENT: dict[str, dict[str, str]] = {
    "consent": {"go": "accept", "name": "A", "email": "a@b.example", "tenant_guid": str(licences.TENANT)},
    "licence_link": {"email": licences.ADMIN},
    "customer_plan": {"go": "assign", "emails": "new@anadolu.example"},
}


@dataclass(frozen=True)
class Row:
    route: str
    method: str
    subject: str
    expected: dict[str, str]


def rows() -> Iterator[Row]:
    for line in TABLE.strip().splitlines():
        route, method, subject, *answers = line.split()
        yield Row(route, method, subject, dict(zip(ACTORS, answers, strict=True)))


class World:
    """Two customers of Contoso's with licences; the first one's admin and the second's have opened their pages."""

    def __init__(self, cast: Cast) -> None:
        self.live = Live(cast)
        now = self.live.now
        mine = licences.given(cast, now=now)
        deal = licences.isv_deal(cast, customer=cast.customers["ege"])
        theirs_by = licences.consented(cast, deal, now=now, email="it@ege.example")
        theirs = licences.updated(cast, deal, theirs_by, now=now, basic=3)
        used = licences.invited(cast, licences.isv_deal(cast), now=now)
        licences.accepted(used.invitation, now=now, tenant_guid=licences.OTHER_TENANT, email="x@anadolu.example")
        self.browsers = {"admin": self._entered(mine), "other": self._entered(theirs), "strang": Browser()}
        self.browsers["partner"] = self.live.browser(build.CONTOSO)
        self.cookies = {actor: SimpleCookie(browser.cookies) for actor, browser in self.browsers.items()}
        spent = licences.newest_link(mine.relationship)
        links.send(licences.ADMIN, now=now)
        open_token = licences.invited(cast, licences.isv_deal(cast), now=now).token
        plan, nobody = licences.plan(mine.deal).pk, uuid.uuid4()
        own, others = mine.relationship.public_id, theirs.relationship.public_id
        self.args: dict[tuple[str, str], list[Any]] = {
            ("consent", "open"): [open_token],
            ("consent", "used"): [used.token],
            ("consent", "nobodys"): ["nobodys"],
            ("licence_link", "-"): [],
            ("licence_page", "mailed"): [licences.newest_link(mine.relationship)],
            ("licence_page", "spent"): [spent],
            ("licence_page", "open"): [open_token],
            ("customer_licences", "own"): [own],
            ("customer_licences", "others"): [others],
            ("customer_licences", "nobodys"): [nobody],
            ("customer_plan", "own"): [own, mine.public_id, plan],
            ("customer_plan", "crossed"): [own, theirs.public_id, licences.plan(theirs.deal).pk],
            ("revoke_consent", "own"): [own],
            ("end_licence_visit", "own"): [own],
            ("isv_licences", "deal"): [mine.deal.public_id],
            ("isv_invite_customer", "deal"): [mine.deal.public_id],
        }

    def _entered(self, given: Licences) -> Client:
        browser = Browser()
        browser.post(reverse("licence_page", args=[licences.newest_link(given.relationship)]))
        return browser

    def answer(self, actor: str, row: Row) -> HttpResponse:
        address = reverse(row.route, args=self.args[row.route, row.subject])
        client = self.browsers[actor]
        client.cookies = SimpleCookie(self.cookies[actor])
        with transaction.atomic():
            response: Any = (
                client.get(address) if row.method == "GET" else client.post(address, SENT.get(row.route, {}))
            )
            transaction.set_rollback(True)
        return response


def read(response: HttpResponse) -> str:
    to = response.headers.get("Location", "")
    if to.startswith("/accounts/login/"):
        return "in"
    return "ask" if to == reverse("licence_link") else str(response.status_code)


def test_everybody_gets_the_answer_of_the_table(cast: Cast) -> None:
    """LIC-1, LIC-4, ORG-6: a link opens its own page and no other; what isn't one's own answers as what there isn't."""
    cache.clear()
    world = World(cast)
    found, told = [], []
    for row in rows():
        answers = {actor: world.answer(actor, row) for actor in ACTORS}
        found.append(Row(row.route, row.method, row.subject, {actor: read(one) for actor, one in answers.items()}))
        told += [row.route for one in answers.values() if read(one) == "ask" and one.content]
    assert found == list(rows())
    assert told == []
    cache.clear()


def test_every_address_without_an_account_is_in_the_table() -> None:
    by_link = {str(one.name) for one in urlpatterns if not str(one.pattern).startswith("isvconnect/")}
    assert by_link <= {row.route for row in rows()}


@pytest.mark.parametrize("actor", ["strang", "partner"])
def test_lic_8_nobody_else_s_browser_keeps_a_visit(cast: Cast, actor: str) -> None:
    """A visit ends with its button, and is of one browser."""
    world = World(cast)
    row = Row("customer_licences", "GET", "own", {})
    assert read(world.answer("admin", row)) == "200"
    assert read(world.answer(actor, row)) == "ask"
    own = world.args["end_licence_visit", "own"]
    world.browsers["admin"].post(reverse("end_licence_visit", args=own))
    assert read(world.answer("admin", row)) == "ask"
