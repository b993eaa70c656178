"""Every decision follows from what was kept, and what doesn't is told (FLOW-7)."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from dealreg import sweeps
from dealreg.models import MarketplaceTransaction, Registration
from dealreg.services import registration as dealreg
from dealreg.services.replay import replay
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.policy.models import PolicyVersion
from tests import build, do
from tests.build import DAY, NOW


def replayed() -> tuple[int, str]:
    """How `manage.py replay` ends, and what it says."""
    said = StringIO()
    try:
        call_command("replay", stdout=said)
    except CommandError as error:
        return error.returncode, f"{said.getvalue()}{error}"
    return 0, said.getvalue()


def decided(cast: Cast) -> dict[str, Registration]:
    """One of each way that a registration goes, the policy changing in between."""
    market: dict[str, Any] = {"marketplace": True, "marketplace_date": NOW.date()}
    found = {
        "matched": build.submitted(cast, build.won(cast, customer=cast.customers["anadolu"]), routed=True, **market),
        "approved": build.submitted(cast, build.won(cast), routed=True),
        "review": build.in_review(cast),
        "missing": build.submitted(cast, build.won(cast, customer=cast.customers["ege"]), routed=True, **market),
    }
    do.sell(cast, "MP-1", "anadolu", day=NOW.date() - 3 * DAY, now=NOW)
    sweeps.match_marketplace(now=NOW + DAY)
    PolicyVersion.objects.create(number=1, effective_from=NOW + 2 * DAY, values={"review_above_acv_usd": "1"})
    found["later"] = build.submitted(cast, build.won(cast), at=NOW + 3 * DAY, routed=True)
    reason = {"reason_code": "dates_do_not_match_contract", "comment": "See the contract."}
    reviewer = cast.actor(build.REVIEWER)
    back = dealreg.decide(found["review"], "require_action", actor=reviewer, now=NOW + 4 * DAY, **reason)
    do.resubmit(back, build.form(), actor=cast.actor(build.CONTOSO), now=NOW + 5 * DAY)
    sweeps.match_marketplace(now=NOW + 100 * DAY)
    sweeps.close_decided(now=NOW + 102 * DAY)
    return found


def test_flow_7_what_was_decided_under_each_policy_follows(cast: Cast) -> None:
    statuses = {name: Registration.objects.get(pk=r.pk).status for name, r in decided(cast).items()}
    assert set(statuses.values()) == {"closed", "review_pending"}
    assert replay(Registration.objects.all())[1] == []


#: Rows that were written past the verbs: which, its columns, and what is told.
TAMPERED: list[tuple[str, dict[str, Any], str]] = [
    ("approved", {"acv_usd": 1}, "acv_usd"),
    ("approved", {"tcv": 1}, "tcv"),
    ("approved", {"outcome": "review_passed"}, "outcome"),
    ("approved", {"policy_version": 1}, "policy_version"),
    ("review", {"rates": {}}, "rates"),
    ("later", {"route_reasons": []}, "route_reasons"),
    ("missing", {"reason_code": "other"}, "reason_code"),
]
#: Events that say something else than what was known then.
FORGED: list[tuple[str, str, dict[str, Any], str]] = [
    ("approved", "registration.submitted", {"acv_usd": "9000.00"}, "acv_usd"),
    ("approved", "registration.routed", {"route_reasons": [{"rule": "AUTO-1"}]}, "route_reasons"),
    ("matched", "registration.matched", {"transaction": "MP-2"}, "transaction"),
    ("missing", "registration.routed", {"marketplace_until": "2026-12-01T00:00:00Z"}, "marketplace_until"),
]


def test_flow_7_a_row_that_was_tampered_with_is_told(cast: Cast) -> None:
    found = decided(cast)
    for which, columns, what in TAMPERED:
        with transaction.atomic():
            Registration.objects.filter(pk=found[which].pk).update(**columns)
            code, said = replayed()
            transaction.set_rollback(True)
        assert code == 1, what
        assert f"{found[which].public_id}, " in said, what
        assert f": {what} is" in said
        assert "1 differences" in said, what


def test_flow_7_a_decision_that_does_not_follow_is_told(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    found = decided(cast)
    for which, verb, after, what in FORGED:
        event = Event.objects.of_subject(found[which]).get(verb=verb)
        with monkeypatch.context() as patched:
            patched.setattr(Event, "from_db", classmethod(reading(event, after)))
            differences = replay(Registration.objects.all())[1]
        told = {(d.verb, d.what) for d in differences if d.registration == found[which].public_id}
        assert (verb, what) in told


def reading(event: Event, after: dict[str, Any]) -> Callable[..., Event]:
    """How rows of events are read, except that this one says something else."""
    original = Event.from_db.__func__  # type: ignore[attr-defined]

    def forged(cls: Any, db: Any, names: Any, values: Any) -> Event:
        found: Event = original(cls, db, names, values)
        if found.pk == event.pk:
            found.after = {**found.after, **after}
        return found

    return forged


def test_flow_7_a_nearer_or_late_transaction_is_told(cast: Cast) -> None:
    found = decided(cast)
    do.sell(cast, "MP-9", "anadolu", day=NOW.date(), now=NOW + DAY / 2)
    do.sell(cast, "MP-8", "ege", day=NOW.date(), now=NOW + 9 * DAY)
    told = {(d.registration, d.what, str(d.kept)) for d in replay(Registration.objects.all())[1]}
    assert told == {
        (found["matched"].public_id, "nearer", "['MP-9']"),
        (found["missing"].public_id, "transactions", "['MP-8']"),
    }
    MarketplaceTransaction.objects.filter(transaction_id__in=["MP-8", "MP-9"]).update(
        voided_at=NOW, void_reason="Never was."
    )
    MarketplaceTransaction.objects.filter(transaction_id="MP-1").update(registration=None)
    assert [d.what for d in replay(Registration.objects.all())[1]] == ["transaction"]


def test_flow_7_the_random_sample_follows_from_its_seed(cast: Cast) -> None:
    registration = build.submitted(cast, build.won(cast), routed=True)
    sweeps.draw_sample(now=NOW + DAY)
    assert replay(Registration.objects.all())[1] == []
    drawn = Registration.objects.get(pk=registration.pk).sample
    assert drawn is not None
    type(drawn).objects.filter(pk=drawn.pk).update(percent=100 if drawn.percent < 100 else 0)
    chosen = Event.objects.filter(verb="registration.selected").exists()
    assert [d.what for d in replay(Registration.objects.all())[1]] == ([] if chosen else ["chosen at random"])
