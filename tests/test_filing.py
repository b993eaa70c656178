"""Filing on the real database: what opening keeps, whose rates count, duplicates, renewals, exceptions, drafts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from dealreg import sweeps
from dealreg.models import Registration, RegistrationDraft, Status, Waiver
from dealreg.rules import Duplicate
from dealreg.rules.acv import add_months
from dealreg.selectors import routing
from dealreg.selectors.registration import ripe
from dealreg.selectors.window import window_of, with_window
from dealreg.services import drafts, waivers
from dealreg.services import registration as services
from portal import bulk
from portal.catalog import services as catalog
from portal.customers import services as customers
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.money import services as money
from portal.notify import selectors
from portal.notify.models import Notice
from portal.policy import services as policies
from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy
from portal.workflow.blockers import Money
from referrals import rules, verbs
from referrals.models import Referral, ReferralSolution
from tests import build, do
from tests.build import CONTOSO, DAY, NOW, SELLER
from tests.test_dealreg import BIG, HOUR, MANAGER, MARKET, USER, refusal, registration_of, send_back, told

FABRIKAM = "referrals@fabrikam.example"


def check(cast: Cast, deal: Referral, *, at: datetime = NOW, **changes: Any) -> Any:
    return services.check(deal, build.form(**changes), actor=cast.actor(CONTOSO), now=at)


def back(cast: Cast, **changes: Any) -> Registration:
    """Filed, and sent back on the same day."""
    return send_back(cast, build.in_review(cast, **changes))


def rate(month: date, **rates: str) -> None:
    """Published on that month's first day."""
    known = {currency: Decimal(value) for currency, value in rates.items()}
    at = datetime(month.year, month.month, 1, tzinfo=UTC)
    money.import_month(month=month, rates=known, source="test", publication="", now=at)


# Opening


def test_elig_10_what_changes_after_the_opening_takes_nothing_away(cast: Cast) -> None:
    """FLOW-7: the criteria are kept with their values, shown from there on, and not asked for again."""
    manager, deal = cast.actor(MANAGER), build.won(cast)
    opened = registration_of(deal)
    assert opened is not None
    (event,) = told(opened)
    assert (event.after["criteria"], event.policy_version) == (opened.criteria, 0)
    before = services.eligibility(deal, opened, now=NOW)
    assert [(c.rule, c.state) for c in before.criteria] == [(f"ELIG-{n}", "met") for n in range(1, 8)]
    customers.set_managed(deal.engagement.customer, managed=False, actor=manager, now=NOW)
    catalog.set_tags(cast.solutions["factory"], azure_ip=False, actor=manager, now=NOW)
    deal = Referral.objects.get(pk=deal.pk)
    assert services.eligibility(deal, opened, now=NOW) == before
    assert not services.eligibility(deal, None, now=NOW).eligible
    assert check(cast, deal).violations == ()
    filed = build.submitted(cast, deal)
    assert filed.solution == cast.solutions["factory"]


def test_reg_21_the_solution_is_prefilled_where_there_is_only_one(cast: Cast) -> None:
    one, two = (registration_of(build.won(cast, solutions=[cast.solutions[n] for n in names])) for names in
                (("factory", "migration"), ("factory", "retail")))  # fmt: skip
    assert one is not None
    assert two is not None
    assert (one.solution, two.solution) == (cast.solutions["factory"], None)
    assert [b.code for b in check(cast, two.referral).violations] == ["solution_required"]
    foreign = check(cast, two.referral, solution=cast.solutions["twin"].pk, tenant=None)
    assert [b.code for b in foreign.violations] == ["foreign_solution", "tenant_required"]
    assert refusal(build.submitted, cast, two.referral, solution=cast.solutions["twin"].pk, tenant=None) == [
        "foreign_solution",
        "tenant_required",
    ]
    assert (
        build.submitted(cast, two.referral, solution=cast.solutions["retail"].pk).solution == cast.solutions["retail"]
    )


def test_elig_7_a_vendor_copy_that_was_lost_after_its_acceptance_had_accepted(cast: Cast) -> None:
    deal = build.accepted(cast)
    do.lose(build.vendor_copy(deal), actor=cast.actor(SELLER), now=NOW - 2 * DAY, reason_code="budget")
    do.win(deal, actor=cast.actor(CONTOSO), now=NOW - DAY)
    assert registration_of(deal) is not None


def test_elig_9_the_sweep_walks_on_past_what_it_can_not_open(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deal that stays closed to registration, in a batch of one, hides none behind it."""
    opening = services.open_registrations
    for module in ("dealreg.services.registration", "dealreg.reactions.services", "dealreg.sweeps.services"):
        monkeypatch.setattr(f"{module}.open_registrations", lambda _deals, now: [])
    stuck, missed = build.won(cast), build.won(cast)
    monkeypatch.setattr(
        "dealreg.sweeps.services.open_registrations",
        lambda deals, now: opening([deal for deal in deals if deal != stuck], now=now),
    )
    assert [sweeps.open_missed(now=NOW, limit=1) for _turn in range(2)] == [1, 0]
    assert [r.referral for r in Registration.objects.all()] == [missed]


def _won_and_missed(cast: Cast, monkeypatch: pytest.MonkeyPatch, number: int) -> list[Referral]:
    """Won deals whose registration no event opened."""
    with monkeypatch.context() as patched:
        patched.setattr("dealreg.reactions.services.open_registrations", lambda _deals, now: [])
        return [build.won(cast) for _number in range(number)]


def test_elig_9_many_are_opened_like_one(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one go, whatever the number; one that somebody else opened meanwhile keeps no other from it."""
    there = build.won(cast)
    deals = _won_and_missed(cast, monkeypatch, 5)
    assert [r.referral for r in services.open_registrations([there, deals[0]], now=NOW)] == [deals[0]]
    asked = []
    for some in (deals[1:2], deals[2:]):
        fresh = list(Referral.objects.with_context().filter(pk__in=[deal.pk for deal in some]))
        with CaptureQueriesContext(connection) as found:
            assert {r.referral for r in services.open_registrations(fresh, now=NOW)} == set(some)
        asked.append(len(found))
    assert asked[0] == asked[1]
    kept = Registration.objects.filter(referral__in=deals).values_list("solution", "criteria", "open_solutions")
    assert len({repr(row) for row in kept}) == 1
    opened = Event.objects.filter(verb="registration.opened", company=cast.companies["contoso"])
    assert opened.count() == Registration.objects.count() == len(deals) + 1
    assert Notice.objects.filter(event__in=opened).values("event").distinct().count() == len(deals) + 1


def test_elig_9_the_sweep_asks_no_more_for_many(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it reads of a deal is loaded with all of them."""
    asked = []
    for number in (1, 4):
        _won_and_missed(cast, monkeypatch, number)
        with CaptureQueriesContext(connection) as found:
            assert sweeps.open_missed(now=NOW) == number
        asked.append(len(found))
    assert asked[0] == asked[1]


def test_elig_9_whoever_comes_second_asks_no_more_for_many(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers found the same deals: the second doesn't try each again."""
    stale = _won_and_missed(cast, monkeypatch, 8)
    assert len(services.open_registrations(stale[1:], now=NOW)) == 7
    asked = []
    for some in (stale[1:3], stale[1:]):
        with CaptureQueriesContext(connection) as found:
            assert services.open_registrations(some, now=NOW) == []
        asked.append(len(found))
    assert asked[0] == asked[1]
    assert [r.referral for r in services.open_registrations(stale, now=NOW)] == stale[:1]
    assert Event.objects.filter(verb="registration.opened").count() == 8


def test_elig_9_one_that_the_database_refuses_keeps_no_other(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _won_and_missed(cast, monkeypatch, 3)
    insert = bulk.insert

    def refuse(rows: Any, **given: Any) -> None:
        if any(isinstance(row, Registration) and row.referral_id == found[1].pk for row in rows):
            raise IntegrityError
        insert(rows, **given)

    monkeypatch.setattr(bulk, "insert", refuse)
    assert [r.referral for r in services.open_registrations(found, now=NOW)] == [found[0], found[2]]


def test_elig_9_the_sweep_looks_only_at_what_can_be_opened(cast: Cast) -> None:
    """ELIG-2 to ELIG-7: as far as a query can tell, whatever it finds is eligible."""
    build.won(cast, customer=cast.customers["spree"])
    do.win(build.deal(cast), actor=cast.actor(CONTOSO), now=NOW)
    do.win(build.accepted(cast, solutions=[cast.solutions["migration"]]), actor=cast.actor(CONTOSO), now=NOW)
    small = {"value": Money(Decimal(20_000), "USD")}
    do.win(build.accepted(cast, **small), actor=cast.actor(CONTOSO), now=NOW)
    assert not ripe(Policy()).exists()
    assert sweeps.open_missed(now=NOW) == 0


def test_reg_7_a_contract_is_signed_after_the_vendor_was_let_in(cast: Cast) -> None:
    """By sharing the deal as partner-led just as by asking for help, which comes later and changes no day."""
    admin = cast.actor(CONTOSO)
    deal = build.deal(cast, at=NOW - 20 * DAY, help_code=rules.NO_HELP, vendor_may_view=False)
    do.share_with_vendor(deal, actor=admin, now=NOW - 9 * DAY)
    do.win(Referral.objects.get(pk=deal.pk), actor=admin, now=NOW - DAY)
    signed = {"signed": (NOW - 10 * DAY).date(), "start": (NOW - 10 * DAY).date()}
    assert refusal(build.submitted, cast, deal, **signed) == ["signed_before_referral"]
    assert build.submitted(cast, deal, signed=(NOW - 9 * DAY).date()).submitted_at == NOW
    helped = build.deal(cast, at=NOW - 20 * DAY, help_code=rules.NO_HELP, vendor_may_view=True)
    contact = rules.Contact("Deniz Aksoy", "+90 532 555 01 01", "deniz@customer.example", consent=True)
    asked = {"help_code": build.HELP, "contact": contact}
    do.request_help(Referral.objects.get(pk=helped.pk), actor=admin, now=NOW - 9 * DAY, **asked)
    build.accept(cast, build.vendor_copy(helped), at=NOW - 8 * DAY)
    do.win(Referral.objects.get(pk=helped.pk), actor=admin, now=NOW - DAY)
    early = {"signed": (NOW - 20 * DAY).date(), "start": (NOW - 20 * DAY).date()}
    assert check(cast, Referral.objects.with_context().get(pk=helped.pk), **early).violations == ()


# Rates


def test_fx_2_a_correction_is_judged_at_the_rates_of_the_first_submission(cast: Cast) -> None:
    """A deal that was worth enough stays so; a currency that only the correction brings in: that same month's rate."""
    rate(date(2026, 11, 1), GBP="1.5")
    filed = back(cast)
    january = datetime(2027, 1, 20, tzinfo=UTC)
    rate(date(2027, 1, 1), EUR="0.10", GBP="0.10")
    again = do.resubmit(filed, build.form(), actor=cast.actor(CONTOSO), now=january)
    assert (again.acv_usd, again.rates["EUR"]["month"]) == (Decimal("44000.00"), "2026-11-01")
    pounds = build.form(tcv=Money(Decimal(40_000), "GBP"), solution_value=Money(Decimal(1), "GBP"))
    second = do.resubmit(send_back(cast, again, january), pounds, actor=cast.actor(CONTOSO), now=january)
    assert (second.acv_usd, second.rates["GBP"]["month"]) == (Decimal("60000.00"), "2026-11-01")
    assert set(second.rates) == {"EUR", "GBP"}
    third = do.resubmit(send_back(cast, second, january), build.form(), actor=cast.actor(CONTOSO), now=january)
    assert third.acv_usd == Decimal("44000.00")


def test_fx_2_first_rates_hold_even_where_they_were_published_anew(cast: Cast) -> None:
    filed = back(cast)
    rate(date(2026, 11, 1), EUR="9")
    again = do.resubmit(filed, build.form(), actor=cast.actor(CONTOSO), now=NOW + DAY)
    assert again.acv_usd == Decimal("44000.00")


# The route


def invite(cast: Cast, deal: Referral, *, accepts: bool = True) -> Referral:
    invitation = verbs.Invitation(
        partner=cast.companies["fabrikam"],
        close_date=date(2027, 1, 1),
        value=BIG,
        help_code=build.HELP,
        team=[build.member()],
        solutions=[cast.solutions["twin"]],
    )
    copy = do.invite_partner(deal, invitation, actor=cast.actor(CONTOSO), now=NOW - 9 * DAY)
    return build.accept(cast, copy, at=NOW - 8 * DAY, by=FABRIKAM) if accepts else copy


def test_auto_5_the_same_sale_registered_before_is_a_reason(cast: Cast) -> None:
    """By the same company, for twelve months, whatever became of it; the reviewer's facts name it."""
    before = do.route(build.submitted(cast, build.won(cast)), now=NOW)
    customer = before.referral.engagement.customer
    again = build.won(cast, customer=customer)
    found = check(cast, again)
    assert [r.rule for r in found.route.reasons] == ["AUTO-5"]
    routed = do.route(build.submitted(cast, again), now=NOW)
    assert (routed.status, [r.rule for r in routed.reasons]) == ("review_pending", ["AUTO-5"])
    assert routing.last_routing(routed).duplicates == (Duplicate(before.pk, own=True),)
    other = build.won(cast, customer=customer, solutions=[cast.solutions["retail"]])
    assert do.route(build.submitted(cast, other), now=NOW).status == Status.APPROVED


def test_auto_5_twelve_months_are_the_policys(cast: Cast) -> None:
    """To the day: what was first submitted twelve months before still counts, the day after it doesn't."""
    customer = do.route(build.submitted(cast, build.won(cast)), now=NOW).referral.engagement.customer_id
    solution, last = cast.solutions["factory"].pk, add_months(NOW.date(), 12)
    counts = [
        routing.registered_before(customer, solution, day=day, now=NOW + 999 * DAY, policy=policy).count()
        for day, policy in (
            (last, Policy()),
            (last + DAY, Policy()),
            (last + DAY, Policy(duplicate_months=13)),
        )
    ]
    assert counts == [1, 0, 1]


def test_auto_5_org_6_anothers_registration_is_not_told_of(cast: Cast) -> None:
    """The company reads that it was chosen for additional review, on the page and in the event; the reviewer's facts
    know why."""
    before = do.route(build.submitted(cast, build.won(cast)), now=NOW)
    Registration.objects.filter(pk=before.pk).update(solution=cast.solutions["twin"])
    Referral.objects.filter(pk=before.referral_id).update(company=cast.companies["northwind"])
    deal = build.accepted(cast, customer=before.referral.engagement.customer)
    ReferralSolution.objects.filter(referral=deal).update(solution=cast.solutions["twin"])
    do.win(deal, actor=cast.actor(CONTOSO), now=NOW - DAY)
    routed = do.route(build.submitted(cast, deal), now=NOW)
    assert [(r.rule, r.code) for r in routed.reasons] == [("FLOW-2", "additional_review")]
    assert [r["code"] for r in told(routed)[-1].reasons] == ["additional_review"]
    assert routing.last_routing(routed).duplicates == (Duplicate(before.pk, own=False),)
    assert not any("route_facts" in event.after for event in told(routed))


def test_auto_5_duplicates_are_found_by_indexes(cast: Cast) -> None:
    """From the customer's engagements on, and not by reading every registration."""
    query = routing.registered_before(1, 2, day=NOW.date(), now=NOW, policy=Policy())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    plan = query.explain()
    assert "Seq Scan" not in plan
    assert "customer_id" in plan


def test_auto_2_org_6_an_unknown_partner_is_not_counted_aloud(cast: Cast) -> None:
    """Two invited partners don't know of each other; when their inviter's copy ends in error, each seems alone."""
    deal = build.accepted(cast)
    first = invite(cast, deal)
    Referral.objects.filter(pk=deal.pk).update(substatus=rules.ERROR, closed_at=NOW - 2 * DAY)
    second = invite_northwind(cast, deal)
    won = Referral.objects.with_context().get(pk=first.pk)
    found = routing.routing_facts(won, None, build.form(), now=NOW, policy=Policy())
    assert (found.partner_count, found.known_partners) == (2, 1)
    assert second.company != first.company


def invite_northwind(cast: Cast, deal: Referral) -> Referral:
    """A copy of a third company, as inviting makes it."""
    (copy,) = build.alike(
        Referral.objects.get(engagement=deal.engagement, company=cast.companies["fabrikam"]),
        1,
        company_id=cast.companies["northwind"].pk,
    )
    return copy  # type: ignore[no-any-return]


def test_flow_2_a_correction_is_routed_anew_and_goes_to_review(cast: Cast) -> None:
    """The reasons are those of what now stands there; the dry run says that it goes to review."""
    filed = back(cast)
    assert [r.rule for r in filed.reasons] == ["AUTO-1"]
    for changes, expected in ((MARKET, "corrected"), ({"tcv": BIG}, "acv_above_review_limit")):
        found = check(cast, filed.referral, **changes)
        assert (found.route.state, [r.code for r in found.route.reasons]) == ("review_pending", [expected])
        again = do.resubmit(filed, build.form(**changes), actor=cast.actor(CONTOSO), now=NOW + HOUR)
        assert (again.status, [r.code for r in again.reasons]) == ("review_pending", [expected])
        assert [r["code"] for r in told(again)[-1].reasons] == [expected]
        filed = send_back(cast, again, NOW + HOUR)


# Renewals


def test_reg_18_a_renewal_names_an_approved_registration_of_the_same_sale(cast: Cast) -> None:
    """Of the same company, customer and solution; AUTO-5 passes over that one, and over no other."""
    earlier = do.route(build.submitted(cast, build.won(cast)), now=NOW)
    customer = earlier.referral.engagement.customer
    elsewhere = do.route(build.submitted(cast, build.won(cast)), now=NOW)
    failing = do.route(build.submitted(cast, build.won(cast, customer=customer), tcv=BIG), now=NOW)
    deal = build.won(cast, customer=customer)
    for other in (elsewhere, failing):
        assert refusal(build.submitted, cast, deal, renews=other.pk) == ["foreign_renewal"]
    long_ago = {"start": (NOW - 300 * DAY).date(), "tcv": Money(Decimal(80_000), "EUR")}
    assert refusal(build.submitted, cast, deal, **long_ago) == ["start_too_old"]
    renewal = do.route(build.submitted(cast, deal, renews=earlier.pk, **long_ago), now=NOW)
    assert renewal.renews == earlier
    assert routing.last_routing(renewal).duplicates == (Duplicate(failing.pk, own=True),)


# Exceptions


def grant(deal: Referral, *, at: datetime = NOW, days: int = 60) -> Waiver:
    return waivers.grant(deal, by="The exception council", until=(at + days * DAY).date(), now=at)


def test_elig_8_an_exception_opens_what_was_not_eligible(cast: Cast) -> None:
    """ELIG-5 replaced as well: any solution of the deal will do then; by whom and when is kept."""
    deal = build.accepted(cast, customer=cast.customers["spree"], solutions=[cast.solutions["migration"]])
    do.win(deal, actor=cast.actor(CONTOSO), now=NOW - DAY)
    assert registration_of(deal) is None
    grant(deal)
    opened = registration_of(deal)
    assert opened is not None
    excepted = {c.code: c for c in services.eligibility(deal, opened, now=NOW).criteria if c.is_excepted}
    assert set(excepted) == {"managed_customer", "ip_solution"}
    assert excepted["ip_solution"].message.params == {"by": "The exception council", "at": NOW}
    filed = build.submitted(cast, deal)
    assert filed.solution == cast.solutions["migration"]


def test_elig_8_an_exception_wins_no_deal(cast: Cast) -> None:
    """ELIG-6: what isn't won isn't opened; once it is, the exception stands in."""
    deal = build.accepted(cast, customer=cast.customers["spree"])
    grant(deal, at=NOW - 2 * DAY)
    assert registration_of(deal) is None
    do.win(deal, actor=cast.actor(CONTOSO), now=NOW - DAY)
    assert registration_of(deal) is not None


def test_reg_12_exc_12_an_exception_waives_while_it_is_open(cast: Cast) -> None:
    """And goes on waiving for what was submitted then; before and afterwards the dates are judged as ever."""
    deal = build.won(cast)
    early = {"signed": (NOW - 11 * DAY).date()}
    assert refusal(build.submitted, cast, deal, **early) == ["signed_before_referral"]
    grant(deal, days=5)
    over = NOW + 6 * DAY
    assert [b.code for b in check(cast, deal, at=over, **early).violations] == ["signed_before_referral"]
    assert check(cast, deal, **early).last_day == (NOW + 5 * DAY).date()
    routed = do.route(build.submitted(cast, deal, at=NOW + 5 * DAY, tcv=BIG, **early), now=NOW + 5 * DAY)
    late = send_back(cast, routed, over)
    assert do.resubmit(late, build.form(**early), actor=cast.actor(CONTOSO), now=over).status == "review_pending"


def test_reg_12_what_was_submitted_before_the_exception_is_judged_as_ever(cast: Cast) -> None:
    filed = back(cast)
    grant(filed.referral, at=NOW + DAY, days=2)
    early = build.form(signed=(NOW - 11 * DAY).date())
    codes = refusal(do.resubmit, filed, early, actor=cast.actor(CONTOSO), now=NOW + 9 * DAY)
    assert codes == ["signed_before_referral"]
    assert do.resubmit(filed, early, actor=cast.actor(CONTOSO), now=NOW + 2 * DAY).status == "review_pending"


# The window, in Python and in queries


def draft(cast: Cast, opened: Registration, at: datetime = NOW, base: str | None = None, **answers: Any) -> Any:
    form = replace(build.form(signed=None, start=None, end=None), **answers)
    typed = {name: str(value) for name, value in answers.items()}
    return drafts.keep(opened, typed, form, actor=cast.actor(CONTOSO), now=at, base=base)


def test_flow_8_queries_and_rules_know_the_same_window(cast: Cast) -> None:
    """REG-13, REG-11, REG-18, REG-19, EXC-12: by the win, the win's own signing day, the draft, an exception."""
    closed = {
        "blackouts": [{"first": "2027-01-10", "last": "2027-01-12"}, {"first": "2027-01-13", "last": "2027-01-14"}]
    }
    PolicyVersion.objects.create(number=1, effective_from=NOW - 90 * DAY, values=closed)
    opened = [registration_of(build.won(cast, at=NOW - day * DAY)) for day in range(8)]
    Referral.objects.filter(pk__in=[r.referral_id for r in opened[1:4] if r]).update(signed_on=date(2026, 10, 20))
    draft(cast, opened[2], signed=date(2026, 11, 1))
    draft(cast, opened[3], signed=date(2026, 11, 1), start=date(2026, 9, 9))
    draft(cast, opened[4], start=date(2026, 9, 9), renews=1)
    draft(cast, opened[5], signed=date(2026, 11, 1), pricing="payg")
    grant(opened[6].referral, days=80)  # type: ignore[union-attr]
    policy = policies.current(NOW)
    rows = with_window(Registration.objects.order_by("-referral__closed_at"), policy)
    found = [(row.last_day, row.exact) for row in rows]
    assert found == [(w.last_day, w.exact) for w in (window_of(row, policy) for row in rows)]
    assert found == [
        (date(2027, 1, 17), False),
        (date(2026, 12, 19), True),
        (date(2026, 12, 31), True),
        (date(2026, 12, 8), True),
        (date(2027, 1, 9), False),
        (None, True),
        (date(2027, 2, 6), True),
        (date(2027, 1, 9), False),
    ]
    assert [row.until for row in rows][:2] == [
        datetime(2027, 1, 17, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 12, 19, 23, 59, 59, tzinfo=UTC),
    ]


def test_flow_8_reg_19_the_drafts_signing_day_moves_the_reminders_at_once(cast: Cast) -> None:
    """Sixty days from it, exactly; what was told of the day of the win is not the last word."""
    opened = registration_of(build.won(cast, at=NOW - 20 * DAY, created=NOW - 60 * DAY))
    sweeps.remind(now=NOW)
    assert not Event.objects.filter(verb="registration.reminded").exists()
    draft(cast, opened, signed=(NOW - 53 * DAY).date())
    assert [sweeps.remind(now=NOW) for _turn in range(2)] == [1, 0]
    (last,) = with_window(Registration.objects.all(), Policy()).values_list("last_day", flat=True)
    assert last == (NOW + 7 * DAY).date()
    assert sweeps.remind(now=NOW + 5 * DAY) == 1
    reminded = Event.objects.filter(verb="registration.reminded").order_by("pk")
    assert [event.after["days"] for event in reminded] == [8, 3]
    subjects = [selectors.rendered(n).subject for n in Notice.objects.filter(event__in=reminded, email=CONTOSO)]
    assert subjects == ["8 days left to register: Plant monitoring", "3 days left to register: Plant monitoring"]


# Drafts


def test_reg_19_what_is_typed_is_the_companys_draft(cast: Cast) -> None:
    """One for all its people, who saved it last is known; sending drops it; nothing else of the deal changes."""
    opened = registration_of(build.won(cast))
    assert opened is not None
    draft(cast, opened, tenant="customer")
    first = draft(cast, opened, NOW + HOUR, tenant="partner")
    assert (first.answers, first.saved_by, first.saved_at) == ({"tenant": "partner"}, cast.users[CONTOSO], NOW + HOUR)
    assert Registration.objects.get(pk=opened.pk).version == opened.version
    assert len(told(opened)) == 1
    build.submitted(cast, opened.referral)
    assert not RegistrationDraft.objects.exists()
    assert refusal(draft, cast, opened) == ["wrong_state"]


def test_reg_19_saving_by_itself_overwrites_nobody(cast: Cast) -> None:
    """What the page loaded is the base: another's newer draft stays, and is what the exception carries."""
    opened = registration_of(build.won(cast, team=[build.member(USER)]))
    mine = draft(cast, opened, base="")
    theirs = drafts.keep(
        opened, {"tenant": "partner"}, build.form(), actor=cast.actor(USER), now=NOW + HOUR, base=drafts.stamp(mine)
    )
    with pytest.raises(drafts.SavedMeanwhile) as refused:
        draft(cast, opened, NOW + 2 * HOUR, base=drafts.stamp(mine))
    assert refused.value.draft == theirs
    assert draft(cast, opened, NOW + 2 * HOUR).saved_by == cast.users[CONTOSO]


def test_reg_19_org_3_only_who_may_register_keeps_a_draft(cast: Cast) -> None:
    opened = registration_of(build.won(cast, team=[build.member("someone@contoso.example")]))
    for email in ("viewer@contoso.example", USER, FABRIKAM, SELLER):
        with pytest.raises(PermissionDenied):
            drafts.keep(opened, {}, build.form(), actor=cast.actor(email), now=NOW)


def test_reg_19_a_correction_has_a_draft_too(cast: Cast) -> None:
    filed = back(cast)
    draft(cast, filed, tenant="partner")
    do.resubmit(filed, build.form(), actor=cast.actor(CONTOSO), now=NOW + HOUR)
    assert not RegistrationDraft.objects.exists()


def test_reg_3_reg_6_what_is_kept_is_what_was_judged(cast: Cast) -> None:
    filed = build.submitted(
        cast, build.won(cast), term="perpetual", tcv=Money(Decimal(900_000), "EUR"), payg_year_value=Decimal(5)
    )
    assert (filed.end, filed.payg_year_value, filed.claim.solution) == (None, None, cast.solutions["factory"].pk)
