"""The council: who may vote on a request, how the vote stands, and who is told (EXC-8, EXC-15)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dealreg.verbs import FAIL_REVIEW, MATCH, NO_MATCH, PASS_REVIEW
from exceptions_council.models import Conflict, ExceptionRequest, Vote
from exceptions_council.rules import Tally, VoterFacts, tally, voter_blockers
from portal.accounts.models import Membership, User
from portal.accounts.rules import COUNCIL_MEMBER
from portal.events.models import Event
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker
from referrals.selectors.recipients import people_with

#: By these a person decides a registration (EXC-15).
DECIDING = (PASS_REVIEW.event, FAIL_REVIEW.event, MATCH.event, NO_MATCH.event)


@dataclass(frozen=True)
class Member:
    """A member of the council, as one request concerns them; `vote` is theirs, given or not."""

    user: User
    facts: VoterFacts
    vote: Vote | None

    @property
    def blockers(self) -> list[Blocker]:
        return list(voter_blockers(self.facts))

    @property
    def may_vote(self) -> bool:
        return not self.blockers


def council_of(request: ExceptionRequest) -> list[Member]:
    """Every member of the council, with why they may not vote; then who voted and is no member any more."""
    users = {user.pk: user for user in people_with(COUNCIL_MEMBER)}
    votes = {vote.member_id: vote for vote in Vote.objects.filter(request=request).select_related("member")}
    gone = {key: vote.member for key, vote in votes.items() if key not in users}
    everybody = {**users, **gone}
    own = _belonging(request, everybody)
    decided = deciders_of(request)
    conflicts = set(Conflict.objects.filter(request=request).values_list("member_id", flat=True))
    return [
        Member(user, VoterFacts(key in users, key in own, key in decided, key in conflicts), votes.get(key))
        for key, user in everybody.items()
    ]


def voter_facts(request: ExceptionRequest, user_id: int) -> VoterFacts:
    """Of one person, member or not."""
    found = next((member for member in council_of(request) if member.user.pk == user_id), None)
    return found.facts if found else VoterFacts(is_member=False)


def _belonging(request: ExceptionRequest, user_ids: Iterable[int]) -> set[int]:
    """Who of these belongs to the deal's company, too."""
    members = Membership.objects.filter(company_id=request.owner_id, is_active=True, user_id__in=user_ids)
    return set(members.values_list("user_id", flat=True))


def belongs_to_company(request: ExceptionRequest, user_id: int) -> bool:
    return bool(_belonging(request, [user_id]))


def deciders_of(request: ExceptionRequest) -> set[int]:
    """The people who decided the deal's registration."""
    registration = getattr(request.referral, "registration", None)
    if registration is None:
        return set()
    decisions = Event.objects.of_subject(registration).filter(verb__in=DECIDING, actor_user__isnull=False)
    return set(decisions.values_list("actor_user_id", flat=True))


def tally_of(request: ExceptionRequest, policy: Policy) -> Tally:
    """The votes of those who may vote now."""
    able = [member for member in council_of(request) if member.may_vote]
    given = [member.vote.choice for member in able if member.vote]
    return tally(given, able=len(able), quorum=policy.exception_quorum)
