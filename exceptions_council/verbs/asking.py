"""The partner asks for an exception: once for each deal, ever (EXC-1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied

from dealreg.models import Registration
from exceptions_council.models import ExceptionDraft, ExceptionRequest, Kind
from exceptions_council.policies import may_ask
from exceptions_council.rules import ExceptionInput
from exceptions_council.selectors.requests import (
    check,
    current_values,
    refusals_of,
    registration_of,
    replaced_deal,
    values_to_json,
)
from exceptions_council.timeline import EXCEPTION
from portal.policy.calendar import due_day
from portal.workflow.blockers import Blocker, _, to_json
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Creation, Effect
from referrals.models import Referral
from referrals.policies import acts_for_company
from referrals.verbs.base import lock


@dataclass(frozen=True)
class Asking:
    """The deal, and the form as it was filled in."""

    referral: Referral
    form: ExceptionInput


class Ask(Creation[ExceptionRequest, Asking]):
    """Send the request to the council (EXC-1 to EXC-5); the decision on it is final (EXC-6)."""

    name = "ask"
    label = _("Request exception")
    event = "exception.asked"
    sentence = Sentence("shield-check", "info", _("%(company)s asked for an exception: %(kind)s"), EXCEPTION)
    who = (acts_for_company,)
    page = "ask_exception"
    final = True
    in_dialog = False

    def input_blockers(self, inputs: Asking, context: Context) -> Iterable[Blocker]:
        """Raises PermissionDenied for who may not register the deal (EXC-10)."""
        referral = lock(inputs.referral.pk)  # nobody asks, or changes what it is about, meanwhile
        list(Registration.objects.select_for_update().filter(referral=referral))
        if not may_ask(context.actor, referral):
            raise PermissionDenied
        return check(referral, inputs.form, now=context.now, policy=context.policy)

    def apply(self, inputs: Asking, context: Context) -> tuple[ExceptionRequest, Effect]:
        referral, form, now = inputs.referral, inputs.form, context.now
        registration = registration_of(referral)
        asked = form.asked
        request = ExceptionRequest.objects.create(
            referral=referral,
            kind=form.kind,
            justification=form.justification.strip(),
            term=asked.term or "",
            tcv=asked.tcv.amount if asked.tcv else None,
            tcv_currency=asked.tcv.currency if asked.tcv else "",
            signed=asked.signed,
            start=asked.start,
            end=asked.end,
            replaces=replaced_deal(referral, form) if form.kind == Kind.REREGISTRATION else None,
            tooling_error=form.tooling_error,
            tickets=form.tickets.strip() if form.tooling_error else "",
            refusals=[to_json(reason) for reason in refusals_of(referral, form, now=now)],
            values_then=values_to_json(current_values(registration)),
            policy_version=context.policy.version,
            rates=_rates(referral, registration),
            created_at=now,
            updated_at=now,
            last_sent_at=now,
            submitted_by_id=context.actor.user_id,
            due_on=due_day(now.date(), context.policy.exception_decision_days, context.policy),
        )
        ExceptionDraft.objects.filter(referral=referral).delete()
        Referral.objects.filter(pk=referral.pk).touch(now, actor=context.actor)
        return request, Effect(
            after={"kind": request.kind, "status": request.status, "due_on": request.due_on.isoformat()},
            comment=request.justification,
        )


def _rates(referral: Referral, registration: Registration | None) -> dict[str, object]:
    """The rates behind what was refused: the registration's, before one was submitted the deal's own (FX-2)."""
    if registration and registration.rates:
        return dict(registration.rates)
    month = referral.usd_rate_month
    return {referral.currency: {"month": month.isoformat(), "value_usd": str(referral.value_usd)}} if month else {}


ASK = Ask()
