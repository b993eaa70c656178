"""How much mail to strangers there has been: by invitation, by consent, and by company and day of UTC (LIC-8)."""

from __future__ import annotations

from datetime import UTC, datetime, time

from licensing.models import EmailCode, LicenceLink


def today(now: datetime) -> datetime:
    """When the day of UTC began."""
    return datetime.combine(now.astimezone(UTC).date(), time.min, UTC)


def sent_by_company(company_id: int, now: datetime) -> int:
    """The codes and links that the company's customers were mailed today."""
    codes = EmailCode.objects.filter(invitation__company=company_id, created_at__gte=today(now))
    links = LicenceLink.objects.filter(relationship__company=company_id, created_at__gte=today(now))
    return codes.count() + links.count()
