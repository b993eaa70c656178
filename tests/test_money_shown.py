"""A figure is the same wherever it stands, and a value is judged at the rate of its month (REG-6, FX-2, FX-3)."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from portal.demo.cast import Cast
from portal.money import services as money
from portal.workflow import text
from portal.workflow.blockers import Money, RuleViolation
from referrals import rules, sweeps, verbs
from referrals.models import Referral
from tests import build, do
from tests.build import CONTOSO, DAY, NOW, REVIEWER
from tests.edge import parse

LED = {"help_code": rules.NO_HELP, "vendor_may_view": True}
#: 44,000.605 USD at 1.10: cut it is 44,000, to whole units 44,001, to the even cent 44,000.60.
VALUE, USD = Money(Decimal("40000.55"), "EUR"), "44,000.61"


def again(deal: Referral) -> Referral:
    return Referral.objects.get(pk=deal.pk)


@pytest.mark.parametrize(
    ("amount", "english", "turkish"),
    [
        ("40000", "40,000 USD", "40.000 USD"),
        ("40000.5", "40,000.50 USD", "40.000,50 USD"),
        ("0.125", "0.13 USD", "0,13 USD"),
        ("25000.004", "25,000 USD", "25.000 USD"),
        ("24999.995", "25,000 USD", "25.000 USD"),
        ("24999.6", "24,999.60 USD", "24.999,60 USD"),
    ],
)
def test_reg_6_amounts_are_shown_to_the_cent_half_up(amount: str, english: str, turkish: str) -> None:
    """REG-6: as they are compared; with their currency, or below a column that names it."""
    for language, shown in (("en", english), ("tr", turkish)):
        with translation.override(language):
            assert text.money(Decimal(amount), "USD") == text.show(Money(Decimal(amount), "USD")) == shown
            assert text.amount(Decimal(amount)) == shown.removesuffix(" USD")


def test_reg_6_fx_2_an_amount_is_the_same_on_every_page(cast: Cast, client: Client) -> None:
    """Home, list, deal, Insights with its file, the export, the administration: one figure."""
    now = timezone.now()
    deal = build.deal(cast, at=now, close_date=now.date(), value=VALUE, **LED)
    client.force_login(cast.users[CONTOSO])

    def page(path: str) -> str:
        return parse(client.get(path)).one("main").text

    home = parse(client.get("/")).one("section", id="pipeline").all("tr")
    assert [row.all("td")[-1].text for row in (home[1], home[-1])] == [USD, USD]
    row = parse(client.get(reverse("deals"))).one("tbody").one("tr")
    assert f"≈ {USD} USD" in [cell.attrs.get("title") for cell in row.all("td")]
    assert f"≈ {USD} USD" in page(reverse("deal", args=[deal.public_id]))
    insights = parse(client.get(reverse("insights")))
    assert f"{USD} USD" in insights.text
    pipeline = insights.one("section", id="pipeline").all("tr")
    assert [row.all("td")[-1].text for row in (pipeline[1], pipeline[-1])] == [USD, USD]
    held = again(deal).value_usd
    with translation.override("en"):
        assert text.amount(held) == USD
    file = client.get(reverse("insights_csv", args=["pipeline"])).content.decode("utf-8-sig")
    assert [row[-1] for row in csv.reader(io.StringIO(file))][-1] == str(held) == "44000.61"
    in_review = build.in_review(cast, value=VALUE)
    client.force_login(cast.users[REVIEWER])
    shown = client.get(reverse("admin:dealreg_registration_change", args=[in_review.pk]))
    assert f"40,000.55 EUR ≈ {USD} USD" in parse(shown).one("section", id="deal").text


# FX-2, FX-3


def rate(month: date, eur: str) -> None:
    rates, now = {"EUR": Decimal(eur)}, datetime(month.year, month.month, 28, tzinfo=UTC)
    money.import_month(month=month, rates=rates, source="test", publication="", now=now)


def test_fx_2_an_open_deal_is_judged_at_the_current_month_and_a_won_one_at_the_month_of_the_win(cast: Cast) -> None:
    """FX-2, FX-3: then it is frozen, whatever rates arrive."""
    open_, won, lost = (build.deal(cast, **LED) for _ in range(3))
    rate(date(2027, 1, 1), "1.20")
    january = datetime(2027, 1, 20, tzinfo=UTC)
    assert sweeps.revalue_open(now=january) == 3
    assert again(open_).value_usd == Decimal(48_000)
    rate(date(2027, 2, 1), "1.30")
    february = datetime(2027, 2, 1, tzinfo=UTC)
    won = do.win(won, actor=cast.actor(CONTOSO), now=february)  # no sweep since: the win itself asks for the rate
    assert (won.value_usd, won.usd_rate_month) == (Decimal(52_000), date(2027, 2, 1))
    do.lose(lost, actor=cast.actor(CONTOSO), now=january, reason_code="budget")
    rate(date(2027, 2, 1), "1.40")
    rate(date(2027, 3, 1), "1.50")
    assert sweeps.revalue_open(now=datetime(2027, 3, 5, tzinfo=UTC)) == 1
    assert [again(d).value_usd for d in (open_, won, lost)] == [Decimal(60_000), Decimal(52_000), Decimal(48_000)]


def test_fx_2_a_month_without_a_rate_takes_the_latest_at_most_three_months_back(cast: Cast) -> None:
    """FX-2: later the value is unknown, the deal says so, and nothing is taken for zero."""
    last = build.MONTHS[-1]
    assert last == date(2026, 12, 1)
    deal = build.deal(cast, **LED)
    sweeps.revalue_open(now=datetime(2027, 3, 31, 23, tzinfo=UTC))
    assert (again(deal).value_usd, again(deal).usd_rate_month) == (Decimal(44_000), last)
    april = datetime(2027, 4, 1, tzinfo=UTC)
    sweeps.revalue_open(now=april)
    assert (again(deal).value_usd, again(deal).usd_rate_month) == (None, None)
    with pytest.raises(money.RateMissing) as missing:
        money.to_usd(Decimal(1), "EUR", month=april.date(), policy=money_policy())
    assert missing.value.code == "fx_rate_missing"
    won = do.win(deal, actor=cast.actor(CONTOSO), now=april)
    assert won.value_usd is None
    rate(date(2027, 5, 1), "9")  # a later month says nothing about the month of the win
    assert sweeps.value_won(now=datetime(2027, 5, 2, tzinfo=UTC)) == 0
    rate(date(2027, 4, 1), "1.25")
    assert sweeps.value_won(now=datetime(2027, 5, 2, tzinfo=UTC)) == 1
    assert (again(deal).value_usd, again(deal).usd_rate_month) == (Decimal(50_000), date(2027, 4, 1))


def money_policy() -> money.RatePolicy:
    from portal.policy.rules import Policy

    return Policy()


def test_fx_2_the_month_of_the_win_is_the_one_in_utc(cast: Cast) -> None:
    """FX-2: whatever zone the worker's clock shows."""
    deal = build.deal(cast, value=Money(Decimal(1000), "SEK"), **LED)
    do.win(deal, actor=cast.actor(CONTOSO), now=datetime(2026, 11, 30, 22, 30, tzinfo=UTC))
    for month, sek in ((11, "0.1"), (12, "0.2")):
        rates = {"SEK": Decimal(sek)}
        money.import_month(
            month=date(2026, month, 1), rates=rates, source="test", publication="", now=build.MONTHS_OVER
        )
    with timezone.override("Europe/Istanbul"):
        assert sweeps.value_won(now=build.MONTHS_OVER) == 1
    assert (again(deal).value_usd, again(deal).usd_rate_month) == (Decimal(100), date(2026, 11, 1))


# REF-13, REF-16


def test_ref_13_a_deal_whose_copies_expired_stays_active_for_its_owner(cast: Cast) -> None:
    """REF-13: the vendor's and a partner's; it is worked on and won as if nobody had been asked."""
    at, admin = NOW - 20 * DAY, cast.actor(CONTOSO)
    deal = build.deal(cast, at=at)
    terms = verbs.Invitation(
        cast.companies["fabrikam"], NOW.date(), deal.money, build.HELP, [build.member()], [cast.solutions["twin"]]
    )
    do.invite_partner(deal, terms, actor=admin, now=at)
    assert sweeps.expire_due(now=NOW) == 2
    do.set_stage(deal, stage=60, actor=admin, now=NOW)
    assert do.win(deal, actor=admin, now=NOW).substatus == rules.WON


@pytest.mark.parametrize(
    ("given", "stage"), [("Teklif VERİLDİ", 60), ("Develop", 40), ("20 %", 20), ("%80", 80), ("60", 60)]
)
def test_ref_16_a_companys_own_names_are_taken_where_a_stage_is_given(
    cast: Cast, client: Client, given: str, stage: int
) -> None:
    from referrals.services import stage_names

    deal, company = build.deal(cast), cast.companies["contoso"]
    actor = cast.actor("admin@contoso.example")
    stage_names.add(company=company, name="Teklif verildi", stage=60, actor=actor, now=NOW)
    client.force_login(cast.users[CONTOSO])
    url = reverse("act", args=[deal.public_id, "set-stage"])
    assert client.post(url, {"stage": "Nobody's name"}).status_code == 422
    assert client.post(url, {"stage": given}).status_code == 302
    assert again(deal).stage == stage


def test_ref_17_what_was_an_error_is_in_no_figure(cast: Cast, client: Client) -> None:
    """REF-17: not in Insights, and not among the answers that a company gave (REF-22)."""
    from referrals.selectors import partners

    now, admin = timezone.now(), cast.actor(CONTOSO)
    deal = build.deal(cast, at=now, close_date=now.date(), value=VALUE)
    copy = build.vendor_copy(deal)
    do.close_as_error(copy, actor=cast.actor(build.SELLER), now=now, reason_code="test")
    do.close_as_error(deal, actor=admin, now=now, reason_code="test")
    assert partners.responsiveness_of(copy.company_id, now=now).received == 0
    client.force_login(cast.users[CONTOSO])
    assert USD not in parse(client.get(reverse("insights"))).one("main").text
    with pytest.raises(RuleViolation):
        do.win(deal, actor=admin, now=now)
