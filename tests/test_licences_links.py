"""What a customer's admin does without an account: the consent behind a link, the licence page (LIC-1, LIC-4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from isvconnect.models import IsvDeal
from licensing.models import EmailCode, Invitation, InvitationState, LicenceLink, Licences, Relationship
from licensing.services import invitations
from licensing.web import links as guard
from portal.demo.cast import Cast
from portal.notify.services import deliver_due
from portal.policy import services as policies
from tests import build, licences
from tests.edge import Browser, Element, Live, parse
from tests.licences import ADMIN, OTHER_TENANT, TENANT

ANSWERS = {"go": "accept", "name": "Defne Kaya", "email": ADMIN, "tenant_guid": str(TENANT)}


@pytest.fixture
def live(cast: Cast) -> Iterator[Live]:
    cache.clear()  # what was counted of requests
    yield Live(cast)
    cache.clear()


def link_of(live: Live, deal: IsvDeal | None = None) -> str:
    """The path of a link to a customer's admin."""
    return reverse(
        "consent", args=[licences.invited(live.cast, deal or licences.isv_deal(live.cast), now=live.now).token]
    )


def read(response: Any, status: int = 200) -> Element:
    assert response.status_code == status, parse(response).text
    return parse(response)


def mailed_code() -> str:
    """What the mailbox got."""
    deliver_due(now=timezone.now())
    return re.findall(r"^\s*(\d{6})\s*$", str(mail.outbox[-1].body), re.MULTILINE)[0]


def agreed(live: Live, client: Client, link: str) -> Element:
    """Through the pages."""
    assert client.post(link, ANSWERS).status_code == 302
    return read(client.post(link, {"go": "confirm", "code": mailed_code()}))


# The consent


def test_lic_1_the_page_names_who_asks_for_what_and_accepts_by_a_code(live: Live) -> None:
    """LIC-6: the tenant is prefilled from the deal; LIC-8: nothing counts before the code."""
    link, client = link_of(live), Browser()
    page = read(client.get(link))
    for words in ("Contoso", "Anadolu", "Licences of", "at any time"):
        assert words in page.text, words
    assert page.one("input", id="id_tenant_guid").attrs["value"] == str(TENANT)
    assert client.post(link, ANSWERS).status_code == 302
    page = read(client.get(link))
    assert f"A code was sent to {ADMIN}" in page.text
    assert not Relationship.objects.exists()
    wrong = licences.wrong(EmailCode.objects.get())
    assert "This isn't the code" in read(client.post(link, {"go": "confirm", "code": wrong}), 422).text
    page = read(client.post(link, {"go": "confirm", "code": mailed_code()}))
    assert "You consented" in page.text
    found = Relationship.objects.get()
    assert (found.admin_email, found.tenant_guid, found.admin_name) == (ADMIN, TENANT, "Defne Kaya")
    assert read(client.get(page.one("a", class_="btn-primary").attrs["href"])).one("h1").text == "Your licences"


def test_lic_8_only_the_browser_that_asked_reads_the_address(live: Live) -> None:
    """Whoever made the link has it, too; they learn nothing of who agrees."""
    link, client = link_of(live), Browser()
    client.post(link, ANSWERS)
    for other in (Browser(), live.browser(build.CONTOSO)):
        for address in (link, f"{link}?code"):
            assert ADMIN not in other.get(address).content.decode()
            assert "Defne" not in other.get(address).content.decode()
    page = read(Browser().get(f"{link}?code"))
    assert "Enter the newest code" in page.text
    assert "You consented" in read(Browser().post(link, {"go": "confirm", "code": mailed_code()})).text


def test_lic_1_refusing_is_confirmed_and_final(live: Live) -> None:
    link, client = link_of(live), Browser()
    assert "Refuse the consent?" in read(client.post(link, {"go": "refuse"})).text
    assert Invitation.objects.get().state == InvitationState.SENT
    assert "You refused" in read(client.post(link, {"go": "refuse-for-good"})).text
    assert Invitation.objects.get().state == InvitationState.REFUSED
    assert "used already" in read(client.post(link, {"go": "refuse-for-good"}), 410).text  # twice


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"email": ""}, "Enter your e-mail address."),
        ({"email": "x" * 300 + "@anadolu.example"}, "e-mail"),
        ({"email": "defne"}, "Enter an e-mail address."),
        ({"name": ""}, "Enter your name."),
        ({"tenant_guid": "contoso.onmicrosoft.com"}, "This is no tenant id"),
        ({"tenant_guid": ""}, "Enter the id of your tenant."),
    ],
)
def test_lic_8_a_refused_answer_comes_back_as_typed(live: Live, given: dict[str, str], said: str) -> None:
    link, client = link_of(live), Browser()
    page = read(client.post(link, ANSWERS | given), 422)
    assert said in page.text
    (name,) = given
    assert page.one("input", id=f"id_{name}").attrs["value"] == given[name]
    assert not EmailCode.objects.exists()
    assert mail.outbox == []


def test_lic_8_addresses_in_other_letters_are_taken(live: Live) -> None:
    """Turkish letters and emoji; braces around the tenant."""
    link, client = link_of(live), Browser()
    given = {"name": "Işıl Öğüt 🙂", "email": "IŞIL@Örnek.example", "tenant_guid": f"{{{str(OTHER_TENANT).upper()}}}"}
    assert client.post(link, ANSWERS | given).status_code == 302
    code = EmailCode.objects.get()
    assert (code.name, code.tenant_guid) == ("Işıl Öğüt 🙂", OTHER_TENANT)


def test_lic_8_codes_are_limited_by_invitation(live: Live) -> None:
    link, client = link_of(live), Browser()
    most = policies.current(live.now).email_codes_per_invitation
    assert [client.post(link, ANSWERS).status_code for _again in range(most)] == [302] * most
    refusal = read(client.post(link, ANSWERS), 422).text
    assert "No more mail can be sent here" in refusal
    assert "ask the company for a new link" in refusal  # tomorrow there are no more of this one either
    assert EmailCode.objects.count() == most


def test_lic_8_a_code_is_spent_after_some_wrong_ones(live: Live) -> None:
    link, client = link_of(live), Browser()
    client.post(link, ANSWERS)
    wrong = licences.wrong(EmailCode.objects.get())
    for _again in range(policies.current(live.now).email_code_attempts):
        client.post(link, {"go": "confirm", "code": wrong})
    assert "too often" in read(client.post(link, {"go": "confirm", "code": mailed_code()}), 422).text
    assert not Relationship.objects.exists()


# Dead links


def dead_links(live: Live) -> dict[str, tuple[str, int, str]]:
    """Every kind: its path, its status, its heading."""
    deal, cast, now = licences.isv_deal, live.cast, live.now
    used, refused = (licences.invited(cast, deal(cast), now=now) for _again in range(2))
    licences.accepted(used.invitation, now=now)
    invitations.refuse(refused.invitation, now=now)
    replaced_deal = deal(cast)
    replaced = licences.invited(cast, replaced_deal, now=now)
    licences.invited(cast, replaced_deal, now=now)
    expired = licences.invited(cast, deal(cast), now=live.ago(31))
    good = licences.invited(cast, deal(cast), now=now).token
    foreign = licences.newest_link(used.invitation.__class__.objects.get(pk=used.invitation.pk).relationship)
    return {
        "tampered": (good[:-1] + ("A" if good[-1] != "A" else "B"), 404, "This link is not complete"),
        "cut": (good[:10], 404, "This link is not complete"),
        "of another purpose": (foreign, 404, "This link is not complete"),
        "nonsense": ("🙂ğ" * 400, 404, "This link is not complete"),
        "used": (used.token, 410, "This link was used already"),
        "refused": (refused.token, 410, "This link was used already"),
        "withdrawn": (replaced.token, 410, "This link was taken back"),
        "expired": (expired.token, 410, "This link has expired"),
    }


def test_lic_1_each_dead_link_is_a_clear_page_that_leaks_nothing(live: Live) -> None:
    found = dead_links(live)
    mailed = EmailCode.objects.count()
    for kind, (token, status, heading) in found.items():
        link = reverse("consent", args=[token])
        for answer in (
            Browser().get(link),
            Browser().post(link, ANSWERS),
            Browser().post(link, {"go": "confirm", "code": "123456"}),
            Browser().post(link, {"go": "refuse-for-good"}),
        ):
            page = read(answer, status)
            assert page.one("h1").text == heading, kind
            for secret in ("Contoso", "Anadolu", ADMIN, str(TENANT), "Defne"):
                assert secret not in answer.content.decode(), (kind, secret)
    assert EmailCode.objects.count() == mailed


# Headers and limits


def pages_by_link(live: Live) -> Iterator[Any]:
    """An answer of every page that a link opens, dead ones too."""
    client, link = Browser(), link_of(live)
    yield client.get(link)
    yield client.get(f"{link}?code")
    yield client.post(link, {"go": "refuse"})
    yield client.post(link, ANSWERS)
    yield client.get(link)
    yield client.post(link, {"go": "confirm", "code": mailed_code()})
    yield client.get(link)
    relationship = Relationship.objects.get()
    yield client.get(reverse("licence_page", args=[licences.newest_link(relationship)]))
    yield client.get(reverse("licence_page", args=["x"]))
    yield client.get(reverse("licence_link"))
    yield client.post(reverse("licence_link"), {"email": ADMIN})
    yield client.get(reverse("customer_licences", args=[relationship.public_id]))
    yield client.get(reverse("revoke_consent", args=[relationship.public_id]))


def test_lic_8_nothing_of_a_link_goes_elsewhere(live: Live) -> None:
    """No referrer beyond the host, no cache, no search engine, nobody else's files, no frame."""
    for answer in pages_by_link(live):
        assert answer.headers["Referrer-Policy"] == "strict-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        if answer.status_code != 302:
            urls = re.findall(r'(?:src|href|action)="([^"]*)"', answer.content.decode())
            assert urls
            assert [url for url in urls if not re.match(r"/(?!/)|#|\?|$", url)] == []


def test_lic_8_forms_need_their_token(live: Live) -> None:
    client = Browser(enforce_csrf_checks=True)
    link = link_of(live)
    assert client.post(link, ANSWERS).status_code == 403
    assert client.post(reverse("licence_link"), {"email": ADMIN}).status_code == 403
    assert not EmailCode.objects.exists()


def test_lic_8_requests_are_limited_by_link_and_by_network(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(guard.LIMITS, "link", "5/5m/ip,3/5m/key")
    monkeypatch.setitem(guard.LIMITS, "page", "4/5m/ip")
    one, other = link_of(live), link_of(live)
    assert [Browser().get(one).status_code for _again in range(4)] == [200, 200, 200, 429]
    assert Browser().get(other).status_code == 200
    answer = Browser().get(other)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, guard.RETRY_AFTER)  # six of this network
    assert answer.headers["Referrer-Policy"] == "strict-origin"
    assert "Too many tries" in parse(answer).text
    asked = [Browser().post(reverse("licence_link"), {"email": ADMIN}).status_code for _again in range(5)]
    assert asked == [200, 200, 200, 200, 429]


# The licence page


def entered(held: Licences) -> Client:
    """A browser in which the customer's admin has opened the link from the mailbox."""
    client = Browser()
    answer = client.post(reverse("licence_page", args=[licences.newest_link(held.relationship)]))
    assert answer.headers["Location"] == reverse("customer_licences", args=[held.relationship.public_id])
    return client


def people_of(held: Licences, code: str = "basic") -> str:
    place = [held.relationship.public_id, held.public_id, licences.plan(held.deal, code).pk]
    return reverse("customer_plan", args=place)


def test_lic_4_a_link_is_opened_by_its_button_once(live: Live) -> None:
    """Programs that read mail follow links; they use none up."""
    held = licences.given(live.cast, now=live.now)
    link = reverse("licence_page", args=[licences.newest_link(held.relationship)])
    for _again in range(3):
        assert "Contoso" not in read(Browser().get(link)).text
    page = read(entered(held).get(reverse("customer_licences", args=[held.relationship.public_id])))
    assert "Basic 10 0" in page.text
    for answer in (Browser().get(link), Browser().post(link)):
        assert read(answer, 410).one("h1").text == "This link was used already"


def test_lic_8_asking_for_a_link_answers_alike_for_every_address(live: Live) -> None:
    held, asked = licences.given(live.cast, now=live.now), reverse("licence_link")
    before = LicenceLink.objects.count()
    answers = [
        Browser().post(asked, {"email": email}) for email in (ADMIN, "nobody@anadolu.example", "no address", "İ" * 200)
    ]
    assert {(answer.status_code, read(answer).text) for answer in answers} == {(200, read(answers[0]).text)}
    assert LicenceLink.objects.count() == before + 1
    assert licences.newest_link(held.relationship)
    assert "This has to be filled in." not in read(Browser().post(asked, {"email": ""}), 422).text


def test_lic_4_people_are_assigned_and_withdrawn_as_pasted(live: Live) -> None:
    held = licences.given(live.cast, now=live.now, basic=5)
    client, place = entered(held), people_of(held)
    pasted = (
        'Ada <ADA@anadolu.example>; "Işıl, B." <isil@anadolu.example>\n'
        "çağ@anadolu.example,ada@anadolu.example  🙂@anadolu.example"
    )
    assert client.post(place, {"go": "assign", "emails": pasted}).status_code == 302
    assert len(licences.holders(held)) == 4
    assert "Done: 4 of 5 licences are given out." in read(client.get(place)).text
    refused = read(client.post(place, {"go": "assign", "emails": "x@a.example y@a.example"}), 422)
    assert "1 licences of Basic are free, and 2 are needed." in refused.text
    assert refused.one("textarea", id="id_emails").text == "x@a.example y@a.example"
    assert client.post(place, {"go": "withdraw", "emails": "ada@anadolu.example"}).status_code == 302
    assert "ada@anadolu.example" not in licences.holders(held)
    twice = read(client.post(place, {"go": "withdraw", "emails": "ada@anadolu.example"}), 422)
    assert "has no licence of this plan" in twice.text


@pytest.mark.parametrize(
    "emails", ["", " , ; ", "nobody", "a@b", "x" * 400 + "@anadolu.example", "<>", "a b@c.example"]
)
def test_lic_4_what_is_no_address_is_refused(live: Live, emails: str) -> None:
    held = licences.given(live.cast, now=live.now)
    read(entered(held).post(people_of(held), {"go": "assign", "emails": emails}), 422)
    assert licences.holders(held) == []


def test_lic_4_of_many_wrong_addresses_some_are_named(live: Live) -> None:
    held = licences.given(live.cast, now=live.now)
    pasted = "\n".join(f"wrong{number}" for number in range(500))
    page = read(entered(held).post(people_of(held), {"go": "assign", "emails": pasted}), 422)
    assert page.text.count("is no e-mail address") == 2 * 20
    assert "There are 481 more like these." in page.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"email\nok@anadolu.example\nwrong\n\nx y\n", "Line 3: wrong is no e-mail address."),
        (b"email\nok@anadolu.example,2\n", "Line 2: The line needs 1 values and has 2."),
        (b"address\nok@anadolu.example\n", "Line 1: The first line must name the columns: email."),
        ("email\nok@anadolu.example\nışıl\n".encode("cp1254"), "Line 3: This line is not UTF-8."),
        (b"", "The file is empty"),
        (b"email\n", "Enter at least one e-mail address."),
        (b"email\n" + b"a" * 140_000 + b"\n", "Not readable as CSV"),
        (
            b"email\n" + b"\n".join(b"p%d@anadolu.example" % n for n in range(11)),
            "10 licences of Basic are free, and 11",
        ),
    ],
)
def test_lic_4_of_a_wrong_file_nothing_is_taken(live: Live, content: bytes, said: str) -> None:
    held = licences.given(live.cast, now=live.now)
    file = SimpleUploadedFile("people.csv", content)
    page = read(entered(held).post(people_of(held), {"go": "upload", "file": file}), 422)
    assert said in page.text
    assert licences.holders(held) == []


def test_lic_4_a_file_gives_everybody_in_it_a_licence(live: Live) -> None:
    """With the mark that spreadsheets write, a heading in capitals, and somebody twice."""
    held = licences.given(live.cast, now=live.now)
    content = "\ufeffEmail\r\nada@anadolu.example\r\n\r\nADA@anadolu.example\r\nçağ@anadolu.example\r\n".encode()
    file = SimpleUploadedFile("people.csv", content)
    assert entered(held).post(people_of(held), {"go": "upload", "file": file}).status_code == 302
    assert licences.holders(held) == ["ada@anadolu.example", "çağ@anadolu.example"]


def test_lic_4_many_people_come_page_by_page(live: Live) -> None:
    held = licences.given(live.cast, now=live.now, basic=200)
    licences.assigned(held, *licences.people(120), now=live.now)
    client, place, seen = entered(held), people_of(held), []
    while place:
        page = read(client.get(place))
        seen += [row.text for row in page.one("section", id="people").all("span", class_="o-plainlist__main")]
        more = page.one("section", id="people").all("li", class_="o-more")
        place = more[0].one("a").attrs["hx-get"] if more else ""
    assert seen == sorted(licences.people(120))


def test_lic_7_the_consent_is_taken_back_after_a_question(live: Live) -> None:
    held = licences.given(live.cast, now=live.now)
    licences.assigned(held, *licences.people(2), now=live.now)
    client, place = entered(held), reverse("revoke_consent", args=[held.relationship.public_id])
    assert "This is final." in read(client.get(place)).text
    assert client.post(place).status_code == 302
    assert not Relationship.objects.consented().exists()
    assert (
        "already" in read(client.post(place), 422).text
        or "can't be done any more" in read(client.post(place), 422).text
    )
    page = read(client.get(reverse("customer_licences", args=[held.relationship.public_id])))
    assert "You took the consent back." in page.text
    assert licences.counts(held) == {"basic": (10, 2)}


def test_lic_4_a_visit_ends_by_itself(live: Live) -> None:
    held = licences.given(live.cast, now=live.now)
    client = entered(held)
    session = client.session
    kept = session["licence_visits"]
    for visit in kept.values():
        visit["until"] = (live.now - timedelta(seconds=1)).isoformat()
    session["licence_visits"] = kept
    session.save()
    answer = client.get(people_of(held))
    assert (answer.status_code, answer.headers["Location"]) == (302, reverse("licence_link"))
    assert "Your visit has ended" in read(client.get(reverse("licence_link"))).text
