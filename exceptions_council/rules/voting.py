"""Who may vote, and what the votes come to (EXC-8, EXC-15)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from exceptions_council.rules.states import APPROVE, APPROVED, DENIED, DENY
from portal.workflow.blockers import Blocker, _


@dataclass(frozen=True)
class VoterFacts:
    """What decides whether a person may vote on a request; all of it is about this one request.

    `is_member`: they are of the council now. `own_company`: they belong to the deal's company. `decided`: they decided
    the registration. `conflict`: they declared a conflict of interest.
    """

    is_member: bool = True
    own_company: bool = False
    decided: bool = False
    conflict: bool = False


def voter_blockers(facts: VoterFacts) -> Iterator[Blocker]:
    """Why this person doesn't vote (EXC-8, EXC-15)."""
    if not facts.is_member:
        yield Blocker("not_of_council", _("You are no longer a member of the council."), "EXC-10")
    if facts.own_company:
        message = _("You belong to the company of this deal; other members decide.")
        yield Blocker("own_companys_deal", message, "EXC-8")
    if facts.decided:
        message = _("You decided on the registration of this deal; other members decide on its exception.")
        yield Blocker("decided_registration", message, "EXC-15")
    if facts.conflict:
        message = _("You declared a conflict of interest; other members decide.")
        yield Blocker("conflict_declared", message, "EXC-8")


@dataclass(frozen=True)
class Tally:
    """The votes that count, and what they need. `able`: how many members may vote on this request."""

    approve: int
    deny: int
    quorum: int
    able: int

    @property
    def given(self) -> int:
        return self.approve + self.deny

    @property
    def decision(self) -> str | None:
        """Approved or denied, once the quorum has voted and one side has more votes (EXC-8)."""
        if self.given < self.quorum or self.is_tie:
            return None
        return APPROVED if self.approve > self.deny else DENIED

    @property
    def is_tie(self) -> bool:
        return self.given >= self.quorum and self.approve == self.deny

    @property
    def too_few(self) -> bool:
        """Whether fewer may vote than have to (EXC-15)."""
        return self.able < self.quorum

    @property
    def open_votes(self) -> int:
        """How many of those who may vote have not yet."""
        return max(self.able - self.given, 0)


def tally(votes: Collection[str], *, able: int, quorum: int) -> Tally:
    """Count the votes of those who may vote."""
    found = list(votes)
    return Tally(found.count(APPROVE), found.count(DENY), quorum, able)


def standing(count: Tally) -> Blocker:
    """How the vote stands, and what settles it, in a sentence (EXC-8)."""
    params = {
        "approve": count.approve, "deny": count.deny, "given": count.given,
        "missing": max(count.quorum - count.given, 0), "able": count.able, "quorum": count.quorum,
    }  # fmt: skip
    if count.too_few:
        message = _("Only %(able)s of the council may vote on this, and %(quorum)s votes are needed.")
    elif count.is_tie and count.open_votes:
        message = _("A tie, %(approve)s to %(deny)s: another member's vote breaks it, or one changes theirs.")
    elif count.is_tie:
        message = _("A tie, %(approve)s to %(deny)s, and all have voted: it is broken when one changes their vote.")
    elif count.decision:
        message = _("There is a majority of %(approve)s to %(deny)s; it decides as soon as a member votes again.")
    else:
        message = _("%(given)s voted; %(missing)s more are needed before a majority decides.")
    return Blocker("", message, "EXC-8", params=params)
