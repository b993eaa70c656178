"""Decision letters as PDF, in the language that they were written in (EXC-9)."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from io import BytesIO

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpResponse
from django.utils import translation
from django.utils.html import escape
from django.utils.http import content_disposition_header
from django.utils.translation import get_language, gettext
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

from exceptions_council.models import DecisionLetter, ExceptionRequest
from portal.accounts.services import vendor_name
from portal.workflow import text

FONT, BOLD = "DejaVuSans", "DejaVuSans-Bold"
_MARGIN = 25 * mm
_TEXT = ParagraphStyle("text", fontName=FONT, fontSize=10.5, leading=15)
_RIGHT = ParagraphStyle("right", parent=_TEXT, alignment=TA_RIGHT)
_SENDER = ParagraphStyle("sender", parent=_TEXT, fontName=BOLD)
_SUBJECT = ParagraphStyle("subject", parent=_TEXT, fontName=BOLD, fontSize=14, leading=19)


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


def download(content: bytes, name: str) -> HttpResponse:
    found = HttpResponse(content, content_type="application/pdf")
    found["Content-Disposition"] = content_disposition_header(True, name)
    found["X-Content-Type-Options"] = "nosniff"
    return found


def pdf(subject: str, body: str, *, at: datetime) -> bytes:
    """A letter with its sender, its day, its subject and its paragraphs, in the language that is set."""
    _fonts()
    file = BytesIO()
    page = SimpleDocTemplate(
        file, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=_MARGIN, bottomMargin=_MARGIN,
        title=subject, author=vendor_name(), lang=get_language() or "en", invariant=True,
    )  # fmt: skip
    story = [Paragraph(_markup(vendor_name()), _SENDER), Paragraph(_markup(text.day(at.date())), _RIGHT)]
    story += [Spacer(1, 10 * mm), Paragraph(_markup(subject), _SUBJECT), Spacer(1, 5 * mm)]
    for part in body.split("\n\n"):
        story += [Paragraph(_markup(part), _TEXT), Spacer(1, 4 * mm)]
    page.build(story)
    return file.getvalue()


@lru_cache(maxsize=1)
def _fonts() -> None:
    for name in (FONT, BOLD):
        file = f"dejavu/{name}.ttf"  # beside its package, or collected with the static files
        pdfmetrics.registerFont(TTFont(name, finders.find(file) or staticfiles_storage.path(file)))


def _markup(plain: str) -> str:
    """What people wrote is text, never markup; its lines stay lines."""
    return str(escape(plain)).replace("\n", "<br/>")
