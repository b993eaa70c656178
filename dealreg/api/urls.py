"""Addresses of registrations in the API."""

from __future__ import annotations

from dealreg.api import checking
from portal.api.http.routes import route

REFERRAL = "v1.0/engagements/referrals/<public_id>"

urlpatterns = [
    route(f"{REFERRAL}/eligibility", checking.EligibilityEndpoint.as_view(), name="api_eligibility"),
    route(f"{REFERRAL}/registrations/check", checking.CheckEndpoint.as_view(), name="api_registration_check"),
]
