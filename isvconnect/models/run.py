"""What a run of the workers issued: kept, so that the programme's managers see it (ISV-6)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class InvoiceRun(models.Model):
    """One run. It is counted with the invoices themselves, so that a run that was cut off says what it did."""

    started_at = models.DateTimeField(_("started (UTC)"))
    #: Null while it works, and where it was cut off; the next one went on.
    finished_at = models.DateTimeField(_("finished (UTC)"), null=True)
    deals = models.PositiveIntegerField(_("deals"), default=0)
    issued = models.PositiveIntegerField(_("invoices issued"), default=0)
    #: Deals that got their fees in it, because a rate had come.
    rated = models.PositiveIntegerField(_("deals that got a fee rate"), default=0)
    #: Deals whose invoices were due and waited for a fee rate when it ended.
    waiting = models.PositiveIntegerField(_("deals waiting for a fee rate"), default=0)

    class Meta:
        verbose_name = _("run of invoices")
        verbose_name_plural = _("runs of invoices")

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"
