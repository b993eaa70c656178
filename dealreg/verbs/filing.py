"""What the partner does to a registration: opens it by winning, files it, corrects it, or closes it unregistered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dealreg import rules
from dealreg.models import NOT_REGISTERED, Registration
from dealreg.policies import may_file
from dealreg.rules import revalidation
from dealreg.selectors.registration import eligibility_of, eligible_solutions, registration_facts, was_settled
from dealreg.timeline import REGISTRATION
from portal.catalog.models import Solution
from portal.workflow.blockers import Blocker, _
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Creation, Effect, Verb, worker
from referrals.models import Referral


@dataclass(frozen=True)
class Opening:
    """The won deal to open a registration for."""

    referral: Referral


class Open(Creation[Registration, Opening]):
    """Give a won, eligible deal its registration to file (ELIG-9)."""

    name = "open"
    label = _("Open the registration")
    event = "registration.opened"
    sentence = Sentence("clipboard-plus", "brand", _("The deal can be registered"), REGISTRATION)
    who = (worker,)

    def input_blockers(self, inputs: Opening, context: Context) -> Iterable[Blocker]:
        found = eligibility_of(inputs.referral, context.policy)
        if not found.eligible:
            yield Blocker("not_eligible", _("This deal is not eligible for registration."), "REG-14")

    def apply(self, inputs: Opening, context: Context) -> tuple[Registration, Effect]:
        registration = Registration.objects.create(
            referral=inputs.referral,
            solution=eligible_solutions(inputs.referral)[0],
            created_at=context.now,
            updated_at=context.now,
        )
        return registration, Effect(after={"status": registration.status})


@dataclass(frozen=True)
class Claim:
    """The answers of the form (REG), and the solution they are about; None is the solution it was opened with."""

    form: rules.RegistrationInput
    solution: Solution | None = None


def judge(
    referral: Referral, registration: Registration | None, form: rules.RegistrationInput, context: Context
) -> rules.Judgement:
    """Evaluate the form; dry run and submission both call this (REG-15)."""
    settled = was_settled(registration)
    eligibility = None if settled else context.once("eligibility", lambda: eligibility_of(referral, context.policy))
    facts = registration_facts(
        referral, registration, form, eligibility=eligibility, now=context.now, policy=context.policy
    )
    return rules.judge(form, facts, context.policy)


class _Claiming(Verb[Registration, Claim]):
    """A verb that sends the form. Its button asks only whether the registration can be filed at all (REG-14)."""

    primary = True
    page = "registration"
    in_dialog = False
    who = (may_file,)

    def blockers(self, record: Registration, context: Context) -> Iterable[Blocker]:
        empty = rules.RegistrationInput()
        return [b for b in judge(record.referral, record, empty, context).violations if not b.field]

    def input_blockers(self, record: Registration, inputs: Claim, context: Context) -> Iterable[Blocker]:
        if inputs.solution is not None and inputs.solution not in eligible_solutions(record.referral):
            message = _("Choose one of the Azure IP co-sell eligible solutions on this deal.")
            yield Blocker("foreign_solution", message, "ELIG-5", "solution")
        found = self._judgement(record, inputs, context)
        yield from (b for b in found.violations if b.field)
        if record.previous is not None:  # a revalidation that came back
            yield from revalidation.foreign_changes(record.claim, inputs.form)
            yield from revalidation.revalidated_value_blockers(found.tcv_usd, context.policy)

    def _judgement(self, record: Registration, inputs: Claim, context: Context) -> rules.Judgement:
        return context.once("judgement", lambda: judge(record.referral, record, inputs.form, context))

    def _state(self, record: Registration, inputs: Claim, context: Context) -> Effect:
        """The answers, and what replaying the decision needs (FLOW-7), at this month's rates (FX-2)."""
        found = self._judgement(record, inputs, context)
        if inputs.solution is not None:
            record.solution = inputs.solution
        record.claim = inputs.form
        record.acv = found.acv.amount if found.acv else None
        record.acv_usd, record.tcv_usd = found.acv_usd, found.tcv_usd
        record.solution_value_usd = found.solution_value_usd
        record.rates = {
            currency: {"usd_per_unit": str(rate.usd_per_unit), "month": rate.month.isoformat()}
            for currency, rate in found.rates_used.items()
        }
        record.policy_version = context.policy.version
        record.submitted_at, record.submitted_by_id = context.now, context.actor.user_id
        return Effect()


class Submit(_Claiming):
    """File the registration; a worker routes it at once (FLOW-1)."""

    name = "submit"
    label = _("Register now")
    event = "registration.submitted"
    sentence = Sentence("send", "info", _("The registration was filed"), REGISTRATION)

    def apply(self, record: Registration, inputs: Claim, context: Context) -> Effect:
        record.submit()
        record.first_submitted_at = context.now
        return self._state(record, inputs, context)


class Resubmit(_Claiming):
    """Send a corrected registration back to review; only from *action required* (FLOW)."""

    name = "resubmit"
    label = _("Correct and resubmit")
    event = "registration.resubmitted"
    sentence = Sentence("send", "info", _("The registration was corrected and resubmitted"), REGISTRATION)

    def apply(self, record: Registration, inputs: Claim, context: Context) -> Effect:
        record.resubmit()
        record.review_pending_at = context.now
        record.reason_code = record.comment = ""
        return self._state(record, inputs, context)


class CloseUnregistered(Verb[Registration, None]):
    """Close without registering, because the solution doesn't qualify (REG-2)."""

    name = "close_unregistered"
    label = _("Close without registering")
    page = "close_unregistered"
    event = "registration.closed"
    sentence = Sentence("archive", "neutral", _("The registration was closed"), REGISTRATION)
    who = (may_file,)
    danger = True

    def blockers(self, record: Registration, context: Context) -> Iterable[Blocker]:
        if record.submitted_at is not None:
            message = _("The registration was filed and is being checked right now; wait a moment.")
            yield Blocker("being_checked", message, "FLOW-1")

    def apply(self, record: Registration, inputs: None, context: Context) -> Effect:
        record.close_unregistered()
        record.outcome, record.closed_at = NOT_REGISTERED, context.now
        return Effect()


OPEN, SUBMIT, RESUBMIT, CLOSE_UNREGISTERED = Open(), Submit(), Resubmit(), CloseUnregistered()
