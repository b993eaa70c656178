"""Addresses of licences: the partner's pages, and those that a customer's admin opens by a link."""

from __future__ import annotations

from django.urls import path

from licensing.web import consent, customer, partner

DEAL = "isvconnect/deals/<uuid:public_id>/licences/"
VISIT = "licences/visit/<uuid:relationship>/"

urlpatterns = [
    path(DEAL, partner.manage, name="isv_licences"),
    path(f"{DEAL}check/", partner.check, name="isv_licences_check"),
    path(f"{DEAL}invite/", partner.invite, name="isv_invite_customer"),
    path(f"{DEAL}invitations/<uuid:invitation_id>/withdraw/", partner.withdraw, name="isv_withdraw_invitation"),
    path(f"{DEAL}plans/<int:plan>/remove/", partner.remove_plan, name="isv_remove_plan"),
    path("consent/<str:token>/", consent.consent, name="consent"),
    path("licences/", customer.link, name="licence_link"),
    path("licences/<str:token>/", customer.enter, name="licence_page"),
    path(VISIT, customer.page, name="customer_licences"),
    path(f"{VISIT}plans/<uuid:licences>/<int:plan>/", customer.people, name="customer_plan"),
    path(f"{VISIT}consent/", customer.revoke, name="revoke_consent"),
    path(f"{VISIT}end/", customer.leave, name="end_licence_visit"),
]
