"""Proof documents in a browser: sent with progress, refused by their contents, and seen by the reviewer (REG-16)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from dealreg.models import Document
from portal.demo.cast import Cast
from tests import build, files
from tests.e2e import deals
from tests.e2e.conftest import Visit
from tests.e2e.portal import wait_for
from tests.e2e.test_access import problems

if TYPE_CHECKING:
    from playwright.sync_api import Page

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

MB = 1024 * 1024
#: Each value that a progress bar has shown.
WATCH = """() => {
  window.shown = [];
  const bars = () => [...document.querySelectorAll("[data-results] progress")];
  const note = () => bars().forEach((bar) => window.shown.push(bar.value));
  new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def _written(place: Path) -> list[str]:
    """On a disk: a large contract, a program that calls itself a PDF, a picture, and one that is too large."""
    found = {
        "Sözleşme.pdf": files.GOOD["pdf"] + bytes(8 * MB - 20_000) + b"%%EOF",
        "Fatura.pdf": files.EXE,
        "İmza.png": files.GOOD["png"],
        "Film.pdf": bytes(21 * MB),
    }
    for name, content in found.items():
        (place / name).write_bytes(content)
    return [str(place / name) for name in found]


def _shows_pdf(page: Page) -> bool:
    return any(frame.url.startswith("chrome-extension://") for frame in page.frames)


def test_reg_16_documents_are_uploaded_with_progress_and_read_by_the_reviewer(
    cast: Cast, visit: Visit, tmp_path: Path
) -> None:
    deal = deals.won(cast)
    page = visit(build.CONTOSO)
    page.goto(reverse("deal", args=[deal.public_id]))
    panel = page.locator("#documents")
    page.evaluate(WATCH)
    panel.get_by_label("Add documents").set_input_files(_written(tmp_path))
    panel.get_by_role("button", name="Upload").click()
    results = panel.locator("[data-results] > li")
    expect(results).to_have_text(
        [
            re.compile("Sözleşme.pdf.*Added"),
            re.compile("Fatura.pdf.*not a PDF, PNG"),
            re.compile("İmza.png.*Added"),
            re.compile("Film.pdf.*larger than 20 MB"),
        ]
    )
    assert max(page.evaluate("window.shown")) == 100
    listed = panel.locator("#documents-list > li")
    expect(listed).to_have_count(2)
    expect(listed.first).to_contain_text("Not scanned")
    assert [d.name for d in Document.objects.of_deal(deal)] == ["Sözleşme.pdf", "İmza.png"]
    address = reverse("documents", args=[deal.public_id])
    assert list(problems(page, "documents", address)) == []

    listed = page.locator("#documents-list > li")
    listed.last.get_by_role("link", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator("#documents-list > li")).to_have_count(1)

    page.goto(reverse("registration", args=[deal.public_id]))  # what is typed there stays while a file is sent
    page.get_by_label("Contract signed").fill("2020-01-01")
    page.get_by_label("Add documents").set_input_files(tmp_path / "İmza.png")
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#documents-list > li")).to_have_count(2)
    expect(page.get_by_label("Contract signed")).to_have_value("2020-01-01")

    registration = deals.in_review(cast, deal)
    reviewer = visit(build.REVIEWER)
    reviewer.goto(reverse("admin:dealreg_registration_change", args=[registration.pk]))
    frame = reviewer.locator("#documents iframe")
    frame.scroll_into_view_if_needed()
    wait_for(lambda: reviewer.wait_for_timeout(50) or _shows_pdf(reviewer), "the browser's own viewer of the PDF")
    reviewer.locator("#documents details").last.locator("summary").click()
    picture = reviewer.locator("#documents img.o-document__image")
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("naturalWidth", 240)


def test_reg_16_documents_are_uploaded_without_javascript(cast: Cast, visit: Visit, tmp_path: Path) -> None:
    deal = deals.won(cast)
    page = visit(build.CONTOSO, java_script_enabled=False)
    page.goto(reverse("deal", args=[deal.public_id]))
    page.get_by_label("Add documents").set_input_files(_written(tmp_path)[1:3])
    page.get_by_role("button", name="Upload").click()
    expect(page.locator(".o-banner--danger")).to_contain_text("Fatura.pdf")
    expect(page.locator(".o-banner--success")).to_contain_text("İmza.png")
    expect(page.locator("#documents-list > li")).to_have_count(1)
