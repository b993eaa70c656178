"""Addresses of webhooks."""

from __future__ import annotations

from django.urls import path

from portal.webhooks import views

urlpatterns = [
    path("webhooks/v1/certificates/<uuid:public_id>.pem", views.certificate, name="webhook_certificate"),
]
