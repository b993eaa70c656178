"""Rates come in after a look at them: what is unusual is confirmed, what was there before is kept (FX-1)."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.demo.cast import Cast
from portal.events.models import Event
from portal.money import rules
from portal.money import services as money
from portal.money.models import MonthlyRate
from portal.money.rules import Rate, add_months, month_start
from portal.policy.rules import Policy
from portal.programme import services
from tests.edge import parse
from tests.test_money import confirm, upload

MANAGER = "manager@vendor.example"
HEADER = "currency,month,usd_per_unit\n"
PAGE = "admin:money_monthlyrate_upload"


def month(back: int) -> date:
    return add_months(month_start(timezone.now().date()), -back)


@pytest.fixture
def manager(cast: Cast) -> Client:
    """The last month's euro is known, at 1.10."""
    MonthlyRate.objects.all().delete()
    given: dict[str, Any] = {"source": "ecb", "publication": "", "now": timezone.now()}
    money.import_month(month=month(1), rates={"EUR": Decimal("1.10")}, **given)
    client = Client()
    client.force_login(cast.users[MANAGER])
    return client


def euro(back: int = 0) -> Decimal | None:
    return MonthlyRate.objects.filter(currency="EUR", month=month(back)).values_list("usd_per_unit", flat=True).first()


@pytest.mark.parametrize(
    ("rate", "codes"),
    [("1.65", []), ("1.66", ["rate_jumps"]), ("0.55", []), ("0.54", ["rate_jumps"]), ("11499", ["rate_jumps"])],
)
def test_fx_1_a_rate_that_jumps_is_asked_about(rate: str, codes: list[str]) -> None:
    known = {("EUR", date(2026, 9, 1)): Decimal("1.10"), ("EUR", date(2026, 12, 1)): Decimal(9)}
    given = Rate("EUR", date(2026, 11, 1), Decimal(rate))
    asked = rules.questions([given], known, today=date(2026, 11, 18), policy=Policy())
    assert [blocker.code for found in asked.values() for blocker in found] == codes


def test_fx_1_the_files_own_months_are_held_against_each_other_and_the_policy_says_how_far() -> None:
    rates = [Rate("AZN", date(2026, m, 1), Decimal(value)) for m, value in ((9, "0.59"), (10, "0.60"), (11, "6.00"))]
    asked = rules.questions(rates, {}, today=date(2026, 11, 18), policy=Policy())
    assert list(asked) == [("AZN", date(2026, 11, 1))]
    assert rules.questions(rates, {}, today=date(2026, 11, 18), policy=Policy(rate_jump_percent=900)) == {}
    first = {("AZN", date(2026, 9, 1)): Decimal("5.9")}
    again = rules.questions(rates[:1], first, today=date(2026, 11, 18), policy=Policy())
    assert list(again) == [("AZN", date(2026, 9, 1))], "the first month is held against what it replaces"


def test_fx_1_ten_thousand_times_the_euro_is_not_taken_in_before_it_is_confirmed(manager: Client) -> None:
    shown = upload(manager, f"{HEADER}EUR,{month(0):%Y-%m},11499\n")
    assert shown.status_code == 200
    assert "11499 is more than 50% away from the rate before, 1.1." in parse(shown).one("main").text
    assert euro() is None
    refused = confirm(manager, shown)
    assert "sure" in refused.context["form"].errors
    assert euro() is None
    assert confirm(manager, refused, sure="on").status_code == 302
    assert euro() == 11499
    event = Event.objects.get(verb="rate.added", after__currency="EUR", actor_user__email=MANAGER)
    assert [reason["code"] for reason in event.reasons] == ["rate_jumps"]


def test_fx_1_by_hand_is_no_way_around_and_a_month_to_come_is_asked_about(manager: Client) -> None:
    form = parse(manager.get(reverse(PAGE))).one("main").one("form").fields()
    typed = manager.post(reverse(PAGE), {**form, "text": f"{form['text']}EUR,{month(-1):%Y-%m},1.12\n"})
    assert "this month has not begun yet" in parse(typed).one("main").text
    assert "sure" in confirm(manager, typed).context["form"].errors
    assert confirm(manager, typed, sure="on").status_code == 302
    assert euro(-1) == Decimal("1.12")


def test_fx_1_the_service_asks_as_the_page_does(cast: Cast, manager: Client) -> None:
    who: dict[str, Any] = {"actor": cast.actor(MANAGER), "now": timezone.now()}
    content = f"{HEADER}EUR,{month(0):%Y-%m},11499\n".encode()
    with pytest.raises(money.Unconfirmed) as asked:
        services.upload_rates(io.BytesIO(content), **who)
    assert list(asked.value.preview.questions) == [("EUR", month(0))]
    assert euro() is None
    assert services.upload_rates(io.BytesIO(content), confirmed=True, **who).created == 1


def test_fx_1_the_preview_tells_new_changed_unchanged_and_refused(manager: Client) -> None:
    confirm(manager, upload(manager, f"{HEADER}AZN,{month(1):%Y-%m},0.59\n"))
    lines = [f"AZN,{month(1):%Y-%m},0.59", f"EUR,{month(1):%Y-%m},1.11", f"GBP,{month(1):%Y-%m},1.25"]
    shown = upload(manager, HEADER + "\n".join(lines))
    assert [count for _label, count in shown.context["counted"][:3]] == [1, 1, 1]
    text = parse(shown).one("main").text
    assert "EUR" in text
    assert "1.11" in text
    refused = upload(manager, HEADER + "\n".join([*lines, "TRX,2026-01,1"]))
    assert "Line 5: “TRX” is not a currency code." in parse(refused).one("main").text
    assert not parse(refused).one("main").all("button", name="confirm")
    assert euro(1) == Decimal("1.10")
    done = confirm(manager, refused)
    assert done.status_code == 200, "nor does sending the button's form"
    assert euro(1) == Decimal("1.10")


def test_fx_1_what_somebody_else_changed_meanwhile_is_shown_first(manager: Client) -> None:
    shown = upload(manager, f"{HEADER}EUR,{month(1):%Y-%m},1.12\n")
    confirm(manager, upload(manager, f"{HEADER}EUR,{month(1):%Y-%m},1.13\n"))
    late = confirm(manager, shown)
    assert "Somebody changed rates meanwhile." in parse(late).one("main").text
    assert euro(1) == Decimal("1.13")
    assert confirm(manager, late).status_code == 302
    assert euro(1) == Decimal("1.12")


def test_fx_1_a_rates_page_says_what_it_was_who_changed_it_and_when(cast: Cast, manager: Client) -> None:
    confirm(manager, upload(manager, f"{HEADER}EUR,{month(1):%Y-%m},1.12\n"))
    row = MonthlyRate.objects.get(currency="EUR", month=month(1))
    page = parse(manager.get(reverse("admin:money_monthlyrate_change", args=[row.pk]))).one("main").text
    assert "1.1 → 1.12" in " ".join(page.split())
    assert cast.users[MANAGER].get_full_name() in page
