"""What gunicorn serves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver
from django.utils.http import parse_header_parameters

from portal.refusals import refuse_demo_accounts

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")


class Request(WSGIRequest):
    """Always read as UTF-8, whatever it says it is; PlainTextMiddleware refuses the others. Django would try every
    codec of Python's, and fail with those that make no text before anybody could answer."""

    def _set_content_type_params(self, meta: Mapping[str, Any]) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except (LookupError, ValueError):
            self.content_type, self.content_params = "", {"charset": "unreadable"}


application = get_wsgi_application()
application.request_class = Request
get_resolver().url_patterns  # noqa: B018  imports every app's pages now, not when the first threads ask at once
refuse_demo_accounts()
