"""Registrations on the real database: opened, filed, routed, decided, closed, and what each step keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction

from dealreg import sweeps
from dealreg.models import Registration, Status
from dealreg.rules import states
from dealreg.services import registration as services
from dealreg.verbs import CLOSE, ROUTE
from portal.catalog import services as catalog
from portal.celery import app as celery
from portal.customers import services as customers
from portal.demo.cast import ANKARA, Cast
from portal.events.models import Event
from portal.money import services as money
from portal.policy.models import PolicyVersion
from portal.workflow import services as workflow
from portal.workflow.blockers import Money, RuleViolation
from referrals import rules, verbs
from referrals.models import Referral
from tests import build, do
from tests.build import CONTOSO, DAY, NOW, REVIEWER, SELLER
from tests.factories import add_member, registering

USER, MANAGER = "user@contoso.example", "manager@vendor.example"
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
BIG = Money(Decimal(2_000_000), "EUR")


def refusal(call: Callable[..., Any], *args: Any, **kwargs: Any) -> list[str]:
    """The codes with which the rules refuse it."""
    with pytest.raises(RuleViolation) as refused:
        call(*args, **kwargs)
    return refused.value.codes


def registration_of(deal: Referral) -> Registration | None:
    return Registration.objects.filter(referral=deal).first()


def told(registration: Registration) -> list[Event]:
    return list(Event.objects.all().of_subject(registration).order_by("pk"))


def win(cast: Cast, deal: Referral, at: datetime = NOW) -> Referral:
    return do.win(deal, actor=cast.actor(CONTOSO), now=at)


def decide(cast: Cast, registration: Registration, verb: str, at: datetime = NOW, **inputs: str) -> Registration:
    given = {"validated_by": "figures", **inputs}
    return services.decide(registration, verb, actor=cast.actor(REVIEWER), now=at, **given)


def send_back(cast: Cast, registration: Registration, at: datetime = NOW) -> Registration:
    reason = {"reason_code": "dates_do_not_match_contract", "comment": "The start differs."}
    return decide(cast, registration, "require_action", at, **reason)


# Opening ---------------------------------------------------------------------------------------------------------


def test_winning_an_eligible_deal_opens_its_registration(cast: Cast) -> None:
    """ELIG-9, ELIG-7, ELIG-2: at once on the win; partner-led deals need no answer of the vendor."""
    co_sell = build.accepted(cast, solutions=[cast.solutions[name] for name in ("retail", "factory", "field")])
    partner_led = build.deal(cast, help_code=rules.NO_HELP)
    for deal in (co_sell, partner_led):
        assert registration_of(deal) is None
        opened = registration_of(win(cast, deal))
        assert opened is not None
        assert (opened.status, opened.submitted_at, opened.created_at) == ("registration_pending", None, NOW)
        (event,) = told(opened)
        assert (event.verb, event.actor_kind, event.company) == ("registration.opened", "system", deal.company)


def test_a_missing_piece_that_arrives_later_opens_it(cast: Cast) -> None:
    """ELIG-9, ELIG-4, ELIG-5, ELIG-7: the vendor's acceptance, a managed customer, a solution's tag; once each."""
    manager = cast.actor(MANAGER)
    unanswered = win(cast, build.deal(cast))
    unmanaged = win(cast, build.accepted(cast, customer=cast.customers["spree"]))
    untagged = win(cast, build.accepted(cast, solutions=[cast.solutions["field"]]))
    assert not Registration.objects.exists()
    build.accept(cast, build.vendor_copy(unanswered), at=NOW + HOUR)
    assert [r.referral for r in Registration.objects.order_by("pk")] == [unanswered]
    customers.set_managed(cast.customers["spree"], managed=True, actor=manager, now=NOW + HOUR)
    catalog.set_tags(cast.solutions["field"], azure_ip=True, actor=manager, now=NOW + HOUR)
    opened = Registration.objects.order_by("pk")
    assert [(r.referral, r.created_at) for r in opened] == [(d, NOW + HOUR) for d in (unanswered, unmanaged, untagged)]
    for managed in (False, True):
        customers.set_managed(cast.customers["spree"], managed=managed, actor=manager, now=NOW + 2 * HOUR)
    assert [len(told(r)) for r in opened] == [1, 1, 1]


def test_what_is_not_eligible_opens_nothing(cast: Cast) -> None:
    """ELIG-1 to ELIG-7, ELIG-9: one criterion unmet is enough; FX-2: below the minimum at the rate of the win."""
    money.import_month(month=date(2026, 11, 1), rates={"EUR": Decimal("0.62")}, source="test", publication="", now=NOW)
    small = build.accepted(cast, at=NOW.replace(month=10))
    private = build.deal(cast, help_code=rules.NO_HELP, vendor_may_view=False)
    rich = {"value": Money(Decimal(90_000), "EUR")}
    declined = build.deal(cast, **rich)
    reason = {"reason_code": "budget"}
    do.decline(build.vendor_copy(declined), actor=cast.actor(SELLER), now=NOW - DAY, **reason)
    others = [
        build.accepted(cast, customer=cast.customers["bogaz"], **rich),
        build.accepted(cast, solutions=[cast.solutions["migration"]], **rich),
    ]
    for deal in (small, private, declined, *others):
        win(cast, deal)
    do.lose(build.accepted(cast, **rich), actor=cast.actor(CONTOSO), now=NOW, **reason)
    assert small.value_usd == Decimal("44000.00")
    assert not Registration.objects.exists()


def test_the_vendor_registers_nothing(cast: Cast) -> None:
    """ORG-3, ELIG-9: the vendor's copy, won by its seller, has no registration; the partner's own opens as ever."""
    deal = build.accepted(cast)
    do.win(build.vendor_copy(deal), actor=cast.actor(SELLER), now=NOW)
    assert not Registration.objects.exists()
    win(cast, deal, NOW + HOUR)
    assert [r.referral for r in Registration.objects.all()] == [deal]


# Who may ---------------------------------------------------------------------------------------------------------


def test_who_may_register(cast: Cast) -> None:
    """ORG-3, ORG-1, ORG-6: a referrals admin in scope, a referrals user on the team; nobody else."""
    istanbul = registration_of(build.won(cast, team=[build.member("someone@contoso.example")]))
    ankara = registration_of(build.won(cast, location=cast.locations[ANKARA], team=[build.member(USER)]))
    add_member(user=cast.users["viewer@contoso.example"], company=cast.companies["fabrikam"], roles=["referrals_admin"])
    may = {
        CONTOSO: [True, True],
        "ankara@contoso.example": [False, True],
        USER: [False, True],
        "admin@contoso.example": [False, False],
        "viewer@contoso.example": [False, False],
        "referrals@fabrikam.example": [False, False],
        SELLER: [False, False],
        REVIEWER: [False, False],
    }
    for email, expected in may.items():
        actor = cast.actor(email)
        for registration, allowed in zip((istanbul, ankara), expected, strict=True):
            for verb in ("submit", "resubmit", "close_unregistered"):
                offered = {a.name for a in workflow.available_actions(registration, actor, NOW)}
                assert (verb in offered) is allowed, (email, verb)
            if not allowed:
                with pytest.raises(PermissionDenied):
                    do.submit(registration, build.form(), actor=actor, now=NOW)
    assert do.submit(ankara, build.form(), actor=cast.actor(USER), now=NOW).submitted_by == cast.users[USER]


def test_who_sees_registrations(cast: Cast) -> None:
    """ORG-2, ORG-6: whoever sees the deal; the vendor's people all of them."""
    registration = registration_of(build.won(cast, team=[build.member("someone@contoso.example")]))
    seen = {
        email: Registration.objects.visible_to(cast.actor(email)).filter(pk=registration.pk).exists()
        for email in sorted(cast.users)
    }
    assert [email for email, sees in seen.items() if sees] == [
        "admin@contoso.example",
        "council1@vendor.example",
        "council2@vendor.example",
        "council3@vendor.example",
        "manager@vendor.example",
        "referrals@contoso.example",
        "reviewer@vendor.example",
        "seller@vendor.example",
        "viewer@contoso.example",
    ]


def test_who_may_decide(cast: Cast) -> None:
    """ORG-2, FLOW: reviewers and nobody else; the partner reads why, and doesn't judge."""
    pending = build.in_review(cast)
    for email in (CONTOSO, SELLER, "council1@vendor.example", MANAGER, "referrals@fabrikam.example"):
        with pytest.raises(PermissionDenied):
            services.decide(pending, "pass_review", actor=cast.actor(email), now=NOW)
        for worker in (ROUTE, CLOSE):
            with pytest.raises(PermissionDenied):
                workflow.run(pending, worker, actor=cast.actor(email), now=NOW)
    assert decide(cast, pending, "pass_review").status == Status.REVIEW_PASSED


# Filing and routing ----------------------------------------------------------------------------------------------


def test_filing_waits_for_the_worker_which_is_called_on_commit(
    cast: Cast, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FLOW-1: still pending with submitted_at; the task goes out on commit; a broker that is away stops nobody."""
    sent: list[Any] = []
    monkeypatch.setattr(celery, "send_task", lambda name, kwargs, **_how: sent.append((name, kwargs)))
    deal = build.won(cast)
    with django_capture_on_commit_callbacks(execute=True):
        filed = build.submitted(cast, deal)
        assert sent == []
    assert sent == [("dealreg.tasks.route", {"registration_id": filed.pk})]
    assert (filed.status, filed.submitted_at, filed.first_submitted_at) == (Status.REGISTRATION_PENDING, NOW, NOW)
    assert filed.is_being_routed
    assert refusal(build.submitted, cast, deal) == ["wrong_state"]

    def away(*_args: Any, **_kwargs: Any) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr(celery, "send_task", away)
    with django_capture_on_commit_callbacks(execute=True):
        build.submitted(cast, build.won(cast))
    assert sweeps.route_submitted(now=NOW + 10 * SECOND) == 2
    assert sweeps.route_submitted(now=NOW + 20 * SECOND) == 0
    assert set(Registration.objects.values_list("status", flat=True)) == {Status.APPROVED}


def test_a_registration_is_routed_once(cast: Cast) -> None:
    """FLOW-1: not before it is filed, and never a second time; one event."""
    deal = build.won(cast)
    assert refusal(do.route, registration_of(deal), now=NOW) == ["not_submitted"]
    filed = build.submitted(cast, deal)
    routed = do.route(filed, now=NOW + SECOND)
    assert refusal(do.route, filed, now=NOW + 2 * SECOND) == ["wrong_state"]
    assert not sweeps.route_once(filed, now=NOW + 2 * SECOND)
    assert [e.verb for e in told(routed)] == ["registration.opened", "registration.submitted", "registration.routed"]


PAYG = {"pricing": "payg", "end": (NOW - DAY).date()}
MARKET = {"marketplace": True, "marketplace_date": date(2026, 12, 24)}
#: What is filed, where it goes, and the reasons; the deal is won early in the last three.
ROUTES: list[tuple[dict[str, Any], str, list[str]]] = [
    ({}, "approved", []),
    ({"tcv": BIG}, "review_pending", ["AUTO-1"]),
    (PAYG, "review_pending", ["AUTO-3"]),
    (MARKET, "marketplace_pending", ["FLOW-3"]),
    ({**MARKET, "tcv": BIG}, "review_pending", ["AUTO-1"]),
    ({}, "review_pending", ["AUTO-4"]),
    (MARKET, "review_pending", ["AUTO-4"]),
    ({**PAYG, "tcv": BIG}, "review_pending", ["AUTO-1", "AUTO-3", "AUTO-4"]),
]


def test_where_a_registration_goes_and_why(cast: Cast) -> None:
    """FLOW-2, FLOW-3, AUTO-1, AUTO-3, AUTO-4: every reason kept; approved only without any; 7 days to its close."""
    for number, (changes, state, rule_ids) in enumerate(ROUTES):
        created = NOW - (2 * DAY if number >= 5 else 10 * DAY)
        deal = build.won(cast, created=created)
        routed = do.route(build.submitted(cast, deal, **changes), now=NOW + SECOND)
        assert (routed.status, [r.rule for r in routed.reasons]) == (state, rule_ids)
        event = told(routed)[-1]
        assert ([r["rule"] for r in event.reasons], event.actor_kind) == (rule_ids, "system")
        instants = (routed.approved_at, routed.review_pending_at, routed.close_due_at)
        assert (
            instants
            == {
                "approved": (NOW + SECOND, None, NOW + SECOND + 7 * DAY),
                "review_pending": (None, NOW + SECOND, None),
                "marketplace_pending": (None, None, None),
            }[state]
        )


def test_several_partners_are_looked_at(cast: Cast) -> None:
    """FLOW-2, AUTO-2: a second partner's copy counts while it takes part, not once it is declined."""
    for answer in ("none", "declined"):
        deal = build.accepted(cast, customer=registering(cast))
        invitation = verbs.Invitation(
            partner=cast.companies["fabrikam"],
            close_date=date(2027, 1, 1),
            value=BIG,
            help_code=build.HELP,
            team=[build.member()],
            solutions=[cast.solutions["twin"]],
        )
        copy = do.invite_partner(deal, invitation, actor=cast.actor(CONTOSO), now=NOW - 9 * DAY)
        if answer == "declined":
            fabrikam = cast.actor("referrals@fabrikam.example")
            do.decline(copy, actor=fabrikam, now=NOW - 8 * DAY, reason_code="budget")
        routed = do.route(build.submitted(cast, win(cast, deal, NOW - DAY)), now=NOW)
        assert [(r.rule, r.params) for r in routed.reasons] == ([("AUTO-2", {"count": 2})] if answer == "none" else [])


# Dry run and submission ------------------------------------------------------------------------------------------


class Undone(Exception):
    """To roll a try back."""


def really(cast: Cast, deal: Referral, form: Any) -> dict[str, Any]:
    """What filing the form comes to, undone afterwards."""
    try:
        with transaction.atomic():
            try:
                filed = do.submit(registration_of(deal), form, actor=cast.actor(CONTOSO), now=NOW)
            except RuleViolation as violation:
                raise Undone([asdict(b) for b in violation.blockers]) from None
            routed = do.route(filed, now=NOW)
            raise Undone(
                {
                    "acv": routed.acv_money,
                    "acv_usd": routed.acv_usd,
                    "tcv_usd": routed.tcv_usd,
                    "solution_value_usd": routed.solution_value_usd,
                    "rates": routed.rates,
                    "state": routed.status,
                    "reasons": [asdict(r) for r in routed.reasons],
                }
            )
    except Undone as result:
        return result.args[0]


def dry(cast: Cast, deal: Referral, form: Any) -> Any:
    """What the dry run says it comes to."""
    found = services.check(deal, form, actor=cast.actor(CONTOSO), now=NOW)
    if found.violations:
        assert found.route is None
        return [asdict(b) for b in found.violations]
    assert found.route is not None
    return {
        "acv": found.acv,
        "acv_usd": found.acv_usd,
        "tcv_usd": found.tcv_usd,
        "solution_value_usd": found.solution_value_usd,
        "rates": {
            c: {"usd_per_unit": str(r.usd_per_unit), "month": r.month.isoformat()} for c, r in found.rates_used.items()
        },
        "state": found.route.state,
        "reasons": [asdict(r) for r in found.route.reasons],
    }


FORMS: list[dict[str, Any]] = [
    *(
        {name: None}
        for name in ("marketplace", "deployment", "term", "tcv", "solution_value", "signed", "start", "end")
    ),
    *({name: None} for name in ("tenant", "pricing")),
    {"contract_names_confirmed": False},
    {"marketplace": True},
    {"deployment": "other"},
    {"term": "perpetual"},
    {"term": "perpetual", "end": None},
    {"term": "perpetual", "end": None, "tcv": Money(Decimal(900_000), "EUR")},
    {"solution_value": Money(Decimal(40_000), "GBP")},
    {"solution_value": Money(Decimal(30_000), "GBP")},
    {"tcv": Money(Decimal("22727.27"), "EUR"), "solution_value": Money(Decimal(1), "EUR")},
    {"tcv": Money(Decimal("22727.28"), "EUR"), "solution_value": Money(Decimal(1), "EUR")},
    {"tcv": Money(Decimal(9), "XXX")},
    {"signed": NOW.date() + DAY},
    {"signed": (NOW - 11 * DAY).date()},
    {"start": (NOW - 91 * DAY).date()},
    {"end": (NOW - 2 * DAY).date()},
    {"tcv": None, "signed": None, "pricing": None, "deployment": "other"},
    *(changes for changes, _state, _rules in ROUTES[:5]),
]


def test_dry_run_and_submission_never_disagree(cast: Cast) -> None:
    """REG-15, REG-1 to REG-11, REG-17: the same violations, amounts, rates and route, on an early and a safe win."""
    outcomes = set()
    for deal in (build.won(cast), build.won(cast, created=NOW - 2 * DAY)):
        for changes in FORMS:
            form = build.form(**changes)
            tried = dry(cast, deal, form)
            assert tried == really(cast, deal, form), changes
            outcomes.add(type(tried))
    assert outcomes == {list, dict}
    assert not Registration.objects.exclude(submitted_at=None).exists()


def test_what_is_not_eligible_can_be_tried_and_not_filed(cast: Cast) -> None:
    """REG-14, REG-15: before the win the dry run judges the form too, and the unmet criteria come first."""
    deal = build.accepted(cast)
    found = services.check(deal, build.form(tenant=None), actor=cast.actor(CONTOSO), now=NOW)
    assert [b.code for b in found.violations] == ["not_eligible", "tenant_required"]
    assert [b.rule for b in found.violations[0].details] == ["ELIG-6"]


def test_nothing_is_registered_in_a_closed_period(cast: Cast) -> None:
    """REG-13: the policy version in force at the instant of filing decides, in dry run and submission alike."""
    deal = build.won(cast)
    closed = {"blackouts": [{"first": "2026-11-18", "last": "2026-11-19"}]}
    PolicyVersion.objects.create(number=1, effective_from=NOW - HOUR, values=closed)
    PolicyVersion.objects.create(number=2, effective_from=NOW + HOUR, values={})
    found = services.check(deal, build.form(), actor=cast.actor(CONTOSO), now=NOW)
    assert [b.code for b in found.violations] == ["registration_closed_period"]
    assert refusal(build.submitted, cast, deal) == ["registration_closed_period"]
    filed = build.submitted(cast, deal, at=NOW + HOUR)
    assert filed.policy_version == 2


def test_the_solution_is_one_of_the_deals_eligible_ones(cast: Cast) -> None:
    """ELIG-5: another one is refused; without a choice the first one stays."""
    deal = build.won(cast, solutions=[cast.solutions[name] for name in ("factory", "retail", "migration")])
    opened, admin = registration_of(deal), cast.actor(CONTOSO)
    for name in ("twin", "migration"):
        codes = refusal(do.submit, opened, build.form(), solution=cast.solutions[name], actor=admin, now=NOW)
        assert codes == ["foreign_solution"]
    filed = do.submit(opened, build.form(), solution=cast.solutions["retail"], actor=admin, now=NOW)
    assert filed.solution == cast.solutions["retail"]


def test_a_registration_is_judged_at_the_rate_of_its_month(cast: Cast) -> None:
    """FX-2: the month of submission, then frozen; without a rate not older than three months it is refused."""
    deal = build.won(cast)
    december = datetime(2026, 12, 10, tzinfo=UTC)
    money.import_month(
        month=december.date(), rates={"EUR": Decimal("1.20")}, source="test", publication="", now=december
    )
    late = build.form(signed=december.date(), start=december.date(), end=date(2027, 12, 9))
    filed = do.submit(registration_of(deal), late, actor=cast.actor(CONTOSO), now=december)
    assert filed.rates == {"EUR": {"usd_per_unit": "1.200000000000", "month": "2026-12-01"}}
    assert (filed.acv, filed.acv_usd, filed.tcv_usd) == (Decimal("40000.00"), Decimal("48000.00"), Decimal("48000.00"))
    money.import_month(month=december.date(), rates={"EUR": Decimal(30)}, source="test", publication="", now=december)
    assert do.route(filed, now=december + DAY).acv_usd == Decimal("48000.00")
    april = datetime(2027, 4, 1, tzinfo=UTC)
    later = build.form(signed=april.date(), start=april.date(), end=date(2028, 3, 31))
    waiting = registration_of(build.won(cast))
    codes = refusal(do.submit, waiting, later, actor=cast.actor(CONTOSO), now=april)
    assert codes == ["fx_rate_missing"]


# Deciding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "marketplace", "reason", "state"),
    [
        ("pass_review", False, "", "review_passed"),
        ("fail_review", False, "won_too_early", "review_failed"),
        ("require_action", False, "hardware_in_value", "action_required"),
        ("match", True, "", "marketplace_passed"),
        ("no_match", True, "no_marketplace_transaction", "marketplace_failed"),
        ("require_action", True, "marketplace_transaction_unclear", "action_required"),
    ],
)
def test_decisions(cast: Cast, verb: str, marketplace: bool, reason: str, state: str) -> None:
    """FLOW, FLOW-3, FLOW-5: failing and sending back need a reason code of the verb and a comment for the partner."""
    pending = build.in_review(cast)
    if marketplace:
        pending = do.route(build.submitted(cast, build.won(cast), **MARKET), now=NOW)
    if reason:
        for inputs, codes in [
            ({}, ["reason_required", "comment_required"]),
            ({"reason_code": reason}, ["comment_required"]),
            ({"reason_code": reason, "comment": " \n"}, ["comment_required"]),
            ({"reason_code": "budget", "comment": "So."}, ["reason_required"]),
        ]:
            assert refusal(decide, cast, pending, verb, **inputs) == codes
    decided = decide(cast, pending, verb, NOW + HOUR, reason_code=reason, comment=" Because. ")
    assert (decided.status, decided.reason_code, decided.comment) == (state, reason, "Because.")
    event = told(decided)[-1]
    assert (event.comment, event.actor_user, event.at) == ("Because.", cast.users[REVIEWER], NOW + HOUR)
    assert event.after["status"] == state
    assert event.after.get("reason_code", "") == reason
    if state == "action_required":
        assert (decided.action_required_at, decided.decided_at, decided.close_due_at) == (NOW + HOUR, None, None)
    else:
        assert (decided.decided_at, decided.close_due_at) == (NOW + HOUR, NOW + HOUR + DAY)
    assert refusal(decide, cast, pending, verb, reason_code=reason, comment="Again.") == ["wrong_state"]


def test_an_approved_registration_can_be_selected_for_review(cast: Cast) -> None:
    """FLOW-4: within the days before it closes, by a reviewer; it no longer closes by itself; the reason is told."""
    approved = do.route(build.submitted(cast, build.won(cast)), now=NOW)
    selected = decide(cast, approved, "select_for_review", NOW + 6 * DAY)
    assert (selected.status, selected.close_due_at, selected.review_pending_at) == (
        *("review_pending", None),
        NOW + 6 * DAY,
    )
    assert [(r.code, r.rule) for r in selected.reasons] == [("selected_for_review", "FLOW-4")]
    assert sweeps.close_decided(now=NOW + 30 * DAY) == 0
    assert decide(cast, selected, "pass_review", NOW + 31 * DAY).approved_at == NOW


def test_a_correction_is_sent_from_action_required_only(cast: Cast) -> None:
    """FLOW: resubmitting leads to review, even of what would now be approved, with the new values frozen (FX-2)."""
    filed = build.submitted(cast, build.won(cast), tcv=BIG)
    admin = cast.actor(CONTOSO)
    assert refusal(do.resubmit, filed, build.form(), actor=admin, now=NOW) == ["wrong_state"]
    pending = do.route(filed, now=NOW)
    assert refusal(do.resubmit, pending, build.form(), actor=admin, now=NOW) == ["wrong_state"]
    back = send_back(cast, pending)
    assert refusal(do.submit, back, build.form(), actor=admin, now=NOW) == ["wrong_state"]
    codes = refusal(do.resubmit, back, build.form(tenant=None), actor=admin, now=NOW)
    assert codes == ["tenant_required"]
    again = do.resubmit(back, build.form(), actor=admin, now=NOW + DAY)
    assert (again.status, again.review_pending_at, again.acv) == ("review_pending", NOW + DAY, Decimal("40000.00"))
    assert (again.reason_code, again.comment) == ("", "")
    assert (again.first_submitted_at, again.submitted_at) == (NOW, NOW + DAY)


def test_a_correction_is_not_late_because_its_review_took_long(cast: Cast) -> None:
    """REG-7, REG-8, REG-14: the windows count to the first filing, and eligibility was settled then."""
    back = send_back(cast, build.in_review(cast))
    customers.set_managed(cast.customers["anadolu"], managed=False, actor=cast.actor(MANAGER), now=NOW)
    late, admin = NOW + 100 * DAY, cast.actor(CONTOSO)
    edge = build.form(signed=back.referral.created_at.date(), start=(NOW - 90 * DAY).date())
    money.import_month(month=late.date(), rates={"EUR": Decimal("1.1")}, source="test", publication="", now=late)
    too_old = replace(edge, start=edge.start - DAY)
    assert refusal(do.resubmit, back, too_old, actor=admin, now=late) == ["start_too_old"]
    assert do.resubmit(back, edge, actor=admin, now=late).status == Status.REVIEW_PENDING


def test_a_deal_can_be_closed_without_registering(cast: Cast) -> None:
    """REG-2, FLOW: by the partner, until it is filed; the outcome says so, and it is final."""
    deal, filed = build.won(cast), build.submitted(cast, build.won(cast))
    admin = cast.actor(CONTOSO)
    assert refusal(do.close_unregistered, filed, actor=admin, now=NOW) == ["being_checked"]
    closed = do.close_unregistered(registration_of(deal), actor=admin, now=NOW)
    assert (closed.status, closed.outcome, closed.closed_at) == ("closed", "not_registered", NOW)
    assert refusal(build.submitted, cast, deal) == ["wrong_state"]
    assert refusal(do.close_unregistered, closed, actor=admin, now=NOW) == ["wrong_state"]


# Closing ---------------------------------------------------------------------------------------------------------


def test_an_approved_registration_closes_after_seven_days(cast: Cast) -> None:
    """FLOW, close: exactly 7 days after the approval and not a second before; the outcome is the state it left."""
    approved = do.route(build.submitted(cast, build.won(cast)), now=NOW)
    assert sweeps.close_decided(now=NOW + 7 * DAY - SECOND) == 0
    assert sweeps.close_decided(now=NOW + 7 * DAY) == 1
    closed = Registration.objects.get(pk=approved.pk)
    assert (closed.status, closed.outcome, closed.closed_at) == ("closed", "approved", NOW + 7 * DAY)
    assert refusal(do.close, closed, now=NOW + 8 * DAY) == ["wrong_state"]


def test_what_is_decided_closes_the_next_day_and_nothing_else(cast: Cast) -> None:
    """FLOW, close: passed and failed are done; what waits for somebody stays open however long."""
    reason = {"reason_code": "other", "comment": "See."}
    market = [do.route(build.submitted(cast, build.won(cast), **MARKET), now=NOW) for _ in range(3)]
    decided = [
        decide(cast, build.in_review(cast), "pass_review"),
        decide(cast, build.in_review(cast), "fail_review", **reason),
        decide(cast, market[0], "match"),
        decide(cast, market[1], "no_match", **reason),
    ]
    waiting = [
        build.in_review(cast),
        market[2],
        send_back(cast, build.in_review(cast)),
        registration_of(build.won(cast)),
    ]
    assert sweeps.close_decided(now=NOW + DAY) == 4
    assert sweeps.close_decided(now=NOW + 365 * DAY) == 0
    closed = [Registration.objects.get(pk=r.pk) for r in decided]
    assert [(r.status, r.outcome, r.closed_at) for r in closed] == [("closed", r.status, NOW + DAY) for r in decided]
    assert [Registration.objects.get(pk=r.pk).status for r in waiting if r] == [r.status for r in waiting if r]


# What is kept ----------------------------------------------------------------------------------------------------


def test_every_step_keeps_what_it_was_decided_by(cast: Cast) -> None:
    """FLOW-7: actor, instant, policy version, rates, inputs and reasons, of each step by itself."""
    PolicyVersion.objects.create(number=3, effective_from=NOW - 60 * DAY, values={"review_above_acv_usd": "40000"})
    filed = build.submitted(cast, build.won(cast))
    PolicyVersion.objects.create(number=4, effective_from=NOW + HOUR, values={"close_after_days": 1})
    routed = do.route(filed, now=NOW + 59 * SECOND)
    back = send_back(cast, routed, NOW + 2 * HOUR)
    do.resubmit(back, build.form(), actor=cast.actor(USER), now=NOW + 3 * HOUR)
    submitted, route, sent_back, resubmitted = told(filed)[1:]
    assert [e.policy_version for e in (submitted, route, sent_back, resubmitted)] == [3, 3, 4, 4]
    assert [e.actor_user_id for e in (submitted, route, sent_back, resubmitted)] == [
        cast.users[CONTOSO].pk,
        None,
        cast.users[REVIEWER].pk,
        cast.users[USER].pk,
    ]
    assert [e.at - NOW for e in (submitted, route, sent_back, resubmitted)] == [
        timedelta(0),
        59 * SECOND,
        2 * HOUR,
        3 * HOUR,
    ]
    inputs = {"tcv": "40000.00", "tcv_currency": "EUR", "signed": "2026-11-17", "tenant": "customer", "term": "finite"}
    assert inputs.items() <= submitted.after.items()
    assert submitted.after["rates"] == {"EUR": {"usd_per_unit": "1.100000000000", "month": "2026-11-01"}}
    assert (submitted.after["acv_usd"], submitted.after["policy_version"]) == ("44000.00", 3)
    assert [(r["rule"], r["params"]["limit"]) for r in route.reasons] == [
        ("AUTO-1", {"amount": "40000", "currency": "USD"})
    ]
    assert (sent_back.comment, sent_back.after["reason_code"]) == ("The start differs.", "dates_do_not_match_contract")
    assert all(e.group == filed.event_group and e.company_id == filed.owner_id for e in told(filed))


def test_every_state_has_its_words() -> None:
    """FLOW-5: what a surface shows for each state is the same list everywhere."""
    assert [s.value for s in Status] == list(states.REGISTRATION_STATES)
    assert [str(s.label) for s in Status] == list(states.REGISTRATION_STATES.values())
