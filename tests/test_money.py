"""Money: months and means by plain values, then rates in the real database (FX-1, FX-2, FX-3)."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.forms import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from portal.accounts.models import Company
from portal.accounts.rules import PROGRAMME_MANAGER, REVIEWER
from portal.money import rules, services
from portal.money.forms import AmountField
from portal.money.models import MonthlyRate
from portal.money.rules import Rate
from portal.money.services import Imported
from portal.policy.rules import Policy
from portal.workflow.blockers import RuleViolation
from tests.factories import CompanyFactory, PersonFactory, add_member

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
POLICY = Policy()
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)

days = st.dates(min_value=date(1999, 1, 1), max_value=date(2200, 12, 31))
positive = st.decimals(min_value=Decimal("1e-9"), max_value=Decimal(10) ** 9, places=9)


def publish(month: date, source: str = "test", **rates: str) -> Imported:
    now = max(NOW, datetime.combine(month, time.min, UTC))
    return services.import_month(
        month=month, rates={c: Decimal(r) for c, r in rates.items()}, source=source, publication="", now=now
    )


def rows() -> set[tuple[str, date, Decimal, str]]:
    return set(MonthlyRate.objects.values_list("currency", "month", "usd_per_unit", "source"))


# Months ----------------------------------------------------------------------------------------------------------


@given(days, st.integers(min_value=-300, max_value=300))
def test_fx_2_months_are_counted_without_days(day: date, count: int) -> None:
    month = rules.month_start(day)
    later = rules.add_months(month, count)
    assert month.day == later.day == 1
    assert (later.year - month.year) * 12 + later.month - month.month == count
    assert rules.add_months(later, -count) == month


def test_fx_2_a_month_of_an_instant_is_its_first_day() -> None:
    assert rules.month_start(datetime(2026, 11, 30, 23, 59, tzinfo=UTC)) == NOVEMBER


def test_fx_2_months_between_include_both_ends() -> None:
    assert list(rules.months(date(2026, 11, 5), date(2027, 1, 1))) == [NOVEMBER, date(2026, 12, 1), date(2027, 1, 1)]
    assert list(rules.months(NOVEMBER, OCTOBER)) == []


@pytest.mark.parametrize(
    ("day", "last"),
    [
        ("2026-10-30", True),  # a Friday; the 31st is a Saturday
        ("2026-10-29", False),
        ("2026-10-31", True),
        ("2026-10-24", False),  # a Saturday
        ("2026-11-30", True),  # a Monday
        ("2026-11-27", False),  # a Friday before that Monday
        ("2026-02-27", True),  # a Friday; the month ends with the 28th
    ],
)
def test_fx_1_a_month_is_over_after_its_last_weekday(day: str, last: bool) -> None:
    assert rules.ends_month(date.fromisoformat(day)) is last


# Means and conversion --------------------------------------------------------------------------------------------


@given(st.lists(positive, min_size=1, max_size=31))
def test_fx_1_an_average_is_the_exact_mean_rounded_half_up_once(values: list[Decimal]) -> None:
    exact = Fraction(0)
    for value in values:
        exact += Fraction(value)
    exact /= len(values)
    expected = Fraction((exact * 10**12 * 2 + 1).__floor__() // 2, 10**12)
    assert Fraction(rules.average(values)) == expected
    assert rules.average(values) == rules.average(values[::-1])
    assert min(values) <= rules.average(values) <= max(values)


def test_fx_1_nothing_has_no_average() -> None:
    with pytest.raises(ValueError, match="at least one"):
        rules.average([])


@pytest.mark.parametrize(
    ("amount", "rate", "usd"),
    [
        ("1.00", "0.005", "0.01"),  # half a cent goes up
        ("1.00", "0.004999999999", "0.00"),
        ("100", "1.10005", "110.01"),
        ("-1.00", "0.005", "-0.01"),  # and away from zero
        ("99999999999999999999.99", "123456789012.123456789012", "12345678901212345678899965432109.88"),
    ],
)
def test_fx_2_a_value_is_rounded_half_up_to_cents(amount: str, rate: str, usd: str) -> None:
    value = rules.convert(Decimal(amount), Rate("EUR", OCTOBER, Decimal(rate)))
    assert value == rules.UsdValue(Decimal(usd), Decimal(rate), OCTOBER)


def test_fx_1_forms_show_the_dollar_first_then_the_common_ones() -> None:
    assert rules.in_form_order(["ZAR", "TRY", "BRL", "EUR"]) == ["USD", "EUR", "TRY", "BRL", "ZAR"]
    assert rules.in_form_order([]) == ["USD"]


# The ECB's history -----------------------------------------------------------------------------------------------

HISTORY = """Date,USD,JPY,TRY,TRL,
2026-11-03,1.20,150,60,N/A,
2026-11-02,1.30,150,60,N/A,
2026-10-30,1.25,125,50,N/A,
2026-10-29,1.00,100,N/A,N/A,
2026-10-28,N/A,100,40,N/A,
2004-12-31,1.50,N/A,N/A,1500000,
"""


def test_fx_1_the_ecb_history_is_averaged_per_month() -> None:
    rates, newest = rules.ecb_monthly(HISTORY.splitlines())
    assert newest == date(2026, 11, 3)
    assert {(r.currency, r.month): r.usd_per_unit for r in rates} == {
        ("EUR", OCTOBER): Decimal("1.125"),
        ("JPY", OCTOBER): Decimal("0.010"),
        ("TRY", OCTOBER): Decimal("0.025"),  # one of three days: the second has no lira, the third no dollar
        ("EUR", date(2004, 12, 1)): Decimal("1.5"),
        ("TRL", date(2004, 12, 1)): Decimal("0.000001"),
    }


def test_fx_1_an_unfinished_month_is_not_averaged_yet() -> None:
    last = HISTORY.replace("2026-11-03", "2026-11-30")
    months = {r.month for r in rules.ecb_monthly(last.splitlines())[0]}
    assert NOVEMBER in months
    assert NOVEMBER not in {r.month for r in rules.ecb_monthly(HISTORY.splitlines())[0]}


def test_fx_1_older_months_can_be_left_out() -> None:
    rates, _newest = rules.ecb_monthly(HISTORY.splitlines(), since=date(2026, 10, 30))
    assert {r.month for r in rates} == {OCTOBER}
    assert {r.currency for r in rates} == {"EUR", "JPY", "TRY"}
    assert rules.ecb_monthly(HISTORY.splitlines(), since=date(2030, 1, 1)) == ([], None)


# Uploads ---------------------------------------------------------------------------------------------------------


def test_fx_1_an_upload_is_read() -> None:
    rates, errors = rules.read_upload(
        "currency,month,usd_per_unit\ntry, 2026-11 ,0.0213\n\nEUR,2026-11-01,1.1\n", today=NOW.date()
    )
    assert errors == []
    assert rates == [Rate("TRY", NOVEMBER, Decimal("0.0213")), Rate("EUR", NOVEMBER, Decimal("1.1"))]


def test_fx_1_an_upload_as_spreadsheets_write_it_in_turkish() -> None:
    rates, errors = rules.read_upload("Currency;Month;USD_per_unit\r\nTRY;2026-11;0,0213\r\n", today=NOW.date())
    assert (rates, errors) == ([Rate("TRY", NOVEMBER, Decimal("0.0213"))], [])


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("TR,2026-11,0.02", ["currency"]),
        ("USD,2026-11,1", ["currency"]),
        ("TRY,2026-13,0.02", ["month"]),
        ("TRY,2026-11-15,0.02", ["month"]),
        ("TRY,0000-01,0.02", ["month"]),
        ("TRY,2026-11,0", ["rate"]),
        ("TRY,2026-11,0.0000000000004", ["rate"]),  # zero once rounded to what is stored
        ("TRY,2026-11,-1", ["rate"]),
        ("TRY,2026-11,NaN", ["rate"]),
        ("TRY,2026-11,1000000000000", ["rate"]),
        ("TRY,2026-11,1e400", ["rate"]),
        ("TRY,2026-11,", ["rate"]),
        ("TRY,2026-11", ["columns"]),
        ("TRY,2026-11,0,02", ["columns"]),
        ("TRY,2026-10,0.02", ["repeated"]),
        ("TRX,2026-10,0.02", ["currency"]),  # three letters, and no currency
        ("XXX,2026-10,0.02", ["currency"]),  # ISO's code for no currency
        ("TRY,2027-12,0.02", ["future_month"]),
        ("TRX,2028-01,0", ["currency", "future_month", "rate"]),
        ("€,Nov,many", ["currency", "month", "rate"]),
    ],
)
def test_fx_1_every_error_of_an_upload_is_told_with_its_line(line: str, codes: list[str]) -> None:
    text = f"currency,month,usd_per_unit\nTRY,2026-10,0.02\n{line}\nEUR,2026-10,x\n"
    _rates, errors = rules.read_upload(text, today=NOW.date())
    assert [(e.line, e.blocker.code) for e in errors] == [*((3, code) for code in codes), (4, "rate")]


@pytest.mark.parametrize(
    ("text", "code"), [("", "header"), ("a,b\n", "header"), ("currency,month,usd_per_unit\n", "empty")]
)
def test_fx_1_an_upload_without_rates_is_an_error(text: str, code: str) -> None:
    _rates, errors = rules.read_upload(text, today=NOW.date())
    assert [(e.line, e.blocker.code) for e in errors] == [(1, code)]


@given(st.text())
def test_fx_1_no_upload_breaks_the_reader(text: str) -> None:
    rates, errors = rules.read_upload(text, today=NOW.date())
    assert rates or errors


# The month's rate ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_fx_2_a_value_is_judged_at_the_rate_of_its_month() -> None:
    publish(OCTOBER, EUR="1.10")
    publish(NOVEMBER, EUR="1.20")
    value = services.to_usd(Decimal("25000"), "EUR", month=date(2026, 10, 31), policy=POLICY)
    assert value == rules.UsdValue(Decimal("27500.00"), Decimal("1.10"), OCTOBER)
    assert services.rate_for("EUR", NOVEMBER, policy=POLICY).month == NOVEMBER


@pytest.mark.django_db
def test_fx_2_an_unpublished_month_uses_the_latest_at_most_three_back() -> None:
    publish(date(2026, 7, 1), EUR="1.07")
    publish(date(2026, 8, 1), EUR="1.08")
    publish(date(2026, 12, 1), EUR="1.12")  # a later month is never used
    found = services.rate_for("EUR", date(2026, 11, 30), policy=POLICY)
    assert found == Rate("EUR", date(2026, 8, 1), Decimal("1.08"))


@pytest.mark.django_db
def test_fx_2_older_rates_are_missing_rates() -> None:
    publish(date(2026, 7, 1), EUR="1.07")
    assert services.rate_for("EUR", OCTOBER, policy=POLICY).month == date(2026, 7, 1)
    with pytest.raises(services.RateMissing) as missing:
        services.rate_for("EUR", date(2026, 11, 5), policy=POLICY)
    assert (missing.value.code, missing.value.currency, missing.value.month) == ("fx_rate_missing", "EUR", NOVEMBER)
    assert services.rate_for("EUR", NOVEMBER, policy=Policy(rate_max_age_months=4)).month == date(2026, 7, 1)


@pytest.mark.django_db
def test_fx_2_the_dollar_is_always_one(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        value = services.to_usd(Decimal("12.345"), "USD", month=date(2026, 11, 9), policy=POLICY)
    assert value == rules.UsdValue(Decimal("12.35"), Decimal(1), NOVEMBER)


@pytest.mark.django_db
def test_fx_2_many_currencies_cost_one_query(django_assert_num_queries: Any) -> None:
    publish(OCTOBER, EUR="1.10", TRY="0.02", GBP="1.30")
    publish(NOVEMBER, EUR="1.20")
    publish(date(2026, 7, 1), JPY="0.007")
    with django_assert_num_queries(1):
        found = services.rates_for(["EUR", "TRY", "USD", "JPY", "XYZ"], NOVEMBER, policy=POLICY)
    assert {c: (r.month, r.usd_per_unit) for c, r in found.items()} == {
        "USD": (NOVEMBER, Decimal(1)),
        "EUR": (NOVEMBER, Decimal("1.20")),
        "TRY": (OCTOBER, Decimal("0.02")),
    }
    with django_assert_num_queries(1):
        everything = services.rates_for(None, NOVEMBER, policy=POLICY)
    assert set(everything) == {"USD", "EUR", "TRY", "GBP"}


# Taking in -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_fx_1_a_months_import_can_be_repeated() -> None:
    assert publish(OCTOBER, EUR="1.10", TRY="0.02", USD="1") == Imported(created=2)
    first = rows()
    again = publish(OCTOBER, EUR="1.10", TRY="0.02")
    assert again == Imported(unchanged=2)
    assert not again.changed
    assert rows() == first


@pytest.mark.django_db
def test_fx_3_an_import_says_whether_deals_must_be_revalued() -> None:
    assert publish(OCTOBER, EUR="1.10").changed
    corrected = publish(OCTOBER, EUR="1.11", TRY="0.02")
    assert corrected == Imported(created=1, updated=1)
    assert corrected.changed
    assert publish(OCTOBER, EUR="1.12") == Imported(updated=1)
    assert publish(OCTOBER, EUR="1.13").changed
    assert not publish(OCTOBER).changed


@pytest.mark.django_db
def test_fx_1_source_and_publication_are_kept() -> None:
    services.import_month(
        month=date(2026, 10, 17), rates={"EUR": Decimal("1.1")}, source="bank", publication="No. 7", now=NOW
    )
    row = MonthlyRate.objects.get()
    assert (row.month, row.source, row.publication, row.imported_at) == (OCTOBER, "bank", "No. 7", NOW)


@pytest.mark.django_db
def test_fx_1_the_ecb_corrects_itself_and_carried_rates_but_never_a_persons_rate() -> None:
    publish(OCTOBER, source="upload", EUR="1.10")
    publish(OCTOBER, source="ecb", GBP="1.30")
    publish(OCTOBER, source="carried", TRY="0.02")
    assert publish(OCTOBER, source="ecb", EUR="9", GBP="1.31", TRY="0.03") == Imported(updated=2, unchanged=1)
    assert publish(OCTOBER, source="carried", EUR="8", GBP="8", TRY="8") == Imported(unchanged=3)
    assert publish(OCTOBER, source="upload", GBP="1.35") == Imported(updated=1)
    assert rows() == {
        ("EUR", OCTOBER, Decimal("1.10"), "upload"),
        ("GBP", OCTOBER, Decimal("1.35"), "upload"),
        ("TRY", OCTOBER, Decimal("0.03"), "ecb"),
    }


def archive() -> io.BytesIO:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as file:
        file.writestr("eurofxref-hist.csv", HISTORY)
    return zipped


@pytest.mark.django_db
def test_fx_1_an_ecb_archive_is_imported() -> None:
    assert services.import_ecb_history(now=NOW, archive=archive()) == Imported(created=5)
    assert set(MonthlyRate.objects.values_list("source", "publication")) == {
        ("ecb", "ECB reference rates up to 2026-11-03")
    }
    assert services.rate_for("EUR", OCTOBER, policy=POLICY).usd_per_unit == Decimal("1.125")


@pytest.mark.django_db
def test_fx_1_the_packaged_history_works_offline_and_repeats_without_writing(
    django_assert_num_queries: Any,
) -> None:
    with django_assert_num_queries(3):  # savepoint, one statement, release
        first = services.import_ecb_history(now=NOW)
    assert first.created > 10_000
    assert services.import_ecb_history(now=NOW) == Imported(unchanged=first.created)
    euro = MonthlyRate.objects.filter(currency="EUR").order_by("month").first()
    assert euro is not None
    # January 1999, the euro's first month: the mean of its twenty daily rates.
    assert (euro.month, round(euro.usd_per_unit, 4)) == (date(1999, 1, 1), Decimal("1.1608"))
    assert services.import_ecb_history(since=date(2020, 1, 1), now=NOW).unchanged < first.created


@pytest.mark.django_db
def test_fx_2_demo_data_carries_the_last_rate_to_today() -> None:
    services.import_ecb_history(now=NOW, archive=archive())
    january, now = date(2027, 1, 1), datetime(2027, 1, 15, tzinfo=UTC)
    assert services.carry_forward(to_month=now.date(), now=now) == Imported(created=9)
    assert services.rate_for("TRY", january, policy=POLICY) == Rate("TRY", january, Decimal("0.025"))
    assert not MonthlyRate.objects.filter(currency="TRL", source="carried").exists()
    assert services.carry_forward(to_month=january, now=now) == Imported(unchanged=9)
    # November is published after all: it replaces the carried one, and what was carried past it follows.
    publish(NOVEMBER, source="ecb", EUR="1.25", JPY="0.01", TRY="0.03")
    assert services.carry_forward(to_month=january, now=now) == Imported(updated=4, unchanged=2)
    assert services.rate_for("TRY", january, policy=POLICY).usd_per_unit == Decimal("0.03")


@pytest.mark.django_db
def test_fx_1_forms_offer_what_is_still_published(django_assert_max_num_queries: Any) -> None:
    assert services.currencies() == ["USD"]
    services.import_ecb_history(now=NOW, archive=archive())
    publish(date(2026, 9, 1), source="upload", AZN="0.59")
    with django_assert_max_num_queries(2):
        assert services.currencies() == ["USD", "EUR", "TRY", "JPY", "AZN"]


@pytest.mark.django_db
def test_fx_1_a_csv_is_imported() -> None:
    file = io.BytesIO("\ufeffcurrency,month,usd_per_unit\nTRY,2026-11,0.0213\n".encode())
    file.name = "kurlar.csv"
    assert services.import_csv(file, now=NOW, policy=POLICY) == Imported(created=1)
    row = MonthlyRate.objects.get()
    assert (row.usd_per_unit, row.source, row.publication) == (Decimal("0.0213"), "upload", "kurlar.csv")


@pytest.mark.django_db
def test_fx_1_no_rate_of_an_unknown_currency_or_a_month_to_come_is_taken_in() -> None:
    """Whoever calls: the month under way is the last, in UTC."""
    publish(NOVEMBER, EUR="1.10")
    for month, currency, code in (
        (NOVEMBER, "TRX", "currency"),
        (date(2026, 12, 1), "TRY", "future_month"),
        (date(2200, 1, 1), "EUR", "future_month"),
    ):
        with pytest.raises(RuleViolation) as refused:
            services.import_month(month=month, rates={currency: Decimal(2)}, source="bank", publication="", now=NOW)
        assert refused.value.codes == [code]
    with pytest.raises(RuleViolation) as refused:
        services.carry_forward(to_month=date(2026, 12, 1), now=NOW)
    assert refused.value.codes == ["future_month"]
    assert rows() == {("EUR", NOVEMBER, Decimal("1.10"), "test")}


@pytest.mark.django_db
def test_fx_1_the_command_says_what_it_refuses(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ECB_FETCH = True
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as file:
        file.writestr("eurofxref-hist.csv", "Date,USD,ZZZ\n2200-01-31,1.1,2\n")
    monkeypatch.setattr(services, "fetch_ecb", lambda: zipped)
    with pytest.raises(CommandError) as refused:
        call_command("import_rates", fetch=True)
    assert str(refused.value).splitlines() == [
        "2200-01 has not begun yet: a rate is for a month that is over or under way.",
        "“ZZZ” is not a currency code.",
        "2200-01 has not begun yet: a rate is for a month that is over or under way.",
    ]
    assert not MonthlyRate.objects.exists()


@pytest.mark.django_db
def test_fx_1_a_csv_with_an_error_writes_nothing() -> None:
    file = io.BytesIO(b"currency,month,usd_per_unit\nTRY,2026-11,0.0213\nEUR,soon,1\nGBP,2026-11,none\n")
    with pytest.raises(services.RatesFileRefused) as refused:
        services.import_csv(file, now=NOW, policy=POLICY)
    assert [(e.line, e.blocker.code) for e in refused.value.errors] == [(3, "month"), (4, "rate")]
    assert not MonthlyRate.objects.exists()
    with pytest.raises(services.RatesFileRefused) as refused:
        services.import_csv(io.BytesIO("currency,month,usd_per_unit\nçay".encode("cp1254")), now=NOW, policy=POLICY)
    assert [(e.line, e.blocker.code) for e in refused.value.errors] == [(2, "encoding")]


def test_fx_1_fetching_is_off_unless_the_installation_wants_it(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fake(url: str, timeout: float) -> io.BytesIO:
        asked.append(url)
        return io.BytesIO(b"zip")

    monkeypatch.setattr("urllib.request.urlopen", fake)
    settings.ECB_FETCH = False
    with pytest.raises(services.FetchNotAllowed):
        services.fetch_ecb()
    assert asked == []
    settings.ECB_FETCH = True
    assert services.fetch_ecb().read() == b"zip"
    assert asked == ["https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip"]


@pytest.mark.django_db
def test_fx_1_the_command_imports_and_carries(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    settings.ECB_FETCH = True
    monkeypatch.setattr(services, "fetch_ecb", archive)
    call_command("import_rates", fetch=True, carry_forward=True, stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0] == "ECB: 5 created, 0 updated, 0 unchanged"
    assert lines[1].startswith("carried: ")
    monkeypatch.undo()
    settings.ECB_FETCH = False
    with pytest.raises(CommandError, match="ECB_FETCH"):
        call_command("import_rates", fetch=True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [
        {"usd_per_unit": Decimal(0)},
        {"month": date(2026, 11, 2)},
        {"currency": "try"},
        {"currency": "USD"},
    ],
)
def test_fx_1_the_database_refuses_what_is_no_rate(wrong: dict[str, Any]) -> None:
    right = {
        "currency": "TRY",
        "month": NOVEMBER,
        "usd_per_unit": Decimal("0.02"),
        "source": "test",
        "imported_at": NOW,
    }
    with transaction.atomic():
        MonthlyRate.objects.create(**right)
    other = {**right, "currency": "EUR"}
    with pytest.raises(IntegrityError), transaction.atomic():
        MonthlyRate.objects.create(**{**other, **wrong})
    with pytest.raises(IntegrityError, match="money_monthlyrate_once"), transaction.atomic():
        MonthlyRate.objects.create(**right)


# The admin -------------------------------------------------------------------------------------------------------


def vendor_client(role: str) -> Client:
    """Signed in as one of the vendor's people."""
    vendor = Company.objects.filter(kind="vendor").first()
    vendor = vendor or CompanyFactory(name="Vendor", country="US", kind="vendor")
    user = PersonFactory(email=f"{role}@vendor.example")
    add_member(user=user, company=vendor, roles=[role])
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def upload(client: Client, text: str) -> Any:
    file = io.BytesIO(text.encode())
    file.name = "rates.csv"
    return client.post(reverse("admin:money_monthlyrate_upload"), {"file": file})


def confirm(client: Client, shown: Any, **given: str) -> Any:
    """What the preview's button sends."""
    page = shown.context
    sent = {"text": page["content"], "name": page["name"], "seen": page["preview"].mark, "confirm": "yes"}
    return client.post(reverse("admin:money_monthlyrate_upload"), {**sent, **given})


@pytest.mark.django_db
def test_fx_1_a_programme_manager_uploads_rates_in_the_admin() -> None:
    client = vendor_client(PROGRAMME_MANAGER)
    page = client.get(reverse("admin:money_monthlyrate_changelist"))
    assert reverse("admin:money_monthlyrate_upload") in page.content.decode()
    assert client.get(reverse("admin:money_monthlyrate_upload")).status_code == 200
    refused = upload(client, "currency,month,usd_per_unit\nTRY,never,0.02\nEUR,2026-11,-1\n")
    assert "Line 2: “never” is not a month" in refused.content.decode()
    assert "Line 3: “-1” is not a rate above zero." in refused.content.decode()
    assert not MonthlyRate.objects.exists()
    shown = upload(client, "currency,month,usd_per_unit\nTRY,2026-11,0.02\n")
    assert not MonthlyRate.objects.exists()
    assert confirm(client, shown).status_code == 302
    assert MonthlyRate.objects.get().publication == "rates.csv"


@pytest.mark.django_db
def test_fx_1_a_reviewer_reads_rates_and_uploads_none() -> None:
    client = vendor_client(REVIEWER)
    page = client.get(reverse("admin:money_monthlyrate_changelist"))
    assert page.status_code == 200
    assert reverse("admin:money_monthlyrate_upload") not in page.content.decode()
    assert upload(client, "currency,month,usd_per_unit\nTRY,2026-11,0.02\n").status_code == 403
    assert not MonthlyRate.objects.exists()


@pytest.mark.parametrize(
    ("typed", "english", "turkish"),
    [
        ("40000", "40000", "40000"),
        ("1000.50", "1000.50", "1000.50"),
        ("1000,5", "1000.5", "1000.5"),
        ("1.000,50", "1000.50", "1000.50"),
        ("1,000.50", "1000.50", "1000.50"),
        ("1 000 000,50", "1000000.50", "1000000.50"),
        ("1.000.000", "1000000", "1000000"),
        ("40.000", "40000", "40000"),
        ("40,000", "40000", "40000"),
        ("-1.000", "-1000", "-1000"),
        ("40k", "40000", "40000"),
        ("40 K", "40000", "40000"),
        ("40 bin", "40000", "40000"),
        ("40 BİN", "40000", "40000"),
        ("1,2 m", "1200000", "1200000"),
        ("1.2m", "1200000", "1200000"),
        ("1,25 milyon", "1250000", "1250000"),
        ("0.5 million", "500000", "500000"),
        ("1.250m", "1250000", "1250000000"),
        ("1,250 m", "1250000000", "1250000"),
        ("1.23456k", "1234.56", "1234.56"),
        *(
            (typed, None, None)
            for typed in (
                "0.001",
                "0,001",
                "1.00.000",
                "1,000,5,0",
                "1.000,",
                "1e16",
                "NaN",
                "x",
                ".",
                "k",
                ".k",
                "5 kg",
                "1.2345k1",
                "1e5m",
                "1e999999999k",
                "1_000",
                "1.23456789k",
            )
        ),
    ],
)
def test_fx_1_amounts_are_read_as_people_write_them(typed: str, english: str | None, turkish: str | None) -> None:
    """REF-6, REG-4: whichever mark is the decimal one; what could be either is what the reader's language means."""
    for language, meant in (("en", english), ("tr", turkish)):
        with translation.override(language):
            if meant is None:
                with pytest.raises(ValidationError):
                    AmountField().clean(typed)
            else:
                assert AmountField().clean(typed) == Decimal(meant)


@pytest.mark.parametrize(
    ("typed", "english", "turkish"),
    [
        *((typed, None, None) for typed in ("", "  ", "40000", "1.000,50", "1,000.50", "1.000.000,5")),
        ("40.000", "40000", None),
        ("40,000", None, "40000"),
        *((typed, None, None) for typed in ("0,5", "0.5", "1000.50", "12,50")),
        ("40k", "40000", "40000"),
        ("1,2 m", "1200000", "1200000"),
    ],
)
def test_an_amount_that_could_be_meant_otherwise_is_shown_as_it_was_read(
    typed: str, english: str | None, turkish: str | None
) -> None:
    for language, meant in (("en", english), ("tr", turkish)):
        with translation.override(language):
            assert AmountField().reading(typed) == (None if meant is None else Decimal(meant))
