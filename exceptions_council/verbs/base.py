"""What the verbs of the council share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exceptions_council.models import ExceptionRequest
from exceptions_council.rules import VoterFacts, voter_blockers
from exceptions_council.selectors.council import belongs_to_company, voter_facts
from portal.workflow.blockers import Blocker
from portal.workflow.verbs import Context, Inputs, Verb
from referrals.models import Referral


class ExceptionVerb(Verb[ExceptionRequest, Inputs]):
    """A verb that changes what the deal's API answer says of its request: the deal is a new version, too."""

    def settle(self, records: Sequence[ExceptionRequest], context: Context) -> None:
        deals = Referral.objects.filter(pk__in=[record.referral_id for record in records])
        deals.touch(context.now, actor=context.actor)


def facts_of_actor(record: ExceptionRequest, context: Context) -> VoterFacts:
    return context.once("voter", lambda: voter_facts(record, context.actor.user_id or 0))


def outsider_blockers(record: ExceptionRequest, context: Context) -> Iterator[Blocker]:
    """Nobody of the deal's own company, and nobody with a conflict, takes part (EXC-8)."""
    user_id = context.actor.user_id or 0
    conflict = record.conflicts.filter(member_id=user_id).exists()
    yield from voter_blockers(VoterFacts(own_company=belongs_to_company(record, user_id), conflict=conflict))
