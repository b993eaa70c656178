"""Addresses of deals' verbs; the deal page itself is composed in portal.pages."""

from __future__ import annotations

from django.urls import path

from referrals import views

urlpatterns = [
    path("co-sell/new/", views.new_deal, name="new_deal"),
    path("co-sell/new/kind/", views.new_deal_kind, name="new_deal_kind"),
    path("customers/suggest/", views.suggest_customers, name="suggest_customers"),
    path("co-sell/<uuid:public_id>/notes/", views.add_note, name="add_note"),
    path("co-sell/<uuid:public_id>/do/<slug:verb>/", views.act, name="act"),
]
