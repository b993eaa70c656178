"""The form that asks for a new password (portal.settings names it to allauth)."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth
from allauth.account.adapter import get_adapter
from allauth.account.fields import EmailField
from django.http import HttpRequest
from django.utils import timezone

from portal.accounts import services
from portal.accounts.models import AccountMessage


class ResetPasswordForm(allauth.ResetPasswordForm):  # type: ignore[misc]  # allauth has no types
    """Looks for no account and mails nothing: a worker does, so that nobody learns by answer or time who has one."""

    email = EmailField(max_length=254)

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"])

    def save(self, request: HttpRequest, **_kwargs: Any) -> str:
        email = str(self.cleaned_data["email"])
        address = get_adapter().get_client_ip(request) or ""
        services.leave_message(AccountMessage.Kind.PASSWORD_LINK, email=email, address=address, now=timezone.now())
        return email
