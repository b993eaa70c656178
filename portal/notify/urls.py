"""Addresses of notices."""

from __future__ import annotations

from django.urls import path

from portal.notify import views

urlpatterns = [
    path("notices/", views.notices, name="notices"),
    path("notices/read/", views.read_all, name="read_notices"),
    path("notices/<int:pk>/", views.open_notice, name="open_notice"),
    path("settings/notifications/", views.preferences, name="notification_settings"),
]
