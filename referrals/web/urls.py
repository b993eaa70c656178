"""URLs of the referrals' pages; the deal page itself is in portal.pages."""

from __future__ import annotations

from django.urls import path

from referrals.web import actions, editing, sending, stage_names
from referrals.web.wizard import again, lookups, views

urlpatterns = [
    path("co-sell/new/", views.new_deal, name="new_deal"),
    path("co-sell/new/solutions/", lookups.suggest_solutions, name="suggest_solutions"),
    path("co-sell/new/<uuid:draft>/discard/", views.discard_draft, name="discard_draft"),
    path("co-sell/new/<uuid:draft>/invitation/<slug:key>/", views.invitation, name="new_deal_invitation"),
    path("co-sell/new/<uuid:draft>/<slug:step>/", views.step, name="new_deal_step"),
    path("co-sell/send/", sending.send_deal, name="send_deal"),
    path("co-sell/send/solutions/", sending.partner_solutions, name="partner_solutions"),
    path("customers/suggest/", lookups.suggest_customers, name="suggest_customers"),
    path("co-sell/<uuid:public_id>/again/", again.create_again, name="create_again"),
    path("co-sell/<uuid:public_id>/invite/", editing.invite_partner, name="invite_partner"),
    path("partners/suggest/", editing.suggest_partners, name="suggest_partners"),
    path("co-sell/<uuid:public_id>/edit/details/", editing.edit_details, name="edit_details"),
    path("co-sell/<uuid:public_id>/edit/team/", editing.edit_team, name="edit_team"),
    path("co-sell/<uuid:public_id>/edit/solutions/", editing.edit_solutions, name="edit_solutions"),
    path("co-sell/<uuid:public_id>/do/<slug:verb>/", actions.act, name="act"),
    path("settings/stage-names/", stage_names.names, name="stage_names"),
    path("settings/stage-names/<int:pk>/remove/", stage_names.remove_name, name="remove_stage_name"),
]
