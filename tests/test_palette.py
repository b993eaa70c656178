"""The palette (Ctrl K): what it offers to whom, in which order, and where its buttons lead (docs/ux.md)."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from portal.demo.cast import ANKARA
from tests import build, do
from tests.edge import Element, Live, parse

VIEWER, ADMIN, SELLER = "viewer@contoso.example", "admin@contoso.example", build.SELLER


def lines(live: Live, query: str = "", *, by: str = build.CONTOSO, here: str = "/") -> dict[str, list[str]]:
    """The names by section, as the dialog shows them."""
    page = asked(live, query, by=by, here=here)
    return {
        group.one("p", class_="o-palette__title").text: [
            line.one("span", class_="o-palette__name").text for line in group.all(role="option")
        ]
        for group in page.all("div", role="group")
    }


def asked(live: Live, query: str, *, by: str = build.CONTOSO, here: str = "/") -> Element:
    headers = {"HX_Request": "true", "HX_Current_URL": f"http://testserver{here}"}
    response = live.browser(by).get(reverse("palette"), {"q": query}, headers=headers)
    assert response.status_code == 200
    return parse(response)


def test_everybody_is_offered_what_they_may_open_and_begin(live: Live) -> None:
    """ORG-1, ORG-2: as the rail, the settings' tabs and the pages' buttons do."""
    owner, viewer, admin, seller = (lines(live, by=by) for by in (build.CONTOSO, VIEWER, ADMIN, SELLER))
    assert list(owner) == ["Actions", "Pages"]
    assert owner["Actions"][:3] == ["New deal", "Report closed ISV Connect deal", "Upload a file"]
    assert not {*owner["Actions"][:3]} & {*viewer["Actions"], *seller["Actions"]}
    assert "Send a deal to a partner" in seller["Actions"]
    assert "Exceptions" in owner["Pages"]
    assert "Exceptions" not in seller["Pages"]
    assert "Settings: People" in admin["Pages"]
    assert "Settings: People" not in owner["Pages"]
    for by in (build.CONTOSO, VIEWER, ADMIN, SELLER):
        client = live.browser(by)
        links = [line.attrs["href"] for line in asked(live, "", by=by).all("a", role="option")]
        assert {client.get(link, follow=True).status_code for link in links} == {200}, by


def test_what_begins_with_the_letters_comes_first_and_found_by_its_own_name_before_others(live: Live) -> None:
    """REF-20: letters are folded; of what is found, names come before what stands in a note."""
    live.deal(name="Fırın kameraları", days=2)
    noted = live.deal(name="Kiosks", days=1)
    do.add_note(noted, text="Like the fırın", actor=live.cast.actor(build.CONTOSO), now=live.now)
    names = [name.split(" Anadolu")[0] for name in lines(live, "FIRIN")["Co-sell opportunities"]]
    assert names == ["Fırın kameraları", "Kiosks"]
    assert lines(live, "new")["Actions"] == ["New deal"]
    live.deal(name="New ovens")
    assert list(lines(live, "new")) == ["Actions", "Co-sell opportunities"]
    live.deal(name="Deals of the year")
    assert next(iter(lines(live, "deal"))) == "Co-sell opportunities"
    assert lines(live, "zzzz") == {}


def test_org_6_a_deals_page_adds_what_can_be_done_with_it_now(live: Live) -> None:
    """The foot bar's list, for who may; of a deal of others nothing, as of an address that means nothing."""
    deal = live.accepted()
    there = reverse("deal", args=[deal.public_id])
    assert "Mark as won" in lines(live, here=there)["This deal"]
    assert lines(live, "as won", here=there)["This deal"] == ["Mark as won"]
    hidden = live.deal(location=live.cast.locations[ANKARA], team=[build.member("x@contoso.example")])
    for by, here in (
        ("referrals@fabrikam.example", there),
        ("user@contoso.example", reverse("deal", args=[hidden.public_id])),
        (build.CONTOSO, "/nowhere/"),
    ):
        assert "This deal" not in lines(live, by=by, here=here), by
    assert "Mark as won" not in lines(live, by=VIEWER, here=there).get("This deal", [])


def test_its_buttons_lead_back_to_where_it_was_opened_and_a_list_is_exported_as_it_stands(live: Live) -> None:
    here = reverse("deals") + "?" + urlencode({"q": "ovens", "tab": "outbound"})
    form = asked(live, "", here=here).one("form", id="palette-do")
    sent = {field.attrs["name"]: field.attrs["value"] for field in form.all("input")}
    assert (sent["next"], sent["list"]) == (here, "q=ovens&tab=outbound")
    elsewhere = asked(live, "", here="/").one("form", id="palette-do").one("input", name="list")
    assert elsewhere.attrs["value"] == ""
    response = live.browser(build.CONTOSO).get(reverse("palette"), {"here": "https://elsewhere.example/"})
    assert response.status_code == 200
