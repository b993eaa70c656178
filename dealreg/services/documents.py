"""Proof documents of a deal: checked, scanned and stored, then told to the deal; and taken away again (REG-16)."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from dealreg.models import Document, storage
from dealreg.rules import documents as rules
from dealreg.services import contents
from dealreg.services.clamav import ScannerAway, find_virus
from dealreg.verbs.documents import ADD_DOCUMENT, REJECT_DOCUMENT, REMOVE_DOCUMENT, NewDocument, Removal
from portal.accounts.rules import SYSTEM, Actor
from portal.policy import services as policies
from portal.workflow import services as workflow
from portal.workflow.blockers import RuleViolation
from referrals.models import Referral

#: A file that no document names is deleted after this time; before, its upload may be under way.
ORPHANED_AFTER = timedelta(days=1)

_log = logging.getLogger(__name__)


def add(referral: Referral, file: UploadedFile, *, actor: Actor, now: datetime) -> Document:
    """Check the file, look for a virus, store it under a random name, and add it to the deal.

    Raises PermissionDenied, or RuleViolation with what is wrong with it; nothing of it is kept then. While clamd is
    away it is kept unscanned, and nobody can open it until a worker has had it scanned.
    """
    workflow.check_allowed(referral, ADD_DOCUMENT, actor=actor)
    document = _checked(file, now=now)
    context = workflow.context_of(actor, now)
    found = [*ADD_DOCUMENT.blockers(referral, context), *ADD_DOCUMENT.input_blockers(referral, document, context)]
    if found:
        raise RuleViolation(found)  # sooner than under the lock, before anything is sent and stored
    document = replace(document, scanned=_scanned(file))
    file.seek(0)
    document = replace(document, stored_as=storage().save(document.stored_as, file))
    try:
        workflow.run(referral, ADD_DOCUMENT, document, actor=actor, now=now)
    except BaseException:
        storage().delete(document.stored_as)
        raise
    return Document.objects.with_context().get(stored_as=document.stored_as)


def _checked(file: UploadedFile, *, now: datetime) -> NewDocument:
    """The file as a document that isn't stored yet. Raises RuleViolation."""
    size = file.size or 0
    if wrong := list(rules.size_blockers(size, policies.current(now))):
        raise RuleViolation(wrong)
    return NewDocument(
        name=(file.name or "")[: rules.MAX_NAME],
        kind=contents.kind_of(file),  # type: ignore[arg-type]  # a file to read
        size=size,
        sha256=contents.sha256(file),  # type: ignore[arg-type]
        stored_as=uuid.uuid4().hex,
        scanned=False,
    )


def _scanned(file: UploadedFile) -> bool:
    """Whether clamd found nothing; False if it isn't there to ask. Raises RuleViolation where it found a virus."""
    if not settings.CLAMAV:
        return False
    try:
        virus = find_virus(file, settings.CLAMAV)  # type: ignore[arg-type]
    except ScannerAway as away:
        _log.warning("clamd is away; a document waits to be scanned: %s", away)
        return False
    if virus:
        raise RuleViolation([rules.infected(virus)])
    return True


def remove(document: Document, *, actor: Actor, now: datetime) -> None:
    """Take a document away from its deal, and its file out of the storage.

    Raises PermissionDenied, or RuleViolation where it is evidence already.
    """
    workflow.run(document.referral, REMOVE_DOCUMENT, Removal(document.pk), actor=actor, now=now)
    transaction.on_commit(_deletion(document), robust=True)


def _deletion(document: Document) -> Callable[[], None]:
    """A lambda, as Django names what failed by its __qualname__; what fails here the purge deletes."""
    return lambda: storage().delete(document.stored_as)


def scan(document: Document, *, now: datetime) -> None:
    """Have an unscanned document scanned, and take it away if it holds a virus. Raises ScannerAway."""
    with storage().open(document.stored_as) as file:
        virus = find_virus(file, settings.CLAMAV)  # type: ignore[arg-type]
    if not virus:
        Document.objects.filter(pk=document.pk).update(scanned_at=now)
        return
    try:
        workflow.run(document.referral, REJECT_DOCUMENT, Removal(document.pk, virus), actor=SYSTEM, now=now)
    except RuleViolation:
        return  # somebody removed it meanwhile
    transaction.on_commit(_deletion(document), robust=True)
