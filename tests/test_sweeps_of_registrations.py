"""Sweeps of registrations do to many what the verbs do to one, column by column, with the same events and notices."""

from __future__ import annotations

from typing import Any

import pytest

from dealreg import sweeps, verbs
from dealreg.models import Registration, Sample
from dealreg.services import registration as services
from portal import bulk
from portal.accounts.rules import SYSTEM
from portal.demo.cast import Cast
from portal.policy.models import PolicyVersion
from portal.workflow import services as workflow
from tests import build, do
from tests.build import CONTOSO, DAY, NOW, REVIEWER
from tests.test_deciding import BACK, grow, payg
from tests.test_marketplace import sold, waits, without_duplicates
from tests.test_sweeps import everything_about, people


@pytest.fixture(autouse=True)
def by_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few rows are written as many are, one row as one is."""
    monkeypatch.setattr(bulk, "MANY", 2)


def alike(rows: list[Registration]) -> list[Any]:
    """Everything about them but the registrations that they name: their own, and those before them."""
    found = everything_about(rows)
    for (row,), _events, _notices in found:
        row["route_facts"] = {version: {**kept, "duplicates": []} for version, kept in row["route_facts"].items()}
    return found


def sent_back(cast: Cast, registration: Registration) -> Registration:
    return services.decide(registration, "require_action", actor=cast.actor(REVIEWER), now=NOW + 2 * DAY, **BACK)


def prepare_unanswered(cast: Cast) -> list[Registration]:
    """Plain ones, a corrected one, one whose team can't act, revalidations of an open and of a closed one."""
    plain = sent_back(cast, build.in_review(cast, team=people()))
    corrected = sent_back(cast, build.in_review(cast))
    again = do.resubmit(corrected, corrected.claim, actor=cast.actor(CONTOSO), now=NOW + 2 * DAY)
    grown = sent_back(cast, grow(cast, payg(cast)))
    closed = do.close(payg(cast), now=NOW + 2 * DAY)
    return [plain, sent_back(cast, again), grown, sent_back(cast, grow(cast, closed, NOW + 2 * DAY))]


def test_flow_failing_many_unanswered_is_failing_each(cast: Cast) -> None:
    one_by_one, swept = prepare_unanswered(cast), prepare_unanswered(cast)
    due = NOW + 62 * DAY
    for registration in one_by_one:
        workflow.run(registration, verbs.FAIL_UNANSWERED, actor=SYSTEM, now=due)
    assert [sweeps.fail_unanswered(now=due) for _turn in range(3)] == [2, 2, 0]
    found = alike(swept)
    assert found == alike(one_by_one)
    states = [(row["status"], row["outcome"]) for (row,), _events, _notices in found]
    assert states == [("review_failed", "")] * 2 + [("closed", "review_passed")] * 2
    assert {events[-1]["verb"] for _row, events, _notices in found} == {"registration.unanswered"}


def test_flow_4_selecting_many_at_random_is_selecting_each(cast: Cast) -> None:
    PolicyVersion.objects.create(number=1, effective_from=NOW - 50 * DAY, values={"sample_percent": 100})
    teams = (people(), [build.member()])
    one_by_one, swept = (
        [build.submitted(cast, build.won(cast, team=team), routed=True) for team in teams] for _times in range(2)
    )
    sample = Sample.objects.create(at=NOW + DAY, seed="seed", percent=100, policy_version=1)
    for registration in one_by_one:
        Registration.objects.filter(pk=registration.pk).update(sample=sample)
        workflow.run(registration, verbs.SELECT_FOR_REVIEW, actor=SYSTEM, now=NOW + DAY)
    assert [sweeps.draw_sample(now=NOW + DAY) for _turn in range(2)] == [2, 0]
    found, expected = alike(swept), alike(one_by_one)
    for (row,), _events, _notices in (*found, *expected):
        assert row.pop("sample_id") is not None
    assert found == expected
    assert [row["status"] for (row,), _events, _notices in found] == ["review_pending"] * 2


def prepare_waiting(cast: Cast, customer: str) -> list[Registration]:
    """Two of one sale, with different teams, and two transactions for them."""
    to = {"customer": cast.customers[customer]}
    found = [waits(cast, team=people(), **to), waits(cast, at=NOW + DAY, **to)]
    for number in "12":
        sold(cast, f"{customer}-{number}", customer=customer)
    return found


def test_flow_3_matching_many_is_matching_each(cast: Cast) -> None:
    without_duplicates()
    one_by_one, swept = prepare_waiting(cast, "anadolu"), prepare_waiting(cast, "ege")
    for registration in one_by_one:
        workflow.run(registration, verbs.MATCH, verbs.Comment(), actor=SYSTEM, now=NOW + DAY)
    assert [sweeps.match_marketplace(now=NOW + DAY) for _turn in range(2)] == [2, 0]
    found, expected = alike(swept), alike(one_by_one)
    events = [told[-1] for _row, told, _notices in (*expected, *found)]
    assert [e["after"].pop("transaction") for e in events] == ["anadolu-1", "anadolu-2", "ege-1", "ege-2"]
    names = [e["reasons"][0]["params"].pop("customer") for e in events]
    assert names == ["Anadolu Cam Sanayi"] * 2 + ["Ege Tekstil A.Ş."] * 2
    assert found == expected
    assert [row["status"] for (row,), _events, _notices in found] == ["marketplace_passed"] * 2
