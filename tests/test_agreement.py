"""The check and the submission can't disagree (REG-15), on generated forms, through the services and the database.

A few forms in the suite; `AGREEMENT_EXAMPLES=10000` runs as many.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from dealreg.models import Registration
from dealreg.rules import Judgement, RegistrationInput
from dealreg.services import registration as services
from dealreg.services import waivers
from portal.demo.cast import Cast
from portal.workflow.blockers import Money, RuleViolation
from tests import build, do
from tests.build import CONTOSO, DAY, NOW
from tests.test_dealreg import BIG, send_back

EXAMPLES = int(os.environ.get("AGREEMENT_EXAMPLES", "40"))
TODAY = NOW.date()


def near(first: int, last: int) -> st.SearchStrategy[date]:
    """A day from so many days before today to so many after."""
    return st.integers(first, last).map(lambda days: TODAY + timedelta(days=days))


def amounts(largest: int) -> st.SearchStrategy[Money]:
    whole = st.decimals(min_value=1, max_value=largest, places=2) | st.sampled_from(
        [Decimal(v) for v in ("22727.27", "25000", "25000.01", "45454.55", "909090.91", "1000000.01", "0", "-1")]
    )
    return st.builds(Money, whole, st.sampled_from(["EUR", "EUR", "USD", "TRY", "GBP"]))


def forms(cast: Cast, earlier: Registration) -> st.SearchStrategy[RegistrationInput]:
    """A form that can be submitted, with up to four other answers."""
    factory, retail, twin = (cast.solutions[name].pk for name in ("factory", "retail", "twin"))
    whole = build.form(solution=factory)
    answers: dict[str, st.SearchStrategy[Any]] = {
        "solution": st.sampled_from([retail, twin, None]),
        "renews": st.sampled_from([earlier.pk, 0]),
        "marketplace": st.sampled_from([True, None]),
        "marketplace_date": st.none() | near(-30, 500),
        "deployment": st.sampled_from(["other", None]),
        "term": st.sampled_from(["perpetual", None]),
        "tcv": st.none() | amounts(3_000_000) | amounts(200_000),
        "solution_value": st.none() | amounts(60_000),
        "payg_year_value": st.decimals(min_value=-1, max_value=90_000, places=2),
        "signed": st.none() | near(-90, 3),
        "start": st.none() | near(-120, 30),
        "end": st.none() | near(-10, 900),
        "tenant": st.sampled_from(["partner", None]),
        "pricing": st.sampled_from(["payg", None]),
        "contract_names_confirmed": st.just(False),
    }
    names = st.lists(st.sampled_from(sorted(answers)), max_size=4, unique=True)
    return names.flatmap(lambda changed: st.fixed_dictionaries({name: answers[name] for name in changed})).map(
        lambda changes: replace(whole, **changes)
    )


class Undone(Exception):
    """Rolls the submission back."""


def found_by_check(judgement: Judgement) -> dict[str, Any]:
    if judgement.violations:
        return {"refused": judgement.violations}
    assert judgement.route is not None
    return {
        "claim": judgement.claim,
        "figures": (judgement.acv, judgement.acv_usd, judgement.tcv_usd, judgement.solution_value_usd),
        "route": (judgement.route.state, judgement.route.reasons),
    }


def found_by_submitting(registration: Registration, form: RegistrationInput, cast: Cast) -> dict[str, Any]:
    """What submitting the form, and the worker behind it, come to; nothing of it stays."""
    actor, correcting = cast.actor(CONTOSO), registration.first_submitted_at is not None
    try:
        with transaction.atomic():
            submit = do.resubmit if correcting else do.submit
            filed = submit(registration, form, actor=actor, now=NOW)
            routed = filed if correcting else do.route(filed, now=NOW)
            figures = (routed.acv_money, routed.acv_usd, routed.tcv_usd, routed.solution_value_usd)
            route = (routed.status, tuple(routed.reasons))
            raise Undone({"claim": routed.claim, "figures": figures, "route": route})
    except RuleViolation as violation:
        return {"refused": violation.blockers}
    except Undone as undone:
        found: dict[str, Any] = undone.args[0]
        return found


def test_reg_15_check_and_submission_agree(cast: Cast) -> None:
    """Refusals, what is kept, figures and route: first filings, early wins, corrections and excepted deals alike."""
    solutions = [cast.solutions[name] for name in ("factory", "retail")]
    earlier = do.route(build.submitted(cast, build.won(cast)), now=NOW - DAY)
    customer = earlier.referral.engagement.customer
    first, early = build.won(cast, solutions=solutions), build.won(cast, solutions=solutions, created=NOW - 2 * DAY)
    again = build.won(cast, solutions=solutions, customer=customer)
    waivers.grant(again, by="The exception council", until=TODAY, now=NOW)
    filed = build.submitted(cast, build.won(cast, solutions=solutions), solution=solutions[0].pk, tcv=BIG)
    deals = [first, early, again, send_back(cast, do.route(filed, now=NOW)).referral]
    outcomes = set()

    @settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(deal=st.sampled_from(deals), form=forms(cast, earlier))
    def agree(deal: Any, form: RegistrationInput) -> None:
        checked = found_by_check(services.check(deal, form, actor=cast.actor(CONTOSO), now=NOW))
        registration = Registration.objects.with_context().get(referral=deal)
        assert found_by_submitting(registration, form, cast) == checked
        outcome = checked["route"][0] if "route" in checked else "refused"
        outcomes.add(outcome)
        event(outcome)

    agree()
    assert "refused" in outcomes
    assert len(outcomes) > 1
