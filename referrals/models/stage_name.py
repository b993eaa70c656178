"""Names that a company's own CRM uses for the sales stages."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Company
from referrals import rules


class StageName(models.Model):
    """A name that a company's own CRM uses for a sales stage (REF-16)."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="stage_names")
    stage = models.PositiveSmallIntegerField(_("sales stage"))
    name = models.CharField(_("name in your CRM"), max_length=100)

    class Meta:
        verbose_name = _("stage name")
        verbose_name_plural = _("stage names")
        constraints = [
            models.UniqueConstraint("company", models.functions.Lower("name"), name="referrals_stagename_name_once"),
            models.CheckConstraint(
                condition=models.Q(stage__in=[s for s in rules.STAGES if s < rules.WON_STAGE]),
                name="referrals_stagename_stage",
            ),
        ]

    def __str__(self) -> str:
        return self.name
