"""Addresses of webhooks: certificates, settings, the registration API, and the feed."""

from __future__ import annotations

from django.urls import path

from portal.api.http.routes import route
from portal.webhooks import api, views

REGISTRATION = "webhooks/v1/registration"

urlpatterns = [
    path("webhooks/v1/certificates/<uuid:public_id>.pem", views.certificate, name="webhook_certificate"),
    path("settings/webhook/", views.webhook, name="webhook"),
    path("settings/webhook/secret/", views.renew_secret, name="renew_webhook_secret"),
    path("settings/webhook/pause/", views.pause, name="pause_webhook"),
    path("settings/webhook/resume/", views.resume, name="resume_webhook"),
    path("settings/webhook/test/", views.send_test, name="test_webhook"),
    path("settings/webhook/<uuid:public_id>/", views.delivery, name="delivery"),
    path("settings/webhook/<uuid:public_id>/replay/", views.replay, name="replay_delivery"),
    route(REGISTRATION, api.Registration.as_view(), name="api_webhook"),
    route(f"{REGISTRATION}/events", api.EventNames.as_view(), name="api_webhook_events"),
    route(f"{REGISTRATION}/validationEvents", api.Tests.as_view(), name="api_webhook_tests"),
    route(f"{REGISTRATION}/validationEvents/<id>", api.Test.as_view(), name="api_webhook_test"),
    route("v1.0/events", api.Events.as_view(), name="api_events"),
]
