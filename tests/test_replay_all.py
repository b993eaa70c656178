"""Every decision follows from what was kept, not only the last one (FLOW-7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from dealreg import sweeps
from dealreg.models import Registration
from dealreg.services import registration as services
from dealreg.services import waivers
from dealreg.services.replay import replay
from portal.catalog.models import Solution
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.workflow.blockers import Money
from tests import build, do
from tests.build import CONTOSO, DAY, NOW, REVIEWER

BACK = {"reason_code": "dates_do_not_match_contract", "comment": "See the contract."}
Ending = Callable[[Cast, Registration], object]


def differences() -> list[str]:
    return [str(difference) for difference in replay(Registration.objects.all())[1]]


def sent_back(cast: Cast, registration: Registration, day: int) -> Registration:
    return services.decide(registration, "require_action", actor=cast.actor(REVIEWER), now=NOW + day * DAY, **BACK)


def resubmit(cast: Cast, registration: Registration, day: int, tcv: int = 2_000_000) -> Registration:
    form = replace(registration.claim, tcv=Money(Decimal(tcv), "EUR"))
    return do.resubmit(registration, form, actor=cast.actor(CONTOSO), now=NOW + day * DAY)


def forget(registration: Registration, verb: str) -> None:
    """As if what this decision followed from had been another."""
    version = (
        Event.objects.of_subject(registration).filter(verb=verb).order_by("pk").values_list("version", flat=True)[0]
    )
    facts = Registration.objects.get(pk=registration.pk).route_facts
    facts[str(version)]["partner_count"] = facts[str(version)]["known_partners"] = 7
    Registration.objects.filter(pk=registration.pk).update(route_facts=facts)


@pytest.mark.parametrize("verb", ["registration.routed", "registration.resubmitted"])
def test_flow_7_an_earlier_decision_is_derived_anew_as_well(cast: Cast, verb: str) -> None:
    registration = build.in_review(cast)
    for day in (1, 3):
        resubmit(cast, sent_back(cast, registration, day), day + 1)
    assert differences() == []
    forget(registration, verb)
    assert [f"{verb} at" in one and "route_reasons" in one for one in differences()] == [True]


def _fails(cast: Cast, grown: Registration) -> None:
    reason = {"reason_code": "other", "comment": "No."}
    failed = services.decide(grown, "fail_review", actor=cast.actor(REVIEWER), now=NOW + 3 * DAY, **reason)
    do.close(failed, now=NOW + 4 * DAY)


def _withdrawn(cast: Cast, grown: Registration) -> None:
    do.withdraw(sent_back(cast, grown, 3), actor=cast.actor(CONTOSO), now=NOW + 4 * DAY)


def _unanswered(cast: Cast, grown: Registration) -> None:
    sent_back(cast, grown, 3)
    assert sweeps.fail_unanswered(now=NOW + 90 * DAY) == 1


def _corrected(cast: Cast, grown: Registration) -> None:
    _fails(cast, resubmit(cast, sent_back(cast, grown, 2), 2))


@pytest.mark.parametrize("ending", [_fails, _withdrawn, _unanswered, _corrected])
def test_flow_7_a_revalidation_that_comes_to_nothing_follows(cast: Cast, ending: Ending) -> None:
    """PAYG-3: its reasons are those of before, and each routing still follows from its own facts."""
    filed = build.submitted(cast, build.won(cast), pricing="payg", end=(NOW - DAY).date())
    passed = services.decide(
        do.route(filed, now=NOW), "pass_review", actor=cast.actor(REVIEWER), now=NOW, validated_by="poe", comment=""
    )
    build.submitted(cast, build.won(cast), routed=True)  # a duplicate that there was not before (AUTO-5)
    million = Decimal(1_000_000)
    actor = cast.actor(CONTOSO)
    grown = do.revalidate(passed, actor=actor, now=NOW + DAY, tcv=million, solution_value=million, end=NOW.date())
    assert [reason.rule for reason in grown.reasons] != [reason.rule for reason in passed.reasons]
    ending(cast, grown)
    assert Registration.objects.get(pk=grown.pk).outcome == "review_passed"
    assert differences() == []
    forget(grown, "registration.revalidated")
    assert len(differences()) == 1


def test_flow_7_what_was_waived_follows(cast: Cast) -> None:
    """REG-12: the waiver may be over by now."""
    deal = build.won(cast)
    waiver = waivers.grant(deal, by="the council", until=NOW.date(), now=NOW - timedelta(hours=1))
    build.submitted(cast, deal, routed=True, signed=(NOW - 70 * DAY).date())
    waiver.delete()
    assert differences() == []


def test_flow_7_a_solution_that_became_eligible_after_the_opening_follows(cast: Cast) -> None:
    """REG-21: what could be registered then may be tagged otherwise now."""
    solutions = [cast.solutions["factory"], cast.solutions["field"]]
    deal = build.won(cast, solutions=solutions)
    late = next(s for s in solutions if s.pk not in Registration.objects.get(referral=deal).open_solutions)
    Solution.objects.filter(pk=late.pk).update(azure_ip=True)
    build.submitted(cast, deal, routed=True, solution=late.pk)
    Solution.objects.filter(pk=late.pk).update(azure_ip=False)
    assert differences() == []


def test_flow_7_a_selection_and_a_retraction_follow(cast: Cast) -> None:
    registration = build.submitted(cast, build.won(cast), routed=True)
    reviewer, manager = cast.actor(REVIEWER), cast.actor("manager@vendor.example")
    services.decide(registration, "select_for_review", actor=reviewer, now=NOW + DAY, comment="")
    passed = services.decide(registration, "pass_review", actor=reviewer, now=NOW + DAY, validated_by="poe", comment="")
    services.decide(passed, "retract", actor=manager, now=NOW + DAY, comment="A slip.")
    assert differences() == []
