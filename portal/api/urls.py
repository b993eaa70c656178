"""Addresses of the API that belong to no app: tokens."""

from __future__ import annotations

from django.urls import path, re_path
from oauth2_provider.views import TokenView

token = TokenView.as_view()

urlpatterns = [
    path("oauth2/token", token, name="oauth_token"),
    # Microsoft's clients put a tenant in front (F1.2).
    re_path(r"^[^/]+/oauth2/(?:v2\.0/)?token$", token, name="oauth_token_alias"),
]
