"""What the partner does to a registration: opens it by winning, files it, corrects it, or closes it unregistered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from dealreg import rules
from dealreg.models import NOT_REGISTERED, Document, Registration, RegistrationDraft, Status
from dealreg.policies import may_file
from dealreg.rules import reopening, revalidation
from dealreg.rules.criteria import criteria_to_json
from dealreg.selectors.registration import Around, around, eligibility_of, known_facts, registration_facts
from dealreg.selectors.routing import form_to_json
from dealreg.timeline import REGISTRATION
from dealreg.verbs.base import RegistrationVerb
from dealreg.verbs.routing import keep_facts, keep_figures, set_route
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, _
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Creation, Effect, Verb, worker
from referrals.models import Referral


@dataclass(frozen=True)
class Opening:
    """The won deal to open a registration for; `around`: what decides about it elsewhere, where it is loaded."""

    referral: Referral
    around: Around | None = None


class Open(Creation[Registration, Opening]):
    """Give a won, eligible deal its registration to file (ELIG-9); the criteria are judged here, and kept (ELIG-10)."""

    name = "open"
    label = _("Open the registration")
    event = "registration.opened"
    sentence = Sentence("clipboard-plus", "brand", _("The deal can be registered"), REGISTRATION)
    who = (worker,)

    def input_blockers(self, inputs: Opening, context: Context) -> Iterable[Blocker]:
        if not self._found(inputs, context).eligible:
            yield Blocker("not_eligible", _("This deal is not eligible for registration."), "REG-14")

    def make(self, inputs: Opening, context: Context) -> tuple[Registration, Effect]:
        beside = self._around(inputs, context)
        # Without eligible ones an exception stands in for them (ELIG-8), so any on the deal will do.
        solutions = beside.eligible_solutions or beside.solutions
        criteria = criteria_to_json(self._found(inputs, context))
        registration = Registration(
            referral=inputs.referral,
            solution_id=solutions[0].pk if len(solutions) == 1 else None,
            criteria=criteria,
            open_solutions=[solution.pk for solution in solutions],
            created_at=context.now,
            updated_at=context.now,
        )
        return registration, Effect(after={"status": registration.status, "criteria": criteria})

    def _found(self, inputs: Opening, context: Context) -> rules.Eligibility:
        beside = self._around(inputs, context)
        return context.once("eligibility", lambda: eligibility_of(inputs.referral, context.policy, beside))

    def _around(self, inputs: Opening, context: Context) -> Around:
        return inputs.around or context.once("around", lambda: around([inputs.referral])[inputs.referral.pk])


def judge(
    referral: Referral, registration: Registration | None, form: rules.RegistrationInput, context: Context
) -> rules.Judgement:
    """Evaluate the form; dry run and submission both call this (REG-15)."""
    known, policy = _known(referral, registration, context), context.policy
    facts = registration_facts(known, referral, registration, form, now=context.now, policy=policy)
    return _judged(registration, form, facts, policy)


def _known(referral: Referral, registration: Registration | None, context: Context) -> rules.RegistrationFacts:
    """What doesn't depend on the answers. Opening settled the eligibility (ELIG-10)."""
    policy = context.policy

    def find() -> rules.RegistrationFacts:
        eligibility = None if registration else eligibility_of(referral, policy)
        return known_facts(referral, registration, eligibility=eligibility, now=context.now, policy=policy)

    return context.once(f"known of {referral.pk}", find)


def _judged(
    registration: Registration | None, form: rules.RegistrationInput, facts: rules.RegistrationFacts, policy: Policy
) -> rules.Judgement:
    found = rules.judge(form, facts, policy)
    more = tuple(_of_what_came_back(registration, found, policy)) if registration else ()
    return replace(found, violations=(*found.violations, *more), route=None) if more else found


def _of_what_came_back(registration: Registration, found: rules.Judgement, policy: Policy) -> Iterator[Blocker]:
    """What a reopened registration, or a revalidation, may not change, and what it needs (EXC-9, EXC-14, PAYG-2)."""
    if registration.status != Status.ACTION_REQUIRED:
        return
    if registration.is_reopened:
        documents = Document.objects.of_deal(registration.referral)
        yield from reopening.foreign_corrections(registration.claim, found.claim)
        yield from reopening.proof_blockers(has_document=documents.exists())
    elif registration.is_revalidation:
        yield from revalidation.foreign_changes(registration.claim, found.claim)
    if registration.is_revalidation:
        yield from revalidation.revalidated_value_blockers(found.tcv_usd, policy)


class _Claiming(RegistrationVerb[rules.RegistrationInput]):
    """A verb that sends the form. Its button asks only whether the registration can be filed at all (REG-14)."""

    primary = True
    page = "registration"
    in_dialog = False
    who = (may_file,)

    def blockers(self, record: Registration, context: Context) -> Iterable[Blocker]:
        known = _known(record.referral, record, context)
        found = _judged(record, rules.RegistrationInput(), known, context.policy)
        return [b for b in found.violations if not b.field]

    def input_blockers(
        self, record: Registration, inputs: rules.RegistrationInput, context: Context
    ) -> Iterable[Blocker]:
        return [b for b in self._judgement(record, inputs, context).violations if b.field]

    def _judgement(self, record: Registration, inputs: rules.RegistrationInput, context: Context) -> rules.Judgement:
        return context.once("judgement", lambda: judge(record.referral, record, inputs, context))

    def _state(self, record: Registration, inputs: rules.RegistrationInput, context: Context) -> None:
        """Keep the answers and what replaying the decision needs (FLOW-7), at the rates of the first submission (FX-2).
        The draft has served (REG-19)."""
        found = self._judgement(record, inputs, context)
        keep_figures(record, found)
        used = {
            currency: {"usd_per_unit": str(rate.usd_per_unit), "month": rate.month.isoformat()}
            for currency, rate in found.rates_used.items()
        }
        record.rates = record.rates | used
        keep_facts(record, form_to_json(found.facts))
        record.policy_version = context.policy.version
        record.submitted_at, record.submitted_by_id = context.now, context.actor.user_id
        RegistrationDraft.objects.filter(registration=record).delete()


class Submit(_Claiming):
    """File the registration; a worker routes it at once (FLOW-1)."""

    name = "submit"
    label = _("Register now")
    event = "registration.submitted"
    sentence = Sentence("send", "info", _("The registration was filed"), REGISTRATION)

    def apply(self, record: Registration, inputs: rules.RegistrationInput, context: Context) -> Effect:
        record.submit()
        record.first_submitted_at = context.now
        self._state(record, inputs, context)
        return Effect()


class Resubmit(_Claiming):
    """Send a corrected registration back to review, with the reasons there are now; only from *action required*
    (FLOW-2)."""

    name = "resubmit"
    label = _("Correct and resubmit")
    event = "registration.resubmitted"
    sentence = Sentence("send", "info", _("The registration was corrected and resubmitted"), REGISTRATION)

    def apply(self, record: Registration, inputs: rules.RegistrationInput, context: Context) -> Effect:
        record.resubmit()
        record.review_pending_at = context.now
        record.reason_code = record.comment = ""
        self._state(record, inputs, context)
        return Effect(reasons=set_route(record, context, correction=True).reasons)


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
