"""A deal's proof documents as pages show them (REG-16)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dealreg.models import Document
from dealreg.policies import may_add_documents, may_read_documents
from dealreg.rules import documents as rules
from portal.accounts.rules import Actor
from portal.policy import services as policies
from portal.workflow.blockers import Blocker
from referrals.models import Referral


@dataclass(frozen=True)
class Panel:
    """The documents, whether the actor may add some, and why no more are taken. Sizes in megabytes, or bytes."""

    referral: Referral
    documents: list[Document]
    may_add: bool
    blockers: tuple[Blocker, ...]
    most: int
    max_mb: int

    @property
    def max_bytes(self) -> int:
        return self.max_mb * rules.MB

    @property
    def accept(self) -> str:
        """The endings that a browser's file dialog offers; what counts are the contents."""
        return ",".join(suffix for kind in rules.KINDS.values() for suffix in kind.suffixes)

    @property
    def is_shown(self) -> bool:
        """Whether there is anything to see or to do."""
        return bool(self.documents) or (self.may_add and not self.blockers)


def panel(referral: Referral, actor: Actor, now: datetime) -> Panel | None:
    """One query; None for whoever may not see the deal's documents."""
    if not may_read_documents(actor, referral):
        return None
    policy = policies.current(now)
    return Panel(
        referral=referral,
        documents=list(Document.objects.of_deal(referral).with_context()),
        may_add=may_add_documents(actor, referral),
        blockers=tuple(rules.deal_blockers(referral.substatus)),
        most=policy.max_documents,
        max_mb=policy.max_document_mb,
    )


def readable_deal(public_id: UUID, actor: Actor) -> Referral | None:
    """The deal, private or not, if the actor may see its documents (REG-16, EXC-10); None for any other (ORG-6)."""
    found = Referral.objects.with_context().prefetch_related("team").filter(public_id=public_id).first()
    return found if found is not None and may_read_documents(actor, found) else None
