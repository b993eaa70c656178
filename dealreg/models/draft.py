"""What is typed into the registration form before it is sent (REG-19)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from dealreg.models.registration import Registration


class CompanyDraft(models.Model):
    """What a company typed into a form: one draft for all its people, so it says who saved it last."""

    #: What the form holds, as it was typed.
    answers = models.JSONField(default=dict)
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    saved_at = models.DateTimeField()

    class Meta:
        abstract = True


class RegistrationDraft(CompanyDraft):
    """A company's draft of a registration."""

    registration = models.OneToOneField(Registration, on_delete=models.CASCADE, related_name="draft")

    # What the registration window follows from (FLOW-8), as far as it could be understood
    signed = models.DateField(null=True)
    start = models.DateField(null=True)
    payg = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("draft of a registration")
        verbose_name_plural = _("drafts of registrations")

    def __str__(self) -> str:
        return str(self.registration_id)
