"""What PDFs of every app share: a page with a sender, fonts that have every letter of Turkish, and the download."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpResponse
from django.utils.html import escape
from django.utils.http import content_disposition_header
from django.utils.translation import get_language
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer

from portal.accounts.selectors import vendor_name

FONT, BOLD = "DejaVuSans", "DejaVuSans-Bold"
MARGIN = 25 * mm
TEXT = ParagraphStyle("text", fontName=FONT, fontSize=10.5, leading=15)
RIGHT = ParagraphStyle("right", parent=TEXT, alignment=TA_RIGHT)
SENDER = ParagraphStyle("sender", parent=TEXT, fontName=BOLD)
SUBJECT = ParagraphStyle("subject", parent=TEXT, fontName=BOLD, fontSize=14, leading=19)


def document(subject: str, story: Sequence[Flowable]) -> bytes:
    """The PDF of these parts, titled, in the language that is set; the same parts make the same bytes."""
    file = BytesIO()
    page = SimpleDocTemplate(
        file, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN,
        title=subject, author=vendor_name(), lang=get_language() or "en", invariant=True,
    )  # fmt: skip
    page.build(list(story))
    return file.getvalue()


def head(day: str, subject: str, *, sender: str) -> list[Flowable]:
    """The sender, the day at the right, and what it is about."""
    return [
        paragraph(sender, SENDER),
        paragraph(day, RIGHT),
        Spacer(1, 10 * mm),
        paragraph(subject, SUBJECT),
        Spacer(1, 5 * mm),
    ]


def paragraph(plain: str, style: ParagraphStyle = TEXT) -> Paragraph:
    """What people wrote is text, never markup; its lines stay lines."""
    _fonts()
    return Paragraph(str(escape(plain)).replace("\n", "<br/>"), style)


@lru_cache(maxsize=1)
def _fonts() -> None:
    for name in (FONT, BOLD):
        file = f"dejavu/{name}.ttf"  # beside its package, or collected with the static files
        pdfmetrics.registerFont(TTFont(name, finders.find(file) or staticfiles_storage.path(file)))


def download(content: bytes, name: str) -> HttpResponse:
    found = HttpResponse(content, content_type="application/pdf")
    found["Content-Disposition"] = content_disposition_header(True, name)
    found["X-Content-Type-Options"] = "nosniff"
    return found
