"""Every address of the portal."""

from __future__ import annotations

from django.urls import include, path

from portal import health
from portal.accounts.admin_site import site

urlpatterns = [
    path("", include("portal.pages.urls")),
    path("", include("referrals.urls")),
    path("", include("dealreg.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("admin/", site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
