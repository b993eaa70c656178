"""Deals and registrations around the real now, for tests in which a browser looks on; tests.build makes them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from dealreg.models import Registration
from portal.demo.cast import Cast
from portal.workflow.blockers import Money
from referrals.models import Referral
from tests import build, do

if TYPE_CHECKING:
    from playwright.sync_api import Page


def young(cast: Cast, **changes: Any) -> Referral:
    """Accepted by the vendor, and too young to be won safely (REF-18)."""
    return build.accepted(cast, at=timezone.now() - build.DAY, **changes)


def won(cast: Cast, **changes: Any) -> Referral:
    """Won yesterday, long after the safe hour, and waiting to be registered."""
    now = timezone.now()
    return build.won(cast, at=now - build.DAY, created=now - 10 * build.DAY, **changes)


def filed(cast: Cast, referral: Referral, *, tcv: int = 40_000) -> Registration:
    """The registration a moment after the partner filed it: a year from today on."""
    now = timezone.now()
    today, last = now.date(), now.date() + timedelta(days=364)
    value = Money(Decimal(tcv), "EUR")
    return build.submitted(cast, referral, at=now, tcv=value, signed=today, start=today, end=last)


def in_review(cast: Cast, referral: Referral) -> Registration:
    """Waiting for a reviewer because of its size (AUTO-1)."""
    return do.routed(filed(cast, referral, tcv=4_000_000), now=timezone.now())


def act(page: Page, name: str) -> None:
    """Press one of the deal page's actions: the primary one, or one under *More*."""
    foot = page.locator(".o-foot")
    foot.locator("a:visible, summary:visible").last.wait_for()
    action = foot.get_by_role("link", name=name, exact=True)
    if not action.count():
        foot.locator(".o-more-actions > summary").click()
    action.click()
