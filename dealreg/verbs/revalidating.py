"""The partner has a pay-as-you-go registration checked again at what it came to (FLOW-6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from dealreg import rules
from dealreg.models import BY_REVALIDATION, Registration
from dealreg.policies import may_file
from dealreg.rules import revalidation, states
from dealreg.selectors.registration import kept_rates
from dealreg.timeline import REGISTRATION
from dealreg.verbs.base import RegistrationVerb
from dealreg.verbs.ending import no_move
from dealreg.verbs.routing import keep_figures, set_route
from portal.events.services import snapshot
from portal.workflow.blockers import Blocker, Money, _
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Effect


@dataclass(frozen=True)
class NewValue:
    """What changes: the amounts, in the currencies they were filed in, and the latest invoice's day."""

    tcv: Decimal | None = None
    solution_value: Decimal | None = None
    end: date | None = None


class Revalidate(RegistrationVerb[NewValue]):
    """Ask for another review at a higher value; what there was is kept until that succeeds (PAYG-2, PAYG-3)."""

    name = "revalidate"
    label = _("Revalidate at a new value")
    page = "revalidate"
    event = "registration.revalidated"
    sentence = Sentence("arrow-repeat", "info", _("%(company)s asked for a revalidation at a new value"), REGISTRATION)
    who = (may_file,)

    def blockers(self, record: Registration, context: Context) -> Iterable[Blocker]:
        if (record.outcome or record.status) not in states.REVALIDATED:
            yield no_move(record)
            return
        assert record.first_submitted_at is not None
        yield from revalidation.revalidation_blockers(
            record.pricing,
            record.first_submitted_at.date(),
            context.now.date(),
            revalidated=record.revalidated_at is not None,
            policy=context.policy,
        )

    def input_blockers(self, record: Registration, inputs: NewValue, context: Context) -> Iterable[Blocker]:
        found = self._judgement(record, inputs, context)
        yield from (b for b in found.violations if b.field in revalidation.CHANGEABLE)
        yield from revalidation.revalidated_value_blockers(found.tcv_usd, context.policy)

    def apply(self, record: Registration, inputs: NewValue, context: Context) -> Effect:
        held = snapshot(record)
        record.previous = {name: held[name] for name in BY_REVALIDATION} | {"outcome": record.outcome or record.status}
        record.revalidate()
        record.outcome, record.closed_at, record.close_due_at, record.reopened_at = "", None, None, None
        record.revalidated_at = record.submitted_at = record.review_pending_at = context.now
        record.submitted_by_id, record.policy_version = context.actor.user_id, context.policy.version
        record.reason_code = record.comment = record.validated_by = record.decided_from = ""
        record.decided_at = None
        keep_figures(record, self._judgement(record, inputs, context))
        return Effect(reasons=set_route(record, context).reasons)

    @staticmethod
    def _judgement(record: Registration, inputs: NewValue, context: Context) -> rules.Judgement:
        """As the form's rules find it, at the rates of the first submission (FX-2)."""
        invited = record.referral.vendor_invited_at
        facts = rules.RegistrationFacts(
            today=context.now.date(),
            created=record.referral.created_at.date(),
            first_filed=record.first_submitted_at.date() if record.first_submitted_at else None,
            vendor_invited=invited.date() if invited else None,
            rates=kept_rates(record),
        )
        return context.once("judgement", lambda: rules.judge(_claim(record, inputs), facts, context.policy))


def _claim(record: Registration, inputs: NewValue) -> rules.RegistrationInput:
    """What was filed, with the new values in it."""
    return replace(
        record.claim,
        tcv=_money(inputs.tcv, record.tcv_currency),
        solution_value=_money(inputs.solution_value, record.solution_value_currency),
        end=inputs.end,
    )


def _money(amount: Decimal | None, currency: str) -> Money | None:
    return None if amount is None else Money(amount, currency)


REVALIDATE = Revalidate()
