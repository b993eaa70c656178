"""Rows of one company's copy of a deal: its solutions, the inviter's people, the stars it was given."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.catalog.models import Solution
from referrals.models.referral import Referral


class ReferralSolution(models.Model):
    """A solution on a company's copy of the deal (REF-8)."""

    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="solutions")
    solution = models.ForeignKey(Solution, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("solution")
        verbose_name_plural = _("solutions")
        constraints = [models.UniqueConstraint(fields=["referral", "solution"], name="referrals_solution_once")]

    def __str__(self) -> str:
        return self.solution.name


class InviterMember(models.Model):
    """A person of the inviting company who works with this invited partner (REF-9)."""

    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="inviter_team")
    first_name = models.CharField(_("first name"), max_length=100)
    last_name = models.CharField(_("last name"), max_length=100)
    phone = models.CharField(_("phone"), max_length=50)
    email = models.EmailField(_("e-mail"))

    class Meta:
        verbose_name = _("inviter's team member")
        verbose_name_plural = _("inviter's team members")
        constraints = [models.UniqueConstraint(fields=["referral", "email"], name="referrals_inviter_member_once")]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Favorite(models.Model):
    """A star that a person gave a deal (REF-19)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="favorites")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("favorite")
        verbose_name_plural = _("favorites")
        constraints = [models.UniqueConstraint(fields=["user", "referral"], name="referrals_favorite_once")]

    def __str__(self) -> str:
        return f"{self.user_id} ★ {self.referral_id}"
