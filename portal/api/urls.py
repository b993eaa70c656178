"""Addresses of the API that belong to no app: tokens, and its description."""

from __future__ import annotations

from django.urls import path, re_path

from portal.api import views

token = views.Token.as_view()

urlpatterns = [
    path("v1.0/openapi.json", views.openapi, name="api_schema"),
    path("v1.0/docs", views.docs, name="api_docs"),
    path("oauth2/token", token, name="oauth_token"),
    path("oauth2/revoke", views.Revoke.as_view(), name="oauth_revoke"),
    path("oauth2/authorize", views.Authorize.as_view(), name="oauth_authorize"),
    # Microsoft's clients put a tenant in front (F1.2).
    re_path(r"^[^/]+/oauth2/(?:v2\.0/)?token$", token, name="oauth_token_alias"),
    re_path(r"^[^/]+/oauth2/(?:v2\.0/)?authorize$", views.Authorize.as_view(), name="oauth_authorize_alias"),
]
