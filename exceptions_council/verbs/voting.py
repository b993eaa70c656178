"""The council votes, and the vote that makes the majority decides (EXC-8, EXC-15)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from dealreg.models import Registration
from dealreg.rules import states as registrations
from exceptions_council.models import Conflict, ExceptionRequest, Vote
from exceptions_council.policies import may_vote
from exceptions_council.rules import states, voter_blockers
from exceptions_council.rules.evidence import length_blockers
from exceptions_council.rules.kinds import replaced
from exceptions_council.selectors.council import tally_of
from exceptions_council.timeline import EXCEPTION
from exceptions_council.verbs.base import ExceptionVerb, facts_of_actor
from exceptions_council.verbs.letters import write_letters
from portal.accounts.rules import SYSTEM
from portal.events.models import Event
from portal.events.services import new_event
from portal.workflow.blockers import Blocker, _
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Described, Effect, Verb


class Approved(Described):
    """What happens along with the vote that makes a majority for it."""

    name = "approved"
    label = _("Approve the exception")
    event = "exception.approved"
    sentence = Sentence(
        "shield-check", "success", _("The council approved the exception, open until %(open_until)s"), EXCEPTION
    )


class Denied(Described):
    """What happens along with the vote that makes a majority against it."""

    name = "denied"
    label = _("Deny the exception")
    event = "exception.denied"
    sentence = Sentence("shield-x", "danger", _("The council denied the exception"), EXCEPTION)


@dataclass(frozen=True)
class Ballot:
    """A member's vote: approve or deny, and why."""

    choice: str = ""
    rationale: str = ""


class CastVote(ExceptionVerb[Ballot]):
    """Vote, or change one's vote; with the quorum and a majority the council has decided, for good (EXC-6, EXC-8)."""

    name = "vote"
    label = _("Vote")
    event = "exception.voted"
    sentence = Sentence("check2-square", "neutral", _("A member of the council voted"), EXCEPTION)
    who = (may_vote,)
    internal = primary = True

    def blockers(self, record: ExceptionRequest, context: Context) -> Iterable[Blocker]:
        return voter_blockers(facts_of_actor(record, context))

    def input_blockers(self, record: ExceptionRequest, inputs: Ballot, context: Context) -> Iterable[Blocker]:
        if inputs.choice not in states.CHOICES:
            yield Blocker("choice_required", _("Choose: approve or deny."), "EXC-8", "choice")
        if not inputs.rationale.strip():
            yield Blocker("rationale_required", _("Give the reasons for your vote."), "EXC-8", "rationale")
        yield from length_blockers(inputs.rationale, "rationale", context.policy)
        registration = Registration.objects.filter(referral=record.referral_id, outcome=registrations.REPLACED)
        if inputs.choice == states.APPROVE and registration.exists():
            yield replaced("choice")

    def apply(self, record: ExceptionRequest, inputs: Ballot, context: Context) -> Effect:
        _keep_vote(record, inputs, context)
        found = tally_of(record, context.policy)
        record.vote(found.decision or states.IN_REVIEW)
        record.in_review_at = record.in_review_at or context.now
        told = {"choice": inputs.choice, "approve": found.approve, "deny": found.deny, "quorum": found.quorum}
        if found.decision is None:
            return Effect(after=told, comment=inputs.rationale.strip())
        record.decided_at = context.now
        if found.decision == states.APPROVED:
            open_days = timedelta(days=context.policy.exception_open_days)
            record.open_until = context.now.date() + open_days
        write_letters(record, context)
        return Effect(after=told, comment=inputs.rationale.strip(), events=[_decision(record, context)])


def _keep_vote(record: ExceptionRequest, inputs: Ballot, context: Context) -> None:
    given = {"choice": inputs.choice, "rationale": inputs.rationale.strip()}
    vote, created = Vote.objects.get_or_create(
        request=record, member_id=context.actor.user_id, defaults={**given, "given_at": context.now}
    )
    if not created:
        Vote.objects.filter(pk=vote.pk).update(**given, changed_at=context.now)


def _decision(record: ExceptionRequest, context: Context) -> Event:
    """The council's, not that of the member who voted last."""
    verb: Described = APPROVED if record.status == states.APPROVED else DENIED
    until = record.open_until.isoformat() if record.open_until else None
    return new_event(
        record,
        verb.event,
        actor=SYSTEM,
        now=context.now,
        company_id=record.owner_id,
        group=record.event_group,
        version=record.version + 1,  # that it will have made
        after={"status": record.status, "kind": record.kind, "open_until": until},
        policy_version=context.policy.version,
    )


@dataclass(frozen=True)
class Interest:
    """Why a member keeps out."""

    reason: str = ""


class DeclareConflict(Verb[ExceptionRequest, Interest]):
    """Keep out because of a conflict of interest: the member doesn't vote, and a vote given no longer counts.

    It decides nothing: only votes do.
    """

    name = "declare_conflict"
    label = _("Declare a conflict of interest")
    event = "exception.conflict_declared"
    sentence = Sentence("person-dash", "neutral", _("A member of the council declared a conflict"), EXCEPTION)
    who = (may_vote,)
    internal = final = True

    def blockers(self, record: ExceptionRequest, context: Context) -> Iterable[Blocker]:
        if facts_of_actor(record, context).conflict:
            yield Blocker("conflict_declared", _("You declared a conflict of interest; other members decide."), "EXC-8")

    def input_blockers(self, record: ExceptionRequest, inputs: Interest, context: Context) -> Iterable[Blocker]:
        if not inputs.reason.strip():
            yield Blocker("conflict_reason_required", _("Say what the conflict is."), "EXC-8", "reason")
        yield from length_blockers(inputs.reason, "reason", context.policy)

    def apply(self, record: ExceptionRequest, inputs: Interest, context: Context) -> Effect:
        assert context.actor.user_id is not None
        record.declare_conflict()
        Conflict.objects.create(
            request=record,
            member_id=context.actor.user_id,
            reason=inputs.reason.strip(),
            declared_at=context.now,
        )
        return Effect(comment=inputs.reason.strip())


APPROVED, DENIED = Approved(), Denied()
VOTE, DECLARE_CONFLICT = CastVote(), DeclareConflict()
