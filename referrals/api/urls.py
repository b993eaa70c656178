"""Addresses of the API that belong to referrals."""

from __future__ import annotations

from portal.api.http.routes import route
from referrals.api import views, wire

one = views.OneReferral.as_view()

urlpatterns = [
    route(wire.COLLECTION, views.Referrals.as_view(), name="api_referrals"),
    route(f"{wire.COLLECTION}/<id>", one, name="api_referral"),
    # The form of the address that webhooks give (F1.1).
    route("engagements/v1/referrals/<id>", one, name="api_referral_alias"),
]
