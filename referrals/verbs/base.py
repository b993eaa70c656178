"""The common base of the verbs of deals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from portal.accounts.rules import Actor
from portal.workflow.blockers import Blocker
from portal.workflow.verbs import Context, Inputs, Verb
from referrals import rules
from referrals.models import Engagement, Referral, ReferralQuerySet
from referrals.policies import may_change
from referrals.verbs import search_index


class DealVerb(Verb[Referral, Inputs]):
    """A verb on one company's copy of a deal.

    `seen_by_all`: the pages of the other copies change with it, so their versions rise, too (REF-21). `indexed`: it
    changes the search text of the engagement's copies (REF-20).
    """

    who: tuple[Callable[[Actor, Referral], bool], ...] = (may_change,)
    seen_by_all: ClassVar[bool] = False
    indexed: ClassVar[bool] = False

    def settle(self, records: Sequence[Referral], context: Context) -> None:
        if self.shared or self.seen_by_all:
            others = Referral.objects.filter(engagement__in=[record.engagement_id for record in records])
            others.exclude(pk__in=[record.pk for record in records]).touch(context.now)
        if self.indexed:
            search_index.index_engagements({record.engagement_id for record in records})


@dataclass(frozen=True)
class Reason:
    """The reason for declining, losing or closing as an error: a code of F3.1, and an explanation."""

    reason_code: str
    comment: str = ""


class ClosingVerb(DealVerb[Reason]):
    """A verb that ends the deal with a reason (REF-12, REF-17)."""

    shared = final = danger = True
    reasons: ClassVar[Iterable[str]]
    rule: ClassVar[str] = "REF-17"

    def input_blockers(self, record: Referral, inputs: Reason, context: Context) -> Iterable[Blocker]:
        yield from rules.reason_blockers(inputs.reason_code, inputs.comment, self.reasons, rule=self.rule)
        yield from rules.length_blockers(inputs.comment, "comment", policy=context.policy)


def close(referral: Referral, context: Context, reason: Reason | None = None) -> None:
    """Write the columns that every ending sets; a planned win is cancelled (REF-18)."""
    referral.closed_at = context.now
    referral.win_at = referral.signed_on = None
    if reason:
        referral.reason_code, referral.reason_note = reason.reason_code, reason.comment


def lock(pk: int) -> Referral:
    """Lock the engagement's row first, then the referral's, so that verbs on copies of one engagement never run at
    once."""
    return lock_one(Referral.objects.filter(pk=pk))


def lock_one(found: ReferralQuerySet) -> Referral:
    """Lock the one copy that is found, its engagement first. Raises Referral.DoesNotExist."""
    list(Engagement.objects.select_for_update().filter(referrals__in=found.values("pk")).values_list("pk"))
    return found.select_for_update(of=("self",)).with_context().get()
