"""Addresses of the API that belong to referrals."""

from __future__ import annotations

from portal.api.http.routes import route
from referrals.api import actions, directory, views, wire

one = views.OneReferral.as_view()

urlpatterns = [
    route(wire.COLLECTION, views.Referrals.as_view(), name="api_referrals"),
    route(f"{wire.COLLECTION}/<id>", one, name="api_referral"),
    # The form of the address that webhooks give (F1.1).
    route("engagements/v1/referrals/<id>", one, name="api_referral_alias"),
    route(f"{wire.COLLECTION}/<id>/actions", actions.Actions.as_view(), name="api_referral_actions"),
    route(f"{wire.COLLECTION}/<id>/timeline", actions.Timeline.as_view(), name="api_referral_timeline"),
    route(f"{wire.COLLECTION}/<id>/notes", actions.Notes.as_view(), name="api_referral_notes"),
    route(f"{wire.COLLECTION}/<id>/favorite", actions.Favorite.as_view(), name="api_referral_favorite"),
    route("v1.0/customers", directory.Customers.as_view(), name="api_customers"),
    route("v1.0/solutions", directory.Solutions.as_view(), name="api_solutions"),
    route("v1.0/partners", directory.Partners.as_view(), name="api_partners"),
]
