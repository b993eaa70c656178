"""Random walks over an ISV Connect deal and its invoices, asking for their history (ISV-5, ISV-6, FLOW-7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django_fsm import can_proceed
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from isvconnect.models import Invoice, InvoiceSeries, IsvDeal, Status
from isvconnect.verbs import MACHINE
from portal.demo.cast import Cast
from portal.events import services as events
from portal.events.models import Event
from portal.workflow.blockers import Money, RuleViolation
from tests import do, isv
from tests.isv import CONTOSO, MANAGER, NOW

Verb = Callable[["Walk"], object]


class Walk:
    """One reported deal, moved by random verbs of the partner, a programme manager and the workers."""

    def __init__(self, cast: Cast, data: st.DataObject) -> None:
        self.cast, self.data, self.now = cast, data, NOW
        if data.draw(st.booleans(), "with rates"):
            isv.rates(cast)
        referral = isv.won(cast) if data.draw(st.booleans(), "from a referral") else None
        self.first = isv.deal(cast, referral=referral)
        self.told = self.newest()
        self.issued: list[dict[str, Any]] = []

    @property
    def deal(self) -> IsvDeal:
        return isv.again(self.first)

    def newest(self) -> int:
        found = Event.objects.of_subject(self.first).order_by("pk").last()
        return found.pk if found else 0

    def step(self) -> None:
        """Try one verb: only what is listed works, each change has its event, and a refusal leaves no trace."""
        self.now += timedelta(days=self.data.draw(st.sampled_from([0, 1, 90, 365]), "days later"))
        name = self.data.draw(st.sampled_from(sorted(VERBS)), "verb")
        before, allowed = events.snapshot(self.deal), can_proceed(getattr(self.deal, name))
        refused = self.tried(name)
        assert (refused == ["wrong_state"]) is not allowed
        if refused is not None:
            assert events.snapshot(self.deal) == before
            assert self.newest() == self.told
            return
        (event,) = Event.objects.of_subject(self.first).filter(pk__gt=self.told)
        assert event.verb == MACHINE.by_name[name].event
        after = events.snapshot(self.deal)
        assert after == before | {name: value for name, value in event.after.items() if name in before}
        self.told = event.pk

    def tried(self, name: str) -> list[str] | None:
        """Do the verb; None, or the codes of what refused it."""
        try:
            VERBS[name](self)
        except RuleViolation as violation:
            return violation.codes
        return None

    def check(self) -> None:
        """What holds in every state (ISV-5, ISV-6)."""
        deal = self.deal
        years, invoices = list(deal.installments.in_order()), deal.invoices.filter(kind="invoice")
        assert {y.number for y in years if y.issued} == set(invoices.values_list("year", flat=True))
        assert invoices.exists() == (deal.invoiced_at is not None)
        waiting = [y for y in years if not y.issued]
        if not deal.is_cancelled:
            assert sum(y.share for y in years) == deal.solution_value
            assert (deal.status == Status.COMPLETED) == (not waiting)
        assert deal.next_due_on == (waiting[0].due_on if waiting and deal.percent is not None else None)
        assert not (deal.is_cancelled and waiting)
        self.check_numbers()

    def check_numbers(self) -> None:
        """Nothing that was issued changes, and no number is missing or given twice."""
        rows = list(Invoice.objects.filter(deal=self.first).order_by("pk").values())
        assert rows[: len(self.issued)] == self.issued
        self.issued = rows
        for series in InvoiceSeries.objects.all():
            kind = "credit_note" if "C" in series.prefix else "invoice"
            given = sorted(Invoice.objects.filter(kind=kind).values_list("number", flat=True))
            assert given == [f"{series.prefix}{number:06}" for number in range(1, series.last + 1)]


def _correct(walk: Walk) -> None:
    days = walk.data.draw(st.integers(0, 1500), "length")
    value = Money(Decimal(walk.data.draw(st.integers(1, 15_000), "value")), "EUR")
    changes: dict[str, Any] = {"solution_value": value, "end": walk.first.start + timedelta(days=days)}
    form = replace(walk.deal.claim, **changes)
    do.correct_isv_deal(walk.first, form, actor=walk.cast.actor(CONTOSO), now=walk.now)


def _cancel(walk: Walk) -> None:
    credit = walk.data.draw(st.booleans(), "credit")
    do.cancel_isv_deal(walk.first, "Rescinded.", actor=walk.cast.actor(MANAGER), now=walk.now, credit_issued=credit)


def _set_fees(walk: Walk) -> None:
    if walk.data.draw(st.booleans(), "a rate comes"):
        isv.rates(walk.cast)
    do.set_fees(walk.first, now=walk.now)


VERBS: dict[str, Verb] = {
    "correct": _correct,
    "cancel": _cancel,
    "set_fees": _set_fees,
    "issue_invoices": lambda walk: do.issue_invoices(walk.first, now=walk.now),
}


def test_isv_5_the_walk_knows_every_verb() -> None:
    assert set(VERBS) == set(MACHINE.by_name)


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes; a walk reads well as it is
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_isv_5_isv_6_whatever_is_done_in_whatever_order(cast: Cast, data: st.DataObject) -> None:
    """ISV-5, ISV-6, FLOW-7: only listed verbs work, every change has its event, shares sum up, numbers have no gap."""
    walk = Walk(cast, data)
    for _step in range(data.draw(st.integers(3, 12), "steps")):
        walk.step()
        walk.check()
