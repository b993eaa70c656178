"""Decision letters as PDF, in the language that they were written in (EXC-9)."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse
from django.utils import translation
from django.utils.translation import get_language, gettext
from reportlab.lib.units import mm
from reportlab.platypus import Spacer

from exceptions_council.models import DecisionLetter, ExceptionRequest
from portal.accounts.selectors import vendor_name
from portal.ui.pdf import document, download, head, paragraph
from portal.workflow import text


def letter_for(request: ExceptionRequest) -> DecisionLetter | None:
    """The letter in the reader's language, else in the first there is; None before the decision."""
    letters = {letter.language: letter for letter in request.letters.order_by("language")}
    return letters.get(get_language() or "") or next(iter(letters.values()), None)


def response(letter: DecisionLetter) -> HttpResponse:
    """The letter as a download."""
    with translation.override(letter.language):
        name = gettext("decision")
        content = pdf(letter.subject, letter.body, at=letter.written_at)
    return download(content, f"{name}-{letter.written_at:%Y-%m-%d}.pdf")


def pdf(subject: str, body: str, *, at: datetime) -> bytes:
    """A letter with its sender, its day, its subject and its paragraphs, in the language that is set."""
    story = head(text.day(at.date()), subject, sender=vendor_name())
    for part in body.split("\n\n"):
        story += [paragraph(part), Spacer(1, 4 * mm)]
    return document(subject, story)
