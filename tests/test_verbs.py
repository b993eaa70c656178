"""Every verb, called through workflow.run alone, does all of it; and who hears of it finds it done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dealreg import verbs as registering
from dealreg.models import Registration, Status
from exceptions_council import verbs as council
from exceptions_council.models import Conflict, ExceptionRequest
from isvconnect import verbs as connect
from isvconnect.models import IsvDeal
from licensing import verbs as licensing
from licensing.services import codes, invitations, links, tokens
from portal.accounts.rules import SYSTEM, Actor
from portal.demo.cast import Cast
from portal.events import services as events
from portal.events.models import Event
from portal.workflow import services as workflow
from portal.workflow.blockers import Money
from portal.workflow.services import Stale
from portal.workflow.verbs import Described
from referrals import rules, sweeps, verbs
from referrals.models import Note, Referral
from tests import build, do, exceptions, isv, licences
from tests.build import CONTOSO, DAY, NOW, REVIEWER, SELLER
from tests.edge import Live, parse
from tests.test_wizard import answers, writer

PRIVATE = {"help_code": rules.NO_HELP, "vendor_may_view": False}

#: The record (None: it is made), the verb, its inputs, who; and whether all of the effect is there.
Case = tuple[Any, Described, Any, Actor, Callable[[Any], bool]]


def again(record: Any) -> Any:
    return type(record).objects.get(pk=record.pk)


def _note(deal: Referral, *, shared: bool) -> bool:
    return Note.objects.filter(engagement=deal.engagement, text="Well?", shared=shared).exists()


def referral_cases(cast: Cast) -> list[Case]:
    admin, sam = cast.actor(CONTOSO), cast.actor(SELLER)
    member, twin = build.member("new@contoso.example"), cast.solutions["twin"]
    given = build.deal_input(cast, notes="Well?")
    contact = given.contact
    asked = verbs.HelpRequest(build.HELP, contact)
    invited = verbs.Invitation(
        cast.companies["fabrikam"], (NOW + DAY).date(), Money(Decimal(9), "CHF"), build.HELP, [member], [twin]
    )
    sent = verbs.SentDeal(
        given.customer, cast.companies["fabrikam"], "Sent", given.value, given.close_date, [twin], build.HELP, "Well?"
    )
    taken = verbs.Acceptance("Taken", Money(Decimal(7), "CHF"), (NOW + DAY).date(), "C-1", "M-1", "Well?", [member])
    changed = replace(verbs.details_of(build.deal(cast)), name="Changed", value=Decimal(50_000))
    planned = do.schedule_win(build.deal(cast, at=NOW), actor=admin, now=NOW)
    due, signing = build.vendor_copy(build.deal(cast, at=NOW - 20 * DAY)), verbs.Signing(NOW.date())
    copies = Referral.objects.filter(company=cast.companies["fabrikam"])

    def made(deal: Referral) -> bool:
        vendor = build.vendor_copy(deal)
        held = (deal.team.count(), deal.solutions.count(), vendor.solutions.count(), vendor.substatus)
        return held == (1, 1, 1, "Received") and _note(deal, shared=True) and "well" in again(deal).search_text

    def accepted(deal: Referral) -> bool:
        held = [m.email for m in deal.team.all()], deal.value_usd, deal.crm_id, deal.accepted_at
        return held == (["new@contoso.example"], Decimal("7.35"), "C-1", NOW) and _note(deal, shared=True)

    def sold(deal: Referral) -> list[Any]:
        return [line.solution for line in deal.solutions.all()]

    def named(deal: Referral) -> bool:
        return copies.get(engagement=deal.engagement).inviter_team.exists()

    new = build.vendor_copy(build.deal(cast))

    def contacted(deal: Referral) -> bool:
        return deal.engagement.contact_name == "Ece"

    def asks(deal: Referral) -> bool:
        return (deal.engagement.deal_type, build.vendor_copy(deal).substatus) == ("co_sell", "Received")

    return [
        (None, verbs.CREATE, given, admin, made),
        (None, verbs.SEND, sent, sam, lambda d: d.team.exists() and copies.filter(engagement=d.engagement).exists()),
        (build.vendor_copy(build.deal(cast)), verbs.ACCEPT, taken, sam, accepted),
        (build.vendor_copy(build.deal(cast)), verbs.DECLINE, verbs.Reason("budget"), sam, lambda d: d.closed_at == NOW),
        (new, verbs.SET_REFERENCES, verbs.References("7"), sam, lambda d: d.crm_id == "7"),
        (due, verbs.EXPIRE, None, SYSTEM, lambda d: d.substatus == "Expired"),
        (build.deal(cast), verbs.SET_STAGE, verbs.Stage(60), admin, lambda d: d.stage == 60),
        (build.deal(cast), verbs.EDIT_DETAILS, changed, admin, lambda d: d.value_usd == Decimal(55_000)),
        (build.deal(cast), verbs.EDIT_TEAM, verbs.Team([member]), admin, lambda d: "new" in d.search_text),
        (build.deal(cast), verbs.EDIT_SOLUTIONS, verbs.Solutions([twin]), admin, lambda d: sold(d) == [twin]),
        (build.deal(cast, **PRIVATE), verbs.EDIT_CONTACT, rules.Contact("Ece"), admin, contacted),
        (build.deal(cast), verbs.ADD_NOTE, verbs.NewNote("Well?"), admin, lambda d: _note(d, shared=True)),
        (build.deal(cast), verbs.ADD_PRIVATE_NOTE, verbs.NewNote("Well?"), admin, lambda d: _note(d, shared=False)),
        (build.deal(cast), verbs.INVITE_PARTNER, invited, admin, named),
        (build.deal(cast, **PRIVATE), verbs.SHARE_WITH_VENDOR, None, admin, lambda d: d.engagement.vendor_may_view),
        (build.deal(cast, **PRIVATE), verbs.REQUEST_HELP, asked, admin, asks),
        (build.deal(cast, at=NOW), verbs.SCHEDULE_WIN, signing, admin, lambda d: d.win_at == NOW + timedelta(hours=72)),
        (planned, verbs.CANCEL_WIN, None, admin, lambda d: d.win_at is None),
        (build.deal(cast), verbs.CLOSE_AS_ERROR, verbs.Reason("test"), admin, lambda d: d.reason_code == "test"),
        (build.deal(cast), verbs.LOSE, verbs.Reason("budget"), admin, lambda d: d.closed_at == NOW),
        (build.accepted(cast), verbs.WIN, signing, admin, lambda d: (d.stage, d.signed_on) == (100, signing.signed_on)),
        (build.blocked_plan(cast), verbs.END_WIN_PLAN, None, SYSTEM, lambda d: d.win_at is None),
    ]  # fmt: skip


def registration_cases(cast: Cast) -> list[Case]:
    admin, reviewer, manager = cast.actor(CONTOSO), cast.actor(REVIEWER), cast.actor("manager@vendor.example")
    claim, decision = build.form(), registering.Decision("Read this.", "evidence_missing")
    approval, unopened = registering.Approval(validated_by="figures"), build.won(cast)
    Registration.objects.filter(referral=unopened).delete()

    def pending() -> Registration:
        return Registration.objects.get(referral=build.won(cast))

    def marketed() -> Registration:
        day = NOW.date() + timedelta(days=9)
        return do.route(build.submitted(cast, build.won(cast), marketplace=True, marketplace_date=day), now=NOW)

    def approved() -> Registration:
        return do.route(build.submitted(cast, build.won(cast)), now=NOW)

    def sent_back() -> Registration:
        given = {"reason_code": "evidence_missing", "comment": "Read this."}
        return do.decide(build.in_review(cast), "require_action", actor=reviewer, now=NOW, **given)

    def due_now(registration: Registration, column: str) -> Registration:
        setattr(registration, column, NOW)
        registration.save(update_fields=[column])
        return registration

    def passed(**stated: Any) -> Registration:
        filed = do.route(build.submitted(cast, build.won(cast), **stated), now=NOW)
        if filed.status == Status.APPROVED:
            filed = do.decide(filed, "select_for_review", actor=reviewer, now=NOW)
        return do.decide(filed, "pass_review", actor=reviewer, now=NOW, validated_by="figures")

    def unregistered() -> Registration:
        return do.close_unregistered(pending(), actor=admin, now=NOW)

    payg = {"pricing": "payg", "end": (NOW - DAY).date(), "tcv": Money(Decimal(40_000), "EUR")}
    grown = registering.NewValue(Decimal(950_000), Decimal(900_000), NOW.date())
    reopening = registering.Reopening((NOW + 60 * DAY).date())

    def filed(registration: Registration) -> bool:
        return (registration.acv_usd, registration.submitted_by_id) == (44_000, admin.user_id)

    def decided(registration: Registration) -> bool:
        return registration.decided_at == NOW

    def refused(registration: Registration) -> bool:
        return (registration.reason_code, registration.comment) == ("evidence_missing", "Read this.")

    return [
        (None, registering.OPEN, registering.Opening(unopened), SYSTEM, lambda r: r.solution is not None),
        (pending(), registering.SUBMIT, claim, admin, filed),
        (pending(), registering.CLOSE_UNREGISTERED, None, admin, lambda r: r.outcome == "not_registered"),
        (sent_back(), registering.RESUBMIT, claim, admin, lambda r: (r.tcv, r.comment) == (40_000, "")),
        (build.submitted(cast, build.won(cast)), registering.ROUTE, None, SYSTEM, lambda r: r.approved_at == NOW),
        (build.in_review(cast), registering.PASS_REVIEW, approval, reviewer, decided),
        (build.in_review(cast), registering.REQUIRE_ACTION, decision, reviewer, lambda r: r.action_required_at == NOW),
        (build.in_review(cast), registering.FAIL_REVIEW, decision, reviewer, refused),
        (marketed(), registering.MATCH, registering.Comment(), reviewer, decided),
        (marketed(), registering.NO_MATCH, decision, reviewer, lambda r: r.comment == "Read this."),
        (approved(), registering.SELECT_FOR_REVIEW, None, reviewer, lambda r: r.review_pending_at == NOW),
        (sent_back(), registering.WITHDRAW, None, admin, lambda r: r.outcome == "not_registered"),
        (due_now(sent_back(), "action_due_at"), registering.FAIL_UNANSWERED, None, SYSTEM, decided),
        (passed(), registering.RETRACT, registering.Comment("A slip."), manager, lambda r: r.decided_at is None),
        (unregistered(), registering.REGISTER_AFTER_ALL, None, admin, lambda r: r.closed_at is None),
        (passed(**payg), registering.REVALIDATE, grown, admin, lambda r: r.tcv == 950_000 and r.previous is not None),
        (due_now(approved(), "close_due_at"), registering.CLOSE, None, SYSTEM, lambda r: r.outcome == "approved"),
        (exceptions.rejected(cast), registering.REOPEN, reopening, SYSTEM, lambda r: r.reopened_at == NOW),
        (unregistered(), registering.OPEN_ANEW, None, SYSTEM, lambda r: (r.outcome, r.closed_at) == ("", None)),
        (approved(), registering.REPLACE, None, SYSTEM, lambda r: r.outcome == "replaced"),
    ]  # fmt: skip


def exception_cases(cast: Cast) -> list[Case]:
    admin, clara = cast.actor(CONTOSO), cast.actor(exceptions.COUNCIL[0])
    asking = council.Asking(exceptions.ineligible(cast), exceptions.asking())
    answer, ballot, interest = (
        council.EvidenceAnswer("Here."),
        council.Ballot("approve", "Fine."),
        council.Interest("Kin"),
    )

    def asked(at: datetime = NOW) -> ExceptionRequest:
        return exceptions.asked(cast, exceptions.ineligible(cast), now=at)

    def questioned(at: datetime, due: int) -> ExceptionRequest:
        question = council.EvidenceQuestion("The contract?", exceptions.day(due))
        return workflow.run(asked(at), council.ASK_EVIDENCE, question, actor=clara, now=at)

    def deserted() -> ExceptionRequest:
        request = asked()
        for member in exceptions.COUNCIL[1:]:  # as rows: the verb's reaction would note it at once
            Conflict.objects.create(request=request, member=cast.users[member], reason="Kin", declared_at=NOW)
        return request

    question = council.EvidenceQuestion("The contract?", exceptions.day(5))
    return [
        (None, council.ASK, asking, admin, lambda r: r.due_on is not None),
        (asked(), council.VOTE, ballot, clara, lambda r: r.votes.get().choice == "approve"),
        (asked(), council.ASK_EVIDENCE, question, clara, lambda r: r.evidence.get().due_on == question.due_on),
        (questioned(NOW, 5), council.ANSWER_EVIDENCE, answer, admin, lambda r: r.evidence.get().answer == "Here."),
        (asked(), council.DECLARE_CONFLICT, interest, clara, lambda r: r.conflicts.exists()),
        (questioned(NOW - 9 * DAY, -3), council.EVIDENCE_UNANSWERED, None, SYSTEM, lambda r: r.evidence_due_at is None),
        (asked(NOW - 40 * DAY), council.NOTE_OVERDUE, None, SYSTEM, lambda r: r.overdue_at == NOW),
        (deserted(), council.NOTE_TOO_FEW, None, SYSTEM, lambda r: r.too_few_at == NOW),
    ]


def isv_cases(cast: Cast) -> list[Case]:
    admin, manager = cast.actor(CONTOSO), cast.actor(isv.MANAGER)
    unrated = isv.deal(cast, now=NOW - DAY)
    isv.rates(cast)
    due = isv.deal(cast, now=NOW - DAY)
    report, corrected = connect.Report(isv.form(cast), isv.won(cast)), isv.form(cast, deployment="other")
    ended = connect.Cancelling("Rescinded.", credit_issued=True)
    form = replace(report.form, customer=report.referral.engagement.customer_id)  # type: ignore[union-attr]

    def credited(deal: IsvDeal) -> bool:
        return isv.numbers(deal)[-1].startswith("ISV-C-") and not deal.installments.unissued().exists()

    return [
        (None, connect.REPORT, replace(report, form=form), admin, lambda d: d.installments.count() == 3),
        (isv.deal(cast), connect.CORRECT, corrected, admin, lambda d: d.deployment == "other"),
        (unrated, connect.SET_FEES, None, SYSTEM, lambda d: not d.installments.filter(fee=None).exists()),
        (due, connect.ISSUE_INVOICES, connect.Issuing(), SYSTEM, lambda d: d.invoices.exists()),
        (isv.invoiced(cast, now=NOW - DAY), connect.CANCEL, ended, manager, credited),
    ]


def licence_cases(cast: Cast) -> list[Case]:
    admin, deal = cast.actor(CONTOSO), licences.isv_deal(cast)
    basic, one = licences.plan(deal).pk, ("person0@anadolu.example",)
    relationship = licences.consented(cast, deal)
    invited, withdrawn, refused = (licences.invited(cast, licences.isv_deal(cast)).invitation for _each in range(3))
    due = licences.invited(cast, licences.isv_deal(cast), now=NOW - 30 * DAY).invitation
    code = codes.confirm(invited, tokens.code(licences.code_sent(invited, tenant_guid=licences.OTHER_TENANT)), now=NOW)
    stranger = invitations.holder(invited, code)
    given, assigned = licences.given(cast), licences.assigned(licences.given(cast), *one)
    customer = licences.admin(given)
    invite, first = licensing.Invite(deal, b"0" * 32), licensing.First(deal, licences.form(deal, relationship, basic=5))
    people, removal = licensing.People(basic, one), licensing.Removal(basic, confirmed=1)
    update, frozen = licences.form(deal, basic=9), licensing.Freeze("deal_cancelled")
    elsewhere = licences.consented(cast, licences.isv_deal(cast), email="x@anadolu.example", tenant_guid=uuid4())

    def counted(*counts: tuple[int, int]) -> Callable[[Any], bool]:
        return lambda r: list(r.counts.values_list("count", "assigned")) == list(counts)

    return [
        (None, licensing.INVITE, invite, admin, lambda r: bytes(r.token_hash) == invite.token_hash),
        (
            invited,
            licensing.ACCEPT,
            licensing.Accept(code),
            stranger,
            lambda r: r.relationship.admin_email == code.email,
        ),
        (refused, licensing.REFUSE, None, stranger, lambda r: (r.state, r.answered_at) == ("refused", NOW)),
        (withdrawn, licensing.WITHDRAW_INVITATION, None, admin, lambda r: r.state == "withdrawn"),
        (due, licensing.EXPIRE_INVITATION, None, SYSTEM, lambda r: r.state == "expired"),
        (None, licensing.GIVE_LICENCES, first, admin, counted((5, 0))),
        (given, licensing.UPDATE_LICENCES, update, admin, counted((9, 0))),
        (again(given), licensing.ASSIGN, people, customer, lambda r: licences.holders(r) == list(one)),
        (again(given), licensing.UNASSIGN, people, customer, lambda r: licences.holders(r) == []),
        (assigned, licensing.REMOVE_PLAN, removal, admin, counted()),
        (again(assigned), licensing.FREEZE, frozen, SYSTEM, lambda r: r.version > assigned.version),
        (elsewhere, licensing.REVOKE_CONSENT, None, links.admin_of(elsewhere), lambda r: r.revoked_at == NOW),
    ]


@pytest.fixture
def cases(cast: Cast) -> list[Case]:
    first = [*referral_cases(cast), *registration_cases(cast), *exception_cases(cast)]
    return [*first, *isv_cases(cast), *licence_cases(cast)]


def test_run_alone_does_all_of_every_verb(cases: list[Case], monkeypatch: pytest.MonkeyPatch) -> None:
    """FLOW-7, REF-4..18, ISV-5: nothing is added by whoever calls it; one event, with the version it led to."""
    for case in cases:
        _a_reaction_finds_the_finished_rows(case, monkeypatch)
        record, verb, inputs, actor, done = case
        last = Event.objects.order_by("pk").last()
        result = workflow.run(record, verb, inputs, actor=actor, now=NOW)  # type: ignore[call-overload]
        assert done(again(result)), verb.name
        told = Event.objects.filter(pk__gt=last.pk if last else 0, subject_type=result._meta.label_lower)
        (event,) = [e for e in told.filter(subject_id=result.pk) if e.verb == verb.event][:1]
        assert event.version == again(result).version, verb.name
    tried = {verb for _record, verb, *_rest in cases}
    assert tried == {v for m in workflow.machines() for v in [*m.creations, *m.verbs]}


def _a_reaction_finds_the_finished_rows(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """FLOW-7: whoever reacts to the event, or reads it, sees the whole effect. It is undone afterwards."""
    record, verb, inputs, actor, done = case
    record, inputs = deepcopy((record, inputs))
    found: list[bool] = []
    with transaction.atomic(), monkeypatch.context() as patched:
        patched.setitem(events._reactions, verb.event, [partial(_look, done, found)])
        workflow.run(record, verb, inputs, actor=actor, now=NOW)  # type: ignore[call-overload]
        transaction.set_rollback(True)
    assert found == [True], verb.name


def _look(done: Callable[[Any], bool], found: list[bool], batch: Sequence[Event]) -> None:
    for event in batch:
        model = apps.get_model(event.subject_type)
        found.append(done(model._default_manager.get(pk=event.subject_id)))


def test_an_older_version_is_refused_with_both(cast: Cast) -> None:
    """REF-21: what it was and what it is, field by field, over several changes; nothing is written."""
    deal, admin = build.deal(cast), cast.actor(CONTOSO)
    seen = deal.version
    do.edit_details(deal, name="First", actor=admin, now=NOW)
    do.edit_details(again(deal), name="Second", crm_id="C-1", actor=admin, now=NOW)
    with pytest.raises(Stale) as stale:
        workflow.run(deal, verbs.LOSE, verbs.Reason("budget"), actor=admin, now=NOW, expected_version=seen)
    assert stale.value.changes == {"name": ("Plant monitoring", "Second"), "crm_id": ("", "C-1")}
    assert (stale.value.version, again(deal).substatus) == (again(deal).version, "Accepted")
    workflow.run(deal, verbs.LOSE, verbs.Reason("budget"), actor=admin, now=NOW, expected_version=stale.value.version)


def test_every_copy_counts_what_its_page_shows_anew(cast: Cast) -> None:
    """REF-21: a shared note, help, visibility and another company's answer raise all versions; a private note one."""
    deal, admin, sam = build.deal(cast), cast.actor(CONTOSO), cast.actor(SELLER)
    copy = build.vendor_copy(deal)

    def raised(change: Callable[[], Any]) -> tuple[bool, bool]:
        before = again(deal).version, again(copy).version
        change()
        return again(deal).version > before[0], again(copy).version > before[1]

    assert raised(lambda: do.add_note(deal, text="Well?", actor=admin, now=NOW)) == (True, True)
    assert raised(lambda: do.add_note(deal, text="For us.", shared=False, actor=admin, now=NOW)) == (True, False)
    assert raised(lambda: do.edit_details(again(deal), name="Ours", actor=admin, now=NOW)) == (True, False)
    assert raised(lambda: build.accept(cast, copy, at=NOW)) == (True, True)
    late = build.deal(cast, at=NOW - 20 * DAY)
    assert sweeps.expire_due(now=NOW) == 1
    assert again(late).version > late.version
    assert raised(lambda: do.set_stage(copy, stage=40, actor=sam, now=NOW)) == (True, True)


# What one click costs --------------------------------------------------------------------------------------------


def test_accepting_with_a_note_takes_few_statements(live: Live) -> None:
    copy = build.vendor_copy(live.deal())
    client, url = live.browser(SELLER), reverse("act", args=[copy.public_id, "accept"])
    form = next(f for f in parse(client.get(url)).all("form", method="post") if "team-0-email" in f.fields())
    with CaptureQueriesContext(connection) as asked:
        assert client.post(url, form.fields() | {"notes": "Gladly."}).status_code == 302
    assert len(asked) <= 30, "\n".join(query["sql"][:150] for query in asked)


def test_creating_with_help_takes_few_statements(live: Live) -> None:
    page = writer(live)
    page.fill("help")
    page.post(**answers(live)["help"])
    page.go_on()
    action, sent = page.page.one("form", id="step").attrs["action"], page.form() | {"go": "create"}
    with CaptureQueriesContext(connection) as asked:
        assert page.client.post(action, sent).status_code == 302
    assert len(asked) <= 40, "\n".join(query["sql"][:150] for query in asked)
