"""The registration's machine (FLOW): its verbs, what blocks each, and what each needs beyond its inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Any

from dealreg import rules, states
from dealreg.facts import partner_count, registration_facts
from dealreg.models import Registration
from dealreg.policies import may
from portal.workflow import services as workflow
from portal.workflow.blockers import Blocker, _
from referrals.models import Referral


def _lock(pk: int) -> Registration:
    return Registration.objects.select_for_update(of=("self",)).with_context().get(pk=pk)


def form_of(registration: Registration) -> rules.RegistrationInput:
    """What was stated, as the form holds it."""
    return rules.RegistrationInput(
        marketplace=registration.marketplace,
        marketplace_date=registration.marketplace_date,
        deployment=registration.deployment or None,
        term=registration.term or None,
        tcv=registration.tcv_money,
        solution_value=registration.solution_money,
        signed=registration.signed,
        start=registration.start,
        end=registration.end,
        tenant=registration.tenant or None,
        pricing=registration.pricing or None,
        contract_names_confirmed=registration.contract_names_confirmed,
    )


def judge(
    referral: Referral, registration: Registration | None, form: rules.RegistrationInput, context: workflow.Context
) -> rules.Judgement:
    """The one judgement behind dry run and submission (REG-15)."""
    facts = registration_facts(referral, registration, form, now=context.now, policy=context.policy)
    return rules.judge(form, facts, context.policy)


def _form_blockers(registration: Registration, context: workflow.Context) -> Iterable[Blocker]:
    """Asked for the button: is it open for filing at all. With a form: everything wrong with it (REG-14, REG-15)."""
    form = context.inputs["form"] if context.inputs else None
    if form is not None:
        return judge(registration.referral, registration, form, context).violations
    empty = rules.RegistrationInput()
    return [b for b in judge(registration.referral, registration, empty, context).violations if not b.field]


def _freeze(registration: Registration, context: workflow.Context) -> dict[str, Any]:
    """What a decision must keep to be replayed (FLOW-7), at this month's rates (FX-2)."""
    assert context.inputs is not None
    judgement = judge(registration.referral, registration, context.inputs["form"], context)
    frozen = {
        "acv": judgement.acv.amount if judgement.acv else None,
        "acv_usd": judgement.acv_usd,
        "tcv_usd": judgement.tcv_usd,
        "solution_value_usd": judgement.solution_value_usd,
        "rates": {
            currency: {"usd_per_unit": str(rate.usd_per_unit), "month": rate.month.isoformat()}
            for currency, rate in judgement.rates_used.items()
        },
        "policy_version": context.policy.version,
    }
    return {"frozen": frozen, "by": context.actor.user_id}


def _not_submitted(registration: Registration, context: workflow.Context) -> Iterable[Blocker]:
    if registration.submitted_at is None:
        yield Blocker("not_submitted", _("The registration has not been filed yet."), "FLOW-1")


def _already_submitted(registration: Registration, context: workflow.Context) -> Iterable[Blocker]:
    if registration.submitted_at is not None:
        yield Blocker(
            "being_checked", _("The registration was filed and is being checked right now; wait a moment."), "FLOW-1"
        )


def _route(registration: Registration, context: workflow.Context) -> dict[str, Any]:
    """Where it goes, from what was frozen on submission (FLOW-2, FLOW-3)."""
    route = _route_of(registration, context)
    approved = route.state == states.APPROVED
    return {
        "state": route.state,
        "reasons": list(route.reasons),
        "close_due_at": context.now + timedelta(days=context.policy.close_after_days) if approved else None,
    }


def _route_of(registration: Registration, context: workflow.Context) -> rules.Route:
    assert registration.acv_usd is not None
    facts = rules.RegistrationFacts(
        today=context.now.date(),
        created=registration.referral.created_at.date(),
        partner_count=partner_count(registration.referral),
        won_early=registration.referral.won_early,
    )
    return rules.route_for(form_of(registration), facts, Fraction(registration.acv_usd), context.policy)


def _reviewers_choice(_registration: Registration, _context: workflow.Context) -> dict[str, Any]:
    """What the partner reads when an approved registration is looked at again (FLOW-4)."""
    return {
        "reasons": [
            Blocker(
                "selected_for_review",
                _("The review team selected this approved registration for a closer look; you need to do nothing now."),
                "FLOW-4",
            )
        ]
    }


def _needs_reason(reasons: Mapping[str, str]) -> Callable[[Registration, workflow.Context], Iterable[Blocker]]:
    """A reason code and a comment the partner reads (FLOW, fail_review and require_action)."""

    def blockers(_registration: Registration, context: workflow.Context) -> Iterable[Blocker]:
        if context.inputs is None:
            return
        if context.inputs.get("reason_code") not in reasons:
            yield Blocker("reason_required", _("Choose the reason."), "FLOW-5", "reason_code")
        if not (context.inputs.get("comment") or "").strip():
            yield Blocker("comment_required", _("Write the comment the partner will read."), "FLOW-5", "comment")

    return blockers


#: The reasons a reviewer can give, by verb.
REASONS: Mapping[str, Mapping[str, str]] = {
    "fail_review": states.FAIL_REASONS,
    "no_match": states.FAIL_REASONS,
    "require_action": states.ACTION_REASONS,
}


MACHINE = workflow.register(
    workflow.Machine(
        model=Registration,
        may=may,
        lock=_lock,
        state=lambda registration: states.REGISTRATION_STATES[registration.status],
        verbs=[
            workflow.Verb("submit", "registration.submitted", _("Register now"), _form_blockers, _freeze),
            workflow.Verb(
                "close_unregistered",
                "registration.closed",
                _("Close without registering"),
                _already_submitted,
                final=True,
            ),
            workflow.Verb("resubmit", "registration.resubmitted", _("Correct and resubmit"), _form_blockers, _freeze),
            workflow.Verb("route", "registration.routed", _("Route"), _not_submitted, _route, by_worker=True),
            workflow.Verb("pass_review", "registration.passed", _("Pass the review")),
            workflow.Verb(
                "require_action",
                "registration.action_required",
                _("Send back for correction"),
                _needs_reason(REASONS["require_action"]),
            ),
            workflow.Verb(
                "fail_review", "registration.failed", _("Fail the review"), _needs_reason(REASONS["fail_review"])
            ),
            workflow.Verb("match", "registration.matched", _("Confirm the marketplace transaction")),
            workflow.Verb(
                "no_match",
                "registration.not_matched",
                _("No marketplace transaction"),
                _needs_reason(REASONS["no_match"]),
            ),
            workflow.Verb(
                "select_for_review", "registration.selected", _("Select for review"), prepare=_reviewers_choice
            ),
            workflow.Verb("close", "registration.closed", _("Close"), by_worker=True),
        ],
    )
)
