"""The customer directory: folding and files by plain values, then typeahead and imports in PostgreSQL (REF-5)."""

from __future__ import annotations

import csv
import io
import threading
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from portal.accounts.models import Company
from portal.accounts.rules import PROGRAMME_MANAGER, REFERRALS_ADMIN, REVIEWER, SYSTEM, Actor, Grant
from portal.customers import rules, services
from portal.customers.models import Customer
from portal.customers.rules import Columns, CustomerRow, RowProblem
from portal.customers.services import Summary
from portal.events.models import Event
from portal.workflow.blockers import RuleViolation
from tests.factories import CompanyFactory, PersonFactory, add_member

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
LATER = datetime(2026, 11, 21, 9, tzinfo=UTC)
FAMILY = "👨‍👩‍👧‍👦 Aile A.Ş."

#: Text as files and databases can hold it.
texts = st.text(st.characters(exclude_categories=("Cs",)))


def add(**given: Any) -> Customer:
    return services.create_customer(actor=SYSTEM, now=NOW, **given)


def events(verb: str, **which: Any) -> list[Event]:
    return list(Event.objects.filter(verb=verb, **which).order_by("pk"))


# Folding ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelling", ["istanbul", "İSTANBUL", "ISTANBUL", "ıstanbul", "İstanbul", " Istanbul ", "i̇stanbul"]
)
def test_ref_5_every_spelling_of_istanbul_is_one(spelling: str) -> None:
    assert rules.fold(spelling) == "istanbul"


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Şişecam ÇAĞDAŞ Gıda Öğütücü", "sisecam cagdas gida ogutucu"),
        ("Kâğıthane", "kagithane"),
        ("STRASSE", rules.fold("straße")),
        ("Škoda Łódź Ørsted Æther", "skoda lodz orsted aether"),
        ("ＡＣＭＥ\u3000Ltd", "acme ltd"),  # full-width letters and space
        ("  A \t B\n", "a b"),
        (FAMILY, "👨\u200d👩\u200d👧\u200d👦 aile a.s."),
        ("", ""),
    ],
)
def test_ref_5_folding_drops_case_marks_and_surplus_space(text: str, folded: str) -> None:
    assert rules.fold(text) == folded


@given(texts)
def test_ref_5_what_is_folded_stays_folded(text: str) -> None:
    assert rules.fold(rules.fold(text)) == rules.fold(text)


def test_ref_5_every_character_of_unicode_folds_like_its_other_spellings() -> None:
    for character in map(chr, [*range(0xD800), *range(0xE000, 0x30000)]):
        folded = rules.fold(character)
        assert rules.fold(folded) == folded, hex(ord(character))
        for form in ("NFC", "NFD", "NFKC", "NFKD"):
            assert rules.fold(unicodedata.normalize(form, character)) == folded, hex(ord(character))
        for spelling in (character.casefold(), character.upper(), character.lower(), character.title()):
            assert rules.fold(spelling) == folded, hex(ord(character))


@given(texts)
def test_ref_5_case_and_composition_do_not_matter(text: str) -> None:
    folded = rules.fold(text)
    assert rules.fold(text.casefold()) == folded
    assert rules.fold(unicodedata.normalize("NFC", text)) == folded
    assert rules.fold(unicodedata.normalize("NFD", text)) == folded


@given(st.text("iIıİsSşŞgGğĞuUüÜ oOöÖcCçÇ"))
def test_ref_5_turkish_upper_and_lower_case_do_not_matter(text: str) -> None:
    turkish_upper = text.replace("i", "İ").replace("ı", "I").upper()
    turkish_lower = text.replace("I", "ı").replace("İ", "i").lower()
    assert rules.fold(turkish_upper) == rules.fold(turkish_lower) == rules.fold(text)


@given(texts, texts)
def test_ref_5_the_beginning_of_a_text_folds_to_the_beginning(beginning: str, rest: str) -> None:
    assert rules.fold(beginning + rest).startswith(rules.fold(beginning))


# Reading a file --------------------------------------------------------------------------------------------------


def read(text: str, **columns: Any) -> list[CustomerRow | RowProblem]:
    return list(rules.open_file(io.StringIO(text, newline=""), Columns(**columns)).rows)


def codes(found: list[CustomerRow | RowProblem]) -> list[tuple[int, list[str]]]:
    return [(p.line, [b.code for b in p.blockers]) for p in found if isinstance(p, RowProblem)]


def test_ref_5_a_row_is_tidied_and_keyed() -> None:
    (row,) = read("name,country,city,duns,managed\n  Çağdaş  Gıda ,tr,İzmir,12-345-6789,Evet\n")
    assert isinstance(row, CustomerRow)
    assert (row.name, row.search_text, row.country, row.city) == ("Çağdaş Gıda", "cagdas gida", "TR", "İzmir")
    assert (row.duns, row.import_key, row.managed) == ("123456789", "duns:123456789", True)


def test_ref_5_the_key_is_the_duns_then_the_sources_own_then_name_and_place() -> None:
    columns = {"mapping": {"key": "id"}, "source": "crm"}
    text = "name,country,city,duns,id\nAcme,US,Rome,123456789,7\nAcme,US,Rome,,7\nAcme,US,Rome,,\n"
    duns, own, name = read(text, **columns)
    assert isinstance(duns, CustomerRow)
    assert isinstance(own, CustomerRow)
    assert isinstance(name, CustomerRow)
    assert duns.import_key == "duns:123456789"
    assert own.import_key == "key:crm:7"
    assert name.import_key.startswith("name:")
    (same,) = read("name,country,city\nACME,us,rome\n")
    (other,) = read("name,country,city\nACME,us,Milan\n")
    assert isinstance(same, CustomerRow)
    assert isinstance(other, CustomerRow)
    assert same.import_key == name.import_key != other.import_key


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (",TR,Ankara,,", ["name_missing"]),
        ("  ,TR,Ankara,,", ["name_missing"]),
        ("Acme,,Ankara,,", ["country_missing"]),
        ("Acme,XX,Ankara,,", ["country_unknown"]),
        ("Acme,Turkey,Ankara,,", ["country_unknown"]),
        (f"{'x' * 201},TR,Ankara,,", ["too_long"]),
        (f"Acme,TR,{'x' * 101},,", ["too_long"]),
        ("Acme,TR,Ankara,12345678,", ["duns_invalid"]),
        ("Acme,TR,Ankara,١٢٣٤٥٦٧٨٩,", ["duns_invalid"]),  # digits, but not ours
        ("Acme,TR,Ankara,,perhaps", ["managed_unclear"]),
        ("Acme,TR", ["columns"]),
        ("Acme,TR,Ankara,,,more", ["columns"]),
        ("Ac\udce7me,TR,Ankara,,", ["encoding"]),
        ("Ac\0me,TR,Ankara,,", ["control_character"]),
        (",EU,Ankara,1,", ["name_missing", "country_unknown", "duns_invalid"]),
    ],
)
def test_ref_5_a_bad_row_is_reported_by_line_with_everything_wrong(line: str, found: list[str]) -> None:
    rows = read(f"name,country,city,duns,managed\nGood,TR,,,\n{line}\nBetter,TR,,,\n")
    assert codes(rows) == [(3, found)]
    assert [row.name for row in rows if isinstance(row, CustomerRow)] == ["Good", "Better"]


def test_ref_5_lines_are_counted_as_an_editor_counts_them() -> None:
    rows = read('name,country,city\n\n"Two\nlines",TR,\n,,\nBad,??,\n')
    assert isinstance(rows[0], CustomerRow)
    assert rows[0].name == "Two lines"
    assert codes(rows) == [(6, ["country_unknown"])]


def test_ref_5_an_open_quote_costs_no_more_than_what_it_swallows() -> None:
    lines = ["name,country", '"Open,TR', *[f"Row {n},TR" for n in range(20_000)]]
    rows = read("\n".join(lines))
    assert codes(rows)[0] == (2, ["unreadable"])
    assert isinstance(rows[-1], CustomerRow)
    assert rows[-1].name == "Row 19999"


def test_ref_5_a_customer_that_stands_twice_counts_once() -> None:
    rows = read("name,country,city,state\nAcme,US,Rome,NY\nOther,US,,\nACME,US,ROME,Georgia\n")
    assert codes(rows) == [(4, ["repeated"])]


def test_ref_5_defaults_fill_empty_and_missing_cells() -> None:
    first, second = read("name,country\nA,\nB,DE\n", defaults={"country": "us", "managed": "yes", "state": "?"})
    assert isinstance(first, CustomerRow)
    assert isinstance(second, CustomerRow)
    assert (first.country, first.managed, first.state) == ("US", True, "?")
    assert second.country == "DE"


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("", {}),
        ("name", {}),
        ("country,city", {}),
        ("name,country", {"mapping": {"city": "Town"}}),
        ("name,country", {"mapping": {"colour": "name"}}),
        ("name,country", {"defaults": {"colour": "red"}}),
        ("name,country,id", {"mapping": {"key": "id"}}),
    ],
)
def test_ref_5_wrong_columns_are_refused_before_any_row(header: str, columns: dict[str, Any]) -> None:
    with pytest.raises(rules.WrongColumns):
        rules.open_file(io.StringIO(f"{header}\nA,US,1\n"), Columns(**columns))


@given(st.text())
def test_ref_5_no_file_breaks_the_reader(text: str) -> None:
    for row in read("name,country\n" + text):
        assert isinstance(row, RowProblem) or rules.fold(row.name) == row.search_text


@given(texts, st.sampled_from(sorted(rules.COUNTRIES)), texts)
def test_ref_5_a_row_that_is_read_is_an_entry(name: str, country: str, city: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([["name", "country", "city"], [name, country, city]])
    for row in read(out.getvalue()):
        if isinstance(row, CustomerRow):
            assert row.name == rules.tidy(name)
            assert not any(rules.SEPARATOR in value for value in row if isinstance(value, str))
            assert len(row.search_text) <= rules.SEARCH_TEXT_LENGTH


def test_ref_5_countries_are_iso_alpha_2() -> None:
    assert len(rules.COUNTRIES) == 250  # the 249 of ISO 3166-1, and Kosovo
    assert {"TR", "DE", "US", "XK"} <= rules.COUNTRIES
    names = dict(rules.country_choices("tr"))
    assert names["TR"] == "Türkiye"
    assert set(names) == rules.COUNTRIES


# Adding, and choosing --------------------------------------------------------------------------------------------


def manager() -> Actor:
    return Actor(kind="person", is_vendor=True, grants=frozenset({Grant(PROGRAMME_MANAGER)}))


@pytest.mark.django_db
def test_ref_5_an_entry_is_added_once() -> None:
    customer = add(name=" Çağdaş  Gıda ", country="tr", city="İzmir", duns="12-345-6789")
    assert (customer.name, customer.country, customer.duns, customer.managed) == (
        "Çağdaş Gıda",
        "TR",
        "123456789",
        False,
    )
    with pytest.raises(RuleViolation) as refused:
        add(name="Something else", country="TR", duns="123456789")
    assert refused.value.codes == ["known"]
    assert Customer.objects.count() == 1


@pytest.mark.django_db
def test_ref_5_an_entry_with_faults_is_refused_with_all_of_them() -> None:
    with pytest.raises(RuleViolation) as refused:
        add(name=" ", country="Turkey", duns="1")
    assert refused.value.codes == ["name_missing", "country_unknown", "duns_invalid"]


@pytest.mark.django_db(transaction=True)
def test_ref_5_two_who_add_the_same_entry_at_once_make_one() -> None:
    ready, refused = threading.Barrier(2), []

    def add_it() -> None:
        ready.wait()
        try:
            add(name="Acme", country="US")
        except RuleViolation as violation:
            refused.extend(violation.codes)
        finally:
            connection.close()

    threads = [threading.Thread(target=add_it) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["known"]
    assert Customer.objects.count() == 1


@pytest.mark.django_db
def test_ref_5_suggestions_are_by_country_and_first_letters_however_spelt() -> None:
    for city in ("Ankara", "İzmir"):
        add(name="Işık Enerji", country="TR", city=city)
    add(name="ISIL Tekstil", country="TR")
    add(name="Isis", country="DE")
    add(name="Bay Işık", country="TR")
    names = [(c.name, c.city) for c in Customer.objects.suggest("tr", "ışI")]
    assert names == [("Işık Enerji", "Ankara"), ("Işık Enerji", "İzmir"), ("ISIL Tekstil", "")]
    assert [c.name for c in Customer.objects.suggest("DE", "ısı")] == ["Isis"]
    assert [c.name for c in Customer.objects.suggest("TR", "işik  en", limit=1)] == ["Işık Enerji"]
    assert not Customer.objects.suggest("TR", "  ")
    assert not Customer.objects.suggest("TR", "%")
    assert not Customer.objects.suggest("TR", "_s")


@pytest.mark.django_db
def test_ref_5_suggestions_tell_the_entities_of_one_company_apart() -> None:
    customer = add(name="Acme", country="US", city="Rome", state="NY", postal_code="13440", address_line1="1 Main St")
    assert customer.place == "1 Main St, 13440 Rome, NY, US"
    assert add(name="Acme", country="US").place == "US"


def plan(queryset: Any) -> str:
    return queryset.explain(costs=False)


@pytest.mark.django_db
def test_ref_5_suggestions_are_read_off_one_index_in_order(django_assert_num_queries: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_customer (public_id, name, country, city, state, postal_code, address_line1,
                address_line2, duns, managed, import_key, search_text, created_at, updated_at)
            SELECT uuidv7(), 'Acme ' || n, CASE WHEN n % 2 = 0 THEN 'TR' ELSE 'DE' END, '', '', '', '', '', '', false,
                'key:test:' || n, 'acme ' || n, now(), now()
            FROM generate_series(1, 20000) AS n
            """
        )
        cursor.execute("ANALYZE customers_customer")
    for text in ("a", "acme 19", "Ácme 1"):
        shown = plan(Customer.objects.suggest("TR", text))
        assert "using customers_customer_suggest" in shown
        assert "Index Cond: (((country)::text = 'TR'::text) AND (search_text >= 'a" in shown
        # Neither sorted nor read whole: the first twenty entries of the index are the answer.
        assert "Sort" not in shown
        assert "Seq Scan" not in shown
        everywhere = plan(Customer.objects.named(text)[:10])
        assert "using customers_customer_by_name" in everywhere
        assert "Index Cond: ((search_text >= 'a" in everywhere
        assert "Sort" not in everywhere
        assert "Seq Scan" not in everywhere
    with django_assert_num_queries(1):
        assert len(Customer.objects.suggest("TR", "acme")) == 20


@pytest.mark.django_db
def test_ref_5_the_database_refuses_what_is_no_entry() -> None:
    right = {"name": "Acme", "country": "US", "import_key": "key:a:1", "search_text": "acme"}
    Customer.objects.create(**right)
    for wrong, rule in (
        ({"name": ""}, "customers_customer_named"),
        ({"country": "us"}, "customers_customer_country"),
        ({"duns": "12"}, "customers_customer_duns"),
        ({"import_key": "key:a:1"}, "customers_customer_key"),
    ):
        with pytest.raises(IntegrityError, match=rule), transaction.atomic():
            Customer.objects.create(**{**right, "import_key": "key:a:2", **wrong})


# Managed by the vendor -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_ref_5_whom_the_vendor_manages_is_an_event_when_it_changes() -> None:
    customer = add(name="Acme", country="US")
    actor = manager()
    assert services.set_managed(customer, managed=False, actor=actor, now=NOW).managed is False
    assert not events("customer.managed_changed")
    changed = services.set_managed(customer, managed=True, actor=actor, now=NOW)
    assert (changed.managed, changed.updated_at) == (True, NOW)
    (event,) = events("customer.managed_changed")
    assert (event.verb, event.at, event.subject_type, event.subject_id) == (
        "customer.managed_changed",
        NOW,
        "customers.customer",
        customer.pk,
    )
    assert (event.before, event.after, event.company_id) == ({"managed": False}, {"managed": True}, None)


@pytest.mark.django_db
@pytest.mark.parametrize("role", [REVIEWER, REFERRALS_ADMIN])
def test_ref_5_only_programme_managers_keep_the_directory(role: str) -> None:
    customer = add(name="Acme", country="US")
    actor = Actor(kind="person", is_vendor=role == REVIEWER, grants=frozenset({Grant(role)}))
    with pytest.raises(PermissionDenied):
        services.set_managed(customer, managed=True, actor=actor, now=NOW)
    with pytest.raises(PermissionDenied):
        load("name,country\nA,US\n", actor=actor)
    with pytest.raises(PermissionDenied):
        services.create_customer(name="B", country="US", actor=actor, now=NOW)
    partner = Actor(kind="person", grants=frozenset({Grant(PROGRAMME_MANAGER)}))
    with pytest.raises(PermissionDenied):
        services.set_managed(customer, managed=True, actor=partner, now=NOW)
    assert not Customer.objects.get().managed


# Imports ---------------------------------------------------------------------------------------------------------


def load(text: str, *, actor: Actor = SYSTEM, now: datetime = NOW, batch_rows: int = 5_000, **columns: Any) -> Summary:
    return services.import_customers(
        io.StringIO(text, newline=""),
        columns=Columns(**columns),
        actor=actor,
        now=now,
        report=lambda _problem: None,
        batch_rows=batch_rows,
    )


def table() -> list[tuple[Any, ...]]:
    fields = (
        "pk",
        "public_id",
        "name",
        "country",
        "city",
        "duns",
        "managed",
        "import_key",
        "search_text",
        "updated_at",
    )
    return list(Customer.objects.order_by("pk").values_list(*fields))


@pytest.mark.django_db
def test_ref_5_an_import_fills_the_directory_and_repeats_without_a_trace() -> None:
    text = (
        f'name,country,city,duns\nÇağdaş Gıda,TR,İzmir,123456789\n{FAMILY},TR,,\n"Comma, Inc.",US,"Rome, NY",\n,US,,\n'
    )
    assert load(text) == Summary(created=3, skipped=1)
    first = table()
    assert [row[2] for row in first] != []
    assert set(Customer.objects.values_list("name", "search_text")) == {
        ("Çağdaş Gıda", "cagdas gida"),
        (FAMILY, rules.fold(FAMILY)),
        ("Comma, Inc.", "comma, inc."),
    }
    assert load(text, now=LATER) == Summary(unchanged=3, skipped=1)
    assert table() == first
    assert not Event.objects.filter(at=LATER).exists()


@pytest.mark.django_db
def test_ref_5_an_import_corrects_what_differs_and_nothing_else() -> None:
    load("name,country,city,duns\nAcme,US,Rome,123456789\nOther,US,Rome,223456789\n")
    before = {row[5]: row for row in table()}
    assert load("name,country,duns\nAcme Corp,US,123456789\nOther,US,223456789\n", now=LATER) == Summary(
        updated=1, unchanged=1
    )
    corrected = Customer.objects.get(duns="123456789")
    # The second file says nothing of cities.
    assert (corrected.name, corrected.search_text, corrected.city) == ("Acme Corp", "acme corp", "Rome")
    assert (corrected.updated_at, corrected.created_at.date()) == (LATER, NOW.date())
    after = {row[5]: row for row in table()}
    assert after["223456789"] == before["223456789"]
    assert after["123456789"][:2] == before["123456789"][:2]
    (event,) = Event.objects.filter(at=LATER)
    assert (event.verb, event.subject_id, event.company) == ("customer.changed", corrected.pk, None)
    assert (event.before, event.after) == ({"name": "Acme"}, {"name": "Acme Corp"})


@pytest.mark.django_db
@pytest.mark.parametrize("batch_rows", [1, 2, 3, 5_000])
def test_ref_5_the_size_of_a_batch_does_not_matter(batch_rows: int) -> None:
    # A row alone in its batch has columns that are empty altogether.
    text = "name,country,city\nA,US,\nB,US,Rome\nA,US,\nB,US,ROME\nC,US,\nbad,,\nD,TR,\n"
    assert load(text, batch_rows=batch_rows) == Summary(created=4, skipped=3)
    assert load(text, batch_rows=batch_rows) == Summary(unchanged=4, skipped=3)
    assert set(Customer.objects.values_list("name", "city")) == {("A", ""), ("B", "Rome"), ("C", ""), ("D", "")}


@pytest.mark.django_db
def test_ref_5_an_import_is_one_event_for_all_that_a_batch_adds() -> None:
    """Who, when, from where, how many and which; what an entry began with is told by its row and its later events."""
    load("name,country,managed\nA,US,yes\nB,US,no\nC,US,no\n", actor=manager(), batch_rows=2, source="crm")
    ids = dict(Customer.objects.values_list("name", "pk"))
    first, second = events("customer.imported", at=NOW, actor_kind="person", company=None)
    low, high = sorted([ids["A"], ids["B"]])  # a batch is written in the order of its keys
    assert first.after == {"source": "crm", "created": 2, "first_id": low, "last_id": high}
    assert second.after == {"source": "crm", "created": 1, "first_id": ids["C"], "last_id": ids["C"]}
    assert [first.subject_id, second.subject_id] == [low, ids["C"]]
    assert Event.objects.count() == 2


@pytest.mark.django_db
def test_ref_5_an_entry_added_by_hand_is_an_event() -> None:
    customer = add(name="Acme", country="US", city="Rome", managed=True)
    (event,) = events("customer.added", actor_kind="system", at=NOW)
    assert (event.subject_id, event.before) == (customer.pk, {})
    assert {name: value for name, value in event.after.items() if value} == {
        "name": "Acme",
        "country": "US",
        "city": "Rome",
        "managed": True,
    }
    with pytest.raises(RuleViolation):
        add(name="Acme", country="US", city="Rome")
    assert Event.objects.count() == 1


@pytest.mark.django_db
def test_ref_5_an_import_knows_what_was_added_by_hand() -> None:
    add(name="Acme", country="US", city="Rome", address_line1="1 Main St")
    assert load("name,country,city,address_line1\nACME,US,rome,1 main st\n") == Summary(updated=1)
    assert Customer.objects.get().name == "ACME"


@pytest.mark.django_db
def test_ref_5_managed_flags_that_an_import_changes_are_events() -> None:
    header = "name,country,managed\n"
    load(header + "A,US,yes\nB,US,no\nC,US,yes\nD,US,no\n")
    assert not events("customer.managed_changed")  # a new entry's flag is no change
    assert load("name,country\nA,US\nB,US\n", now=LATER) == Summary(unchanged=2)
    with CaptureQueriesContext(connection) as queries:
        load(header + "A,US,no\nB,US,yes\nC,US,yes\nD,US,yes\nE,US,yes\n", now=LATER)
    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert sum('INSERT INTO "events_event"' in sql for sql in statements) == 1
    assert sum("INSERT INTO customers_customer" in sql for sql in statements) == 1
    names = dict(Customer.objects.values_list("pk", "name"))
    changed = events("customer.managed_changed", at=LATER, actor_kind="system", company=None)
    assert not events("customer.changed")
    assert {(names[e.subject_id], e.before["managed"], e.after["managed"]) for e in changed} == {
        ("A", True, False),
        ("B", False, True),
        ("D", False, True),
    }


@pytest.mark.django_db
def test_ref_5_the_longest_names_are_found_by_their_beginning() -> None:
    # Each of these letters folds to eighteen; all of them would not fit an index entry.
    name = "ﷺ" * rules.LENGTHS["name"]
    assert load(f"name,country\n{name},SA\n") == Summary(created=1)
    add(name=name, country="SA", city="Riyadh")
    assert {len(c.search_text) for c in Customer.objects.all()} == {rules.SEARCH_TEXT_LENGTH}
    assert len(Customer.objects.suggest("SA", name)) == len(Customer.objects.suggest("SA", name[:3])) == 2


@pytest.mark.django_db(transaction=True)
def test_ref_5_two_imports_of_the_same_customers_at_once_both_end() -> None:
    names = [f"Customer {n}" for n in range(10_000)]
    ready = threading.Barrier(2)
    done: list[Summary] = []

    def lines(order: list[str]) -> Iterator[str]:
        yield "name,country\n"
        yield from (f"{name},US\n" for name in order)
        ready.wait()  # both batches are written at the same moment

    def run(order: list[str]) -> None:
        try:
            done.append(
                services.import_customers(
                    lines(order), columns=Columns(), actor=SYSTEM, now=NOW, report=print, batch_rows=len(names) + 1
                )
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(order,)) for order in (names, names[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(summary.created for summary in done) == sum(summary.unchanged for summary in done) == len(names)
    assert Customer.objects.count() == len(names)


# The command -----------------------------------------------------------------------------------------------------


def run_import(file: Path, *options: str) -> tuple[str, list[str]]:
    out, err = io.StringIO(), io.StringIO()
    call_command("import_customers", str(file), *options, stdout=out, stderr=err, no_color=True)
    return out.getvalue().strip(), err.getvalue().splitlines()


@pytest.mark.django_db
def test_ref_5_the_command_maps_columns_and_reports_bad_rows(tmp_path: Path) -> None:
    file = tmp_path / "constituents.csv"
    file.write_bytes(
        'Symbol;Security;Headquarters Location;Land\nMMM;3M;"Saint Paul, Minnesota";\n'
        "ŞŞ;Şişecam;İstanbul;TR\nBAD;;Nowhere;\nXX;Somewhere;Nowhere;Atlantis\n".encode()
        + "YY;Çağ;İzmir;TR\n".encode("cp1254")
    )
    options = (
        *("--map", "name=Security", "--map", "city=Headquarters Location", "--map", "key=Symbol"),
        *("--map", "country=Land", "--default", "country=US", "--delimiter", ";"),
    )
    summary, problems = run_import(file, *options)
    assert summary == "created 2, updated 0, unchanged 0, skipped 3"
    assert problems == [
        "line 4: The name is missing.",
        "line 5: “ATLANTIS” is not a country's two-letter code.",
        "line 6: The text is not in the encoding of the file.",
    ]
    assert set(Customer.objects.values_list("name", "city", "country", "import_key")) == {
        ("3M", "Saint Paul, Minnesota", "US", "key:constituents:MMM"),
        ("Şişecam", "İstanbul", "TR", "key:constituents:ŞŞ"),
    }
    assert run_import(file, *options)[0] == "created 0, updated 0, unchanged 2, skipped 3"
    summary, _problems = run_import(file, *options, "--source", "index")
    assert summary == "created 2, updated 0, unchanged 0, skipped 3"


@pytest.mark.django_db
def test_ref_5_the_command_reads_tabs_other_encodings_and_byte_order_marks(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes("\ufeffname\tcountry\nÇağ\tTR\n".encode())
    assert run_import(file, "--delimiter", "\\t")[0] == "created 1, updated 0, unchanged 0, skipped 0"
    file.write_bytes("name,country\nÇağ,TR\n".encode("cp1254"))
    assert run_import(file, "--encoding", "cp1254")[0] == "created 0, updated 0, unchanged 1, skipped 0"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--map", "name"], "FIELD=VALUE"),
        (["--map", "name=Nom"], "Not a column: Nom"),
        (["--map", "colour=name"], "Not a field: colour"),
        (["--default", "managed="], "FIELD=VALUE"),
        (["--delimiter", ";;"], "one character"),
        (["--encoding", "klingon"], "klingon"),
    ],
)
def test_ref_5_the_command_says_what_is_wrong_with_its_options(
    tmp_path: Path, options: list[str], message: str
) -> None:
    file = tmp_path / "a.csv"
    file.write_text("name,country\nA,US\n")
    with pytest.raises(CommandError, match=message):
        run_import(file, *options)
    with pytest.raises(CommandError, match="No such file"):
        run_import(tmp_path / "missing.csv")


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


@pytest.mark.django_db
def test_ref_5_a_programme_manager_keeps_the_directory_in_the_admin() -> None:
    client = vendor_client(PROGRAMME_MANAGER)
    add = reverse("admin:customers_customer_add")
    assert client.get(add).status_code == 200
    entry = {"name": "Işık Enerji", "country": "TR", "city": "Ankara", "duns": "12-345-6789"}
    assert client.post(add, entry).status_code == 302
    customer = Customer.objects.get()
    assert (customer.search_text, customer.duns) == ("isik enerji", "123456789")
    again = client.post(add, entry)
    assert "The directory has this customer already." in again.content.decode()
    assert "nine digits" in client.post(add, {**entry, "duns": "77"}).content.decode()
    change = reverse("admin:customers_customer_change", args=[customer.pk])
    assert client.post(change, {**entry, "managed": "on", "name": "Işık Enerji A.Ş."}).status_code == 302
    customer = Customer.objects.get()
    assert (customer.managed, customer.search_text) == (True, "isik enerji a.s.")
    told = Event.objects.filter(actor_user__email="programme_manager@vendor.example").order_by("pk")
    assert [event.verb for event in told] == ["customer.added", "customer.changed", "customer.managed_changed"]


@pytest.mark.django_db
def test_ref_5_the_admin_finds_by_beginning_and_number_and_reviewers_only_read() -> None:
    isik = add(name="Işık Enerji", country="TR", duns="123456789", managed=True)
    add(name="Kuzey", country="TR")
    client = vendor_client(REVIEWER)
    changelist = reverse("admin:customers_customer_changelist")
    for search, found in (("IŞIK", 1), ("12-345-6789", 1), ("enerji", 0), ("", 2)):
        page = client.get(changelist, {"q": search})
        assert page.context["cl"].result_count == found, search
    assert client.get(changelist, {"managed__exact": "0"}).context["cl"].result_count == 1
    change = reverse("admin:customers_customer_change", args=[isik.pk])
    assert client.get(change).status_code == 200
    assert client.post(change, {}).status_code == 403
    assert client.post(reverse("admin:customers_customer_add"), {"name": "A", "country": "TR"}).status_code == 403
    assert Customer.objects.get(pk=isik.pk).managed
