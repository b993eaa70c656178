"""The referrals' services on the real database: create, answer, win, lose, close for good, share, invite, edit."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from portal.accounts.models import RoleGrant
from portal.accounts.rules import SYSTEM
from portal.catalog import services as catalog
from portal.catalog.models import AssessmentType
from portal.demo.cast import ANKARA, BERLIN, ISTANBUL, MUNICH, Cast
from portal.events import services as events
from portal.events.models import Event
from portal.money import services as money
from portal.workflow import services as workflow
from portal.workflow.blockers import Money, RuleViolation
from referrals import rules, sweeps, verbs
from referrals.models import Engagement, Note, Referral
from referrals.services import creation, editing
from referrals.verbs import MACHINE
from tests import build, do
from tests.build import CONTOSO, DAY, NOW, REVIEWER, SELLER

ANKARA_ADMIN, USER, VIEWER, OWNER = (f"{name}@contoso.example" for name in ("ankara", "user", "viewer", "admin"))
FABRIKAM, NORTHWIND = "referrals@fabrikam.example", "referrals@northwind.example"
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def again(referral: Referral) -> Referral:
    return Referral.objects.get(pk=referral.pk)


def verbs_of(referral: Referral) -> list[str]:
    return [e.verb for e in Event.objects.all().of_subject(referral).order_by("pk")]


def refusal(call: Callable[..., Any], *args: Any, **kwargs: Any) -> list[str]:
    """The codes with which the rules refuse it."""
    with pytest.raises(RuleViolation) as refused:
        call(*args, **kwargs)
    return refused.value.codes


# Creating --------------------------------------------------------------------------------------------------------


def test_a_co_sell_deal_is_born_accepted_and_the_vendors_copy_received(cast: Cast) -> None:
    """REF-1, REF-10, REF-13, FX-2: stage 10 %; the copy runs out 14 days later and holds nothing of one's own."""
    team = [build.member("User@Contoso.example")]
    own = build.deal(cast, at=NOW, crm_id="CRM-1", campaign_id="C-1", name=" Plant ", team=team)
    copy = build.vendor_copy(own)
    assert (own.substatus, own.status, own.stage, own.expires_at, own.invited_by) == (
        "Accepted",
        "Active",
        10,
        None,
        None,
    )
    assert (copy.substatus, copy.status, copy.expires_at) == ("Received", "New", NOW + 14 * DAY)
    assert copy.invited_by == cast.companies["contoso"]
    assert (own.location, copy.location) == (cast.locations[ISTANBUL], None)
    assert (own.crm_id, own.campaign_id, copy.crm_id, copy.campaign_id) == ("CRM-1", "C-1", "", "")
    assert [own.name, copy.name] == ["Plant"] * 2
    assert [(r.value_usd, r.usd_rate_month) for r in (own, copy)] == [(Decimal("44000.00"), date(2026, 11, 1))] * 2
    assert [m.email for m in own.team.all()] == ["user@contoso.example"]
    assert list(copy.team.all()) == []
    assert [[s.solution for s in r.solutions.all()] for r in (own, copy)] == [[cast.solutions["factory"]]] * 2
    engagement = own.engagement
    assert (engagement.deal_type, engagement.vendor_invited_at, engagement.created_at) == ("co_sell", NOW, NOW)
    born = Event.objects.filter(group=engagement.public_id).order_by("pk").values_list("verb", "subject_id", "shared")
    assert list(born) == [("referral.created", own.pk, True), ("referral.received", copy.pk, True)]


@pytest.mark.parametrize(
    ("changes", "kind", "seen"),
    [
        ({"help_code": rules.NO_HELP, "vendor_may_view": False}, "private", False),
        ({"help_code": rules.NO_HELP, "vendor_may_view": True}, "partner_led", True),
        ({"vendor_may_view": False}, "co_sell", True),
    ],
)
def test_the_vendor_sees_nothing_of_a_private_deal(cast: Cast, changes: Any, kind: str, seen: bool) -> None:
    """REF-1, REF-3, REF-10: only help makes a copy and implies that the vendor may view; ORG-6 for the others."""
    own = build.deal(cast, at=NOW, **changes)
    assert own.engagement.deal_type == kind
    assert own.engagement.referrals.count() == (2 if kind == "co_sell" else 1)
    assert own.engagement.vendor_invited_at == (NOW if seen else None)
    for vendors in (SELLER, REVIEWER, "council1@vendor.example"):
        assert Referral.objects.visible_to(cast.actor(vendors)).filter(pk=own.pk).exists() is seen
    assert not Referral.objects.visible_to(cast.actor(FABRIKAM)).exists()


def test_an_assessment_is_a_deal_of_its_own(cast: Cast) -> None:
    """REF-1, REF-8: exactly one assessment with its location, and no solutions."""
    kind = AssessmentType.objects.get(code="security")
    deal = build.deal(cast, at=NOW, assessment=kind, assessment_location="Ankara", solutions=[])
    assert (deal.engagement.deal_type, deal.is_assessment) == ("solution_assessment", True)
    assert (deal.engagement.assessment_location, deal.solutions.count()) == ("Ankara", 0)


def test_new_deal_needs_a_role_and_a_ready_solution(cast: Cast) -> None:
    """ORG-5: the page and the service say which of the two is missing, and creating refuses."""
    nora = cast.actor(NORTHWIND)
    assert [b.code for b in verbs.new_deal_blockers(nora)] == ["no_co_sell_ready_solution"]
    given = build.deal_input(cast, location=cast.locations["Seattle"], solutions=[cast.solutions["azure"]])
    assert refusal(creation.create_deal, given, actor=nora, now=NOW) == ["no_co_sell_ready_solution"]
    manager = cast.actor("manager@vendor.example")
    catalog.set_tags(cast.solutions["consulting"], actor=manager, now=NOW, co_sell_ready=True)
    assert creation.create_deal(given, actor=nora, now=NOW).company == cast.companies["northwind"]
    for email in (VIEWER, OWNER):
        assert [b.code for b in verbs.new_deal_blockers(cast.actor(email))] == ["role_missing"]
        codes = refusal(creation.create_deal, build.deal_input(cast), actor=cast.actor(email), now=NOW)
        assert codes == ["role_missing", "foreign_location"]
    for email in (CONTOSO, ANKARA_ADMIN, USER):
        assert verbs.new_deal_blockers(cast.actor(email)) == []


def test_deals_are_created_for_locations_of_ones_scope(cast: Cast) -> None:
    """ORG-1, ORG-2, REF-6: the own company's, and of those the ones the role holds for."""
    admin, ankara = cast.actor(CONTOSO), cast.actor(ANKARA_ADMIN)
    assert [p.name for p in creation.creatable_locations(admin)] == [ANKARA, BERLIN, ISTANBUL]
    assert [p.name for p in creation.creatable_locations(ankara)] == [ANKARA]
    assert creation.creatable_locations(cast.actor(VIEWER)) == []
    for actor, place in [(ankara, ISTANBUL), (admin, MUNICH)]:
        given = build.deal_input(cast, location=cast.locations[place])
        assert refusal(creation.create_deal, given, actor=actor, now=NOW) == ["foreign_location"]
    assert build.deal(cast, at=NOW, by=ANKARA_ADMIN, location=cast.locations[ANKARA]).location.name == ANKARA


def test_bad_input_creates_nothing_and_is_told_at_once(cast: Cast) -> None:
    """REF-5, REF-6, REF-7, REF-8: the service asks the same rules as the form, at the day of `now` (UTC)."""
    given = build.deal_input(cast, team=[], solutions=[], name="", contact=rules.Contact(), close_date=NOW.date() - DAY)
    codes = refusal(creation.create_deal, given, actor=cast.actor(CONTOSO), now=NOW)
    assert codes == [
        "name_required",
        "close_date_past",
        "team_required",
        "solution_required",
        "contact_required",
        "consent_required",
    ]
    assert not Engagement.objects.exists()
    assert not Event.objects.filter(actor_kind="person").exists()


def test_the_same_creation_key_makes_one_deal(cast: Cast) -> None:
    """REF-10: a double click creates one deal; another company's equal key is another deal (ORG-6)."""
    given = build.deal_input(cast)
    first = creation.create_deal(given, actor=cast.actor(CONTOSO), now=NOW)
    told = Event.objects.count()
    second = creation.create_deal(replace(given, name="Twice"), actor=cast.actor(CONTOSO), now=NOW)
    assert (second.pk, second.name, Event.objects.count()) == (first.pk, "Plant monitoring", told)
    munich = replace(given, location=cast.locations[MUNICH])
    other = creation.create_deal(munich, actor=cast.actor(FABRIKAM), now=NOW)
    assert other.engagement_id != first.engagement_id
    anew = replace(given, key=uuid.uuid4())
    assert creation.create_deal(anew, actor=cast.actor(CONTOSO), now=NOW).pk not in {first.pk, other.pk}


# Answering -------------------------------------------------------------------------------------------------------


def test_accepting_takes_over_what_was_answered(cast: Cast) -> None:
    """REF-12, FX-2: name, value, close date, CRM and campaign id, notes and team are the receiver's own."""
    own = build.deal(cast, at=NOW - DAY)
    copy, sam = build.vendor_copy(own), cast.actor(SELLER)
    answer: dict[str, Any] = {
        "name": "Big plant",
        "value": Money(Decimal(60_000), "GBP"),
        "close_date": date(2027, 3, 1),
        "crm_id": "V-9",
        "campaign_id": "Q4",
        "notes": "Glad to help.",
        "team": [build.member("Seller@vendor.example")],
    }
    wrong = {**answer, "name": "", "value": Money(Decimal(0), "GBP"), "team": [replace(build.member(), phone="")]}
    codes = refusal(do.accept, copy, actor=sam, now=NOW, **wrong)
    assert codes == ["name_required", "value_not_positive", "member_incomplete"]
    for stranger in (CONTOSO, REVIEWER, FABRIKAM):
        with pytest.raises(PermissionDenied):
            do.accept(copy, actor=cast.actor(stranger), now=NOW, **answer)
    accepted = do.accept(copy, actor=sam, now=NOW, **answer)
    assert (accepted.substatus, accepted.accepted_at, accepted.name) == ("Accepted", NOW, "Big plant")
    assert (accepted.value_usd, accepted.crm_id, accepted.campaign_id) == (Decimal("75000.00"), "V-9", "Q4")
    assert [m.email for m in accepted.team.all()] == ["seller@vendor.example"]
    note = Note.objects.get()
    assert (note.text, note.shared, note.company, note.author) == (
        *("Glad to help.", True, cast.companies["vendor"]),
        cast.users[SELLER],
    )
    assert verbs_of(copy) == ["referral.received", "referral.accepted", "referral.note_added"]
    assert again(own).name == "Plant monitoring"
    assert refusal(do.accept, copy, actor=sam, now=NOW, **answer) == ["wrong_state"]


def test_declining_needs_a_reason_and_leaves_the_senders_deal_alone(cast: Cast) -> None:
    """REF-12, REF-13: a code of the list, words for *other*; the owner's deal stays active."""
    own = build.deal(cast, at=NOW - DAY)
    copy, sam = build.vendor_copy(own), cast.actor(SELLER)
    assert refusal(do.decline, copy, actor=sam, now=NOW, reason_code="duplicate") == ["reason_required"]
    assert refusal(do.decline, copy, actor=sam, now=NOW, reason_code="other") == ["reason_note_required"]
    declined = do.decline(copy, actor=sam, now=NOW, reason_code="timeline", comment="Too late.")
    assert (declined.substatus, declined.status, declined.closed_at) == ("Declined", "Closed", NOW)
    assert (declined.reason_code, declined.reason_note) == ("timeline", "Too late.")
    event = Event.objects.all().of_subject(copy).get(verb="referral.declined")
    assert (event.comment, event.after["reason_code"], event.shared) == ("Too late.", "timeline", True)
    assert again(own).substatus == "Accepted"


def test_an_answer_comes_in_time_or_not_at_all(cast: Cast) -> None:
    """REF-13: within 14 days to the second, also while no worker came to it; the button says why before."""
    sam, end = cast.actor(SELLER), NOW + 14 * DAY
    last, first_late = (build.vendor_copy(build.deal(cast, at=NOW)) for _ in range(2))
    build.accept(cast, last, at=end - timedelta(microseconds=1))
    assert refusal(build.accept, cast, first_late, at=end) == ["answered_too_late"]
    assert refusal(do.decline, first_late, actor=sam, now=end, reason_code="budget") == ["answered_too_late"]
    offered = {a.name: [b.code for b in a.blockers] for a in workflow.available_actions(first_late, sam, end)}
    assert offered["accept"] == offered["decline"] == ["answered_too_late"]
    assert sweeps.expire_due(now=end) == 1


def test_notes_are_shared_or_the_companys_own_and_have_a_limit(cast: Cast) -> None:
    """REF-6, REF-23: append-only, by those who may change the deal, at most 10,000 characters."""
    deal = build.deal(cast, at=NOW, notes=" First. ")
    admin = cast.actor(CONTOSO)
    do.add_note(deal, text="x" * 10_000, actor=admin, now=NOW, shared=False)
    assert list(Note.objects.order_by("pk").values_list("shared", flat=True)) == [True, False]
    assert Note.objects.order_by("pk").first().text == "First."  # type: ignore[union-attr]
    assert refusal(do.add_note, deal, text=" \n", actor=admin, now=NOW) == ["note_required"]
    assert refusal(do.add_note, deal, text="ş" * 10_001, actor=admin, now=NOW) == ["notes_too_long"]
    do.add_note(deal, text="By a teammate.", actor=cast.actor(USER), now=NOW)
    for email in (FABRIKAM, SELLER, VIEWER, OWNER, ANKARA_ADMIN):
        with pytest.raises(PermissionDenied):
            do.add_note(deal, text="Not mine.", actor=cast.actor(email), now=NOW)
    assert Note.objects.count() == 3
    author_off_the_team = build.deal(cast, at=NOW, by=USER, notes="Noted.", team=[build.member("boss@contoso.example")])
    assert author_off_the_team.engagement.notes.get().author == cast.users[USER]


# Winning and losing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("after", "early"), [(72 * HOUR - SECOND, True), (72 * HOUR, False)])
def test_winning_early_is_warned_of_and_kept(cast: Cast, after: timedelta, early: bool) -> None:
    """REF-17, REF-18: the warning names the safe hour; the fact is kept; exactly 72 hours are safe."""
    deal = build.deal(cast, at=NOW)
    facts = creation.win_facts(deal, now=NOW + after)
    assert (facts.early, facts.safe_at, facts.safe_hours) == (early, NOW + 72 * HOUR, 72)
    won = do.win(deal, actor=cast.actor(CONTOSO), now=NOW + after)
    assert (won.substatus, won.stage, won.closed_at, won.won_early) == ("Won", 100, NOW + after, early)
    assert again(deal).won_early is early


def test_a_win_can_be_planned_for_the_safe_hour(cast: Cast) -> None:
    """REF-18: the worker wins at that hour and not a second before; cancellable until then; once."""
    admin = cast.actor(CONTOSO)
    planned, cancelled, lost = (build.deal(cast, at=NOW) for _ in range(3))
    for deal in (planned, cancelled, lost):
        assert do.schedule_win(deal, actor=admin, now=NOW + HOUR).win_at == NOW + 72 * HOUR
    assert refusal(do.schedule_win, planned, actor=admin, now=NOW + HOUR) == ["already_scheduled"]
    assert do.cancel_win(cancelled, actor=admin, now=NOW + 2 * HOUR).win_at is None
    assert refusal(do.cancel_win, cancelled, actor=admin, now=NOW + 2 * HOUR) == ["not_scheduled"]
    assert do.lose(lost, actor=admin, now=NOW + 2 * HOUR, reason_code="budget").win_at is None
    assert sweeps.win_planned(now=NOW + 72 * HOUR - SECOND) == 0
    assert sweeps.win_planned(now=NOW + 72 * HOUR) == 1
    assert sweeps.win_planned(now=NOW + 72 * HOUR) == 0
    won = again(planned)
    assert (won.substatus, won.won_early, won.win_at) == ("Won", False, None)
    assert Event.objects.get(verb="referral.won").actor_kind == "system"
    assert [again(d).substatus for d in (cancelled, lost)] == ["Accepted", "Lost"]
    assert refusal(do.schedule_win, cancelled, actor=admin, now=NOW + 72 * HOUR) == ["not_early"]


def test_losing_and_closing_as_error_need_their_reasons(cast: Cast) -> None:
    """REF-17: each with its own list of codes."""
    lost, wrong, admin = build.deal(cast, at=NOW), build.deal(cast, at=NOW), cast.actor(CONTOSO)
    assert refusal(do.lose, lost, actor=admin, now=NOW, reason_code="test") == ["reason_required"]
    assert refusal(do.close_as_error, wrong, actor=admin, now=NOW, reason_code="budget") == ["reason_required"]
    codes = refusal(do.close_as_error, wrong, actor=admin, now=NOW, reason_code="solution")
    assert codes == ["reason_note_required"]
    lost = do.lose(lost, actor=admin, now=NOW, reason_code="other_vendor")
    wrong = do.close_as_error(wrong, actor=admin, now=NOW, reason_code="other", comment="A try-out.")
    assert [(d.substatus, d.reason_code, d.reason_note, d.closed_at) for d in (lost, wrong)] == [
        ("Lost", "other_vendor", "", NOW),
        ("Error", "other", "A try-out.", NOW),
    ]


def test_stages_are_kept_with_who_and_when(cast: Cast) -> None:
    """REF-14, REF-15: skipped and corrected at will; an assessment's in order, and it is won after the last."""
    deal, admin = build.deal(cast, at=NOW), cast.actor(CONTOSO)
    for stage in (60, 20):
        assert do.set_stage(deal, actor=admin, now=NOW + HOUR, stage=stage).stage == stage
    moves = Event.objects.filter(verb="referral.stage_set").order_by("pk")
    assert [(e.before["stage"], e.after["stage"], e.actor_user_id, e.at) for e in moves] == [
        (10, 60, admin.user_id, NOW + HOUR),
        (60, 20, admin.user_id, NOW + HOUR),
    ]
    kind = AssessmentType.objects.get(code="security")
    assessment = build.deal(cast, at=NOW, assessment=kind, assessment_location="Ankara", solutions=[])
    assert refusal(do.set_stage, assessment, actor=admin, now=NOW, stage=40) == ["stage_out_of_order"]
    for stage in (20, 40, 60):
        do.set_stage(assessment, actor=admin, now=NOW, stage=stage)
    assert refusal(do.win, assessment, actor=admin, now=NOW + 4 * DAY) == ["stages_incomplete"]
    do.set_stage(assessment, actor=admin, now=NOW, stage=80)
    assert do.win(assessment, actor=admin, now=NOW + 4 * DAY).substatus == "Won"


def closed_deals(cast: Cast) -> list[Referral]:
    """One referral in every terminal substatus."""
    admin, sam = cast.actor(CONTOSO), cast.actor(SELLER)
    won, lost, wrong, first, second = (build.deal(cast, at=NOW - 20 * DAY) for _ in range(5))
    return [
        do.win(won, actor=admin, now=NOW),
        do.lose(lost, actor=admin, now=NOW, reason_code="budget"),
        do.close_as_error(wrong, actor=admin, now=NOW, reason_code="test"),
        do.decline(build.vendor_copy(first), actor=sam, now=NOW - 19 * DAY, reason_code="budget"),
        do.expire(build.vendor_copy(second), now=NOW),
    ]


def test_closed_means_closed(cast: Cast) -> None:
    """REF-11, REF-21: no verb changes a closed referral, whoever tries, the workers and the sweeps included."""
    closed = closed_deals(cast)
    assert {d.substatus for d in closed} == rules.TERMINAL
    before = [events.snapshot(again(d)) for d in closed]
    told = [verbs_of(d) for d in closed]
    for deal in closed:
        owner = cast.actor(SELLER if deal.company.is_vendor else CONTOSO)
        moving = [verb for verb in MACHINE.verbs if verb.name != "add_private_note"]  # the own company's, no change
        for actor, verb in [*((owner, verb) for verb in moving), (SYSTEM, verbs.EXPIRE), (SYSTEM, verbs.WIN)]:
            with pytest.raises((RuleViolation, PermissionDenied)) as refused:
                workflow.run(deal, verb, verbs.NewNote("x"), actor=actor, now=NOW + DAY)
            assert getattr(refused.value, "codes", ["wrong_state"]) == ["wrong_state"]
    sweeps.expire_due(now=NOW + 100 * DAY)
    sweeps.win_planned(now=NOW + 100 * DAY)
    later = NOW + 100 * DAY
    money.import_month(month=date(2027, 2, 1), rates={"EUR": Decimal(9)}, source="test", publication="", now=later)
    sweeps.revalue_open(now=NOW + 100 * DAY)
    assert [events.snapshot(again(d)) for d in closed] == before
    assert [verbs_of(d) for d in closed] == told


# Currency --------------------------------------------------------------------------------------------------------


def publish(month: date, **rates: str) -> None:
    published = datetime.combine(month, time.min, UTC)
    money.import_month(
        month=month, rates={c: Decimal(r) for c, r in rates.items()}, source="test", publication="", now=published
    )


def test_a_won_deal_keeps_the_rate_of_the_month_it_was_won(cast: Cast) -> None:
    """FX-2, FX-3: open deals follow the current month, a won one is frozen at the month of the win."""
    publish(date(2026, 10, 1), EUR="1.00")
    october, november = NOW - 30 * DAY, NOW
    won, still_open = build.deal(cast, at=october), build.deal(cast, at=october)
    assert (won.value_usd, won.usd_rate_month) == (Decimal("40000.00"), date(2026, 10, 1))
    won = do.win(won, actor=cast.actor(CONTOSO), now=november)
    assert (won.value_usd, won.usd_rate_month) == (Decimal("44000.00"), date(2026, 11, 1))
    publish(date(2026, 11, 1), EUR="1.30")
    assert sweeps.revalue_open(now=november) == 3  # the open deal, and both vendor copies
    assert (again(won).value_usd, again(won).usd_rate_month) == (Decimal("44000.00"), date(2026, 11, 1))
    assert (again(still_open).value_usd, again(still_open).usd_rate_month) == (Decimal("52000.00"), date(2026, 11, 1))
    assert sweeps.revalue_open(now=november) == 0


def test_open_deals_are_revalued_set_based(cast: Cast, django_assert_num_queries: Any) -> None:
    """FX-3: as many statements for many deals as for few; half-up to cents; FX-2: without a rate nothing is known."""
    publish(date(2026, 11, 1), EUR="1.015")
    deal = build.deal(cast, at=NOW, value=Money(Decimal("0.50"), "EUR"), help_code=rules.NO_HELP)
    gone = build.deal(cast, at=NOW, value=Money(Decimal(7), "CHF"), help_code=rules.NO_HELP)
    dollars = build.deal(cast, at=NOW, value=Money(Decimal("0.07"), "USD"), help_code=rules.NO_HELP)
    assert (deal.value_usd, gone.value_usd, dollars.value_usd) == (Decimal("0.51"), Decimal("7.35"), Decimal("0.07"))
    statements = 6 + 3 * 2  # policy, currencies, rates, one a currency, each in a transaction of its own
    with django_assert_num_queries(statements):
        sweeps.revalue_open(now=NOW)
    for copy in range(30):
        currency = ("EUR", "CHF", "USD")[copy % 3]
        build.deal(cast, at=NOW, value=Money(Decimal(100), currency), help_code=rules.NO_HELP)
    publish(date(2026, 11, 1), EUR="1.03")
    with django_assert_num_queries(statements):
        assert sweeps.revalue_open(now=NOW) == 11
    later = NOW.replace(year=2027, month=4)  # December's rate is four months old
    publish(date(2027, 4, 1), EUR="1.05")
    assert sweeps.revalue_open(now=later) == 33
    assert (again(deal).value_usd, again(deal).usd_rate_month) == (Decimal("0.53"), date(2027, 4, 1))
    assert (again(gone).value_usd, again(gone).usd_rate_month) == (None, None)
    assert (again(dollars).value_usd, again(dollars).usd_rate_month) == (Decimal("0.07"), date(2027, 4, 1))


# After creation --------------------------------------------------------------------------------------------------


def invitation(cast: Cast, **changes: Any) -> verbs.Invitation:
    base = verbs.Invitation(
        partner=cast.companies["fabrikam"],
        close_date=date(2027, 1, 31),
        value=Money(Decimal(20_000), "CHF"),
        help_code=build.HELP,
        team=[build.member("Rep@contoso.example")],
        solutions=[cast.solutions["twin"]],
        notes="You know their plant.",
    )
    return replace(base, **changes)


def test_a_deal_arrives_at_the_location_nearest_to_its_customer(cast: Cast) -> None:
    """ORG-1, ORG-4: in the customer's country, else the company's first; its admins see it and are told."""
    arrived = []
    for customer in ("anadolu", "isar", "puget"):
        sent = build.deal(cast, at=NOW, by=FABRIKAM, location=cast.locations[MUNICH], customer=cast.customers[customer])
        given = invitation(cast, partner=cast.companies["contoso"], solutions=[cast.solutions["azure"]])
        copy = do.invite_partner(sent, given, actor=cast.actor(FABRIKAM), now=NOW)
        arrived.append((sent.engagement.customer.country, copy.location.name if copy.location else None))
    assert arrived == [("TR", ISTANBUL), ("DE", BERLIN), ("US", ISTANBUL)]
    RoleGrant.objects.filter(membership__user__email=ANKARA_ADMIN).update(location=cast.locations[BERLIN])
    berlin = Referral.objects.visible_to(cast.actor(ANKARA_ADMIN))
    assert [copy.engagement.customer.name for copy in berlin] == ["Isar Pharma"]


def test_a_partner_is_invited_with_terms_of_its_own(cast: Cast) -> None:
    """REF-9, REF-10, REF-13: its copy is Received with the invitation's value, at a location of its own."""
    own, admin = build.deal(cast, at=NOW), cast.actor(CONTOSO)
    copy = do.invite_partner(own, invitation(cast), actor=admin, now=NOW + HOUR)
    copy = again(copy)
    assert (copy.company.name, copy.substatus, copy.expires_at) == ("Fabrikam GmbH", "Received", NOW + HOUR + 14 * DAY)
    assert (copy.money, copy.close_date, copy.value_usd) == (
        Money(Decimal("20000.00"), "CHF"),
        date(2027, 1, 31),
        Decimal("21000.00"),
    )
    assert (copy.invited_by, copy.invite_help) == (cast.companies["contoso"], build.HELP)
    assert copy.location == cast.locations[MUNICH]
    assert [s.solution for s in copy.solutions.all()] == [cast.solutions["twin"]]
    assert (again(own).money, again(own).substatus) == (own.money, "Accepted")
    assert Referral.objects.visible_to(cast.actor(FABRIKAM)).get() == copy
    assert refusal(do.invite_partner, copy, invitation(cast), actor=cast.actor(FABRIKAM), now=NOW) == ["wrong_state"]
    build.accept(cast, copy, at=NOW + DAY, by=FABRIKAM)
    codes = refusal(do.invite_partner, copy, invitation(cast), actor=cast.actor(FABRIKAM), now=NOW + DAY)
    assert codes == ["inbound_deal", "own_company"]


def test_whom_one_can_not_invite(cast: Cast) -> None:
    """REF-9, REF-4: not oneself, nobody twice, nobody once the deal is closed, and never for someone else's deal."""
    own, admin = build.deal(cast, at=NOW), cast.actor(CONTOSO)
    oneself = invitation(cast, partner=cast.companies["contoso"])
    assert refusal(do.invite_partner, own, oneself, actor=admin, now=NOW) == ["own_company"]
    do.invite_partner(own, invitation(cast), actor=admin, now=NOW)
    assert refusal(do.invite_partner, own, invitation(cast), actor=admin, now=NOW) == ["already_invited"]
    wrong = invitation(cast, solutions=[], team=[], help_code=rules.NO_HELP, partner=cast.companies["northwind"])
    codes = refusal(do.invite_partner, own, wrong, actor=admin, now=NOW)
    assert codes == ["unknown_partner", "solution_required", "help_required", "team_required"]
    for email in (VIEWER, FABRIKAM, SELLER):
        with pytest.raises(PermissionDenied):
            do.invite_partner(own, invitation(cast), actor=cast.actor(email), now=NOW)
    do.win(own, actor=admin, now=NOW + 4 * DAY)
    late = invitation(cast, partner=cast.companies["northwind"])
    assert refusal(do.invite_partner, own, late, actor=admin, now=NOW + 4 * DAY) == ["wrong_state"]
    assert own.engagement.referrals.count() == 3


def test_a_deal_is_shared_step_by_step_and_never_back(cast: Cast) -> None:
    """REF-3, REF-4: private -> partner-led -> co-sell; then the vendor has its copy to answer (REF-10)."""
    private = {"help_code": rules.NO_HELP, "vendor_may_view": False, "contact": rules.Contact()}
    own, admin, seller = build.deal(cast, at=NOW, **private), cast.actor(CONTOSO), cast.actor(SELLER)
    shared = do.share_with_vendor(own, actor=admin, now=NOW + HOUR)
    assert (shared.engagement.deal_type, shared.engagement.referrals.count()) == ("partner_led", 1)
    assert Referral.objects.visible_to(seller).get() == own
    assert refusal(do.share_with_vendor, own, actor=admin, now=NOW + HOUR) == ["already_shared"]
    ask: dict[str, Any] = {"help_code": build.HELP, "actor": admin, "now": NOW + 2 * HOUR}
    assert refusal(do.request_help, own, contact=rules.Contact(), **ask) == [
        "contact_required",
        "consent_required",
    ]
    contact = build.deal_input(cast).contact
    asked = do.request_help(own, contact=contact, **ask)
    # It was let in by sharing (REG-7).
    assert (asked.engagement.deal_type, asked.engagement.vendor_invited_at) == ("co_sell", NOW + HOUR)
    assert build.vendor_copy(own).expires_at == NOW + 2 * HOUR + 14 * DAY
    assert refusal(do.request_help, own, contact=contact, **ask) == ["help_asked"]
    straight = do.request_help(build.deal(cast, at=NOW, **private), contact=contact, **ask)
    assert (straight.engagement.deal_type, straight.vendor_invited_at) == ("co_sell", NOW + 2 * HOUR)


def test_two_editors_never_overwrite_each_other_silently(cast: Cast) -> None:
    """REF-21: different fields of one deal go together; the same field is a conflict that shows the other value."""
    own = build.deal(cast, at=NOW)
    ann, bob = cast.actor(CONTOSO), cast.actor(USER)
    do.edit_details(own, name="Ann's", actor=ann, now=NOW)
    merged = do.edit_details(own, crm_id="B-1", actor=bob, now=NOW)
    assert (merged.name, merged.crm_id, merged.version) == ("Ann's", "B-1", 3)
    with pytest.raises(editing.Conflict) as conflict:
        do.edit_details(own, name="Bob's", actor=bob, now=NOW)
    assert (conflict.value.codes, conflict.value.current) == (["conflict"], {"name": "Ann's"})
    assert again(own).name == "Ann's"
    with pytest.raises(PermissionDenied):
        do.edit_details(own, crm_id="V", actor=cast.actor(VIEWER), now=NOW)
