"""Notices as mail: text and HTML, in the receiver's language and zone (REF-24)."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import ngettext

from portal.accounts.models import User
from portal.notify import rules, selectors
from portal.notify.models import Notice


def zone_of(user: User | None) -> zoneinfo.ZoneInfo:
    """The person's time zone; UTC if its name is unknown."""
    try:
        return zoneinfo.ZoneInfo(user.time_zone if user else "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


def single(notice: Notice) -> EmailMultiAlternatives:
    """The mail about one notice."""
    with _as_read_by(notice.user, notice.language):
        rendered = selectors.rendered(notice, mailed=True)
        context = {**_context([rendered], notice), "optional": _is_optional(notice)}
        return _mail(rendered.subject, "notice", context, to=notice.email, identity=f"notice-{notice.pk}")


def digest(notices: Sequence[Notice]) -> EmailMultiAlternatives:
    """One mail with the day's notices for one person; every try of the same digest has the same Message-ID."""
    head = notices[0]
    with _as_read_by(head.user, head.language):
        rendered = [selectors.rendered(notice) for notice in notices]
        count = ngettext("%(count)d notice since yesterday", "%(count)d notices since yesterday", len(rendered))
        context = {**_context(rendered, head), "optional": True, "heading": count % {"count": len(rendered)}}
        return _mail(context["heading"], "digest", context, to=head.email, identity=f"digest-{head.digest}")


@contextmanager
def _as_read_by(user: User | None, language: str) -> Iterator[None]:
    """Activate the person's current language; without an account, the language they were written to in."""
    with translation.override(user.language if user else language), timezone.override(zone_of(user)):
        yield


def _is_optional(notice: Notice) -> bool:
    return notice.user_id is not None and notice.category in {category.code for category in rules.optional()}


def _context(rendered: Sequence[selectors.RenderedNotice], notice: Notice) -> dict[str, Any]:
    links = [{"notice": one, "link": _address(selectors.link(one.notice))} for one in rendered]
    return {
        "items": links,
        **links[0],
        "has_account": notice.user_id is not None,
        "settings_link": settings.BASE_URL + reverse("notification_settings"),
        "home_link": settings.BASE_URL + reverse("notices"),
        "language": translation.get_language(),
    }


def _address(link: str) -> str:
    """The whole address of a path; '' for mail that leads nowhere, such as a code's."""
    return settings.BASE_URL + link if link else ""


def _mail(subject: str, template: str, context: dict[str, Any], *, to: str, identity: str) -> EmailMultiAlternatives:
    host = urlsplit(settings.BASE_URL).hostname or "ortak"
    mail = EmailMultiAlternatives(
        subject=" ".join(subject.split()),
        body=render_to_string(f"mail/{template}.txt", context),
        to=[to],
        headers={"Message-ID": f"<{identity}@{host}>", "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(render_to_string(f"mail/{template}.html", context), "text/html")
    return mail
