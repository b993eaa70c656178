"""What a decision means, as its form says before it is made (FLOW, FLOW-9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from dealreg.models import Registration
from dealreg.policies import exception_asked
from portal.policy import services as policies
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, Param, _


def meaning_of(verb: str, registration: Registration, now: datetime) -> list[Blocker]:
    """Sentences in the order in which things happen; none for a verb that ends nothing."""
    policy = policies.current(now)
    told = _MEANING.get(verb)
    return list(told(registration, now, policy)) if told else []


def retractable(registration: Registration) -> Blocker | None:
    """Until when a decision can be taken back; None where there is none (FLOW, retract)."""
    if not registration.decided_from or registration.close_due_at is None:
        return None
    return _sentence(
        _("A programme manager can retract this decision until %(until)s; then the registration closes."),
        until=registration.close_due_at,
    )


def _sentence(message: str, **params: Param) -> Blocker:
    return Blocker("", message, "FLOW", params=params)


def _until(now: datetime, policy: Policy) -> Blocker:
    """From the moment the page is read: it may be sent later, and then there is more time."""
    return _sentence(
        _("A programme manager can retract it within %(hours)s hours, now until %(until)s."),
        hours=policy.close_decided_hours,
        until=now + policy.close_decided_within,
    )


def _failing(registration: Registration, now: datetime, policy: Policy) -> Iterator[Blocker]:
    yield _sentence(_("The partner is told at once, and reads the reason and the comment."))
    yield _until(now, policy)
    if registration.is_revalidation:
        yield _sentence(_("Then it closes with the figures and the outcome it had before the revalidation."))
        return
    yield _sentence(
        _("Then it closes as failed. That is final: the partner can neither correct it nor register again.")
    )
    if exception_asked(registration.referral):
        yield _sentence(_("An exception was asked for on this deal already; there is no second one."))
        return
    yield _sentence(
        _("After that the partner can ask the exception council for an exception, until %(day)s."),
        day=policy.exception_until((registration.first_submitted_at or now).date(), now.date()),
    )


def _sending_back(_registration: Registration, now: datetime, policy: Policy) -> Iterator[Blocker]:
    yield _sentence(
        _("The partner has %(days)s days to correct it, until %(until)s; unanswered it fails, or ends as it was."),
        days=policy.action_days,
        until=now + policy.act_within,
    )


def _passing(_registration: Registration, now: datetime, policy: Policy) -> Iterator[Blocker]:
    yield _until(now, policy)


def _retracting(registration: Registration, _now: datetime, _policy: Policy) -> Iterator[Blocker]:
    if registration.close_due_at is not None:
        yield _sentence(_("It can be retracted until %(until)s; then it closes."), until=registration.close_due_at)


_MEANING: Mapping[str, Callable[[Registration, datetime, Policy], Iterator[Blocker]]] = {
    "fail_review": _failing,
    "no_match": _failing,
    "require_action": _sending_back,
    "pass_review": _passing,
    "match": _passing,
    "retract": _retracting,
}
