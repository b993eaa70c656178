"""Addresses of the referrals' edges; the deal page itself is composed in portal.pages."""

from __future__ import annotations

from django.urls import path

from referrals import views, views_after, views_new, views_send, views_stages

urlpatterns = [
    path("co-sell/new/", views_new.new_deal, name="new_deal"),
    path("co-sell/new/kind/", views_new.new_deal_kind, name="new_deal_kind"),
    path("co-sell/new/solutions/", views_new.suggest_solutions, name="suggest_solutions"),
    path("co-sell/new/<uuid:draft>/discard/", views_new.discard_draft, name="discard_draft"),
    path("co-sell/new/<uuid:draft>/invitation/<slug:key>/", views_new.invitation, name="new_deal_invitation"),
    path("co-sell/new/<uuid:draft>/<slug:step>/", views_new.step, name="new_deal_step"),
    path("co-sell/send/", views_send.send_deal, name="send_deal"),
    path("co-sell/send/solutions/", views_send.partner_solutions, name="partner_solutions"),
    path("customers/suggest/", views_new.suggest_customers, name="suggest_customers"),
    path("co-sell/<uuid:public_id>/invite/", views_after.invite_partner, name="invite_partner"),
    path("partners/suggest/", views_after.suggest_partners, name="suggest_partners"),
    path("co-sell/<uuid:public_id>/edit/details/", views_after.edit_details, name="edit_details"),
    path("co-sell/<uuid:public_id>/edit/team/", views_after.edit_team, name="edit_team"),
    path("co-sell/<uuid:public_id>/edit/solutions/", views_after.edit_solutions, name="edit_solutions"),
    path("co-sell/<uuid:public_id>/do/<slug:verb>/", views.act, name="act"),
    path("settings/stage-names/", views_stages.names, name="stage_names"),
    path("settings/stage-names/<int:pk>/remove/", views_stages.remove_name, name="remove_stage_name"),
]
