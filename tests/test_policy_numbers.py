"""Every number of the policy, one row each: typed in the office's form, it is what the next decision uses and says, and
what was decided before still follows under the version before (FLOW-7).

A number without a row fails the first test. `RULES` holds those that a pure rule uses; `WORLD` those that only show in
what the portal does at an instant before, and at one after the version is in force.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.template.loader import render_to_string

from dealreg import sweeps
from dealreg.models import Registration, Sample
from dealreg.rules import documents, judge, marketplace, revalidation, violations
from dealreg.rules.eligibility import eligibility
from dealreg.selectors import routing
from dealreg.services import registration as registrations
from dealreg.services.replay import replay
from exceptions_council.rules import last_day_to_ask, tally
from exceptions_council.rules.form import form_blockers
from isvconnect.rules.checks import violations as isv_violations
from isvconnect.rules.values import answers_asked as isv_answers
from licensing.models import LicenceLink
from licensing.services import codes as email_codes
from licensing.services import links, tokens
from portal.accounts import invites
from portal.accounts.rules import VIEWER, Grant
from portal.api.models import ApiClient
from portal.api.services import clients
from portal.demo.cast import Cast
from portal.money import services as money
from portal.money.rules import Rate, questions
from portal.policy import services as policies
from portal.policy.calendar import due_day
from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy
from portal.programme import rules
from portal.programme.forms import NewVersionForm
from portal.workflow import text
from portal.workflow.blockers import RuleViolation
from referrals import sweeps as referral_sweeps
from referrals.rules import deal as deal_rules
from referrals.rules import lifecycle
from referrals.rules.deal import Member
from referrals.selectors import partners, search, standing
from tests import build, do, exceptions, licences
from tests import test_exceptions_rules as exc
from tests import test_isv_rules as isv
from tests.build import DAY, NOW
from tests.test_dealreg_rules import DEAL, FACTS, FORM, PAYG_FORM, TODAY, days

OLD = Policy()
OWNER = "admin@contoso.example"
EUR_11 = Rate("EUR", date(2026, 11, 1), Decimal("1.5"))


@dataclass(frozen=True)
class Row:
    """What is typed; what is seen under a policy; and what of it names the new number, if a sentence does."""

    typed: str
    see: Callable[..., object]
    says: str = ""


def said(found: Any) -> str:
    """Blockers as people read them."""
    return " ".join(text.text(blocker) for blocker in found)


def refused(policy: Policy, form: Any = FORM, facts: Any = FACTS) -> str:
    return said(violations(form, facts, policy))


def routed(policy: Policy, form: Any = FORM, facts: Any = FACTS) -> str:
    route = judge(form, facts, policy).route
    return f"{route.state} {said(route.reasons)}" if route else ""


def minimum(policy: Policy) -> str:
    (found,) = [c for c in eligibility(replace(DEAL, value_usd=Decimal(27_000)), policy).criteria if c.rule == "ELIG-3"]
    return said([found.message])


def signed(count: int) -> Any:
    return replace(FORM, signed=TODAY - days(count), start=TODAY - days(5))


def team(policy: Policy) -> str:
    people = [Member("A", "B", "+90 1", f"{n}@contoso.example") for n in range(8)]
    return said(deal_rules.team_blockers(people, policy=policy))


RULES: dict[str, Row] = {
    "safe_win_hours": Row("48", lambda p: lifecycle.safe_win_at(NOW, p) - NOW),
    "max_team_members": Row("7", team, "at most 7 people"),
    "max_solutions": Row("2", lambda p: said(deal_rules.count_blockers(3, policy=p)), "at most 2 solutions"),
    "max_note_length": Row("99", lambda p: said(deal_rules.length_blockers("x" * 100, "n", policy=p)), "have 99 "),
    "minimum_deal_value_usd": Row("30000", minimum, "30,000 USD"),
    "minimum_acv_usd": Row("99000", refused, "99,000 USD"),
    "perpetual_years": Row("3", lambda p: judge(replace(FORM, term="perpetual"), FACTS, p).acv),
    "registration_window_days": Row("9", lambda p: refused(p, signed(10)), "for 9 days"),
    "start_window_days": Row("4", refused, "at most 4 days ago"),
    "payg_signing_window_years": Row("0", lambda p: refused(p, PAYG_FORM), "counts until"),
    "marketplace_max_months": Row(
        "1", lambda p: refused(p, replace(FORM, marketplace=True, marketplace_date=TODAY + days(60))), "1 months ahead"
    ),
    "pracr_since": Row(
        "2024-02-03",
        lambda p: said(judge(replace(FORM, marketplace=True, marketplace_date=TODAY), FACTS, p).notes),
        "Since 3 Feb 2024",
    ),
    "max_documents": Row("2", lambda p: said(documents.adding_blockers("c", {"a", "b"}, p)), "may have: 2"),
    "max_document_mb": Row("1", lambda p: said(documents.size_blockers(3_000_000, p)), "larger than 1 MB"),
    "blackouts": Row(f"{TODAY} – {TODAY}", refused),
    "review_above_acv_usd": Row("50000", routed, "50,000 USD"),
    "fiscal_year_starts_month": Row("1", lambda p: revalidation.fiscal_year_end(date(2026, 11, 18), p)),
    "revalidation_above_tcv_usd": Row(
        "2000000", lambda p: said(revalidation.revalidated_value_blockers(Decimal(1_500_000), p)), "2,000,000 USD"
    ),
    "marketplace_match_days": Row("3", lambda p: marketplace.window(TODAY, p)),
    "marketplace_wait_days": Row("5", lambda p: marketplace.wait_until(TODAY, NOW, p)),
    "review_days": Row("3", lambda p: due_day(TODAY, p.review_days, p)),
    "claim_hours": Row("5", lambda p: NOW + p.claimed_for),
    "exception_decision_days": Row("3", lambda p: due_day(TODAY, p.exception_decision_days, p)),
    "exception_quorum": Row("1", lambda p: tally(["approve"], able=3, quorum=p.exception_quorum)),
    "exception_after_registration_days": Row("90", lambda p: last_day_to_ask(exc.closed("review_failed"), p)),
    "exception_after_rejection_days": Row("99", lambda p: last_day_to_ask(exc.closed("review_failed"), p)),
    "exception_max_length": Row("3", lambda p: said(form_blockers(exc.GOOD[exc.REJ], exc.FACTS, p)), "at most 3 are"),
    "holiday_calendar": Row("TR", lambda p: due_day(date(2026, 10, 26), 3, p)),  # 29 October is the Republic's day
    "forecast_created_percent": Row("15", lambda p: p.forecast_percents[10]),
    "forecast_qualified_percent": Row("25", lambda p: p.forecast_percents[20]),
    "forecast_developed_percent": Row("45", lambda p: p.forecast_percents[40]),
    "forecast_proposed_percent": Row("65", lambda p: p.forecast_percents[60]),
    "forecast_negotiated_percent": Row("85", lambda p: p.forecast_percents[80]),
    "idle_days": Row("60, 45, 45", lambda p: list(standing.idle(TODAY, p))),
    "isv_minimum_value_usd": Row(
        "20000", lambda p: said(isv_violations(isv_answers(isv.FORM, isv.FACTS), isv.FACTS, p)), "above 20,000 USD"
    ),
    "rate_jump_percent": Row(
        "20",
        lambda p: said(
            b
            for found in questions(
                [EUR_11], {("EUR", date(2026, 10, 1)): Decimal("1.1")}, today=TODAY.replace(month=12), policy=p
            ).values()
            for b in found
        ),
        "more than 20%",
    ),
}


# What shows only in what the portal does: at one instant, under the version in force then


def answered_until(cast: Cast, at: datetime) -> object:
    expires: Any = build.vendor_copy(build.deal(cast, at=at)).expires_at
    return expires - at


def reminded(cast: Cast, at: datetime) -> object:
    """Nine days and a bit are left of fourteen."""
    build.deal(cast, at=at - 5 * DAY + timedelta(minutes=1))
    return referral_sweeps.remind(now=at)


def responsive(cast: Cast, at: datetime) -> object:
    received = build.vendor_copy(build.deal(cast, at=at - 70 * DAY))
    build.accept(cast, received, at=at - 69 * DAY)
    found = partners.responsiveness_of(received.company_id, now=at)
    return found.received, found.months


def invited(cast: Cast, at: datetime, email: str = "new@contoso.example") -> Any:
    contoso = cast.companies["contoso"]
    about: dict[str, Any] = {"company": contoso, "grants": [Grant(VIEWER)], "language": "en"}
    return invites.create(**about, email=email, actor=cast.actor(OWNER), now=at)


def invited_twice(cast: Cast, at: datetime) -> str:
    return refusal(lambda: [invited(cast, at, f"{n}@contoso.example") for n in range(2)])


def refusal(do_it: Callable[[], object]) -> str:
    try:
        do_it()
    except RuleViolation as violation:
        return said(violation.blockers)
    return ""


def old_secret(cast: Cast, at: datetime) -> object:
    contoso, actor = cast.companies["contoso"], cast.actor(OWNER)
    client, _secret = clients.create(
        company=contoso, name="CRM", scopes=["referrals.read"], role=VIEWER, actor=actor, now=at
    )
    clients.rotate(client, actor=actor, now=at)
    until: Any = ApiClient.objects.get(pk=client.pk).previous_until
    return until - at


def registered_before(cast: Cast, at: datetime) -> object:
    filed = exceptions.rejected(cast, at=at - 90 * DAY)
    customer, policy = filed.referral.engagement.customer_id, policies.current(at)
    assert filed.solution_id is not None
    return routing.registered_before(customer, filed.solution_id, day=at.date(), now=at, policy=policy).count()


def approved(cast: Cast, at: datetime) -> Registration:
    return build.submitted(cast, build.won(cast), at=at, routed=True)


def closes(registration: Registration, at: datetime) -> object:
    due: Any = registration.close_due_at
    return due - at


def decided(cast: Cast, at: datetime, verb: str, **given: str) -> Registration:
    actor = cast.actor(build.REVIEWER)
    return registrations.decide(build.in_review(cast, at=at), verb, actor=actor, now=at, **given)


def to_correct(cast: Cast, at: datetime) -> object:
    sent = decided(cast, at, "require_action", reason_code="other", comment="See the contract.")
    due: Any = sent.action_due_at
    return due - at


def sample(cast: Cast, at: datetime) -> object:
    approved(cast, at)
    with_all = at + 7 * DAY - timedelta(minutes=30)  # before it closes, whatever is in force
    assert sweeps.draw_sample(now=at) or sweeps.draw_sample(now=with_all)
    return Sample.objects.get().percent


def drawn(cast: Cast, at: datetime) -> object:
    approved(cast, at)
    return sweeps.draw_sample(now=at)


def evidence_until(cast: Cast, at: datetime) -> object:
    request = exceptions.asked(cast, exceptions.ineligible(cast), now=at)
    return do.ask_evidence(
        request, "Send the contract.", actor=cast.actor(exceptions.COUNCIL[0]), now=at
    ).evidence_due_at


def opened_until(cast: Cast, at: datetime) -> object:
    request = exceptions.asked(cast, exceptions.ineligible(cast), now=at)
    return exceptions.approved(cast, request, now=at).open_until


def consent_until(cast: Cast, at: datetime) -> object:
    return licences.invited(cast, licences.isv_deal(cast, now=at), now=at).invitation.expires_at - at


def code(cast: Cast, at: datetime) -> Any:
    return licences.code_sent(licences.invited(cast, licences.isv_deal(cast, now=at), now=at).invitation, now=at)


def wrong_codes(cast: Cast, at: datetime) -> str:
    sent = code(cast, at)
    tries = [refusal(lambda: email_codes.confirm(sent.invitation, "000000", now=at)) for _turn in range(2)]
    return tries[-1]


def many_codes(cast: Cast, at: datetime) -> str:
    sent = code(cast, at)
    return refusal(lambda: licences.code_sent(sent.invitation, now=at))


def agreed(cast: Cast, at: datetime) -> Any:
    return licences.consented(cast, licences.isv_deal(cast, now=at), now=at)


def link(cast: Cast, at: datetime) -> Any:
    return links.issue(agreed(cast, at), LicenceLink.Reason.ASKED, now=at)


def many_links(cast: Cast, at: datetime) -> object:
    relationship = agreed(cast, at)
    return sum(links.issue(relationship, LicenceLink.Reason.ASKED, now=at) is not None for _turn in range(3))


def visit(cast: Cast, at: datetime) -> object:
    return links.exchange(tokens.of_link(link(cast, at)), now=at).until - at


def many(cast: Cast, at: datetime) -> str:
    deal = licences.isv_deal(cast, now=at)
    relationship = licences.consented(cast, deal, now=at)
    return refusal(lambda: licences.updated(cast, deal, relationship, now=at, basic=10))


def rate_of_february(cast: Cast, at: datetime) -> object:
    """The last one known is December's."""
    return sorted(money.rates_for(["EUR"], date(2027, 2, 1), policy=policies.current(at)))


WORLD: dict[str, Row] = {
    "answer_days": Row("9", answered_until),
    "reminder_days": Row("10, 2", reminded),
    "responsiveness_months": Row("1", responsive),
    "invitations_per_day": Row("1", invited_twice, "allows: 1,"),
    "invitation_link_days": Row("3", lambda cast, at: invited(cast, at).expires_at - at),
    "api_secret_overlap_hours": Row("5", old_secret),
    "duplicate_months": Row("1", registered_before),
    "close_after_days": Row("3", lambda cast, at: closes(approved(cast, at), at)),
    "close_decided_hours": Row("48", lambda cast, at: closes(decided(cast, at, "pass_review", validated_by="poe"), at)),
    "action_days": Row("30", to_correct),
    "sample_percent": Row("100", sample),
    "selection_days": Row("1", drawn),
    "exception_evidence_days": Row("3", evidence_until),
    "exception_open_days": Row("9", opened_until),
    "consent_link_days": Row("3", consent_until),
    "email_code_minutes": Row("5", lambda cast, at: code(cast, at).expires_at - at),
    "email_code_attempts": Row("1", wrong_codes),
    "email_codes_per_invitation": Row("1", many_codes),
    "licence_link_hours": Row("5", lambda cast, at: link(cast, at).expires_at - at),
    "licence_links_per_day": Row("1", many_links),
    "licence_session_minutes": Row("5", visit),
    "customer_mails_per_day": Row("1", many_codes),
    "max_licences": Row("9", many, "9"),
    "rate_max_age_months": Row("0", rate_of_february),
}
#: What only reads asks the database's clock, and so is in force for every instant.
BY_CLOCK = {"search_min_letters": Row("5", lambda _policy: search.is_long_enough("abcd"))}
ROWS = {**RULES, **WORLD, **BY_CLOCK}
BEFORE, AFTER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)


def test_flow_7_every_number_has_a_row() -> None:
    assert sorted(ROWS) == sorted(f.name for f in fields(Policy) if f.name != "version"), "say here what it does"


def typed(name: str) -> PolicyVersion:
    """What the office's form makes of one number changed, in force from NOW on."""
    form = NewVersionForm({name: ROWS[name].typed})
    assert form.is_valid(), form.errors
    assert list(form.values()) == [name]
    return PolicyVersion.objects.create(number=1, effective_from=NOW, values=form.values())


def shown_in_the_office(version: PolicyVersion) -> str:
    """The number on the page of the version, default and value."""
    (found,) = rules.differences(OLD, version.as_policy())
    return render_to_string("admin/policy/_changes.html", {"changes": [found]})


def check(name: str, was: object, seen: object, again: object) -> None:
    assert seen != was, f"{name}: nothing follows from it"
    assert again == was, f"{name}: what was decided before no longer follows"
    if says := ROWS[name].says:
        assert says in str(seen), f"{name}: nobody is told"
        assert says not in str(was), name


@pytest.mark.django_db
@pytest.mark.parametrize("name", RULES)
def test_flow_7_a_rule_uses_the_number_and_says_it(name: str) -> None:
    see = RULES[name].see
    assert "→" in shown_in_the_office(typed(name))
    check(name, see(OLD), see(policies.current(AFTER)), see(policies.current(BEFORE)))


def at(see: Callable[[Cast, datetime], object], cast: Cast, now: datetime) -> object:
    """What is seen at an instant, of which nothing stays."""
    with transaction.atomic():
        found = see(cast, now)
        assert replay(Registration.objects.all())[1] == []
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("name", WORLD)
def test_flow_7_the_next_decision_uses_the_number_and_the_one_before_follows_still(cast: Cast, name: str) -> None:
    see = WORLD[name].see
    was = at(see, cast, BEFORE)
    typed(name)
    check(name, was, at(see, cast, AFTER), at(see, cast, BEFORE))


@pytest.mark.django_db
@pytest.mark.parametrize("name", BY_CLOCK)
def test_flow_7_reading_uses_the_number_at_once(name: str) -> None:
    was = BY_CLOCK[name].see(OLD)
    typed(name)
    assert BY_CLOCK[name].see(OLD) != was


@pytest.mark.parametrize("name", ["review_above_acv_usd", "close_after_days"])
def test_flow_7_registrations_of_two_versions_are_both_replayed(cast: Cast, name: str) -> None:
    first = approved(cast, BEFORE)
    typed(name)
    second = approved(cast, AFTER)
    assert (first.policy_version, second.policy_version) == (0, 1)
    assert replay(Registration.objects.all())[1] == []
