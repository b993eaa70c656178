"""What the council asked the partner for, and what came (EXC-11)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from exceptions_council.models.request import ExceptionRequest


class EvidenceRequest(models.Model):
    """A question to the partner, with its last day; answered, or noted as unanswered on that day."""

    request = models.ForeignKey(ExceptionRequest, on_delete=models.PROTECT, related_name="evidence")
    text = models.TextField(_("What is asked for"))
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    #: The last day (UTC) to answer.
    due_on = models.DateField(_("Answer by"))
    answer = models.TextField(_("Answer"), blank=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)
    unanswered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("evidence request")
        verbose_name_plural = _("evidence requests")
        constraints = [
            models.UniqueConstraint(
                fields=["request"],
                condition=models.Q(answered_at=None, unanswered_at=None),
                name="exceptions_evidence_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(answered_at=None) | models.Q(unanswered_at=None), name="exceptions_evidence_one_end"
            ),
            models.CheckConstraint(
                condition=models.Q(answered_at=None, answer="")
                | (models.Q(answered_at__isnull=False) & ~models.Q(answer="")),
                name="exceptions_evidence_answer",
            ),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def is_open(self) -> bool:
        return self.answered_at is None and self.unanswered_at is None
