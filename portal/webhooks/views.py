"""The certificates of the keys that sign, for every receiver; and the settings of a company's webhook."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from portal.webhooks.models import SigningKey


@require_GET
def certificate(request: HttpRequest, public_id: Any) -> HttpResponse:
    """For everybody: it says with which public key a delivery is verified."""
    key = get_object_or_404(SigningKey, public_id=public_id)
    return HttpResponse(key.certificate, content_type="application/x-pem-file")
