"""Days as people type them, and the field for one: the same notation everywhere, in the person's language."""

from __future__ import annotations

from datetime import date

import pytest
from django import forms
from django.urls import reverse
from django.utils import translation

from portal.accounts.models import User
from portal.days import DayField, read_day
from tests.edge import Live, parse
from tests.test_forms import OWNER

DAY = date(2026, 11, 5)


@pytest.mark.parametrize(
    "typed",
    [
        *("5 Nov 2026", "05 november 2026", "Nov 5, 2026", "5 Kas 2026", "5 KASIM 2026"),
        *("5.11.2026", "05/11/2026", "2026-11-05"),
    ],
)
def test_a_day_is_read_in_both_languages_and_in_figures(typed: str) -> None:
    assert read_day(f" {typed} ") == DAY
    assert read_day(typed.replace("5", "x")) is None


def test_what_is_no_day_stays_as_it_was_typed() -> None:
    class Form(forms.Form):
        day = DayField()

    for typed in ("31 Feb 2026", "2027-02-29", "next week", "5 Smarch 2026", "31.11.2026", "5.11.26", "11/20/2026"):
        form = Form({"day": typed})
        assert not form.is_valid(), typed
        assert form["day"].value() == typed
    for language, shown in (("en", "5 Nov 2026"), ("tr", "5 Kas 2026")):
        with translation.override(language):
            form = Form({"day": "2026-11-05"})
            assert form.is_valid()
            assert form.cleaned_data["day"] == DAY
            assert f'value="{shown}"' in str(form["day"])
            assert f'value="{shown}"' in str(Form(initial={"day": DAY})["day"])


def test_a_form_shows_and_takes_the_day_as_the_pages_write_it(live: Live) -> None:
    """What a Turkish page shows in its field can be sent as it stands; every field of a day is of this kind."""
    deal, owner = live.accepted(close_date=live.day(20)), live.browser(OWNER)
    User.objects.filter(email=OWNER).update(language="tr")
    for name, args in (("edit_details", []), ("invite_partner", []), ("act", ["win"])):
        page = parse(owner.get(reverse(name, args=[deal.public_id, *args])))
        assert page.all("input", type="date") == [], name
        assert len(page.all("button", data_day_open="")) == 1, name
    form = parse(owner.get(reverse("edit_details", args=[deal.public_id]))).one("main").one("form").fields()
    with translation.override("tr"):
        assert read_day(form["close_date"]) == live.day(20)
    answer = owner.post(reverse("edit_details", args=[deal.public_id]), form | {"name": "Yeni"})
    assert answer.status_code == 302
    assert type(deal).objects.get(pk=deal.pk).close_date == live.day(20)


LISTS = {
    "deals": ("close", "referrals@contoso.example"),
    "insights_deals": ("created", "referrals@contoso.example"),
    "exceptions": ("due", "referrals@contoso.example"),
    "isv_deals": ("signed", "referrals@contoso.example"),
    "admin:desk_case_changelist": ("decided", "reviewer@vendor.example"),
}


@pytest.mark.parametrize("name", LISTS)
def test_ref_20_a_day_of_a_filter_is_typed_as_in_every_form(live: Live, name: str) -> None:
    """Addresses keep it as 2026-11-05 in every language; what is no day is said at its field, and loses no other."""
    (column, email), address = LISTS[name], reverse(name)
    client = live.browser(email)
    first, last = f"{column}_from", f"{column}_to"
    sent = {"exact": "1", "q": "oven", "menu": "filters", first: "5 Kas 2026", last: "9.11.2026"}
    assert client.get(address, sent)["Location"].startswith(f"{address}?")
    page = parse(client.get(address, sent, follow=True))
    form = page.one("form", id="filters").fields()
    assert (form[first], form[last], form["q"]) == ("5 Nov 2026", "9 Nov 2026", "oven")
    assert f"{first}=2026-11-05&{last}=2026-11-09" in client.get(address, sent)["Location"]

    for wrong, said in (("11/20/2026", "not a day of the calendar"), ("1 Jan 1950", "nothing before 1990")):
        page = parse(client.get(address, sent | {first: wrong}))
        assert said in page.one("div", id=f"filter-{first}-error").text
        assert page.one("input", id=f"filter-{first}").attrs["aria-invalid"] == "true"
        form = page.one("form", id="filters")
        assert (form.fields()[first], form.fields()[last]) == (
            wrong if wrong.startswith("11") else "1 Jan 1950", "9 Nov 2026"
        )  # fmt: skip
        assert len([menu for menu in form.all("details") if "open" in menu.attrs]) == 1
        assert page.one("div", id=f"filter-{last}-error").text == ""
        assert f"{last}=2026-11-09" in str([link.attrs.get("href") for link in page.all("a")])


def test_ref_20_no_remembered_day_stands_behind_one_that_cant_be_read(live: Live) -> None:
    """A link that says nothing else has the other filters that the person used last."""
    client, deals = live.browser(OWNER), reverse("deals")
    client.get(deals, {"exact": "1", "close_from": "2026-01-01", "close_to": "2026-02-01", "status": "Won"})
    page = parse(client.get(deals, {"close_from": "soon"}))
    form = page.one("form", id="filters").fields()
    assert (form["close_from"], form["close_to"], form["status"]) == ("soon", "1 Feb 2026", "Won")
    assert "Close date: up to 1 Feb 2026" in page.one("div", id="found").text


def test_the_days_of_insights_are_typed_as_in_every_form(live: Live) -> None:
    owner = live.browser(OWNER)
    sent = {"period": "custom", "first": "5 Kas 2025", "last": "Nov 9, 2025"}
    assert owner.get(reverse("insights"), sent)["Location"] == (
        f"{reverse('insights')}?period=custom&first=2025-11-05&last=2025-11-09"
    )
    page = parse(owner.get(reverse("insights"), sent | {"last": "9.9.09"}))
    assert "not a day of the calendar" in page.one("div", id="id_last_error").text
    assert page.one("input", id="id_first").attrs["value"] == "5 Nov 2025"
