"""What happens to a deal's proof documents: they are added, removed, and taken away where a virus is found (REG-16).

These are verbs of the deal, which is locked meanwhile, so that two uploads at once can't exceed a limit. On timelines
only its own company sees them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dealreg.models import Document, Registration
from dealreg.policies import may_add_documents
from dealreg.rules import documents as rules
from dealreg.timeline import DOCUMENTS, params
from portal.accounts.rules import Actor
from portal.workflow import timeline
from portal.workflow.blockers import Blocker, _
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Effect, worker
from referrals.models import Referral
from referrals.verbs.base import DealVerb


@dataclass(frozen=True)
class NewDocument:
    """A file that was checked and stored: its name for people, its type, bytes and hash, and where it lies."""

    name: str
    kind: str
    size: int
    sha256: str
    stored_as: str
    scanned: bool


class AddDocument(DealVerb[NewDocument]):
    """Give the deal one more document (REG-16)."""

    name = "add_document"
    label = _("Add documents")
    event = "document.added"
    sentence = Sentence("paperclip", "neutral", _("The document “%(document)s” was added"), DOCUMENTS)
    who = (may_add_documents,)
    quiet = True

    def blockers(self, record: Referral, context: Context) -> Iterable[Blocker]:
        return rules.deal_blockers(record.substatus)

    def input_blockers(self, record: Referral, inputs: NewDocument, context: Context) -> Iterable[Blocker]:
        held = Document.objects.of_deal(record).values_list("sha256", flat=True)
        return rules.adding_blockers(inputs.sha256, list(held), context.policy)

    def apply(self, record: Referral, inputs: NewDocument, context: Context) -> Effect:
        Document.objects.create(
            referral=record,
            name=inputs.name,
            kind=inputs.kind,
            size=inputs.size,
            sha256=inputs.sha256,
            stored_as=inputs.stored_as,
            added_at=context.now,
            added_by_id=context.actor.user_id,
            added_by_client="" if context.actor.user_id else context.actor.name,
            scanned_at=context.now if inputs.scanned else None,
        )
        return Effect(after={"document": inputs.name, "sha256": inputs.sha256, "size": inputs.size})


@dataclass(frozen=True)
class Removal:
    """The document to take away, by its row's number; and the virus, if that is why."""

    document_id: int
    virus: str = ""


class RemoveDocument(DealVerb[Removal]):
    """Take a document away that is no evidence yet (REG-16); its row stays, its file goes."""

    name = "remove_document"
    label = _("Remove the document")
    event = "document.removed"
    sentence = Sentence("trash", "neutral", _("The document “%(document)s” was removed"), DOCUMENTS)
    who: tuple[Callable[[Actor, Referral], bool], ...] = (may_add_documents,)
    quiet = final = danger = True

    def input_blockers(self, record: Referral, inputs: Removal, context: Context) -> Iterable[Blocker]:
        list(Registration.objects.select_for_update().filter(referral=record))  # nobody submits it meanwhile
        document = self._document(record, inputs)
        if document is None:
            return [rules.gone()]
        return self._evidence(document)

    def _evidence(self, document: Document) -> Iterable[Blocker]:
        return document.removal_blockers()

    def _document(self, record: Referral, inputs: Removal) -> Document | None:
        return Document.objects.of_deal(record).with_context().filter(pk=inputs.document_id).first()

    def apply(self, record: Referral, inputs: Removal, context: Context) -> Effect:
        document = self._document(record, inputs)
        assert document is not None
        Document.objects.filter(pk=document.pk).update(removed_at=context.now)
        reasons = [rules.infected(inputs.virus)] if inputs.virus else []
        return Effect(after={"document": document.name, "sha256": document.sha256}, reasons=reasons)


class RejectDocument(RemoveDocument):
    """Take a document away in which a virus was found after it had been added, evidence or not (REG-16)."""

    name = "reject_document"
    label = _("Reject the document")
    event = "document.infected"
    sentence = Sentence("shield-exclamation", "danger", _("The document “%(document)s” was deleted"), DOCUMENTS)
    who = (worker,)

    def _evidence(self, document: Document) -> Iterable[Blocker]:
        return ()


ADD_DOCUMENT, REMOVE_DOCUMENT, REJECT_DOCUMENT = AddDocument(), RemoveDocument(), RejectDocument()
timeline.describe({verb.event: verb.sentence for verb in (ADD_DOCUMENT, REMOVE_DOCUMENT, REJECT_DOCUMENT)}, params)
