"""The verbs that answer a received deal: accept, decline, or expire (REF-12, REF-13)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from portal.workflow.blockers import Blocker, Money, _
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Effect, worker
from referrals import rules
from referrals.models import Referral
from referrals.timeline import STATUS
from referrals.verbs import copies
from referrals.verbs.base import ClosingVerb, DealVerb, Reason, close
from referrals.verbs.notes import note_with


@dataclass(frozen=True)
class Acceptance:
    """The details with which a company accepts a deal, and its people who work on it (REF-7, REF-12).

    `team` is None where the company names its people later: Microsoft's API accepts with no more than the status.
    """

    name: str
    value: Money
    close_date: date
    crm_id: str = ""
    campaign_id: str = ""
    notes: str = ""
    team: Sequence[rules.Member] | None = ()


class Accept(DealVerb[Acceptance]):
    """Accept a received deal (REF-12)."""

    name = "accept"
    label = _("Accept")
    primary = True
    in_dialog = False
    event = "referral.accepted"
    sentence = Sentence("check-circle", "success", _("%(company)s accepted the deal"), STATUS)
    shared = True
    indexed = True

    def blockers(self, record: Referral, context: Context) -> Iterable[Blocker]:
        return rules.answer_blockers(record.expires_at, now=context.now)

    def input_blockers(self, record: Referral, inputs: Acceptance, context: Context) -> Iterable[Blocker]:
        yield from rules.detail_blockers(
            name=inputs.name, value=inputs.value, notes=inputs.notes, policy=context.policy
        )
        yield from rules.reference_blockers(crm_id=inputs.crm_id, campaign_id=inputs.campaign_id)
        if inputs.team is not None:
            yield from rules.team_blockers(inputs.team, policy=context.policy)

    def apply(self, record: Referral, inputs: Acceptance, context: Context) -> Effect:
        record.accept()
        record.accepted_at = context.now
        record.name, record.close_date = inputs.name, inputs.close_date
        record.crm_id, record.campaign_id = inputs.crm_id, inputs.campaign_id
        copies.set_value(record, inputs.value, context)
        if inputs.team is not None:
            copies.set_team(record, inputs.team)
        return Effect(events=note_with(record, inputs.notes, context))


class Decline(ClosingVerb):
    """Decline a received deal, with a reason that the sender reads (REF-12)."""

    name = "decline"
    label = _("Decline")
    event = "referral.declined"
    sentence = Sentence("x-circle", "danger", _("%(company)s declined the deal: %(reason)s"), STATUS)
    reasons = rules.CLOSE_REASONS
    rule = "REF-12"

    def blockers(self, record: Referral, context: Context) -> Iterable[Blocker]:
        return rules.answer_blockers(record.expires_at, now=context.now)

    def apply(self, record: Referral, inputs: Reason, context: Context) -> Effect:
        record.decline()
        close(record, context, inputs)
        return Effect(comment=inputs.comment)


class Expire(DealVerb[None]):
    """Close an unanswered referral whose time is over (REF-13)."""

    name = "expire"
    label = _("Expire")
    event = "referral.expired"
    sentence = Sentence("hourglass-bottom", "warning", _("%(company)s did not answer in time"), STATUS)
    who = (worker,)
    shared = True

    def apply(self, record: Referral, inputs: None, context: Context) -> Effect:
        record.expire()
        close(record, context)
        return Effect()


ACCEPT, DECLINE, EXPIRE = Accept(), Decline(), Expire()
