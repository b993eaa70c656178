"""Texts that the vendor's people write to partners often, kept by programme managers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import models
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from portal.registry import Registry


@dataclass(frozen=True)
class Commented:
    """What a comment is written with: a decision or a question. `reasons`: its codes, with their msgids."""

    label: str
    reasons: Mapping[str, str] = field(default_factory=dict)


#: By code; added by the apps whose verbs these are.
COMMENTED: Registry[Commented] = Registry()


class CommentTemplateQuerySet(models.QuerySet["CommentTemplate"]):
    def offered(self, used_for: str) -> CommentTemplateQuerySet:
        return self.filter(used_for=used_for, is_active=True).in_order()

    def in_order(self) -> CommentTemplateQuerySet:
        return self.order_by("used_for", "position", "pk")


class CommentTemplate(models.Model):
    """A text for the comment of one decision, in every language; the partner's fills the form (FLOW-16)."""

    used_for = models.CharField(_("used for"), max_length=60)
    #: The reason that it goes with; empty for any.
    reason_code = models.CharField(_("reason"), max_length=40, blank=True)
    text_en = models.TextField(_("text in English"), max_length=5000)
    text_tr = models.TextField(_("text in Turkish"), max_length=5000)
    position = models.PositiveSmallIntegerField(_("place in the list"), default=0)
    is_active = models.BooleanField(_("is offered"), default=True)

    objects = CommentTemplateQuerySet.as_manager()

    class Meta:
        verbose_name = _("comment template")
        verbose_name_plural = _("comment templates")
        indexes = [models.Index(fields=["used_for", "position"], name="desk_template_offered")]

    def __str__(self) -> str:
        return Truncator(self.text_en).chars(60)

    def text_in(self, language: str) -> str:
        return self.text_tr if language == "tr" else self.text_en
