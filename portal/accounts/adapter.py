"""How people get in: by an account the programme made for them, never by signing up; and when wrong passwords lock."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.internal import ratelimit
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.accounts import services
from portal.accounts.models import AccountMessage, User
from portal.outage import redis_answers

#: How allauth names the limit on wrong passwords (settings.SIGN_IN_LIMITS).
LIMIT = {"app": "allauth.account", "action": "login_failed"}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Counts wrong passwords for an account from a network address, so that no stranger locks a person out."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """What a limit "per key" counts by; allauth's own has the account alone."""
        return f"{ratelimit.get_ip(request)} {credentials.get('email', '').lower()}"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Raises ValidationError, with what is locked and for how long.

        Wrong passwords must be counted: without Redis nobody signs in. Every other limit is open meanwhile.
        """
        if settings.ACCOUNT_RATE_LIMITS is not False and not redis_answers():
            raise ValidationError(
                _(
                    "Nobody can sign in for the moment: wrong passwords can't be counted, as a part of the portal "
                    "(Redis) does not answer. Whoever is signed in stays so. Try again in a few minutes; if it lasts, "
                    "tell your administrator."
                )
            )
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as refused:
            locks = list(self._locks(request, **credentials))
            raise _explained(locks) if locks else refused from None

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """The account's holder, if it has one, hears of the wrong password that locked it."""
        for rate, _seconds in self._locks(request, **credentials):
            if rate.per == "key":
                services.leave_message(
                    AccountMessage.Kind.LOCKED_OUT,
                    email=credentials["email"],
                    address=self.get_client_ip(request) or "",
                    tries=rate.amount,
                    now=timezone.now(),
                )

    def set_password(self, user: User, password: str) -> None:
        """Who chose a new password needn't wait until they may use it."""
        super().set_password(user, password)
        self._delete_login_attempts_cached_email(context.request, email=user.email)

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        """The account's lock only; allauth's own forgets what it counts for the network address, too."""
        key = self._get_login_attempts_cache_key(request, **credentials)
        for rate in ratelimit.get_rates(**LIMIT):
            if rate.per == "key":
                cache.delete(ratelimit.get_cache_key(request, **LIMIT, rate=rate, key=key))

    def _locks(self, request: HttpRequest, **credentials: Any) -> Iterator[tuple[ratelimit.Rate, float]]:
        """The limits that are reached, with the seconds until the next try."""
        key = self._get_login_attempts_cache_key(request, **credentials)
        for rate in ratelimit.get_rates(**LIMIT):
            tries = cache.get(ratelimit.get_cache_key(request, **LIMIT, rate=rate, key=key), [])
            if len(tries) >= rate.amount and (seconds := tries[-1] + rate.duration - time.time()) > 0:
                yield rate, seconds


def _explained(locks: list[tuple[ratelimit.Rate, float]]) -> ValidationError:
    """The lock that lasts longest, in words."""
    rate, seconds = max(locks, key=lambda lock: lock[1])
    minutes = math.ceil(seconds / 60)
    if rate.per == "key":
        text = ngettext(
            "Too many wrong passwords for this account from your network. You can try again in %(minutes)d minute; "
            "from elsewhere the account is not locked.",
            "Too many wrong passwords for this account from your network. You can try again in %(minutes)d minutes; "
            "from elsewhere the account is not locked.",
            minutes,
        )
    else:
        text = ngettext(
            "Too many wrong passwords from your network. You can try again in %(minutes)d minute.",
            "Too many wrong passwords from your network. You can try again in %(minutes)d minutes.",
            minutes,
        )
    return ValidationError(text % {"minutes": minutes}, code="too_many_login_attempts")
