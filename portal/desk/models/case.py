"""Cases: each is one record's one stay on the reviewers' desk (FLOW-12)."""

from __future__ import annotations

from datetime import date, datetime

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchQuery, SearchVector, SearchVectorField
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Company, Membership
from portal.accounts.rules import Actor
from portal.customers.models import Customer
from portal.desk.rules import KINDS, Outcome


class CaseQuerySet(models.QuerySet["Case"]):
    def visible_to(self, actor: Actor) -> CaseQuerySet:
        """Whoever works in the administration reads the desk; nobody else does."""
        return self.filter(kind__in=list(KINDS)) if actor.is_vendor and actor.grants else self.none()

    def open(self) -> CaseQuerySet:
        return self.filter(closed_at=None)

    def decided(self) -> CaseQuerySet:
        return self.filter(closed_at__isnull=False)

    def of(self, kind: str, object_id: int) -> CaseQuerySet:
        """The stays of one record."""
        return self.filter(kind=kind, object_id=object_id)

    def held_by(self, user_id: int | None, now: datetime) -> CaseQuerySet:
        """Claimed by this person, still (FLOW-13)."""
        return self.filter(claimed_by_id=user_id or 0, claim_ends_at__gt=now)

    def claimable(self) -> CaseQuerySet:
        """Of the kinds on which one person works at a time."""
        return self.filter(kind__in=[code for code, kind in KINDS.items() if kind.is_claimed])

    def unassigned(self, now: datetime) -> CaseQuerySet:
        """Nobody has claimed it, or not worked on it for too long (FLOW-13)."""
        return self.claimable().filter(models.Q(claimed_by=None) | models.Q(claim_ends_at__lte=now))

    def free_for(self, actor: Actor, now: datetime) -> CaseQuerySet:
        """Unassigned, or this person's already (FLOW-13)."""
        mine = models.Q(claimed_by_id=actor.user_id or 0)
        free = models.Q(claimed_by=None) | models.Q(claim_ends_at__lte=now)
        return self.claimable().filter(mine | free)

    def for_reviewer(self, actor: Actor) -> CaseQuerySet:
        """What this person may decide: of their roles, and not of a company that they belong to (FLOW-7)."""
        own = Membership.objects.filter(user_id=actor.user_id or 0, is_active=True).values("company")
        kinds = [code for code, kind in KINDS.items() if kind.may_decide(actor)]
        return self.filter(kind__in=kinds).exclude(company__in=own)

    def with_reason(self, code: str) -> CaseQuerySet:
        return self.filter(reasons__contains=[code])

    def overdue(self, today: date) -> CaseQuerySet:
        return self.filter(due_on__lt=today)

    def found_by(self, words: list[str]) -> CaseQuerySet:
        """Those of which each word begins a word (portal.desk.selectors.tokens)."""
        query = " & ".join(f"'{word}':*" for word in words)
        return self.filter(search_vector=SearchQuery(query, config="simple", search_type="raw"))

    def with_context(self) -> CaseQuerySet:
        return self.select_related("company", "customer", "claimed_by", "decider").defer("search_text", "search_vector")


class Case(models.Model):
    """A record that waits for somebody of the vendor's, until it is decided; coming back makes another case.

    Written in the transaction of what happened to the record (portal.desk.services), claimed by people.
    """

    kind = models.CharField(_("kind"), max_length=20)
    object_id = models.BigIntegerField()
    company = models.ForeignKey(Company, verbose_name=_("Partner"), on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, verbose_name=_("Customer"), on_delete=models.PROTECT, related_name="+")
    title = models.CharField(_("Deal"), max_length=500)
    #: Codes of why it is here (CaseKind.reasons).
    reasons = models.JSONField(default=list)
    value_usd = models.DecimalField(_("Value in USD"), max_digits=20, decimal_places=2, null=True)
    filer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    is_marketplace = models.BooleanField(default=False)
    is_returned = models.BooleanField(default=False)
    #: Folded words: deal, partner, customer, solutions and their ids, who filed it.
    search_text = models.TextField(default="", editable=False)
    search_vector = models.GeneratedField(
        expression=SearchVector("search_text", config="simple"), output_field=SearchVectorField(), db_persist=True
    )

    opened_at = models.DateTimeField()
    #: The last day (UTC) to decide: so many business days after it came (FLOW-12).
    due_on = models.DateField(_("Due"))
    claimed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    claimed_at = models.DateTimeField(null=True)
    #: Working on it renews this (FLOW-13).
    claim_ends_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(_("outcome"), max_length=20, blank=True, choices=list(Outcome.LABELS.items()))
    #: Who decided; none where a worker did.
    decider = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("Review desk")
        indexes = [
            models.Index(fields=["due_on", "id"], condition=models.Q(closed_at=None), name="desk_case_queue"),
            models.Index(
                fields=["-closed_at", "-id"], condition=models.Q(closed_at__isnull=False), name="desk_case_decided"
            ),
            models.Index(fields=["kind", "object_id"], name="desk_case_record"),
            models.Index(
                fields=["claimed_by"],
                condition=models.Q(closed_at=None, claimed_by__isnull=False),
                name="desk_case_claimed",
            ),
            GinIndex(fields=["reasons"], condition=models.Q(closed_at=None), name="desk_case_reasons"),
            GinIndex(fields=["search_vector"], name="desk_case_search"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "object_id"], condition=models.Q(closed_at=None), name="desk_case_open_once"
            ),
            models.CheckConstraint(
                condition=models.Q(claimed_by=None, claimed_at=None, claim_ends_at=None)
                | models.Q(claimed_by__isnull=False, claimed_at__isnull=False, claim_ends_at__isnull=False),
                name="desk_case_claim",
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at=None, outcome="")
                | (models.Q(closed_at__isnull=False) & models.Q(outcome__in=list(Outcome.LABELS))),
                name="desk_case_outcome",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def is_held(self, now: datetime) -> bool:
        """Whether somebody works on it (FLOW-13)."""
        return self.claim_ends_at is not None and self.claim_ends_at > now

    def is_mine(self, actor: Actor, now: datetime) -> bool:
        return self.is_held(now) and self.claimed_by_id == actor.user_id
