"""Every address of the portal."""

from __future__ import annotations

from django.urls import include, path
from django.views.generic import RedirectView

from portal import health
from portal.accounts.admin_site import site

urlpatterns = [
    path("", include("portal.pages.urls")),
    path("", include("referrals.web.urls")),
    path("", include("dealreg.web.urls")),
    path("", include("exceptions_council.web.urls")),
    path("", include("licensing.web.urls")),
    path("", include("isvconnect.web.urls")),
    path("", include("portal.people.urls")),
    path("", include("portal.notify.urls")),
    path("", include("portal.webhooks.urls")),
    path("", include("portal.api.urls")),
    path("", include("referrals.api.urls")),
    path("", include("dealreg.api.urls")),
    path("", include("exceptions_council.api.urls")),
    path("", include("licensing.api.urls")),
    path("", include("isvconnect.api.urls")),
    # Teams list people by e-mail (ORG-2), so nobody takes another one on allauth's page.
    path("accounts/email/", RedirectView.as_view(pattern_name="home"), name="account_email"),
    path("accounts/", include("allauth.account.urls")),
    path("admin/", site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("status", health.status, name="status"),
]
