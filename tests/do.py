"""The verbs by name, with their inputs as keywords."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from dealreg import sweeps
from dealreg import verbs as registration_verbs
from dealreg.models import Registration
from dealreg.rules import RegistrationInput
from dealreg.services import documents
from dealreg.services import registration as registrations
from exceptions_council import verbs as exception_verbs
from exceptions_council.models import ExceptionRequest
from exceptions_council.rules import ExceptionInput
from exceptions_council.services import requests as exceptions
from isvconnect import verbs as isv_verbs
from isvconnect.models import IsvDeal
from isvconnect.rules.values import IsvDealInput
from isvconnect.services import deals as isv_deals
from portal.accounts.rules import SYSTEM, Actor
from portal.catalog.models import Solution
from portal.demo.deals import sell
from portal.workflow.services import run
from referrals import rules, verbs
from referrals.models import Referral
from referrals.services import editing

__all__ = ["sell"]

decide = registrations.decide


def accept(referral: Referral, *, actor: Actor, now: datetime, **inputs: Any) -> Referral:
    return run(referral, verbs.ACCEPT, verbs.Acceptance(**inputs), actor=actor, now=now)


def decline(referral: Referral, *, actor: Actor, now: datetime, **inputs: Any) -> Referral:
    return run(referral, verbs.DECLINE, verbs.Reason(**inputs), actor=actor, now=now)


def expire(referral: Referral, *, now: datetime) -> Referral:
    return run(referral, verbs.EXPIRE, actor=SYSTEM, now=now)


def set_stage(referral: Referral, *, stage: int, actor: Actor, now: datetime) -> Referral:
    return run(referral, verbs.SET_STAGE, verbs.Stage(stage), actor=actor, now=now)


def win(referral: Referral, *, actor: Actor, now: datetime, signed_on: date | None = None) -> Referral:
    return run(referral, verbs.WIN, verbs.Signing(signed_on), actor=actor, now=now)


def schedule_win(referral: Referral, *, actor: Actor, now: datetime, signed_on: date | None = None) -> Referral:
    return run(referral, verbs.SCHEDULE_WIN, verbs.Signing(signed_on), actor=actor, now=now)


def cancel_win(referral: Referral, *, actor: Actor, now: datetime) -> Referral:
    return run(referral, verbs.CANCEL_WIN, actor=actor, now=now)


def end_win_plan(referral: Referral, *, now: datetime) -> Referral:
    return run(referral, verbs.END_WIN_PLAN, actor=SYSTEM, now=now)


def lose(referral: Referral, *, actor: Actor, now: datetime, **inputs: Any) -> Referral:
    return run(referral, verbs.LOSE, verbs.Reason(**inputs), actor=actor, now=now)


def close_as_error(referral: Referral, *, actor: Actor, now: datetime, **inputs: Any) -> Referral:
    return run(referral, verbs.CLOSE_AS_ERROR, verbs.Reason(**inputs), actor=actor, now=now)


def add_note(referral: Referral, *, text: str, actor: Actor, now: datetime, shared: bool = True) -> Referral:
    verb = verbs.ADD_NOTE if shared else verbs.ADD_PRIVATE_NOTE
    return run(referral, verb, verbs.NewNote(text), actor=actor, now=now)


def share_with_vendor(referral: Referral, *, actor: Actor, now: datetime) -> Referral:
    return run(referral, verbs.SHARE_WITH_VENDOR, actor=actor, now=now)


def request_help(referral: Referral, *, actor: Actor, now: datetime, **inputs: Any) -> Referral:
    return run(referral, verbs.REQUEST_HELP, verbs.HelpRequest(**inputs), actor=actor, now=now)


def invite_partner(referral: Referral, invitation: verbs.Invitation, *, actor: Actor, now: datetime) -> Referral:
    """Returns the partner's copy."""
    inviter = run(referral, verbs.INVITE_PARTNER, invitation, actor=actor, now=now)
    return Referral.objects.with_context().get(engagement=inviter.engagement, company=invitation.partner)


def submit(
    registration: Registration, form: RegistrationInput, *, actor: Actor, now: datetime, solution: Any = None
) -> Registration:
    return run(registration, registration_verbs.SUBMIT, _about(form, solution), actor=actor, now=now)


def resubmit(
    registration: Registration, form: RegistrationInput, *, actor: Actor, now: datetime, solution: Any = None
) -> Registration:
    return run(registration, registration_verbs.RESUBMIT, _about(form, solution), actor=actor, now=now)


def _about(form: RegistrationInput, solution: Solution | None) -> RegistrationInput:
    return replace(form, solution=solution.pk) if solution else form


def route(registration: Registration, *, now: datetime) -> Registration:
    return run(registration, registration_verbs.ROUTE, actor=SYSTEM, now=now)


def routed(filed: Registration, *, now: datetime) -> Registration:
    """Whoever was first: this, or a worker that runs beside the test."""
    sweeps.route_once(filed, now=now)
    return Registration.objects.get(pk=filed.pk)


def close(registration: Registration, *, now: datetime) -> Registration:
    return run(registration, registration_verbs.CLOSE, actor=SYSTEM, now=now)


def close_unregistered(registration: Registration, *, actor: Actor, now: datetime) -> Registration:
    return run(registration, registration_verbs.CLOSE_UNREGISTERED, actor=actor, now=now)


def withdraw(registration: Registration, *, actor: Actor, now: datetime) -> Registration:
    return run(registration, registration_verbs.WITHDRAW, actor=actor, now=now)


def fail_unanswered(registration: Registration, *, now: datetime) -> Registration:
    return run(registration, registration_verbs.FAIL_UNANSWERED, actor=SYSTEM, now=now)


def register_after_all(registration: Registration, *, actor: Actor, now: datetime) -> Registration:
    return run(registration, registration_verbs.REGISTER_AFTER_ALL, actor=actor, now=now)


def revalidate(registration: Registration, *, actor: Actor, now: datetime, **values: Any) -> Registration:
    return run(registration, registration_verbs.REVALIDATE, registration_verbs.NewValue(**values), actor=actor, now=now)


def edit_details(referral: Referral, *, actor: Actor, now: datetime, **changes: Any) -> Referral:
    """As somebody who has this very object on the screen."""
    wanted = replace(verbs.details_of(referral), **changes)
    return editing.edit_details(referral, wanted, seen_version=referral.version, actor=actor, now=now)


def edit_contact(referral: Referral, *, actor: Actor, now: datetime, **contact: Any) -> Referral:
    return run(referral, verbs.EDIT_CONTACT, rules.Contact(**contact), actor=actor, now=now)


def set_references(referral: Referral, *, actor: Actor, now: datetime, crm_id: str = "CRM-1") -> Referral:
    return run(referral, verbs.SET_REFERENCES, verbs.References(crm_id), actor=actor, now=now)


def edit_team(referral: Referral, team: Sequence[rules.Member], *, actor: Actor, now: datetime) -> Referral:
    return editing.edit_team(referral, team, seen_version=referral.version, actor=actor, now=now)


def edit_solutions(referral: Referral, solutions: Sequence[Solution], *, actor: Actor, now: datetime) -> Referral:
    return editing.edit_solutions(referral, solutions, seen_version=referral.version, actor=actor, now=now)


def add_document(referral: Referral, name: str, content: bytes, *, actor: Actor, now: datetime) -> None:
    documents.add(referral, SimpleUploadedFile(name, content), actor=actor, now=now)


def ask_exception(referral: Referral, form: ExceptionInput, *, actor: Actor, now: datetime) -> ExceptionRequest:
    return exceptions.ask(referral, form, actor=actor, now=now)


def vote(request: ExceptionRequest, choice: str, why: str, *, actor: Actor, now: datetime) -> ExceptionRequest:
    return run(request, exception_verbs.VOTE, exception_verbs.Ballot(choice, why), actor=actor, now=now)


def ask_evidence(
    request: ExceptionRequest, text: str, *, actor: Actor, now: datetime, due_on: date | None = None
) -> ExceptionRequest:
    question = exception_verbs.EvidenceQuestion(text, due_on)
    return run(request, exception_verbs.ASK_EVIDENCE, question, actor=actor, now=now)


def answer_evidence(request: ExceptionRequest, answer: str, *, actor: Actor, now: datetime) -> ExceptionRequest:
    return run(request, exception_verbs.ANSWER_EVIDENCE, exception_verbs.EvidenceAnswer(answer), actor=actor, now=now)


def evidence_unanswered(request: ExceptionRequest, *, now: datetime) -> ExceptionRequest:
    return run(request, exception_verbs.EVIDENCE_UNANSWERED, actor=SYSTEM, now=now)


def declare_conflict(request: ExceptionRequest, reason: str, *, actor: Actor, now: datetime) -> ExceptionRequest:
    return run(request, exception_verbs.DECLARE_CONFLICT, exception_verbs.Interest(reason), actor=actor, now=now)


def report_isv_deal(form: IsvDealInput, referral: Referral | None = None, *, actor: Actor, now: datetime) -> IsvDeal:
    return isv_deals.report(form, referral, actor=actor, now=now)


def correct_isv_deal(deal: IsvDeal, form: IsvDealInput, *, actor: Actor, now: datetime) -> IsvDeal:
    return run(deal, isv_verbs.CORRECT, form, actor=actor, now=now)


def issue_invoices(deal: IsvDeal, *, now: datetime) -> IsvDeal:
    return run(deal, isv_verbs.ISSUE_INVOICES, isv_verbs.Issuing(), actor=SYSTEM, now=now)


def set_fees(deal: IsvDeal, *, now: datetime) -> IsvDeal:
    return run(deal, isv_verbs.SET_FEES, actor=SYSTEM, now=now)


def cancel_isv_deal(deal: IsvDeal, reason: str, *, actor: Actor, now: datetime, credit_issued: bool = False) -> IsvDeal:
    return run(deal, isv_verbs.CANCEL, isv_verbs.Cancelling(reason, credit_issued), actor=actor, now=now)
