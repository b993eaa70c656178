"""How far a sale is shared: with the vendor, with or without help, and with partners."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from referrals import rules


class Sharing(models.Model):
    """What the deal type follows from (REF-1), and since when the vendor has been let in (REG-7).

    The engagement holds what is so now. Each copy holds the same until it closes, and then keeps it, whatever others
    do to the engagement (REF-11); rules, pages and lists read the copy's. `verbs.copies.share` writes both.
    """

    help_code = models.CharField(max_length=40, default=rules.NO_HELP)
    vendor_may_view = models.BooleanField(default=False)
    #: The first time the vendor was let in, by asking for help or by sharing; null while it is not.
    vendor_invited_at = models.DateTimeField(null=True, blank=True)
    #: Partner to partner: a partner invited another one.
    p2p = models.BooleanField(default=False)

    class Meta:
        abstract = True
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(help_code__in=list(rules.HELP)), name="referrals_%(class)s_help_code"
            ),
            models.CheckConstraint(
                condition=models.Q(help_code=rules.NO_HELP) | models.Q(vendor_may_view=True),
                name="referrals_%(class)s_help_implies_view",
            ),
        ]

    @property
    def is_assessment(self) -> bool:
        raise NotImplementedError

    @property
    def deal_type(self) -> str:
        """The deal type that follows (REF-1)."""
        return rules.deal_type(
            help_code=self.help_code, vendor_may_view=self.vendor_may_view, assessment=self.is_assessment
        )
