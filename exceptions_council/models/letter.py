"""Decision letters, and the templates they are written from."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exceptions_council.models.request import FINAL, ExceptionRequest, Status
from exceptions_council.rules import letter


class LetterTemplate(models.Model):
    """How the letter about one outcome reads in one language; edited by programme managers."""

    outcome = models.CharField(_("outcome"), max_length=10, choices=[(s.value, s.label) for s in FINAL])
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES)
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"))

    class Meta:
        verbose_name = _("letter template")
        verbose_name_plural = _("letter templates")
        constraints = [
            models.UniqueConstraint(fields=["outcome", "language"], name="exceptions_template_one"),
            models.CheckConstraint(condition=models.Q(outcome__in=FINAL), name="exceptions_template_outcome"),
        ]

    def __str__(self) -> str:
        return f"{Status(self.outcome).label} · {self.language}"

    def clean(self) -> None:
        for name in ("subject", "body"):
            if unknown := letter.unknown_places(getattr(self, name)):
                message = gettext("These places are unknown: %(unknown)s. Known are: %(known)s.")
                known = ", ".join(f"{{{place}}}" for place in letter.PLACES)
                raise ValidationError({name: message % {"unknown": ", ".join(unknown), "known": known}})


class DecisionLetter(models.Model):
    """The letter about a decision in one language, as it was written when the council decided."""

    request = models.ForeignKey(ExceptionRequest, on_delete=models.PROTECT, related_name="letters")
    language = models.CharField(max_length=10, choices=settings.LANGUAGES)
    subject = models.CharField(max_length=300)
    body = models.TextField()
    written_at = models.DateTimeField()

    class Meta:
        verbose_name = _("decision letter")
        verbose_name_plural = _("decision letters")
        constraints = [
            models.UniqueConstraint(fields=["request", "language"], name="exceptions_letter_one_per_language"),
        ]

    def __str__(self) -> str:
        return self.subject
