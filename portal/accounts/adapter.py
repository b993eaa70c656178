"""How people get in: by an account the programme made for them, never by signing up."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from portal.outage import redis_answers


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Wrong passwords must be counted: without Redis nobody signs in. Every other limit is open meanwhile."""
        if settings.ACCOUNT_RATE_LIMITS is not False and not redis_answers():
            raise ValidationError(
                _(
                    "Nobody can sign in for the moment: wrong passwords can't be counted, as a part of the portal "
                    "(Redis) does not answer. Whoever is signed in stays so. Try again in a few minutes; if it lasts, "
                    "tell your administrator."
                )
            )
        super().pre_authenticate(request, **credentials)
