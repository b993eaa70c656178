"""The palette: a dialog that Ctrl K opens on every page (palette.js), and a page of its own."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.accounts.decorators import ActorRequest, needs_actor
from portal.pages import palette as palette_page
from portal.pages.services.uploads import may_upload
from portal.ui.frame import Frame
from portal.ui.http import for_htmx, page_before


@needs_actor
@require_GET
def palette(request: ActorRequest) -> HttpResponse:
    """What one may go to or do, narrowed by what is typed."""
    actor = request.actor
    opened = palette_page.Opened(
        Frame(request), actor, here=_here(request), may_upload=may_upload(actor), now=timezone.now()
    )
    context = palette_page.context(opened, request.GET.get("q", "").strip())
    in_dialog = request.htmx and not request.htmx.history_restore_request
    return for_htmx(render(request, "pages/palette.html#lines" if in_dialog else "pages/palette.html", context))


def _here(request: ActorRequest) -> str:
    """The page that it was opened on: as the address says, or else whoever asked for it."""
    asked = request.GET.get("here") or request.htmx.current_url_abs_path
    if asked:
        return asked
    before = page_before(request)
    return before._replace(scheme="", netloc="").geturl() if before else "/"
