"""FLOW's table of verbs on the real database: decided, retracted, sampled, withdrawn, left unanswered, revalidated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from dealreg import sweeps
from dealreg.models import BY_REVALIDATION, Registration, Sample, Status
from dealreg.rules import states
from dealreg.rules.sample import is_chosen
from dealreg.services import registration as services
from dealreg.verbs import MACHINE
from portal.accounts.rules import SYSTEM
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.events.services import snapshot
from portal.notify.models import Notice
from portal.policy.models import PolicyVersion
from portal.workflow import services as workflow
from portal.workflow.blockers import Money, RuleViolation
from referrals.models import Referral
from tests import build, do
from tests.build import CONTOSO, DAY, NOW, REVIEWER

MANAGER, VIEWER = "manager@vendor.example", "viewer@contoso.example"
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
BACK = {"reason_code": "dates_do_not_match_contract", "comment": "The start differs."}
#: A pay-as-you-go contract that began on the day of NOW's eve.
PAYG: dict[str, Any] = {"pricing": "payg", "end": (NOW - DAY).date(), "tcv": Money(Decimal(40_000), "EUR")}
GROWN = {"tcv": Decimal(950_000), "solution_value": Decimal(900_000), "end": NOW.date()}


def refusal(call: Callable[..., Any], *args: Any, **kwargs: Any) -> list[str]:
    with pytest.raises(RuleViolation) as refused:
        call(*args, **kwargs)
    return refused.value.codes


def decide(cast: Cast, registration: Registration, verb: str, at: datetime = NOW, **given: str) -> Registration:
    given = {"validated_by": "figures", **given}
    return services.decide(registration, verb, actor=cast.actor(REVIEWER), now=at, **given)


def retract(cast: Cast, registration: Registration, at: datetime, comment: str = "A slip.") -> Registration:
    return services.decide(registration, "retract", actor=cast.actor(MANAGER), now=at, comment=comment)


def sent_back(cast: Cast, at: datetime = NOW, **changes: Any) -> Registration:
    return decide(cast, build.in_review(cast, **changes), "require_action", at, **BACK)


def last_event(registration: Registration) -> Event:
    return Event.objects.all().of_subject(registration).order_by("pk").last()


def heard(registration: Registration) -> set[str]:
    """Who was told of the last thing that happened."""
    return set(Notice.objects.filter(event=last_event(registration)).values_list("email", flat=True))


def payg(cast: Cast, **changes: Any) -> Registration:
    """A pay-as-you-go registration that passed its review at 40,000 EUR."""
    filed = build.submitted(cast, build.won(cast), **{**PAYG, **changes})
    return decide(cast, do.route(filed, now=NOW), "pass_review", NOW + HOUR, validated_by="poe")


def grow(cast: Cast, registration: Registration, at: datetime = NOW + DAY, **changes: Any) -> Registration:
    return do.revalidate(registration, actor=cast.actor(CONTOSO), now=at, **{**GROWN, **changes})


# Closing and retracting ------------------------------------------------------------------------------------------


def test_flow_a_decision_closes_after_24_hours_and_not_before(cast: Cast) -> None:
    """FLOW, close: an approval after 7 days; the others a day after the decision, so that a slip can be retracted."""
    passed = decide(cast, build.in_review(cast), "pass_review")
    assert passed.close_due_at == NOW + DAY
    assert sweeps.close_decided(now=NOW + DAY - SECOND) == 0
    assert sweeps.close_decided(now=NOW + DAY) == 1
    closed = Registration.objects.get(pk=passed.pk)
    assert (closed.status, closed.outcome, closed.closed_at) == ("closed", "review_passed", NOW + DAY)
    PolicyVersion.objects.create(number=2, effective_from=NOW, values={"close_decided_hours": 2})
    assert decide(cast, build.in_review(cast), "fail_review", **BACK | {"reason_code": "other"}).close_due_at == (
        NOW + 2 * HOUR
    )


#: The decision, whether it is of the marketplace, and where retracting it leads.
RETRACTABLE = [
    ("pass_review", False, "review_pending"),
    ("fail_review", False, "review_pending"),
    ("match", True, "marketplace_pending"),
    ("no_match", True, "marketplace_pending"),
]


@pytest.mark.parametrize(("verb", "marketplace", "state"), RETRACTABLE)
def test_flow_9_a_manager_retracts_a_decision_until_it_closes(
    cast: Cast, verb: str, marketplace: bool, state: str
) -> None:
    """FLOW-9, retract: to the state it was decided from, with a reason; history keeps both, and the partner is told."""
    changes = (
        {"marketplace": True, "marketplace_date": NOW.date()}
        if marketplace
        else {"tcv": Money(Decimal(2_000_000), "EUR")}
    )
    pending = build.submitted(cast, build.won(cast), routed=True, **changes)
    assert pending.status == state
    decided = decide(cast, pending, verb, NOW + HOUR, reason_code="other", comment="So it is.")
    for email in (REVIEWER, CONTOSO, "council1@vendor.example"):
        with pytest.raises(PermissionDenied):
            services.decide(decided, "retract", actor=cast.actor(email), now=NOW + 2 * HOUR, comment="No.")
    assert refusal(retract, cast, decided, NOW + 2 * HOUR, comment=" ") == ["comment_required"]
    back = retract(cast, decided, NOW + 2 * HOUR)
    assert (back.status, back.comment, back.reason_code, back.validated_by) == (state, "A slip.", "", "")
    assert (back.decided_at, back.close_due_at, back.decided_from) == (None, None, "")
    assert back.state_since == NOW + 2 * HOUR
    event = last_event(back)
    assert (event.verb, event.comment, event.before["status"]) == ("registration.retracted", "A slip.", decided.status)
    assert heard(back) == {"user@contoso.example"}
    again = decide(cast, back, verb, NOW + 3 * HOUR, reason_code="other", comment="Still.")
    do.close(again, now=NOW + 2 * DAY)
    assert refusal(retract, cast, again, NOW + 3 * DAY) == ["wrong_state"]


def test_flow_retracting_what_a_clock_decided_starts_it_anew(cast: Cast) -> None:
    """FLOW, retract: another 60 days to correct, and what was asked stands again."""
    failed = do.fail_unanswered(sent_back(cast), now=NOW + 60 * DAY)
    back = retract(cast, failed, NOW + 60 * DAY + HOUR)
    assert (back.status, back.reason_code, back.comment) == ("action_required", *BACK.values())
    assert back.action_due_at == NOW + 120 * DAY + HOUR
    market = build.submitted(cast, build.won(cast), routed=True, marketplace=True, marketplace_date=NOW.date())
    missing = decide(cast, market, "no_match", NOW + 60 * DAY, reason_code="other", comment="None.")
    assert retract(cast, missing, NOW + 61 * DAY).marketplace_again_at == NOW + 61 * DAY


def test_flow_an_approval_by_rule_has_no_decision_to_retract(cast: Cast) -> None:
    approved = build.submitted(cast, build.won(cast), routed=True)
    assert refusal(retract, cast, approved, NOW + HOUR) == ["wrong_state"]


# Sent back -------------------------------------------------------------------------------------------------------


def test_flow_what_was_sent_back_is_withdrawn(cast: Cast) -> None:
    """FLOW, withdraw: by whoever may register the deal, from there only, and it stays closed."""
    registration = sent_back(cast)
    assert registration.action_due_at == NOW + 60 * DAY
    with pytest.raises(PermissionDenied):
        do.withdraw(registration, actor=cast.actor(VIEWER), now=NOW + DAY)
    done = do.withdraw(registration, actor=cast.actor(CONTOSO), now=NOW + DAY)
    assert (done.status, done.outcome, done.closed_at) == ("closed", "not_registered", NOW + DAY)
    assert done.was_withdrawn
    actor = cast.actor(CONTOSO)
    assert refusal(do.register_after_all, done, actor=actor, now=NOW + DAY) == ["wrong_state"]
    pending = build.in_review(cast)
    assert refusal(do.withdraw, pending, actor=actor, now=NOW) == ["wrong_state"]


def test_flow_what_nobody_corrects_fails_after_60_days(cast: Cast) -> None:
    """FLOW, fail_unanswered: the reason is said, what was asked stays, and the partner hears of it."""
    registration = sent_back(cast)
    due = NOW + 60 * DAY
    assert refusal(do.fail_unanswered, registration, now=due - SECOND) == ["still_time"]
    assert sweeps.fail_unanswered(now=due - SECOND) == 0
    assert sweeps.fail_unanswered(now=due) == 1
    failed = Registration.objects.get(pk=registration.pk)
    assert (failed.status, failed.decided_from) == ("review_failed", "action_required")
    assert (failed.comment, failed.reason) == (BACK["comment"], states.ACTION_REASONS[BACK["reason_code"]])
    assert failed.close_due_at == due + DAY
    assert heard(failed) == {"user@contoso.example"}
    assert sweeps.close_decided(now=due + DAY) == 1
    assert Registration.objects.get(pk=registration.pk).outcome == "review_failed"


def test_flow_a_correction_in_time_fails_nothing(cast: Cast) -> None:
    registration = sent_back(cast)
    do.resubmit(registration, build.form(), actor=cast.actor(CONTOSO), now=NOW + 30 * DAY)
    assert sweeps.fail_unanswered(now=NOW + 90 * DAY) == 0


def test_flow_what_was_never_filed_is_registered_after_all(cast: Cast) -> None:
    """FLOW, register_after_all: a slip costs nothing; what was filed and closed stays closed."""
    actor = cast.actor(CONTOSO)
    registration = Registration.objects.get(referral=build.won(cast))
    do.close_unregistered(registration, actor=actor, now=NOW)
    opened = do.register_after_all(registration, actor=actor, now=NOW + HOUR)
    assert (opened.status, opened.outcome, opened.closed_at) == ("registration_pending", "", None)
    filed = do.submit(opened, build.form(), actor=actor, now=NOW + 2 * HOUR)
    closed = do.close(do.route(filed, now=NOW + 3 * HOUR), now=NOW + 8 * DAY)
    assert refusal(do.register_after_all, closed, actor=actor, now=NOW + 9 * DAY) == ["wrong_state"]
    offered = {a.name for a in workflow.available_actions(closed, actor, NOW + 9 * DAY) if not a.wrong_state}
    assert "register_after_all" not in offered


def test_flow_8_reminders_of_an_action_required(cast: Cast) -> None:
    """FLOW-8: 14, 7, 3 and 1 days before it fails, to who can correct it, once each."""
    registration = sent_back(cast)
    told = []
    for days in range(61):
        for _twice in range(2):
            if sweeps.remind_to_correct(now=NOW + days * DAY):
                event = last_event(registration)
                told.append(event.after["days"])
                assert heard(registration) == {CONTOSO, "user@contoso.example"}
    assert told == [14, 7, 3, 1]
    one = Notice.objects.filter(event=last_event(registration)).first()
    assert one is not None
    assert one.subject == "One day left to correct the registration: %(deal)s"


def test_ref_24_somebody_is_told_of_an_action_required_whoever_is_on_the_team(cast: Cast) -> None:
    """REF-24, FLOW-8: without a team that can be reached the admins; where the team only reads, who can act as well."""
    teams = {
        "user@contoso.example": {"user@contoso.example"},
        "stranger@elsewhere.example": {CONTOSO},
        VIEWER: {VIEWER, CONTOSO},
    }
    for listed, expected in teams.items():
        registration = sent_back(cast, team=[build.member(listed)])
        assert last_event(registration).verb == "registration.action_required"
        assert heard(registration) == expected, listed


# The sample ------------------------------------------------------------------------------------------------------


def approved(cast: Cast, count: int) -> list[Registration]:
    return [build.submitted(cast, build.won(cast), routed=True) for _ in range(count)]


def test_flow_4_the_sample_is_drawn_once_and_can_be_replayed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """FLOW-4: each approved registration takes part once; seed and share are kept, and choose the same again."""
    PolicyVersion.objects.create(number=2, effective_from=NOW - DAY, values={"sample_percent": 50})
    approved(cast, 6)
    monkeypatch.setattr("secrets.token_hex", lambda _size: "a seed")
    assert sweeps.draw_sample(now=NOW + HOUR) == 6
    assert sweeps.draw_sample(now=NOW + 2 * HOUR) == 0
    sample = Sample.objects.get()
    assert (sample.at, sample.seed, sample.percent, sample.policy_version) == (NOW + HOUR, "a seed", 50, 2)
    for registration in Registration.objects.all():
        chosen = is_chosen(sample.seed, registration.public_id, sample.percent)
        assert registration.sample == sample
        assert registration.status == (Status.REVIEW_PENDING if chosen else Status.APPROVED)
        assert (last_event(registration).verb == "registration.selected") is chosen
        if chosen:
            assert [reason.code for reason in registration.reasons] == ["selected_at_random"]
            assert heard(registration) == {"user@contoso.example"}


@pytest.mark.parametrize(("percent", "state"), [(0, "approved"), (100, "review_pending")])
def test_flow_4_the_share_is_policy(cast: Cast, percent: int, state: str) -> None:
    PolicyVersion.objects.create(number=2, effective_from=NOW - DAY, values={"sample_percent": percent})
    approved(cast, 3)
    sweeps.draw_sample(now=NOW)
    assert set(Registration.objects.values_list("status", flat=True)) == {state}


def test_flow_4_about_so_many_in_a_hundred_are_chosen() -> None:
    ids = [Registration().public_id for _ in range(20_000)]
    assert 850 < sum(is_chosen("seed", public_id, 5) for public_id in ids) < 1150
    assert [is_chosen("other", i, 5) for i in ids] != [is_chosen("seed", i, 5) for i in ids]


def test_flow_4_only_within_the_days_before_closing(cast: Cast) -> None:
    """FLOW-4: an approval that closes later than that is selected by nobody yet."""
    PolicyVersion.objects.create(
        number=2, effective_from=NOW - DAY, values={"close_after_days": 10, "sample_percent": 100}
    )
    (registration,) = approved(cast, 1)
    assert refusal(decide, cast, registration, "select_for_review", NOW + 3 * DAY - SECOND) == ["selected_too_early"]
    assert sweeps.draw_sample(now=NOW + 3 * DAY - SECOND) == 0
    assert sweeps.draw_sample(now=NOW + 3 * DAY) == 1
    assert Registration.objects.get().status == "review_pending"


# Revalidation ----------------------------------------------------------------------------------------------------


def test_flow_6_a_revalidation_goes_to_review_at_the_first_rates(cast: Cast) -> None:
    """PAYG-2, FX-2: the contract value, the solution's and the end, nothing else, at the rates of the first filing."""
    passed = payg(cast)
    grown = grow(cast, passed)
    assert (grown.status, grown.outcome, grown.close_due_at) == ("review_pending", "", None)
    assert (grown.tcv, grown.tcv_usd) == (Decimal("950000.00"), Decimal("1045000.00"))
    assert grown.claim == replace(
        passed.claim,
        tcv=Money(Decimal(950_000), "EUR"),
        solution_value=Money(Decimal(900_000), "EUR"),
        end=NOW.date(),
    )
    assert (grown.rates, grown.first_submitted_at) == (passed.rates, passed.first_submitted_at)
    assert "AUTO-3" in [reason.rule for reason in grown.reasons]
    assert (grown.reason_code, grown.validated_by) == ("", "")


def test_flow_6_a_revalidation_that_passes_replaces_what_there_was(cast: Cast) -> None:
    grown = decide(cast, grow(cast, payg(cast)), "pass_review", NOW + 2 * DAY)
    closed = do.close(grown, now=NOW + 3 * DAY)
    assert (closed.outcome, closed.tcv, closed.previous) == ("review_passed", Decimal("950000.00"), None)
    assert refusal(grow, cast, closed, NOW + 4 * DAY) == ["revalidated_already"]


Ending = Callable[[Cast, Registration], Registration]


def _failed(cast: Cast, grown: Registration) -> Registration:
    failed = decide(cast, grown, "fail_review", NOW + 2 * DAY, reason_code="other", comment="No.")
    return do.close(failed, now=NOW + 3 * DAY)


def _withdrawn(cast: Cast, grown: Registration) -> Registration:
    back = decide(cast, grown, "require_action", NOW + 2 * DAY, **BACK)
    return do.withdraw(back, actor=cast.actor(CONTOSO), now=NOW + 3 * DAY)


def _unanswered(cast: Cast, grown: Registration) -> Registration:
    back = decide(cast, grown, "require_action", NOW + 2 * DAY, **BACK)
    assert sweeps.fail_unanswered(now=NOW + 62 * DAY) == 1
    return Registration.objects.get(pk=back.pk)


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "open"])
@pytest.mark.parametrize("ending", [_failed, _withdrawn, _unanswered])
def test_flow_6_a_revalidation_that_comes_to_nothing_leaves_what_there_was(
    cast: Cast, ending: Ending, closed: bool
) -> None:
    """PAYG-3: figures and outcome of before, to the last column."""
    before = payg(cast)
    if closed:
        before = do.close(before, now=before.close_due_at)
    held = snapshot(before)
    after = ending(cast, grow(cast, before, NOW + 2 * DAY))
    assert (after.status, after.outcome, after.previous) == ("closed", "review_passed", None)
    found = snapshot(Registration.objects.get(pk=after.pk))
    assert {name: found[name] for name in BY_REVALIDATION} == {name: held[name] for name in BY_REVALIDATION}
    assert refusal(grow, cast, after, NOW + 70 * DAY) == ["revalidated_already"]


def test_flow_6_a_failed_revalidation_can_be_retracted(cast: Cast) -> None:
    """FLOW, retract; PAYG-3: what there was stays at hand until it closes."""
    grown = grow(cast, payg(cast))
    failed = decide(cast, grown, "fail_review", NOW + 2 * DAY, reason_code="other", comment="No.")
    back = retract(cast, failed, NOW + 2 * DAY + HOUR)
    assert back.status == "review_pending"
    assert back.previous is not None
    assert decide(cast, back, "pass_review", NOW + 3 * DAY).tcv == Decimal("950000.00")


def test_flow_6_what_a_correction_of_a_revalidation_may_change(cast: Cast) -> None:
    """PAYG-2: sent back, it is still a revalidation."""
    back = decide(cast, grow(cast, payg(cast)), "require_action", NOW + 2 * DAY, **BACK)
    actor = cast.actor(CONTOSO)
    for changes, codes in (
        ({"tenant": "partner"}, ["not_revalidated"]),
        ({"tcv": Money(Decimal(900_000), "EUR")}, ["revalidation_value_too_low"]),
    ):
        form = replace(back.claim, **changes)
        assert refusal(do.resubmit, back, form, actor=actor, now=NOW + 3 * DAY) == codes
    fine = replace(back.claim, tcv=Money(Decimal(1_000_000), "EUR"))
    assert do.resubmit(back, fine, actor=actor, now=NOW + 3 * DAY).tcv_usd == Decimal("1100000.00")


def test_flow_6_what_a_revalidation_needs(cast: Cast) -> None:
    """PAYG-1, PAYG-2: pay-as-you-go, above 1,000,000 USD in cents, the first filing's fiscal year, what passed."""
    passed = payg(cast)
    limit = Decimal("909090.92")  # at 1.10 a cent above the limit; one cent less is the limit
    assert refusal(grow, cast, passed, tcv=limit - Decimal("0.01")) == ["revalidation_value_too_low"]
    assert refusal(grow, cast, passed, solution_value=GROWN["tcv"] + 1) == ["solution_value_exceeds_tcv"]
    assert refusal(grow, cast, passed, end=(NOW + 5 * DAY).date()) == ["payg_end_in_future"]
    july = datetime(2027, 7, 1, tzinfo=NOW.tzinfo)
    assert refusal(grow, cast, passed, july) == ["revalidation_year_over"]
    assert grow(cast, passed, july - SECOND, tcv=limit).status == "review_pending"
    other = decide(cast, build.in_review(cast), "pass_review")
    assert refusal(grow, cast, other) == ["revalidation_payg_only"]
    failed = decide(cast, do.route(build.submitted(cast, build.won(cast), **PAYG), now=NOW), "fail_review",
                    reason_code="other", comment="No.")  # fmt: skip
    assert refusal(grow, cast, failed) == ["wrong_state"]
    assert refusal(grow, cast, do.close(failed, now=NOW + DAY)) == ["wrong_state"]
    with pytest.raises(PermissionDenied):
        do.revalidate(payg(cast), actor=cast.actor(VIEWER), now=NOW + DAY, **GROWN)


# The table -------------------------------------------------------------------------------------------------------


def test_flow_2_the_route_follows_from_what_is_stored(cast: Cast) -> None:
    """FLOW-2: a worker that comes late routes by the filed claim, whatever the deal says by then."""
    deal = build.won(cast)
    filed = build.submitted(cast, deal, tcv=Money(Decimal(2_000_000), "EUR"))
    Referral.objects.filter(pk=deal.pk).update(value=Decimal(1), currency="USD")
    routed = do.route(filed, now=NOW + 5 * DAY)
    assert (routed.status, [reason.rule for reason in routed.reasons]) == ("review_pending", ["AUTO-1"])
    assert asdict(routed.claim)["tcv"] == {"amount": Decimal("2000000.00"), "currency": "EUR"}


#: FLOW, last column.
WHO = {
    **dict.fromkeys(["reopen", "open_anew", "replace"], "worker"),
    "submit": "partner",
    "close_unregistered": "partner",
    "register_after_all": "partner",
    "resubmit": "partner",
    "withdraw": "partner",
    "revalidate": "partner",
    "route": "worker",
    "close": "worker",
    "fail_unanswered": "worker",
    "select_for_review": "reviewer worker",
    "pass_review": "reviewer",
    "fail_review": "reviewer",
    "require_action": "reviewer",
    "match": "reviewer",
    "no_match": "reviewer",
    "retract": "manager",
}


def test_flow_who_may_do_what(cast: Cast) -> None:
    """FLOW, last column: nobody else may, in whatever state."""
    registration = build.in_review(cast)
    actors = {
        "partner": cast.actor(CONTOSO),
        "reviewer": cast.actor(REVIEWER),
        "manager": cast.actor(MANAGER),
        "council": cast.actor("council1@vendor.example"),
        "seller": cast.actor(build.SELLER),
        "viewer": cast.actor(VIEWER),
        "worker": SYSTEM,
    }
    found = {
        name: " ".join(who for who, actor in actors.items() if verb.may(actor, registration))
        for name, verb in MACHINE.by_name.items()
    }
    for name, who in WHO.items():
        assert set(who.split()) <= set(found[name].split()), name
    assert {name: who for name, who in found.items() if name not in {"match", "no_match"}} == {
        name: who for name, who in WHO.items() if name not in {"match", "no_match"}
    }


def test_flow_5_each_state_says_since_when(cast: Cast) -> None:
    """FLOW-5: the day that the lifecycle shows for it."""
    actor = cast.actor(CONTOSO)
    registration = Registration.objects.get(referral=build.won(cast, at=NOW - DAY))
    assert registration.state_since == NOW - DAY
    registration = do.submit(registration, build.form(), actor=actor, now=NOW)
    registration = do.route(registration, now=NOW + HOUR)
    assert registration.state_since == NOW + HOUR
    registration = decide(cast, registration, "select_for_review", NOW + 2 * HOUR)
    assert registration.state_since == NOW + 2 * HOUR
    registration = decide(cast, registration, "require_action", NOW + 3 * HOUR, **BACK)
    assert registration.state_since == NOW + 3 * HOUR
    registration = do.withdraw(registration, actor=actor, now=NOW + 4 * HOUR)
    assert registration.state_since == NOW + 4 * HOUR
