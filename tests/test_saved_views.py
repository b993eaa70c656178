"""Views of a list: named, shared, opened with the list, and gone with whoever leaves (REF-20, ORG-2, ORG-6)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from portal.accounts import services as accounts
from portal.accounts.models import Membership
from portal.demo.cast import Cast
from portal.ui import services
from portal.ui.models import ListView, SavedView
from portal.workflow.blockers import Money, RuleViolation
from referrals.models import Referral
from tests.edge import STRANGER, Element, Live, parse
from tests.test_listing import OWNER, PRIVATE, VIEWER, heads, names, see

ADMIN = "admin@contoso.example"
NEW = reverse("save_view", args=["deals"])
SHARER = "Rüya İpekçi"
BIG = "tab=outbound&value_from=40000&sort=-value&exact=1"


@pytest.fixture
def live(cast: Cast) -> Live:
    return Live(cast)


def _save(client: Client, name: str, address: str = BIG, **more: Any) -> HttpResponse:
    return client.post(NEW, {"list": address, "name": name, **more})


def _url(view: SavedView) -> str:
    return reverse("saved_view", args=[view.public_id])


def _open(client: Client, view: SavedView) -> Element:
    response = client.get(reverse("deals"), {"view": str(view.public_id)}, follow=True)
    assert response.status_code == 200
    return parse(response)


def _offered(page: Element) -> list[str]:
    """What the menu above the list offers, without who shares it."""
    return [
        a.one("span").text.removesuffix(f" {SHARER}")
        for a in page.one("div", id="views").all("a")
        if "view=" in a.attrs["href"]
    ]


def _three(live: Live) -> None:
    for name, value in (("Big", "50000"), ("Bigger", "90000"), ("Small", "10")):
        live.deal(name=name, value=Money(Decimal(value), "USD"), **PRIVATE)


def test_ref_20_a_view_keeps_filters_order_and_columns_and_stays_while_one_looks_further(live: Live) -> None:
    _three(live)
    owner = live.browser(OWNER)
    owner.post(reverse("choose_columns", args=["deals"]), {"column": ["value"], "next": "/co-sell/"})
    form = parse(owner.get(NEW, {"list": BIG})).one("form", class_="o-confirm")
    answer = owner.post(NEW, {**form.fields(), "name": "  Big   ones "})
    view = SavedView.objects.get()
    assert (view.name, view.is_shared, view.user) == ("Big ones", False, live.cast.users[OWNER])
    assert answer["Location"] == f"{reverse('deals')}?view={view.public_id}"
    owner.post(reverse("choose_columns", args=["deals"]), {"column": ["country"], "next": "/co-sell/"})
    opened = _open(owner, view)
    assert (names(opened), heads(opened)) == (["Bigger", "Big"], ["Deal", "Value"])
    assert "View changed" not in opened.one("div", id="found").text
    rail = opened.one("ul", class_="o-rail__views").one("a")
    assert (rail.text, rail.attrs["aria-current"]) == ("Big ones", "true")
    assert heads(see(owner)) == ["Deal", "Country"]  # the view has its own columns, and is not how the list was left
    assert names(see(owner)) == ["Small", "Bigger", "Big"]
    # One looks further from the view: it says that it was changed, and keeps that once asked to.
    changed = see(owner, f"?{BIG}&value_to=60000&columns=name,value&view={view.public_id}")
    assert names(changed) == ["Big"]
    assert "View changed" in changed.one("div", id="found").text
    fields = changed.one("form", id="filters").fields()
    assert (fields["view"], fields["columns"]) == (str(view.public_id), "name,value")
    columns = see(owner, f"?{BIG}&menu=view&view={view.public_id}").one(
        "form", action=reverse("choose_columns", args=["deals"])
    )
    shown = owner.post(columns.attrs["action"], {**columns.fields(), "column": ["customer"]})["Location"]
    assert parse_qs(urlsplit(shown).query)["columns"] == ["name,customer"]
    owner.post(_url(view), {"do": "put", "list": changed.one("form", id="picked").fields()["list"]})
    assert names(_open(owner, view)) == ["Big"]


def test_ref_20_a_view_is_shared_within_the_company_and_changed_by_whose_it_is(live: Live) -> None:
    """ORG-6: another company's is unknown, and so is a colleague's own. What is shared shows only what one may see."""
    _three(live)
    owner, viewer, stranger, admin = (live.browser(by) for by in (OWNER, VIEWER, STRANGER, ADMIN))
    _save(owner, "Mine")
    _save(owner, "Ours", is_shared="on")
    mine, ours = SavedView.objects.order_by("pk")
    assert (_offered(see(owner)), _offered(see(viewer)), _offered(see(stranger))) == (["Mine", "Ours"], ["Ours"], [])
    for client, view in ((viewer, mine), (stranger, mine), (stranger, ours), (admin, mine)):
        assert client.get(f"{reverse('deals')}?view={view.public_id}").status_code == 404
        # An address that says all by itself shows that, as for a view that was deleted meanwhile.
        assert view.name not in _offered(parse(client.get(f"{reverse('deals')}?view={view.public_id}&exact=1")))
        assert client.get(_url(view)).status_code == client.post(_url(view), {"do": "delete"}).status_code == 404
    assert names(_open(viewer, ours)) == ["Bigger", "Big"]
    settings = parse(viewer.get(_url(ours))).one("form", class_="o-confirm")
    assert set(settings.fields()) == {"csrfmiddlewaretoken", "list"}  # whether their list opens with it, and no more
    assert viewer.post(_url(ours), {"is_default": "on", "name": "Theirs"}).status_code == 302
    assert [viewer.post(_url(ours), {"do": do}).status_code for do in ("put", "delete")] == [403, 403]
    assert SavedView.objects.get(pk=ours.pk).name == "Ours"
    # The rail leads there from every page, with one question for the views of all lists.
    deal = reverse("deal", args=[Referral.objects.get(name="Big").public_id])
    for address in (reverse("home"), deal, reverse("insights")):
        assert [view.text for view in _rail(owner, address)] == ["Mine", "Ours"]
        assert [view.text for view in _rail(viewer, address)] == ["Ours"]
        assert _rail(stranger, reverse("home")) == []
    # Their list opens with it, nobody else's does; and no longer when it isn't shared any more.
    assert names(see_followed(viewer)) == ["Bigger", "Big"]
    assert len(names(see_followed(owner))) == 3
    assert len(names(see(viewer, "?exact=1"))) == 3
    owner.post(_url(ours), {"name": "Ours", "is_shared": ""})
    assert len(names(see_followed(viewer))) == 3
    owner.post(_url(ours), {"name": "Ours", "is_shared": "on", "is_default": "on"})
    assert admin.post(_url(ours), {"do": "delete"}).status_code == 302
    assert ListView.objects.filter(default__isnull=False).count() == 0
    assert owner.post(_url(mine), {"do": "delete"}).status_code == 302
    assert SavedView.objects.count() == 0


def _rail(client: Client, address: str) -> list[Element]:
    rail = parse(client.get(address)).one("nav", id="rail")
    return [link for views in rail.all("ul", class_="o-rail__views") for link in views.all("a")]


def test_ref_20_a_view_opens_where_its_page_holds_several_lists(live: Live) -> None:
    """ISV Connect's; and those of Insights' list stand below Insights."""
    live.won(name="Ovens")
    owner, isv = live.browser(OWNER), reverse("isv_deals")
    for code, at in (("isv_to_report", "tab=action_required&exact=1"), ("isv_deals", "tab=closed&exact=1")):
        answer = owner.post(reverse("save_view", args=[code]), {"name": code, "list": at})
        assert owner.get(answer["Location"], follow=True).status_code == 200, code
    owner.post(reverse("save_view", args=["insights"]), {"name": "counted", "list": "status=Won&exact=1"})
    links = {link.text: link.attrs["href"] for link in _rail(owner, reverse("home"))}
    assert list(links) == ["isv_deals", "isv_to_report", "counted"]
    opened = {name: parse(owner.get(url, follow=True)) for name, url in links.items()}
    there = {name: page.one("nav", id="tabs").one("a", aria_current="page").text for name, page in opened.items()}
    assert there == {"isv_deals": "Closed 0", "isv_to_report": "Action required 0", "counted": "All 1"}
    whole = opened["isv_to_report"].one(id="views").all("a")[0].attrs["href"]
    assert whole == f"{isv}?tab=action_required&exact=1"
    # The vendor reports none: a view of that list would lead nowhere.
    vendor, sent = live.browser("manager@vendor.example"), {"name": "n", "list": "exact=1", "is_shared": "on"}
    assert vendor.post(reverse("save_view", args=["isv_to_report"]), sent).status_code == 404
    asked = {
        code: parse(owner.get(reverse("save_view", args=[code]))).all("input")
        for code in ("isv_deals", "isv_to_report")
    }
    opens = {code for code, fields in asked.items() if "is_default" in {field.attrs.get("name") for field in fields}}
    assert opens == {"isv_deals"}, "a tab that shares its page has no page to open"


def see_followed(client: Client) -> Element:
    return parse(client.get(reverse("deals"), follow=True))


def test_ref_20_names_are_refused_with_a_reason_and_views_are_limited(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One to sixty letters, once for each person and list; the form comes back with what was typed."""
    owner = live.browser(OWNER)
    _save(owner, "Big")
    for name, said in (
        ("", "This has to be filled in."),
        ("x" * 61, "Give the view a name of 1 to 60 letters."),
        (" Big ", "You have a view of this name already; choose another one."),
    ):
        answer = _save(owner, name, is_shared="on")
        form = parse(answer).one("form", class_="o-confirm")
        assert (answer.status_code, form.fields()["name"].strip()) == (422, name.strip())
        assert said in form.text
        assert form.fields()["is_shared"] == "on"
    assert _save(live.browser(VIEWER), "Big").status_code == 302  # somebody else's may be called so
    actor = live.cast.actor(OWNER)
    assert services.save_view("exceptions", "Big", "", actor=actor).listing == "exceptions"  # and another list's
    assert _save(owner, "x" * 60).status_code == 302
    second = SavedView.objects.get(name="x" * 60)
    with pytest.raises(RuleViolation, match="view_taken"):
        services.change_view(second, "Big", is_shared=False, actor=actor)
    with pytest.raises(PermissionDenied):
        services.change_view(second, "Other", is_shared=False, actor=live.cast.actor(ADMIN))
    monkeypatch.setattr(services, "MAX_VIEWS", 2)
    assert "You have 2 views of this list already." in parse(_save(owner, "Third")).text
    assert owner.get(reverse("save_view", args=["nothing"])).status_code == 404


def test_ref_20_a_view_whose_filter_is_gone_opens_without_it(live: Live) -> None:
    _three(live)
    owner, actor = live.browser(OWNER), live.cast.actor(OWNER)
    old = "status=Paused,New&country=XX&sort=colour&columns=colour,value&value_from=lots&tab=yesterday&exact=1"
    view = services.save_view("deals", "Old", old, actor=actor)
    services.set_default(view, on=True, actor=actor)
    for page in (_open(owner, view), see_followed(owner)):
        assert (len(names(page)), heads(page)) == (3, ["Deal", "Value"])
        assert "View changed" not in page.one("div", id="found").text


def test_org_2_whoever_leaves_loses_their_views_and_shared_ones_stay(live: Live) -> None:
    owner = live.browser(OWNER)
    _save(owner, "Mine")
    _save(owner, "Ours", is_shared="on")
    member = Membership.objects.get(user=live.cast.users[OWNER], company=live.cast.companies["contoso"])
    accounts.set_active(member, active=False, actor=live.cast.actor(ADMIN), now=live.now)
    assert [view.name for view in SavedView.objects.all()] == ["Ours"]
    assert _offered(see(live.browser(VIEWER))) == ["Ours"]
