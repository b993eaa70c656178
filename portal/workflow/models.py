"""The common base of all records that have verbs."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.db import models

from portal.actors import Actor


class Record(models.Model):
    """A row whose state changes through portal.workflow only."""

    #: Counts what its page would show anew; who saw an older one is told (REF-21).
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField()

    #: Where a query finds owner_id and event_group, for what reads many rows without their models.
    owner_path: ClassVar[str]
    group_path: ClassVar[str]
    #: What `touch` sets beside the version. Nobody's change is overwritten there: who saw an older version isn't told.
    bookkeeping: ClassVar[frozenset[str]] = frozenset({"updated_at"})

    class Meta:
        abstract = True

    @property
    def owner_id(self) -> int | None:
        """The id of the company that owns the record; None if the programme itself does."""
        raise NotImplementedError

    @property
    def event_group(self) -> uuid.UUID | None:
        """The id that links it to the other records of its engagement."""
        raise NotImplementedError

    def touch(self, now: datetime, actor: Actor) -> None:
        """Raise the version in memory, because the actor changed the record."""
        self.version += 1
        self.updated_at = now
