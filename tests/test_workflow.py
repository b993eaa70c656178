"""The one way a state changes, the event it writes, and the words both are told in."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone as django_timezone
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from portal.accounts.rules import SYSTEM
from portal.demo.cast import Cast
from portal.events import services as events
from portal.events.models import Event
from portal.policy.models import PolicyVersion
from portal.workflow import services as workflow
from portal.workflow import text, timeline
from portal.workflow.blockers import Blocker, Money, RuleViolation, Term, from_json, to_json
from referrals import rules
from referrals.models import Referral
from referrals.verbs import MACHINE, Signing
from tests import build, do
from tests.build import CONTOSO, DAY, NOW, SELLER

HOUR = timedelta(hours=1)


def again(referral: Referral) -> Referral:
    return Referral.objects.get(pk=referral.pk)


# Running a verb --------------------------------------------------------------------------------------------------


def test_one_change_one_event(cast: Cast) -> None:
    """FLOW-7, REF-14: who, when, for which company, under which policy, what changed from what to what."""
    PolicyVersion.objects.create(number=5, effective_from=NOW - DAY)
    deal, admin = build.deal(cast), cast.actor(CONTOSO)
    do.lose(deal, actor=admin, now=NOW, reason_code="other", comment="They moved away.")
    event = Event.objects.get(verb="referral.lost")
    assert (event.at, event.actor_kind, event.actor_user_id, event.actor_company_id) == (
        *(NOW, "person"),
        *(admin.user_id, admin.company_id),
    )
    assert (event.subject_type, event.subject_id, event.company_id) == ("referrals.referral", deal.pk, deal.company_id)
    assert (event.group, event.shared, event.policy_version) == (deal.engagement.public_id, True, 5)
    assert (event.comment, event.reasons) == ("They moved away.", [])
    assert event.before["substatus"] == "Accepted"
    assert event.after == {
        "substatus": "Lost",
        "closed_at": "2026-11-18T12:00:00Z",
        "reason_code": "other",
        "reason_note": "They moved away.",
    }
    assert set(event.before) == set(event.after)


def test_permission_then_state_then_every_blocker(cast: Cast) -> None:
    """ORG-6, REG-14: a stranger learns nothing of the state; in the wrong state nothing else is judged; then all at
    once. Nothing is written."""
    deal, sam = build.deal(cast), cast.actor(SELLER)
    copy, told = build.vendor_copy(deal), Event.objects.count()
    wrong: dict[str, Any] = {"name": "", "value": Money(Decimal(0), "EUR"), "close_date": NOW.date(), "team": ()}
    with pytest.raises(RuleViolation) as refused:
        do.accept(copy, actor=sam, now=NOW, **wrong)
    assert refused.value.codes == ["name_required", "value_not_positive", "team_required"]
    for stale in (copy, deal):  # `deal` is Accepted already
        with pytest.raises(PermissionDenied):
            do.accept(stale, actor=cast.actor("referrals@fabrikam.example"), now=NOW, **wrong)
    with pytest.raises(RuleViolation) as refused:
        do.accept(deal, actor=cast.actor(CONTOSO), now=NOW, **wrong)
    assert refused.value.codes == ["wrong_state"]
    assert Event.objects.count() == told
    assert again(copy).substatus == "Received"


def test_the_row_is_read_anew(cast: Cast) -> None:
    """FLOW: what another did meanwhile counts, not the copy in memory; and what the caller changed on it is ignored."""
    deal, admin = build.deal(cast), cast.actor(CONTOSO)
    stale = again(deal)
    do.set_stage(deal, actor=admin, now=NOW, stage=60)
    stale.name = "Typed over"
    moved = do.set_stage(stale, actor=admin, now=NOW, stage=20)
    assert (moved.stage, moved.name, again(deal).name) == (20, "Plant monitoring", "Plant monitoring")
    assert Event.objects.filter(verb="referral.stage_set").order_by("pk").last().before["stage"] == 60  # type: ignore[union-attr]
    do.win(deal, actor=admin, now=NOW)
    with pytest.raises(RuleViolation):
        do.set_stage(stale, actor=admin, now=NOW, stage=40)


def test_what_fails_with_the_change_takes_it_back(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """FLOW: change, event and reactions are one transaction."""

    def fail(_events: Any) -> None:
        raise ValueError("a reaction that fails")

    deal, told = build.deal(cast), Event.objects.count()
    monkeypatch.setitem(events._reactions, "referral.won", [*events._reactions["referral.won"], fail])
    with pytest.raises(ValueError, match="fails"):
        do.win(deal, actor=cast.actor(CONTOSO), now=NOW)
    assert (again(deal).substatus, Event.objects.count()) == ("Accepted", told)


def test_no_surface_offers_what_another_refuses(cast: Cast) -> None:
    """REF-15, REF-18: the buttons' blockers are those a click would get; a worker's verb is no button."""
    admin = cast.actor(CONTOSO)
    private = {"help_code": rules.NO_HELP, "vendor_may_view": False}
    planned = do.schedule_win(build.deal(cast, at=NOW), actor=admin, now=NOW)
    lost = do.lose(build.deal(cast), actor=admin, now=NOW, reason_code="budget")
    found: set[tuple[str, tuple[str, ...]]] = set()
    for deal in (build.deal(cast), build.deal(cast, at=NOW, **private), planned, lost):
        for action in workflow.available_actions(again(deal), admin, NOW):
            assert not action.verb.by_worker
            if action.name in {"win", "schedule_win", "cancel_win", "share_with_vendor"}:
                codes = tuple(b.code for b in action.blockers)
                assert (action.enabled, action.wrong_state) == (not codes, codes == ("wrong_state",))
                assert _tried(deal, action.name, admin) == codes
                found.add((action.name, codes))
    assert {codes for _name, codes in found} >= {(), ("wrong_state",), ("not_early",), ("not_scheduled",)}
    assert workflow.available_actions(planned, cast.actor("viewer@contoso.example"), NOW) == []
    copy = build.vendor_copy(build.deal(cast))
    assert "expire" not in {a.name for a in workflow.available_actions(copy, SYSTEM, NOW)}


def _tried(deal: Referral, verb: str, actor: Any) -> tuple[str, ...]:
    """What a click would come to, undone."""
    with transaction.atomic():
        try:
            inputs = Signing() if verb in {"win", "schedule_win"} else None
            workflow.run(deal, MACHINE.by_name[verb], inputs, actor=actor, now=NOW)  # type: ignore[arg-type]
        except RuleViolation as violation:
            return tuple(violation.codes)
        finally:
            transaction.set_rollback(True)
    return ()


def test_every_event_reads_as_a_sentence(cast: Cast) -> None:
    """FLOW-5, REF-14: whatever a verb writes down has words, with icon and tone, that all its places fill."""
    verbs = {verb.event for machine in workflow.machines() for verb in machine.verbs}
    births = {"referral.created", "referral.received", "registration.opened"}
    assert verbs | births <= set(timeline._known)
    deal = build.deal(cast, at=NOW)
    for verb in sorted(verbs | births):
        event = events.new_event(deal, verb, actor=cast.actor(CONTOSO), now=NOW, company_id=deal.company_id)
        line = timeline.entry(event)
        assert line["text"]
        assert "%(" not in line["text"]
        assert line["tone"] in {"neutral", "brand", "info", "success", "warning", "danger"}
        assert line["icon"]
        assert line["who"] == "Rüya İpekçi"
    unknown = events.new_event(deal, "referral.flown", actor=SYSTEM, now=NOW, company_id=None)
    assert (timeline.entry(unknown)["text"], timeline.entry(unknown)["who"]) == ("referral.flown", "Ortak")


def test_amounts_are_told_with_their_columns_decimals(cast: Cast) -> None:
    """FLOW-7: 40,000 and 40,000.00 are one value; an event doesn't tell a change that was none."""
    deal = build.deal(cast)
    before = events.snapshot(again(deal))
    deal.value, deal.value_usd = Decimal(40_000), Decimal("44000.0")
    assert events.changes(before, events.snapshot(deal)) == ({}, {})
    deal.value = Decimal("40000.5")
    assert events.changes(before, events.snapshot(deal)) == ({"value": "40000.00"}, {"value": "40000.50"})


# Blockers --------------------------------------------------------------------------------------------------------

AMOUNTS = st.decimals(-(10**9), 10**9, places=2)
INSTANTS = st.datetimes(timezones=st.just(UTC))
PARAMS = st.one_of(
    st.text(max_size=9), st.integers(), AMOUNTS, st.builds(Money, AMOUNTS, st.just("EUR")), st.dates(), INSTANTS,
    st.text(max_size=9).map(Term),
)  # fmt: skip


@given(st.builds(Blocker, st.text(), st.text(), st.text(), st.text(), st.dictionaries(st.text(max_size=5), PARAMS)))
def test_a_stored_reason_comes_back_whole(blocker: Blocker) -> None:
    """FLOW-2, FLOW-7: reasons are kept as JSON with their values' kinds, to be told in any language later."""
    back = from_json(json.loads(json.dumps(to_json(blocker))))
    assert back == blocker
    assert {k: type(v) for k, v in back.params.items()} == {k: type(v) for k, v in blocker.params.items()}


@pytest.mark.django_db
def test_a_blocker_is_told_in_the_readers_language_zone_and_format(cast: Cast) -> None:
    """REF-24, FLOW-5: amounts, days and instants as the reader writes them; people's own words stay as they are."""
    moment = datetime(2026, 11, 20, 13, 5, tzinfo=UTC)
    values = {
        "amount": Money(Decimal(40_000), "EUR"),
        "cents": Money(Decimal("1234.5"), "TRY"),
        "day": date(2026, 11, 20),
        "at": moment,
        "number": Decimal("1234.5"),
        "term": Term("Yes"),
        "words": "Yes",
        "count": 3,
    }

    def shown(language: str, zone: str) -> dict[str, str]:
        with translation.override(language), django_timezone.override(zone):
            return {name: text.show(value) for name, value in values.items()}

    assert shown("en", "UTC") == {
        "amount": "40,000 EUR",
        "cents": "1,234.50 TRY",
        "day": "20 Nov 2026",
        "at": "20 Nov 2026, 13:05 UTC",
        "number": "1,234.5",
        "term": "Yes",
        "words": "Yes",
        "count": "3",
    }
    turkish = shown("tr", "Europe/Istanbul")
    with translation.override("tr"):
        expected = translation.gettext("Yes")
    assert turkish == {
        "amount": "40.000 EUR",
        "cents": "1.234,50 TRY",
        "day": "20 Kas 2026",
        "at": "20 Kas 2026, 16:05 UTC+03",
        "number": "1.234,5",
        "term": expected,
        "words": "Yes",
        "count": "3",
    }
    with django_timezone.override(timezone(timedelta(hours=5, minutes=30))):
        assert text.show(moment) == "20 Nov 2026, 18:35 UTC+05:30"
    assert text.money(None, "EUR") == "–"
    blocker = Blocker("x", "%(vendor)s says %(count)s", details=(Blocker("y", "so"),))
    assert text.text(Blocker("x", "%(vendor)s says %(n)s", params={"n": 3})) == "Microsoft says 3"
    with pytest.raises(KeyError):
        text.text(blocker)


@pytest.mark.django_db
def test_a_violation_carries_every_rule() -> None:
    """REG-14, REG-15: codes in order, and the edge's form of each with its details."""
    inner = Blocker("vendor_accepted", "Wait.", "ELIG-7")
    violation = RuleViolation(
        [Blocker("not_eligible", "No.", "REG-14", details=(inner,)), Blocker("b", "B.", field="tcv")]
    )
    assert violation.codes == ["not_eligible", "b"]
    first, second = violation.blockers
    assert text.as_dict(first)["details"] == [
        {"code": "vendor_accepted", "rule": "ELIG-7", "field": "", "message": "Wait.", "details": []}
    ]
    assert text.as_dict(second)["field"] == "tcv"
