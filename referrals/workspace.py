"""What people and companies keep beside their deals: drafts, stars, stage names, who an invited partner deals with."""

from __future__ import annotations

import uuid

import uuid6
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Company
from portal.accounts.rules import Actor
from referrals import rules
from referrals.models import Referral


class DraftQuerySet(models.QuerySet["Draft"]):
    def visible_to(self, actor: Actor) -> DraftQuerySet:
        """A draft is its author's alone."""
        return self.filter(company_id=actor.own_company_id, author_id=actor.user_id)


class Draft(models.Model):
    """A new deal while it is being written; closing the tab loses nothing."""

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    #: Becomes the engagement's, so that a double click creates one deal.
    creation_key = models.UUIDField(default=uuid.uuid4, editable=False)
    #: What each step's form holds, by step, as it was typed.
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = DraftQuerySet.as_manager()

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        indexes = [models.Index(fields=["author", "company", "-updated_at"], name="referrals_draft_author")]

    def __str__(self) -> str:
        return str(self.public_id)


class Favorite(models.Model):
    """A person's star on a deal (REF-19)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="favorites")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("favorite")
        verbose_name_plural = _("favorites")
        constraints = [models.UniqueConstraint(fields=["user", "referral"], name="referrals_favorite_once")]

    def __str__(self) -> str:
        return f"{self.user_id} ★ {self.referral_id}"


class StageName(models.Model):
    """What a company's own CRM calls a sales stage (REF-16)."""

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
