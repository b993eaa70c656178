"""What is typed into the form before the request is sent."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from referrals.models import Referral


class ExceptionDraft(models.Model):
    """A company's draft of a request: one for all its people, so it says who saved it last."""

    referral = models.OneToOneField(Referral, on_delete=models.CASCADE, related_name="exception_draft")
    #: What the form holds, as it was typed.
    answers = models.JSONField(default=dict)
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    saved_at = models.DateTimeField()

    class Meta:
        verbose_name = _("draft of an exception request")
        verbose_name_plural = _("drafts of exception requests")

    def __str__(self) -> str:
        return str(self.referral_id)
