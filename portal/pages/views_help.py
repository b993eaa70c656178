"""The reference of refusals, to which every refusal links; for everybody, as it says nothing of anybody."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.accounts.selectors import vendor_name
from portal.workflow import refusals


@require_safe
def refusals_page(request: HttpRequest) -> HttpResponse:
    entries = list(refusals.entries(refusals.catalogue(), vendor=vendor_name() or refusals.VENDOR))
    return render(request, "pages/refusals.html", {"entries": entries})
