"""The verbs of registrations: the only code that writes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from dealreg import machine, rules
from dealreg.eligibility import Eligibility
from dealreg.facts import eligibility_of, eligible_solutions
from dealreg.models import Registration
from portal.accounts.rules import SYSTEM, Actor
from portal.catalog.models import Solution
from portal.events import services as events
from portal.events.models import Event
from portal.policy import services as policies
from portal.workflow import services as workflow
from portal.workflow.blockers import Blocker, RuleViolation, _
from referrals.models import Referral


def eligibility(referral: Referral, *, now: datetime) -> Eligibility:
    """The criteria of co-sell registration for this deal, each with what is needed and who settles it (ELIG)."""
    return eligibility_of(referral, policy=policies.current(now))


def check(referral: Referral, form: rules.RegistrationInput, *, actor: Actor, now: datetime) -> rules.Judgement:
    """The dry run: violations, ACV and route as a submission now would find them (REG-15). Writes nothing."""
    registration = Registration.objects.filter(referral=referral).first()
    context = workflow.Context(actor, now, policies.current(now))
    return machine.judge(referral, registration, form, context)


def open_registrations(referrals: Iterable[Referral], *, now: datetime) -> list[Registration]:
    """Give each won, eligible deal without one its registration to file (ELIG-9); others are left alone.

    The caller holds the engagement's lock or another guarantee; the database allows one per referral anyway.
    """
    opened = []
    for referral in referrals:
        if eligibility(referral, now=now).eligible:
            registration, created = Registration.objects.get_or_create(
                referral=referral,
                defaults={
                    "created_at": now,
                    "updated_at": now,
                    "solution": eligible_solutions(referral)[0],
                },
            )
            if created:
                opened.append(registration)
    events.record([_opened(r, now) for r in opened])
    return opened


def _opened(registration: Registration, now: datetime) -> Event:
    return events.new_event(
        registration,
        "registration.opened",
        actor=SYSTEM,
        now=now,
        company_id=registration.owner_id,
        group=registration.event_group,
        after={"status": registration.status},
        policy_version=policies.current(now).version,
    )


def submit(
    registration: Registration,
    form: rules.RegistrationInput,
    *,
    solution: Solution | None = None,
    actor: Actor,
    now: datetime,
) -> Registration:
    """File the registration; a worker routes it right after (FLOW-1). Raises RuleViolation with every violation."""
    return _state("submit", registration, form, solution, actor=actor, now=now)


def resubmit(
    registration: Registration,
    form: rules.RegistrationInput,
    *,
    solution: Solution | None = None,
    actor: Actor,
    now: datetime,
) -> Registration:
    """Send a corrected registration back to review, from *action required* only (FLOW)."""
    return _state("resubmit", registration, form, solution, actor=actor, now=now)


@transaction.atomic
def _state(
    verb: str,
    registration: Registration,
    form: rules.RegistrationInput,
    solution: Solution | None,
    *,
    actor: Actor,
    now: datetime,
) -> Registration:
    if solution is not None and solution not in eligible_solutions(registration.referral):
        message = _("Choose one of the Azure IP co-sell eligible solutions on this deal.")
        raise RuleViolation([Blocker("foreign_solution", message, "ELIG-5", "solution")])
    chosen = solution or registration.solution
    return workflow.run(registration, verb, actor=actor, now=now, form=form, solution_id=chosen.pk if chosen else None)


def route(registration: Registration, *, now: datetime) -> Registration:
    """Approve, or send to review or marketplace validation, with the reasons (FLOW-2, FLOW-3). Once: a second
    worker gets RuleViolation wrong_state."""
    return workflow.run(registration, "route", actor=SYSTEM, now=now)


def close_unregistered(registration: Registration, *, actor: Actor, now: datetime) -> Registration:
    """Close without registering, where the solution doesn't qualify (REG-2)."""
    return workflow.run(registration, "close_unregistered", actor=actor, now=now)


def decide(
    registration: Registration, verb: str, *, actor: Actor, now: datetime, reason_code: str = "", comment: str = ""
) -> Registration:
    """A reviewer's verb: pass_review, fail_review, require_action, match, no_match or select_for_review.

    Failing and sending back need a reason code and a comment the partner reads. Raises PermissionDenied, or
    RuleViolation (wrong_state when another reviewer was first).
    """
    inputs: dict[str, str] = {}
    if verb in machine.REASONS:
        inputs = {"reason_code": reason_code, "comment": comment.strip()}
    elif verb in {"pass_review", "match"}:
        inputs = {"comment": comment.strip()}
    return workflow.run(registration, verb, actor=actor, now=now, **inputs)


def close(registration: Registration, *, now: datetime) -> Registration:
    """End a decided registration; the outcome is the state it leaves. sweeps.close_decided does it to many."""
    return workflow.run(registration, "close", actor=SYSTEM, now=now)
