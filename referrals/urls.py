"""Addresses of deals' verbs; the deal page itself is composed in portal.pages."""

from __future__ import annotations

from django.urls import path

from referrals import views, views_after, views_stages

urlpatterns = [
    path("co-sell/new/", views.new_deal, name="new_deal"),
    path("co-sell/new/kind/", views.new_deal_kind, name="new_deal_kind"),
    path("customers/suggest/", views.suggest_customers, name="suggest_customers"),
    path("co-sell/<uuid:public_id>/notes/", views.add_note, name="add_note"),
    path("co-sell/<uuid:public_id>/invite/", views_after.invite_partner, name="invite_partner"),
    path("partners/suggest/", views_after.suggest_partners, name="suggest_partners"),
    path("co-sell/<uuid:public_id>/edit/details/", views_after.edit_details, name="edit_details"),
    path("co-sell/<uuid:public_id>/edit/team/", views_after.edit_team, name="edit_team"),
    path("co-sell/<uuid:public_id>/edit/solutions/", views_after.edit_solutions, name="edit_solutions"),
    path("co-sell/<uuid:public_id>/do/<slug:verb>/", views.act, name="act"),
    path("settings/stage-names/", views_stages.names, name="stage_names"),
    path("settings/stage-names/<int:pk>/remove/", views_stages.remove_name, name="remove_stage_name"),
]
