"""What is typed at the edges of the calendar and of what columns hold stops no page and no worker."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from dealreg import sweeps
from dealreg.models import Registration
from dealreg.services import registration as services
from portal.demo.cast import Cast
from portal.notify.models import Notice
from portal.notify.selectors import rendered
from portal.workflow.blockers import Money, RuleViolation
from tests import build, do
from tests.build import CONTOSO, DAY, NOW


def test_flow_3_an_estimated_date_at_the_start_of_the_calendar_stops_no_matching(cast: Cast) -> None:
    early = build.won(cast, customer=cast.customers["ege"])
    build.submitted(cast, early, routed=True, marketplace=True, marketplace_date=date.min)
    usual = build.won(cast, customer=cast.customers["anadolu"])
    waiting = build.submitted(cast, usual, routed=True, marketplace=True, marketplace_date=NOW.date())
    do.sell(cast, "MP-1", "anadolu", day=NOW.date(), now=NOW)
    sweeps.match_marketplace(now=NOW + DAY)
    assert Registration.objects.get(pk=waiting.pk).status == "marketplace_passed"


@pytest.mark.parametrize("name", ["signed", "start", "end", "marketplace_date"])
@pytest.mark.parametrize("day", [date.min, date.max])
def test_reg_15_any_day_of_the_calendar_is_judged(cast: Cast, name: str, day: date) -> None:
    deal = build.won(cast)
    given: dict[str, Any] = {"marketplace": True, "marketplace_date": NOW.date(), name: day}
    for form in (build.form(**given), build.form(**given, pricing="payg", term="finite")):
        services.check(deal, form, actor=cast.actor(CONTOSO), now=NOW)


@pytest.mark.parametrize("name", ["signed", "start", "end", "marketplace_date"])
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_reg_19_any_day_of_the_calendar_is_kept_and_shown(cast: Cast, client: Client, name: str, day: str) -> None:
    deal = build.won(cast)
    client.force_login(cast.users[CONTOSO])
    url = f"/co-sell/{deal.public_id}/registration/"
    assert client.post(f"{url}check/", {name: day, "marketplace": "yes"}).status_code == 200
    for page in (url, f"/co-sell/{deal.public_id}/", "/", "/deadlines/"):
        assert client.get(page).status_code == 200
    sweeps.remind(now=NOW + DAY)


def test_flow_6_a_corrected_revalidation_keeps_its_currencies(cast: Cast) -> None:
    """PAYG-2, PAYG-3: else what comes back would be the old amount in the new currency."""
    filed = build.submitted(cast, build.won(cast), pricing="payg", end=(NOW - DAY).date())
    reviewer, partner = cast.actor(build.REVIEWER), cast.actor(CONTOSO)
    passed = services.decide(
        do.route(filed, now=NOW), "pass_review", actor=reviewer, now=NOW, validated_by="poe", comment=""
    )
    million = Decimal(1_000_000)
    grown = do.revalidate(passed, actor=partner, now=NOW, tcv=million, solution_value=million, end=NOW.date())
    back = services.decide(
        grown, "require_action", actor=reviewer, now=NOW, reason_code="dates_do_not_match_contract", comment="See."
    )
    form = replace(back.claim, tcv=Money(2 * million, "USD"), solution_value=Money(2 * million, "USD"))
    with pytest.raises(RuleViolation) as refused:
        do.resubmit(back, form, actor=partner, now=NOW)
    assert [(b.code, b.field) for b in refused.value.blockers] == [
        ("not_revalidated", "tcv"),
        ("not_revalidated", "solution_value"),
    ]


@pytest.mark.parametrize(("comment", "ends"), [("", "No action is needed from you."), ("Look.\n", "\n\nLook.")])
def test_flow_4_what_tells_of_a_selection_ends_with_its_last_word(cast: Cast, comment: str, ends: str) -> None:
    registration = build.submitted(cast, build.won(cast), routed=True)
    reviewer = cast.actor(build.REVIEWER)
    services.decide(registration, "select_for_review", actor=reviewer, now=NOW + DAY, comment=comment)
    notice = Notice.objects.filter(event__verb="registration.selected").first()
    assert rendered(notice).body.endswith(ends)
