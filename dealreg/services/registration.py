"""What registrations offer besides single verbs: eligibility, the dry run, opening registrations, a reviewer's
decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from dealreg import rules, verbs
from dealreg.models import Registration, RegistrationDraft, Status
from dealreg.rules.criteria import Eligibility
from dealreg.selectors.registration import around, eligibility_of, kept_eligibility
from dealreg.services import drafts
from portal.accounts.rules import SYSTEM, Actor
from portal.policy import services as policies
from portal.workflow import services as workflow
from portal.workflow.blockers import RuleViolation
from portal.workflow.verbs import Verb
from referrals.models import Referral
from referrals.policies import may_register


def eligibility(referral: Referral, registration: Registration | None, *, now: datetime) -> Eligibility:
    """The criteria of co-sell registration for this deal, each with what it needs and who can settle it (ELIG); as they
    were when the registration was opened, once it is (ELIG-10)."""
    return kept_eligibility(registration) or eligibility_of(referral, policies.current(now))


def check(referral: Referral, form: rules.RegistrationInput, *, actor: Actor, now: datetime) -> rules.Judgement:
    """The dry run: violations, ACV and route as a submission now would find them (REG-15). Writes nothing."""
    registration = Registration.objects.filter(referral=referral).first()
    return verbs.judge(referral, registration, form, workflow.context_of(actor, now))


def open_registrations(referrals: Iterable[Referral], *, now: datetime) -> list[Registration]:
    """Open the registration of each won, eligible deal that has none yet (ELIG-9). Other deals stay as they are."""
    deals = sorted(referrals, key=lambda deal: deal.pk)  # whoever opens the same ones waits, and is waited for by none
    if not deals:
        return []
    beside = around(deals)
    given = [verbs.Opening(deal, beside[deal.pk]) for deal in deals]
    try:
        return workflow.create_batch(verbs.OPEN, given, actor=SYSTEM, now=now)
    except IntegrityError:
        # Another change opened some of them at the same moment; if it was something else, it keeps no other from it.
        taken = set(Registration.objects.filter(referral__in=deals).values_list("referral", flat=True))
        left = [deal for deal in deals if deal.pk not in taken]
        parts = [left] if taken else [left[: len(left) // 2], left[len(left) // 2 :]]
        again = [part for part in parts if 0 < len(part) < len(deals)]
        return [opened for part in again for opened in open_registrations(part, now=now)]


def submit(referral: Referral, form: rules.RegistrationInput, *, actor: Actor, now: datetime) -> Registration:
    """File the deal's registration, opened first if nothing has opened it yet (ELIG-9).

    Raises PermissionDenied; RuleViolation with all that a check finds, or wrong_state where one was filed.
    """
    with transaction.atomic():
        registration = Registration.objects.filter(referral=referral).first()
        if registration is None:
            if not may_register(actor, referral):
                raise PermissionDenied
            open_registrations([referral], now=now)
            registration = Registration.objects.filter(referral=referral).first()
        if registration is None:
            raise RuleViolation(check(referral, form, actor=actor, now=now).violations)
        return workflow.run(registration, verbs.SUBMIT, form, actor=actor, now=now)


@transaction.atomic
def file(
    registration: Registration,
    form: rules.RegistrationInput,
    *,
    answers: Mapping[str, str],
    base: str | None,
    seen_version: int | None,
    actor: Actor,
    now: datetime,
) -> Registration:
    """File the registration, or file it again, as its page shows it: `answers` as a draft would keep them, `base` as
    in drafts.check_seen(). Raises as run_from_page(), and SavedMeanwhile."""
    fresh = workflow.lock(registration)
    draft = RegistrationDraft.objects.select_related("saved_by").filter(registration=fresh).first()
    drafts.check_seen(draft, answers, actor=actor, base=base)
    verb = verbs.RESUBMIT if fresh.status == Status.ACTION_REQUIRED else verbs.SUBMIT
    return workflow.run_from_page(fresh, verb, form, seen_version=seen_version, actor=actor, now=now)


def decide(
    registration: Registration,
    verb: str,
    *,
    actor: Actor,
    now: datetime,
    seen_version: int | None = None,
    **given: Any,
) -> Registration:
    """Run a verb of the administration, given by name, with those values of its form that the verb takes.

    `seen_version`: what the page showed (FLOW-7). Raises PermissionDenied, Stale if it showed other figures, or
    RuleViolation (wrong_state if another reviewer decided first).
    """
    chosen: Verb[Registration, Any] = verbs.MACHINE.by_name[verb]
    inputs = None
    if isinstance(chosen, verbs.Reviewing):
        taken = {field.name for field in fields(chosen.takes)}
        inputs = chosen.takes(**{name: value for name, value in given.items() if name in taken})
    return workflow.run_from_page(registration, chosen, inputs, seen_version=seen_version, actor=actor, now=now)
