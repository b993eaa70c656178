"""What is typed into the form before the request is sent."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from dealreg.models import CompanyDraft
from referrals.models import Referral


class ExceptionDraft(CompanyDraft):
    """A company's draft of a request."""

    referral = models.OneToOneField(Referral, on_delete=models.CASCADE, related_name="exception_draft")

    class Meta:
        verbose_name = _("draft of an exception request")
        verbose_name_plural = _("drafts of exception requests")

    def __str__(self) -> str:
        return str(self.referral_id)
