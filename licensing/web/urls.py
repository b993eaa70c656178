"""Addresses of licences."""

from __future__ import annotations

from django.urls import path

from licensing.web import views

urlpatterns = [
    path("isvconnect/deals/<uuid:public_id>/licences/", views.not_yet, name="isv_licences"),
    path("consent/<str:token>/", views.not_yet, name="consent"),
    path("licences/", views.not_yet, name="licence_link"),
    path("licences/<str:token>/", views.not_yet, name="licence_page"),
]
