"""Random walks over a deal's licences, asking for their history (LIC-2 to LIC-7)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django_fsm import can_proceed
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from isvconnect.models import IsvDeal
from licensing.models import Assignment, Licences, Relationship
from licensing.services import links
from licensing.verbs import LICENCES
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.workflow.blockers import RuleViolation
from tests import isv
from tests import licences as make

CODES = ("basic", "premium")
#: Of the walk, with the machine's verbs that they run.
STEPS = {"update": {"give", "update_licences"}, "bin": {"remove_plan"}, "assign": {"assign"}, "unassign": {"unassign"}}


class Walk:
    """One deal, whose partner counts, whose customer assigns, and whose consent or deal may end."""

    def __init__(self, cast: Cast, data: st.DataObject) -> None:
        self.cast, self.data = cast, data
        self.now = make.after(IsvDeal.objects.count())  # each on a day of its own: mail is limited by day (LIC-8)
        self.deal = make.isv_deal(cast)
        self.relationship = make.consented(cast, self.deal, now=self.now)
        self.fixed: Relationship | None = None

    def licences(self) -> Licences | None:
        """As they are in the database, with all that verbs want to know of them: asking takes its time."""
        return Licences.objects.with_context().filter(deal=self.deal).first()

    def step(self) -> None:
        self.now += timedelta(minutes=self.data.draw(st.integers(1, 300), "minutes later"))
        often = ["update", "update", "assign", "assign", "assign", "unassign", "bin"]
        name = self.data.draw(st.sampled_from([*often, "revoke", "agree", "cancel"]), "step")
        licences = self.licences()
        before, events = held(licences), Event.objects.count()
        frozen = licences is not None and licences.is_frozen
        try:
            _STEPS[name](self)
        except RuleViolation:
            assert (held(self.licences()), Event.objects.count()) == (before, events)  # a refusal leaves no trace
        self.check(before, frozen)

    def check(self, before: dict[str, tuple[int, int]], frozen: bool) -> None:
        """What holds in every state."""
        licences = self.licences()
        found = held(licences)
        for code, (count, assigned) in found.items():
            assert 0 <= assigned <= count
            assert count > 0
            rows = Assignment.objects.filter(plan_count__licences__deal=self.deal, plan_count__plan__code=code)
            assert rows.count() == assigned
            if frozen:  # LIC-7
                assert count <= before.get(code, (0, 0))[0]
        assert found == self.told(licences)
        if licences:
            same = licences.relationship
            self.fixed = self.fixed or same
            assert (same.customer_id, same.tenant_guid) == (self.fixed.customer_id, self.fixed.tenant_guid)

    def told(self, licences: Licences | None) -> dict[str, tuple[int, int]]:
        """The counts as the events tell them, from nothing on; each begins where the one before ended (LIC-5)."""
        counts: dict[str, int] = {}
        assigned: dict[str, int] = {}
        events = Event.objects.of_subject(licences) if licences else Event.objects.none()
        for event in events.order_by("pk"):
            for key, kept in (("counts", counts), ("assigned", assigned)):
                for code, became in event.after.get(key, {}).items():
                    assert event.before[key].get(code, 0) == kept.get(code, 0)
                    kept[code] = became
            for code in [code for code, count in counts.items() if not count]:
                del counts[code]
                assigned.pop(code, None)
        return {code: (count, assigned.get(code, 0)) for code, count in counts.items()}

    def people(self) -> list[str]:
        numbers = self.data.draw(st.lists(st.integers(0, 7), min_size=1, max_size=5), "people")
        return [f"person{number}@anadolu.example" for number in numbers]

    def code(self) -> str:
        return self.data.draw(st.sampled_from(CODES), "plan")


def held(licences: Licences | None) -> dict[str, tuple[int, int]]:
    return make.counts(licences) if licences else {}


def _update(walk: Walk) -> None:
    counts = walk.data.draw(st.dictionaries(st.sampled_from(CODES), st.integers(0, 6), min_size=1), "counts")
    licences = walk.licences()
    chosen = None if licences else walk.relationship
    make.updated(walk.cast, walk.deal, chosen, now=walk.now, **counts)


def _bin(walk: Walk) -> None:
    if licences := walk.licences():
        code = walk.code()
        assigned = held(licences).get(code, (0, 0))[1]
        confirmed = walk.data.draw(st.sampled_from([assigned, assigned, None]), "confirmed")
        make.removed(walk.cast, licences, code, confirmed=confirmed, now=walk.now)


def _assign(walk: Walk) -> None:
    if licences := walk.licences():
        make.assigned(licences, *walk.people(), code=walk.code(), now=walk.now)


def _unassign(walk: Walk) -> None:
    if licences := walk.licences():
        code = walk.code()
        holders = make.holders(licences, code)
        emails = walk.data.draw(st.lists(st.sampled_from(holders or walk.people()), min_size=1), "from")
        make.unassigned(licences, *emails, code=code, now=walk.now)


def _revoke(walk: Walk) -> None:
    row = Relationship.objects.with_context().get(pk=walk.relationship.pk)
    if can_proceed(row.revoke):
        make.revoked(row, now=walk.now)
    else:
        with pytest.raises(RuleViolation, match="wrong_state"):
            make.revoked(row, now=walk.now)


def _agree(walk: Walk) -> None:
    """Anew, or once more."""
    if not IsvDeal.objects.get(pk=walk.deal.pk).is_cancelled:
        walk.relationship = make.consented(walk.cast, walk.deal, now=walk.now)
        assert links.of_token(make.newest_link(walk.relationship)) is not None


def _cancel(walk: Walk) -> None:
    if not IsvDeal.objects.get(pk=walk.deal.pk).is_cancelled and walk.data.draw(st.booleans(), "really"):
        isv.cancelled(walk.cast, of=walk.deal, now=walk.now)


_STEPS: dict[str, Callable[[Walk], None]] = {
    "update": _update,
    "bin": _bin,
    "assign": _assign,
    "unassign": _unassign,
    "revoke": _revoke,
    "agree": _agree,
    "cancel": _cancel,
}


def test_lic_5_the_walk_knows_every_verb() -> None:
    """LIC-5: a verb added to the machine is walked too; `freeze` comes by revoking and cancelling."""
    assert set().union(*STEPS.values()) | {"freeze", "resumed"} == {verb.name for verb in LICENCES.every}


@settings(
    max_examples=8,  # one takes more than a second
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes; a walk reads well as it is
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_lic_4_lic_5_whatever_is_done_in_whatever_order(cast: Cast, data: st.DataObject) -> None:
    """LIC-2 to LIC-5, LIC-7: never more assigned than counted, nothing raised while frozen, and the events are the
    history."""
    walk = Walk(cast, data)
    for _step in range(data.draw(st.integers(5, 20), "steps")):
        walk.step()
