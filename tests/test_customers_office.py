"""The programme manager's office: customers by file, customers and solutions corrected with history (REF-5, FLOW-7)."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from portal.catalog import services as catalog
from portal.catalog.models import Solution
from portal.customers import services
from portal.customers.models import Customer
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.workflow.blockers import RuleViolation
from tests.edge import Live, parse

MANAGER = "manager@vendor.example"
IMPORT = "admin:customers_customer_import"
FILE = """name;country;city;duns;managed
Anadolu Yeni;TR;Bursa;;no
Rhein Neu;DE;Bonn;12-345-6789;yes
;TR;Izmir;;no
Rhein Neu;Germany;Bonn;;no
"""


@pytest.fixture
def manager(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.users[MANAGER])
    return client


def upload(manager: Client, content: str | bytes, **given: str) -> Any:
    raw = content.encode() if isinstance(content, str) else content
    return manager.post(reverse(IMPORT), {"file": SimpleUploadedFile("list.csv", raw), **given})


def confirm(manager: Client, shown: Any, **given: str) -> Any:
    """Press the button of the preview, as a browser without JavaScript sends it."""
    form = next(form for form in parse(shown).all("form") if "seen" in form.fields())
    return manager.post(reverse(IMPORT), {**form.fields(), "confirm": "yes", **given})


def main(answer: Any) -> str:
    return parse(answer).one("main").text


def history(manager: Client, record: Any) -> list[Any]:
    name = f"admin:{record._meta.app_label}_{record._meta.model_name}_history"
    entries = manager.get(reverse(name, args=[record.pk])).context["entries"]
    return [(label, [(c.label, c.before, c.after) for c in changes]) for _event, label, changes in entries]


# By file


def test_ref_5_a_file_is_looked_at_before_it_is_taken_in(cast: Cast, manager: Client) -> None:
    known = services.create_customer(
        name="Rhein Alt", country="DE", duns="123456789", actor=cast.actor(MANAGER), now=timezone.now()
    )
    had = Customer.objects.count()
    shown = upload(manager, FILE)
    counts = [(str(label), count) for label, count in shown.context["counted"]]
    assert counts == [("New:", 1), ("Changed:", 1), ("As before:", 0), ("Refused lines:", 2)]
    assert "Line 4: The name is missing." in main(shown)
    assert "Line 5: “GERMANY” is not a country's two-letter code." in main(shown)
    assert "Name: Rhein Alt → Rhein Neu" in main(shown)
    assert Customer.objects.count() == had, "nothing is written yet"

    asked = confirm(manager, shown)
    assert "Tick that the refused lines are left out" in main(asked)
    Customer.objects.filter(pk=known.pk).update(city="Köln")
    stale = confirm(manager, asked, sure="on")
    assert "Somebody changed customers meanwhile" in main(stale)
    assert Customer.objects.count() == had
    assert confirm(manager, stale, sure="on").status_code == 302
    assert Customer.objects.count() == had + 1
    assert Customer.objects.get(pk=known.pk).name == "Rhein Neu"
    again = "".join(FILE.splitlines(keepends=True)[:3])
    assert "There is nothing new in this file." in main(upload(manager, again))
    assert ("Corrected", [("Name", "Rhein Alt", "Rhein Neu"), ("City", "Köln", "Bonn")]) in history(manager, known)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty."),
        (b"name,country\n", "There is nothing new in this file."),
        ("name,country\nŞişli,TR\n".encode("cp1254"), "Line 2 is not UTF-8."),
        ("name,country\nA,TR\n".encode("utf-16"), "Line 1 is not UTF-8."),
        (b"firm,country\nA,TR\n", "No column gives the name; the file has: firm, country"),
        (b"name,country\n" + b"A,TR\n" * 210_000, "The file is larger than 1 MB"),
    ],
    ids=["empty", "no rows", "another encoding", "UTF-16", "columns", "huge"],
)
def test_ref_5_a_file_that_is_none_is_refused_in_words(cast: Cast, manager: Client, content: bytes, said: str) -> None:
    had = Customer.objects.count()
    answer = upload(manager, content)
    assert answer.status_code == 200
    assert said in main(answer)
    assert Customer.objects.count() == had


def test_ref_5_columns_are_mapped_and_nothing_is_taken_in_by_half(
    cast: Cast, manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on the command line: other names, a country for all, keys of a source; and one transaction for all of it."""
    rows = "".join(f"Firma {number},k{number}\n" for number in range(4))
    given = {"mapping": "name=Company\nkey=Id", "country": "TR", "source": "crm"}
    shown = upload(manager, f"Company,Id\n{rows}", **given)
    assert len(shown.context["rows"]) == 4
    had, whole = Customer.objects.count(), services._write
    monkeypatch.setattr(services, "BATCH_ROWS", 2)
    monkeypatch.setattr(services.import_customers, "__kwdefaults__", {"batch_rows": 2})
    calls: list[int] = []

    def breaks(*args: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("the connection is gone")
        return whole(*args, **more)

    monkeypatch.setattr(services, "_write", breaks)
    with pytest.raises(RuntimeError):
        confirm(manager, shown)
    assert Customer.objects.count() == had, "what was written before it broke is taken back"
    monkeypatch.setattr(services, "_write", whole)
    assert confirm(manager, shown).status_code == 302
    assert set(Customer.objects.filter(name__startswith="Firma").values_list("country", flat=True)) == {"TR"}
    assert Customer.objects.filter(import_key="key:crm:k0").exists()


# One by one


def test_ref_5_another_customer_of_the_name_is_asked_about(cast: Cast, manager: Client) -> None:
    given = {"name": "ANADOLU  cam sanayi", "country": "TR", "city": "Edirne"}
    add = reverse("admin:customers_customer_add")
    asked = manager.post(add, given)
    assert "The directory has “Anadolu Cam Sanayi” in this country already" in main(asked)
    assert manager.post(add, {**given, "both_meant": "on"}).status_code == 302
    assert Customer.objects.filter(city="Edirne").exists()


def change(manager: Client, customer: Customer, **given: str) -> Any:
    held = {name: getattr(customer, name) for name in services.rules.LENGTHS}
    page = reverse("admin:customers_customer_change", args=[customer.pk])
    return manager.post(page, {**held, **({"managed": "on"} if customer.managed else {}), **given})


def test_ref_5_a_customer_is_corrected_with_history(cast: Cast, manager: Client) -> None:
    customer = cast.customers["anadolu"]
    assert change(manager, customer, name="Anadolu Glas", city="Gebze").status_code == 302
    ((label, changes), *_rest) = history(manager, customer)
    assert (label, changes[0]) == ("Corrected", ("Name", customer.name, "Anadolu Glas"))
    other = Customer.objects.exclude(pk=customer.pk).order_by("pk")[0]
    number = {"duns": "987654321", "actor": cast.actor(MANAGER), "now": timezone.now()}
    services.correct(other, **number)
    with pytest.raises(RuleViolation, match="known"):
        services.correct(customer, **number)


def test_flow_7_what_was_decided_stands_on_stays(cast: Cast, manager: Client) -> None:
    """The form says why, the service refuses, and what was decided keeps its names."""
    live = Live(cast)
    registration = live.decided(live.in_review(), "pass_review")
    customer, solution = registration.referral.engagement.customer, registration.solution
    assert solution is not None
    told = Event.objects.of_subject(registration).latest("pk").after
    page = manager.get(reverse("admin:customers_customer_change", args=[customer.pk]))
    assert "It stays: registrations were decided or invoices issued about this customer" in main(page)
    assert change(manager, customer, country="DE", name="Anadolu Glas").status_code == 302
    kept = Customer.objects.get(pk=customer.pk)
    assert (kept.country, kept.name) == (customer.country, "Anadolu Glas")
    by: dict[str, Any] = {"actor": cast.actor(MANAGER), "now": timezone.now()}
    with pytest.raises(RuleViolation, match="customer_settled"):
        services.correct(kept, country="DE", **by)
    given: dict[str, Any] = {"code": solution.code, "publisher": solution.publisher, "kind": solution.kind, **by}
    with pytest.raises(RuleViolation, match="solution_settled"):
        catalog.correct(solution, name=solution.name, **{**given, "code": "SOL-1-NEW"})
    catalog.correct(solution, name="Factory Insights 2", **given)
    assert Event.objects.of_subject(registration).latest("pk").after == told


def test_ref_8_a_solution_is_corrected_with_history(cast: Cast, manager: Client) -> None:
    solution = cast.solutions["consulting"]
    posted = {"code": "SOL-7-NEW", "name": "Consulting", "publisher": cast.companies["fabrikam"].pk, "kind": "service"}
    posted |= {"plans-TOTAL_FORMS": 0, "plans-INITIAL_FORMS": 0}
    page = reverse("admin:catalog_solution_change", args=[solution.pk])
    taken = manager.post(page, {**posted, "code": cast.solutions["factory"].code})
    assert "code" in taken.context["adminform"].form.errors
    assert manager.post(page, posted).status_code == 302
    fresh = Solution.objects.get(pk=solution.pk)
    assert (fresh.code, fresh.publisher) == ("SOL-7-NEW", cast.companies["fabrikam"])
    corrected = dict(history(manager, solution))["Corrected"]
    assert ("Publisher", solution.publisher.name, "Fabrikam GmbH") in corrected


def test_ref_5_a_preview_costs_the_same_for_five_rows_and_for_three_hundred(cast: Cast, manager: Client) -> None:
    def queries(rows: int) -> int:
        lines = "".join(f"Firma {number},TR\n" for number in range(rows))
        with CaptureQueriesContext(connection) as asked:
            assert upload(manager, f"name,country\n{lines}").context["row_count"] == rows
        return len(asked)

    queries(1)  # the first page of a visit keeps that the person is here
    assert queries(300) == queries(5) <= 12
