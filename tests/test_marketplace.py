"""Marketplace transactions: taken in, matched to the registrations that wait for one, and shown (FLOW-3, FLOW-11)."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from dealreg import sweeps, tasks
from dealreg.models import MarketplaceTransaction, Registration, Status
from dealreg.rules import marketplace as rules
from dealreg.rules.marketplace import Details, Offered, Waiting
from dealreg.services import marketplace as services
from dealreg.services import marketplace_file
from dealreg.services import registration as dealreg
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.money.forms import LARGEST_UPLOAD_BYTES
from portal.notify import selectors as notices
from portal.notify.models import Notice
from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy
from portal.ui import deadlines
from portal.ui.deadlines import DeadlineQuery
from portal.workflow import timeline
from portal.workflow.blockers import RuleViolation
from tests import build, do
from tests.build import DAY, NOW
from tests.edge import Live, parse

MANAGER, COUNCIL = "manager@vendor.example", "council1@vendor.example"
POLICY = Policy()
EXPECTED = NOW.date()
HEADER = ",".join(rules.COLUMNS)
LIST = "admin:dealreg_marketplacetransaction_changelist"
IMPORT = "admin:dealreg_marketplacetransaction_import"


# The rule --------------------------------------------------------------------------------------------------------


def waiting(key: int, days: int, *, submitted: int = 0, sale: int = 1) -> Waiting:
    return Waiting(key, (sale, 1, 1), EXPECTED + timedelta(days=days), NOW + submitted * DAY)


def offered(key: int, days: int, *, sale: int = 1, released_from: int | None = None) -> Offered:
    return Offered(key, (sale, 1, 1), EXPECTED + timedelta(days=days), released_from)


@pytest.mark.parametrize(
    ("registrations", "transactions", "expected"),
    [
        ([waiting(1, 0)], [offered(7, -30), offered(8, 31)], {1: 7}),  # thirty days, and not a day more
        ([waiting(1, 0)], [offered(7, -31), offered(8, 31)], {}),
        ([waiting(1, 0)], [offered(7, 3), offered(8, -2), offered(9, 4)], {1: 8}),  # the nearest
        ([waiting(1, 0)], [offered(8, 2), offered(7, -2)], {1: 7}),  # equally near: the earlier
        ([waiting(1, 0)], [offered(7, 0, sale=2)], {}),  # another partner, customer or solution
        ([waiting(1, 10), waiting(2, 1)], [offered(7, 0)], {2: 7}),  # one for one: the nearer gets it
        ([waiting(1, 10), waiting(2, 1)], [offered(7, 0), offered(8, 25)], {2: 7, 1: 8}),
        ([waiting(1, 0, submitted=1), waiting(2, 0)], [offered(7, 0)], {2: 7}),  # equally near: submitted first
        ([waiting(1, 0)], [offered(7, 0, released_from=1), offered(8, 9)], {1: 8}),
        ([waiting(2, 0)], [offered(7, 0, released_from=1)], {2: 7}),
    ],
)
def test_flow_3_the_nearest_comes_first(
    registrations: list[Waiting], transactions: list[Offered], expected: Mapping[int, int]
) -> None:
    assert rules.assign(registrations, transactions, POLICY) == expected
    assert rules.assign(registrations[::-1], transactions[::-1], POLICY) == expected


PLACES = st.lists(st.tuples(st.integers(-70, 70), st.integers(1, 3), st.integers(0, 3)), max_size=9)


@given(PLACES, PLACES)
def test_flow_3_no_pair_is_left_that_would_rather_have_each_other(
    first: Sequence[tuple[int, int, int]], second: Sequence[tuple[int, int, int]]
) -> None:
    registrations = [waiting(key, days, sale=sale, submitted=at) for key, (days, sale, at) in enumerate(first)]
    transactions = [offered(key, days, sale=sale) for key, (days, sale, _at) in enumerate(second)]
    given_to = rules.assign(registrations, transactions, POLICY)
    taken_by = {transaction: registration for registration, transaction in given_to.items()}
    assert len(taken_by) == len(given_to)

    def apart(registration: Waiting, transaction: Offered) -> int:
        return abs((registration.expected - transaction.date).days)

    for r in registrations:
        for t in (t for t in transactions if rules.fits(r, t, POLICY)):
            rivals = []
            if r.key in given_to:
                rivals.append(apart(r, transactions[given_to[r.key]]))
            if t.key in taken_by:
                rivals.append(apart(registrations[taken_by[t.key]], t))
            assert rivals
            assert min(rivals) <= apart(r, t)


@pytest.mark.parametrize(
    ("expected", "since", "until"),
    [
        (date(2026, 11, 18), datetime(2026, 11, 1, 9, tzinfo=UTC), datetime(2027, 1, 18, tzinfo=UTC)),
        (date(2026, 11, 1), datetime(2026, 11, 18, 23, 59, tzinfo=UTC), datetime(2027, 1, 18, tzinfo=UTC)),
    ],
)
def test_flow_3_it_is_waited_for_sixty_days_after_the_later_day(
    expected: date, since: datetime, until: datetime
) -> None:
    assert rules.wait_until(expected, since, POLICY) == until
    assert rules.wait_until(expected, since, Policy(marketplace_wait_days=0)) == until - 60 * DAY


# The file, as text


def line(*changed: tuple[str, str], delimiter: str = ",") -> str:
    cells = {
        "transaction_id": "MP-1",
        "partner": "4301001",
        "customer": "510000011",
        "solution": "SOL-10001-CTS",
        "date": EXPECTED.isoformat(),
        "amount": "1250.50",
        "currency": "EUR",
    }
    return delimiter.join({**cells, **dict(changed)}.values())


def file(*lines: str) -> str:
    return "\n".join([HEADER, *lines])


def codes(text: str) -> list[tuple[int, str]]:
    return [(error.line, error.blocker.code) for error in rules.read_file(text, today=EXPECTED)[1]]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("transaction_id", "", ["transaction_id_required"]),
        ("transaction_id", "x" * 101, ["transaction_id_too_long"]),
        ("transaction_id", "a\x07b", ["transaction_id_unprintable"]),
        ("partner", "a\0b", ["control_character"]),
        ("date", "18/11/2026", ["date_unreadable"]),
        ("date", "2026-11-31", ["date_unreadable"]),
        ("date", "2026-11-19", ["transaction_in_future"]),
        ("amount", "0", ["amount_unreadable"]),
        ("amount", "-1", ["amount_unreadable"]),
        ("amount", "1.234", ["amount_unreadable"]),
        ("amount", "1e20", ["amount_unreadable"]),
        ("amount", "NaN", ["amount_unreadable"]),
        ("currency", "TRX", ["unknown_currency"]),
        ("date", "18.11.2026", []),
        ("currency", "eur", []),
    ],
)
def test_flow_3_every_error_of_a_file_is_told_at_its_line(name: str, value: str, expected: list[str]) -> None:
    text = file(line(("transaction_id", "MP-0")), line((name, value)), line(("transaction_id", "MP-0")), "a,b")
    assert codes(text) == [*((3, code) for code in expected), (4, "repeated"), (5, "columns")]


def test_flow_3_all_errors_of_a_line_are_told() -> None:
    wrong = line(("transaction_id", ""), ("date", "soon"), ("amount", "much"), ("currency", "?"))
    found = ["transaction_id_required", "unknown_currency", "date_unreadable", "amount_unreadable"]
    assert codes(file(wrong)) == [(2, code) for code in found]


@pytest.mark.parametrize(("text", "code"), [("", "header"), ("a;b\n", "header"), (HEADER, "empty")])
def test_flow_3_a_file_without_transactions_is_an_error(text: str, code: str) -> None:
    assert codes(text) == [(1, code)]


def test_flow_3_a_file_as_spreadsheets_write_it_in_turkish() -> None:
    written = line(("date", "18.11.2026"), ("amount", "1250,5"), ("partner", "Contoso Yazılım"), delimiter=";")
    lines, errors = rules.read_file(f"{HEADER.replace(',', ';')}\r\n{written}\r\n", today=EXPECTED)
    assert errors == []
    assert lines == [
        rules.Line(
            2, Details("MP-1", EXPECTED, Decimal("1250.50"), "EUR"), "Contoso Yazılım", "510000011", "SOL-10001-CTS"
        )
    ]


@given(st.text())
def test_flow_3_no_file_breaks_the_reader(text: str) -> None:
    for given_text in (text, f"{HEADER}\n{text}"):
        lines, errors = rules.read_file(given_text, today=EXPECTED)
        assert lines or errors


# Registrations and transactions ----------------------------------------------------------------------------------


def waits(cast: Cast, *, expected: date = EXPECTED, at: datetime = NOW, **changes: Any) -> Registration:
    """A registration of Contoso's with Anadolu Cam that waits for its transaction."""
    deal = build.won(cast, **{"customer": cast.customers["anadolu"], **changes})
    filed = build.submitted(cast, deal, at=at, marketplace=True, marketplace_date=expected)
    return do.route(filed, now=at)


def without_duplicates() -> None:
    """Of one sale several may wait, if they were filed on different days: AUTO-5 would have them reviewed."""
    PolicyVersion.objects.create(number=1, effective_from=NOW - 60 * DAY, values={"duplicate_months": 0})


def sold(cast: Cast, number: str = "MP-1", *, day: date = EXPECTED, at: datetime = NOW, **names: str) -> Any:
    who = {"company": "contoso", "customer": "anadolu", "solution": "factory", **names}
    new = services.NewTransaction(
        Details(number, day, Decimal(1250), "EUR"),
        cast.companies[who["company"]],
        cast.customers[who["customer"]],
        cast.solutions[who["solution"]],
    )
    return services.add_transaction(new, actor=cast.actor(MANAGER), now=at)


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def last_event(row: Any) -> Event:
    event = Event.objects.of_subject(row).order_by("pk").last()
    assert event is not None
    return event


def test_flow_3_a_transaction_of_the_same_sale_matches(cast: Cast) -> None:
    """The registration passes; its event names the transaction and what was looked for, and the team is told."""
    registration = waits(cast)
    row = sold(cast, day=EXPECTED - 30 * DAY)
    assert sweeps.match_marketplace(now=NOW + DAY) == 1
    assert sweeps.match_marketplace(now=NOW + DAY) == 0
    matched = fresh(registration)
    assert (matched.status, matched.decided_at) == (Status.MARKETPLACE_PASSED, NOW + DAY)
    assert fresh(row).registration == matched
    event = last_event(matched)
    assert (event.verb, event.actor_kind, event.policy_version) == ("registration.matched", "system", 0)
    assert event.after["transaction"] == "MP-1"
    assert event.after["transaction_date"] == "2026-10-19"
    entry = timeline.entry(event)
    assert entry["text"] == "The marketplace transaction was confirmed: MP-1"
    assert entry["reasons"] == [
        "Looked for: a transaction of Contoso Yazılım with Anadolu Cam Sanayi for Contoso Factory Insights"
        " from 19 Oct 2026 to 18 Dec 2026."
    ]
    assert Notice.objects.filter(event=event).exists()


@pytest.mark.parametrize(
    "other",
    [
        {"company": "fabrikam"},
        {"customer": "anadolu2"},
        {"solution": "retail"},
        {"day": EXPECTED - 31 * DAY},
    ],
)
def test_flow_3_another_sale_does_not_match(cast: Cast, other: dict[str, Any]) -> None:
    registration = waits(cast)
    sold(cast, **other)
    assert sweeps.match_marketplace(now=NOW + DAY) == 0
    assert fresh(registration).status == Status.MARKETPLACE_PENDING


def test_flow_3_each_transaction_serves_one_registration(cast: Cast) -> None:
    """The nearest first, whichever was submitted first; the other goes on waiting."""
    without_duplicates()
    far, near = waits(cast, expected=EXPECTED - 9 * DAY), waits(cast, at=NOW + DAY)
    sold(cast, day=EXPECTED - DAY)
    assert sweeps.match_marketplace(now=NOW + DAY) == 1
    assert [fresh(r).status for r in (far, near)] == [Status.MARKETPLACE_PENDING, Status.MARKETPLACE_PASSED]
    other = sold(cast, "MP-2", day=EXPECTED + 12 * DAY, at=NOW + 20 * DAY)
    assert sweeps.match_marketplace(now=NOW + 20 * DAY) == 1
    assert fresh(other).registration == far


def test_flow_3_the_days_are_the_policys(cast: Cast) -> None:
    PolicyVersion.objects.create(
        number=1,
        effective_from=NOW - DAY,
        values={"marketplace_match_days": 2, "marketplace_wait_days": 10},
    )
    registration = waits(cast)
    assert registration.marketplace_until == datetime(2026, 11, 29, tzinfo=UTC)
    sold(cast, day=EXPECTED - 3 * DAY)
    assert sweeps.match_marketplace(now=NOW) == 0
    sold(cast, "MP-2", day=EXPECTED - 2 * DAY)
    assert sweeps.match_marketplace(now=NOW) == 1


def test_flow_3_without_a_transaction_it_fails_when_the_time_is_over(cast: Cast) -> None:
    """Exactly then, with the reason that the partner reads, and what was looked for."""
    registration = waits(cast, expected=EXPECTED + 20 * DAY)
    end = registration.marketplace_until
    assert end == datetime(2027, 2, 7, tzinfo=UTC)
    sold(cast, customer="ege")
    assert sweeps.match_marketplace(now=end - timedelta(seconds=1)) == 0
    assert sweeps.match_marketplace(now=end) == 1
    assert sweeps.match_marketplace(now=end) == 0
    failed = fresh(registration)
    assert (failed.status, failed.reason_code) == (Status.MARKETPLACE_FAILED, "no_marketplace_transaction")
    event = last_event(failed)
    assert timeline.entry(event)["text"].endswith("No marketplace transaction matches this registration.")
    assert [reason["code"] for reason in event.reasons] == ["marketplace_search"]
    told = notices.rendered(Notice.objects.filter(event=event).first())
    assert "No marketplace transaction matches this registration." in told.body


def test_flow_3_a_transaction_that_came_in_on_the_last_moment_counts(cast: Cast) -> None:
    registration = waits(cast)
    end = registration.marketplace_until
    sold(cast, day=EXPECTED, at=end - timedelta(seconds=1))
    assert sweeps.match_marketplace(now=end) == 1
    assert fresh(registration).status == Status.MARKETPLACE_PASSED


def test_flow_3_many_are_matched_as_one_is_in_as_many_statements(cast: Cast) -> None:
    """JOB: the same rows and events as for one; the statements don't grow with the rows."""

    def statements(number: int, count: int) -> int:
        customer = ["anadolu", "ege"][number - 1]
        first = waits(cast, customer=cast.customers[customer])
        deals = [copies[0] for copies in zip(*build.multiply(first.referral, count), strict=False)]
        of_contoso = [deal for deal in deals if deal.company_id == first.referral.company_id] or deals
        build.alike(first, count, referral_id=iterator(deal.pk for deal in of_contoso))
        row = sold(cast, f"MP-{number}", customer=customer)
        build.alike(row, count, transaction_id=iterator(f"MP-{number}-{n}" for n in range(count)))
        with CaptureQueriesContext(connection) as captured:
            assert sweeps.match_marketplace(now=NOW + DAY) == count + 1
        return len(captured)

    few, many = statements(1, 149), statements(2, 599)
    assert few == many
    matched = Event.objects.filter(verb="registration.matched")
    assert matched.count() == 750
    assert len({e.after["transaction"] for e in matched}) == 750
    assert MarketplaceTransaction.objects.free().count() == 0
    assert len({tuple(sorted(set(e.after) - {"transaction"})) for e in matched}) == 1


def iterator(values: Any) -> Any:
    import factory

    return factory.Iterator(list(values))


@pytest.mark.django_db(transaction=True)
def test_flow_3_two_workers_at_once_match_each_once(cast: Cast) -> None:
    without_duplicates()
    registrations = [waits(cast, expected=EXPECTED + n * DAY, at=NOW + n * DAY) for n in range(6)]
    for n in range(6):
        sold(cast, f"MP-{n}", day=EXPECTED - n * DAY)
    start, done = threading.Barrier(2), []

    def work() -> None:
        start.wait()
        done.append(services.match_waiting(now=NOW + DAY, limit=2))
        connection.close()

    workers = [threading.Thread(target=work) for _number in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    done.append(sweeps.match_marketplace(now=NOW + DAY))  # what one of them skipped while the other held it
    assert sum(done) == 6
    assert Event.objects.filter(verb="registration.matched").count() == 6
    assert {fresh(r).status for r in registrations} == {Status.MARKETPLACE_PASSED}
    assert MarketplaceTransaction.objects.filter(registration=None).count() == 0


def test_flow_3_a_reviewer_may_confirm_or_fail_it_before_the_worker(cast: Cast) -> None:
    """The nearest transaction is named, if there is one."""
    with_one, without = waits(cast), waits(cast, customer=cast.customers["ege"])
    row = sold(cast)
    sold(cast, "MP-2", day=EXPECTED - 2 * DAY)
    reviewer = cast.actor(build.REVIEWER)
    for registration in (with_one, without):
        dealreg.decide(registration, "match", actor=reviewer, now=NOW + DAY, comment="Seen.")
    assert fresh(row).registration == with_one
    assert last_event(with_one).after["transaction"] == "MP-1"
    assert last_event(without).after["transaction"] == ""
    assert timeline.entry(last_event(without))["text"] == "The marketplace transaction was confirmed: –"


def retract(cast: Cast, registration: Registration, *, now: datetime) -> None:
    dealreg.decide(fresh(registration), "retract", actor=cast.actor(MANAGER), now=now, comment="A slip.")


def test_flow_3_a_retracted_match_frees_the_transaction_and_the_time_begins_anew(cast: Cast) -> None:
    """The worker gives it to another registration, never back to the same."""
    without_duplicates()
    registration, row = waits(cast), sold(cast)
    sweeps.match_marketplace(now=NOW + DAY)
    retract(cast, registration, now=NOW + 2 * DAY)
    assert (fresh(row).registration, fresh(row).released_from) == (None, registration)
    assert fresh(registration).marketplace_until == datetime(2027, 1, 20, tzinfo=UTC)
    released, retracted = last_event(row), last_event(registration)
    assert (released.verb, retracted.verb) == ("transaction.released", "registration.retracted")
    assert retracted.after["marketplace_until"] == "2027-01-20T00:00:00Z"
    assert sweeps.match_marketplace(now=NOW + 3 * DAY) == 0
    other = waits(cast, at=NOW + 3 * DAY)
    assert sweeps.match_marketplace(now=NOW + 4 * DAY) == 1
    assert fresh(row).registration == other
    assert sweeps.match_marketplace(now=datetime(2027, 1, 20, tzinfo=UTC)) == 1
    assert fresh(registration).status == Status.MARKETPLACE_FAILED


def test_flow_3_a_retracted_failure_is_waited_for_anew(cast: Cast) -> None:
    registration = waits(cast)
    end = registration.marketplace_until
    sweeps.match_marketplace(now=end)
    retract(cast, registration, now=end + DAY)
    assert sweeps.match_marketplace(now=end + 2 * DAY) == 0
    sold(cast, at=end + 3 * DAY)
    assert sweeps.match_marketplace(now=end + 3 * DAY) == 1


# Taking in and voiding


def test_flow_3_only_programme_managers_take_in_and_void(cast: Cast) -> None:
    row = sold(cast)
    for email in (build.REVIEWER, COUNCIL, build.CONTOSO):
        with pytest.raises(PermissionDenied):
            services.void(row, "Wrong.", actor=cast.actor(email), now=NOW)
        with pytest.raises(PermissionDenied):
            marketplace_file.take_in(file(line()), actor=cast.actor(email), now=NOW)


def test_flow_3_a_transaction_is_an_event_and_is_known_by_its_id(cast: Cast) -> None:
    row = sold(cast)
    event = last_event(row)
    assert (event.verb, event.at, event.actor_user, event.company) == (
        "transaction.added",
        NOW,
        cast.users[MANAGER],
        None,
    )
    assert {"transaction_id": "MP-1", "amount": "1250.00", "source": "admin"}.items() <= event.after.items()
    with pytest.raises(RuleViolation, match="transaction_known"):
        sold(cast)
    with pytest.raises(RuleViolation, match="not_a_partner"):
        sold(cast, "MP-2", company="vendor")


def test_flow_3_the_database_keeps_one_for_one(cast: Cast) -> None:
    registration, first, second = waits(cast), sold(cast), sold(cast, "MP-2")
    rows = MarketplaceTransaction.objects
    rows.filter(pk=first.pk).update(registration=registration)
    for wrong in (
        {"registration": registration},
        {"amount": 0},
        {"currency": "eur"},
        {"voided_at": NOW},
        {"transaction_id": "MP-1"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.filter(pk=second.pk).update(**wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.filter(pk=first.pk).update(voided_at=NOW, void_reason="Wrong.")


def test_flow_3_a_wrong_one_is_voided_while_nothing_has_it(cast: Cast) -> None:
    registration, row = waits(cast), sold(cast)
    manager = cast.actor(MANAGER)
    with pytest.raises(RuleViolation, match="reason_required"):
        services.void(row, "  ", actor=manager, now=NOW)
    services.void(row, " Booked twice. ", actor=manager, now=NOW)
    event = last_event(row)
    assert (event.verb, event.comment, event.after["void_reason"]) == (
        "transaction.voided",
        "Booked twice.",
        "Booked twice.",
    )
    with pytest.raises(RuleViolation, match="transaction_voided"):
        services.void(row, "Again.", actor=manager, now=NOW)
    assert sweeps.match_marketplace(now=NOW) == 0
    other = sold(cast, "MP-2")
    sweeps.match_marketplace(now=NOW)
    assert fresh(other).registration == registration
    with pytest.raises(RuleViolation, match="transaction_matched"):
        services.void(other, "Wrong.", actor=manager, now=NOW)


@pytest.mark.parametrize(
    "names",
    [
        {"partner": "4301003", "customer": "51-000-0011", "solution": "sol-10001-cts"},
        {"partner": "CONTOSO YAZILIM"},
        {"partner": "company", "customer": "customer", "solution": "solution"},
    ],
)
def test_flow_3_a_file_names_the_sale_by_ids_and_names(cast: Cast, names: dict[str, str]) -> None:
    """By any location's partner id, a D-U-N-S number, a solution's id, the company's name; or by our own ids."""
    own = {
        "company": str(cast.companies["contoso"].public_id),
        "customer": str(cast.customers["anadolu"].public_id).upper(),
        "solution": str(cast.solutions["factory"].public_id),
    }
    given_names = {name: own.get(value, value) for name, value in names.items()}
    done = marketplace_file.take_in(file(line(*given_names.items())), actor=cast.actor(MANAGER), now=NOW)
    assert done.refused == []
    row = MarketplaceTransaction.objects.get()
    assert row.sale == tuple(
        x.pk for x in (cast.companies["contoso"], cast.customers["anadolu"], cast.solutions["factory"])
    )
    assert (row.amount, row.currency, row.source) == (Decimal("1250.50"), "EUR", "csv")


def test_flow_3_a_file_twice_changes_nothing_and_another_content_is_refused(cast: Cast) -> None:
    manager, known = cast.actor(MANAGER), file(line(), line(("transaction_id", "MP-2"), ("amount", "7")))
    assert len(marketplace_file.take_in(known, actor=manager, now=NOW).new) == 2
    changed = file(
        line(),
        line(("transaction_id", "MP-2"), ("amount", "8")),
        line(("transaction_id", "MP-3")),
        line(("transaction_id", "MP-4"), ("partner", "Nobody"), ("customer", "1"), ("solution", "x")),
        line(("transaction_id", "MP-5"), ("partner", cast.companies["vendor"].name)),
    )
    done = marketplace_file.take_in(changed, actor=manager, now=NOW + DAY)
    assert ([number for number, _new in done.new], done.unchanged) == ([4], [2])
    assert [(error.line, error.blocker.code) for error in done.refused] == [
        (3, "transaction_differs"),
        (5, "partner_unknown"),
        (5, "customer_unknown"),
        (5, "solution_unknown"),
        (6, "partner_unknown"),
    ]
    assert Event.objects.filter(verb="transaction.added").count() == 3
    assert MarketplaceTransaction.objects.get(transaction_id="MP-2").amount == 7


def test_flow_3_a_file_is_looked_at_in_as_many_queries_for_many_lines(cast: Cast) -> None:
    def queries(count: int) -> int:
        text = file(*(line(("transaction_id", f"MP-{n}")) for n in range(count)))
        with CaptureQueriesContext(connection) as captured:
            assert len(marketplace_file.preview(text, now=NOW).new) == count
        return len(captured)

    assert queries(2) == queries(500)


def test_flow_3_right_after_taking_in_a_worker_matches(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(services, "send_soon", sent.append)
    with django_capture_on_commit_callbacks(execute=True):
        marketplace_file.take_in(file(line(), line(("transaction_id", "MP-2"))), actor=cast.actor(MANAGER), now=NOW)
    assert sent == ["dealreg.tasks.match_marketplace"]
    with django_capture_on_commit_callbacks(execute=True):
        marketplace_file.take_in(file(line()), actor=cast.actor(MANAGER), now=NOW)
    assert len(sent) == 1


# Reminders -------------------------------------------------------------------------------------------------------


def test_flow_8_who_can_register_is_reminded_of_the_marketplace_transaction(cast: Cast) -> None:
    registration = waits(cast)
    end = registration.marketplace_until
    for half_days in range(130):
        sweeps.remind_of_marketplace(now=NOW + half_days * DAY / 2)
    told = Event.objects.filter(verb="registration.marketplace_reminded").order_by("pk")
    assert [e.after["lead"] for e in told] == [14, 7, 3, 1]
    assert all(before.at < after.at for before, after in pairwise(told))
    first, *_more, last = (notices.rendered(n) for n in Notice.objects.filter(event__in=told).order_by("pk"))
    assert first.subject == "14 days left for the marketplace transaction: Plant monitoring"
    assert last.subject == "One day left for the marketplace transaction: Plant monitoring"
    assert "a sale of Contoso Factory Insights to Anadolu Cam Sanayi from 19 Oct 2026 to 18 Dec 2026" in first.body
    assert "was reminded of the marketplace transaction" in timeline.entry(told[0])["text"]
    sold(cast)
    sweeps.match_marketplace(now=end - DAY)
    assert sweeps.remind_of_marketplace(now=end - timedelta(hours=1)) == 0


def test_flow_8_the_home_page_knows_the_last_day(cast: Cast) -> None:
    registration = waits(cast)
    soon = NOW + 40 * DAY

    def days(email: str, last: datetime) -> list[Any]:
        query = DeadlineQuery(cast.actor(email), soon, last.date(), kinds=["marketplace"])
        return [(d.until, d.title, d.name, d.uid) for d in deadlines.first(query, 9)]

    name = ("Marketplace transaction", "Plant monitoring", f"marketplace-{registration.referral.public_id}")
    assert days(build.CONTOSO, soon + 30 * DAY) == [(registration.marketplace_until, *name)]
    assert days(build.CONTOSO, soon) == days("referrals@fabrikam.example", soon + 30 * DAY) == []
    assert days(build.SELLER, soon + 30 * DAY) == []


# Pages -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def manager(live: Live) -> Client:
    return live.browser(MANAGER)


def upload(client: Client, text: str | bytes, **more: str) -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    content = text.encode() if isinstance(text, str) else text
    return client.post(reverse(IMPORT), {"file": SimpleUploadedFile("sales.csv", content), **more})


def today(live: Live, *changed: tuple[str, str], delimiter: str = ",") -> str:
    return line(("date", live.now.date().isoformat()), *changed, delimiter=delimiter)


def test_flow_3_a_file_is_shown_before_anything_is_written(live: Live, manager: Client) -> None:
    text = "\ufeff" + file(
        today(live, ("partner", "contoso yazılım")), today(live, ("transaction_id", "MP-2"), ("amount", "x"))
    )
    page = parse(upload(manager, text))
    assert "Line 3: “x” is not an amount above zero" in page.text
    assert "Import 1 transaction" in page.text
    assert not MarketplaceTransaction.objects.exists()
    form = next(form for form in page.all("form") if form.all("textarea", name="text"))
    answer = manager.post(reverse(IMPORT), {**form.fields(), "confirm": "yes"}, follow=True)
    assert "Transactions: 1 new, 0 as before, 1 refused." in parse(answer).text
    assert MarketplaceTransaction.objects.get().created_by == live.cast.users[MANAGER]
    again = parse(upload(manager, text))
    assert "There is nothing new in this file." in again.text


def test_flow_3_what_is_no_file_of_transactions_is_told_at_the_field(live: Live, manager: Client) -> None:
    assert "Line 2: This line is not UTF-8." in parse(upload(manager, b"\n\xff")).text
    assert "larger than 1 MB" in parse(upload(manager, b"x" * (LARGEST_UPLOAD_BYTES + 1))).text
    assert "Choose a file." in parse(manager.post(reverse(IMPORT))).text
    assert "The first line must name the columns" in parse(upload(manager, "a,b")).text


def test_flow_3_a_manager_adds_one_by_the_form_and_voids_it(live: Live, manager: Client) -> None:
    add = reverse("admin:dealreg_marketplacetransaction_add")
    given_values = {
        "transaction_id": "MP-1",
        "company": live.cast.companies["contoso"].pk,
        "customer": live.cast.customers["anadolu"].pk,
        "solution": live.cast.solutions["factory"].pk,
        "date": live.day(1).isoformat(),
        "amount": "1,250.50",
        "currency": "EUR",
    }
    refused = parse(manager.post(add, given_values))
    assert "The transaction lies in the future." in refused.text
    manager.post(add, {**given_values, "date": live.now.date().isoformat()})
    row = MarketplaceTransaction.objects.get()
    assert (row.amount, row.source) == (Decimal("1250.50"), "admin")
    page = reverse("admin:dealreg_marketplacetransaction_change", args=[row.pk])
    void = reverse("admin:dealreg_marketplacetransaction_void", args=[row.pk])
    assert void in manager.get(page).content.decode()
    assert void not in live.browser(build.REVIEWER).get(page).content.decode()
    assert "Write why it is voided." in parse(manager.post(void)).text
    manager.post(void, {"reason": "Booked twice."})
    assert fresh(row).void_reason == "Booked twice."
    assert void not in manager.get(page).content.decode()
    assert "Voided" in parse(manager.get(reverse(LIST), {"state": "voided"})).text
    assert parse(manager.get(reverse(LIST), {"state": "matched"})).all("th", class_="field-transaction_id") == []


def test_flow_3_the_partner_and_the_reviewer_see_what_is_looked_for(live: Live) -> None:
    registration = live.marketplace()
    first, last = (live.day(10 + days) for days in (-30, 30))
    for client, url in (
        (live.browser(build.CONTOSO), reverse("deal", args=[registration.referral.public_id])),
        (live.browser(build.REVIEWER), reverse("admin:dealreg_registration_change", args=[registration.pk])),
    ):
        text = parse(client.get(url)).text
        assert "A transaction of Contoso Yazılım with Anadolu Cam Sanayi for Contoso Factory Insights" in text
        assert f"{first.day} {first:%b %Y}" in text
        assert f"{last.day} {last:%b %Y}" in text
        assert "Looked for until:" in text
    sold(live.cast, day=live.now.date(), at=live.now)
    tasks.match_marketplace()
    deal = parse(live.browser(build.CONTOSO).get(reverse("deal", args=[registration.referral.public_id]))).text
    assert "Found: MP-1" in deal
    assert "Looked for until:" not in deal


def test_flow_11_the_reviewer_of_a_marketplace_deal_sees_what_would_match(live: Live) -> None:
    registration = live.in_review(marketplace=True, marketplace_date=live.now.date())
    url = reverse("admin:dealreg_registration_change", args=[registration.pk])
    reviewer = live.browser(build.REVIEWER)
    assert "No transaction would match so far." in parse(reviewer.get(url)).text
    for number, days in (("MP-1", 5), ("MP-2", 1), ("MP-3", 31)):
        sold(live.cast, number, day=live.day(-days), at=live.now)
    sold(live.cast, "MP-4", day=live.now.date(), customer="ege", at=live.now)
    found = parse(reviewer.get(url)).one("section", id="marketplace").all("td")
    assert [cell.text for cell in found if cell.text.startswith("MP-")] == ["MP-2", "MP-1"]
    assert "No transaction would match" not in parse(reviewer.get(url)).text
    ordinary = live.in_review(live.won(name="Ordinary"))
    other = parse(reviewer.get(reverse("admin:dealreg_registration_change", args=[ordinary.pk])))
    assert other.all("section", id="marketplace") == []
