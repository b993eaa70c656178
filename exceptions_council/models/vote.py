"""The council's votes, and who of it keeps out because of a conflict of interest (EXC-8, EXC-15)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from exceptions_council.models.request import ExceptionRequest
from exceptions_council.rules import states


class Vote(models.Model):
    """A member's vote with its rationale; it may be changed until the decision (EXC-8)."""

    class Choice(models.TextChoices):
        APPROVE = states.APPROVE, _("Approve")
        DENY = states.DENY, _("Deny")

    request = models.ForeignKey(ExceptionRequest, on_delete=models.PROTECT, related_name="votes")
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    choice = models.CharField(_("vote"), max_length=10, choices=Choice.choices)
    rationale = models.TextField(_("Rationale"))
    given_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("vote")
        verbose_name_plural = _("votes")
        constraints = [
            models.UniqueConstraint(fields=["request", "member"], name="exceptions_vote_one_per_member"),
            models.CheckConstraint(condition=models.Q(choice__in=list(states.CHOICES)), name="exceptions_vote_choice"),
        ]

    def __str__(self) -> str:
        return f"{self.member} · {self.get_choice_display()}"


class Conflict(models.Model):
    """A member's own word that they have an interest in the matter: they don't vote on it."""

    request = models.ForeignKey(ExceptionRequest, on_delete=models.PROTECT, related_name="conflicts")
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(_("Reason"))
    declared_at = models.DateTimeField()

    class Meta:
        verbose_name = _("conflict of interest")
        verbose_name_plural = _("conflicts of interest")
        constraints = [
            models.UniqueConstraint(fields=["request", "member"], name="exceptions_conflict_one_per_member"),
        ]

    def __str__(self) -> str:
        return str(self.member)
