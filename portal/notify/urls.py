"""Addresses of notices, and of the demo's mail."""

from __future__ import annotations

from django.urls import path

from portal.notify import views

urlpatterns = [
    path("notices/", views.notices, name="notices"),
    path("notices/read/", views.read_all, name="read_notices"),
    path("notices/<int:pk>/", views.open_notice, name="open_notice"),
    path("settings/notifications/", views.preferences, name="notification_settings"),
    path("demo/mail/", views.demo_mails, name="demo_mails"),
    path("demo/mail/<uuid:public_id>/", views.demo_mail_page, name="demo_mail"),
    path("demo/mail/<uuid:public_id>/html/", views.demo_mail_html, name="demo_mail_html"),
]
