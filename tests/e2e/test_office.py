"""The programme manager's office in a browser, without a script of ours: rates looked at, a policy tried, published,
one to come withdrawn; axe finds nothing serious."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from portal.demo.cast import Cast
from portal.events.models import Event
from portal.money import services as money
from portal.policy import services as policies
from portal.policy.models import PolicyVersion
from tests.e2e import deals
from tests.e2e.conftest import Visit
from tests.e2e.test_access import problems

MANAGER = "manager@vendor.example"
OFFICE, ADD = "admin:policy_policyversion_changelist", "admin:policy_policyversion_add"
RATES = "admin:money_monthlyrate_upload"


def publish(page: Page, **typed: str) -> None:
    page.goto(reverse(ADD))
    for name, value in typed.items():
        page.locator(f"[name={name}]").fill(value)
    page.get_by_role("button", name="Look at it").click()


def test_a_policy_is_changed_tried_published_and_one_to_come_withdrawn(cast: Cast, visit: Visit) -> None:
    """FLOW-7: the minimum value in four fields at most; what would have gone another way is listed before."""
    approved = deals.won(cast, name="Approved")
    deals.filed(cast, approved)
    page = visit(MANAGER, java_script_enabled=False)
    publish(page, minimum_deal_value_usd="900000", note="Larger deals only")
    expect(page.get_by_text("25,000 USD → 900,000 USD")).to_be_visible()
    expect(page.get_by_role("row", name="Approved").get_by_text("Not eligible")).to_be_visible()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("heading", name="In force v1")).to_be_visible()
    assert policies.current(timezone.now()).minimum_deal_value_usd == 900_000

    day = (timezone.now() + timedelta(days=3)).date()
    publish(page, exception_quorum="3", in_force_from=day.isoformat())
    page.get_by_role("button", name="Publish").click()
    page.get_by_role("link", name="Withdraw v2").click()
    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_role("heading", name="To come")).to_have_count(0)
    assert PolicyVersion.objects.filter(number=2, withdrawn_at__isnull=False).exists()


def test_rates_are_taken_in_once_what_jumps_is_confirmed(cast: Cast, visit: Visit) -> None:
    """FX-1."""
    page, month = visit(MANAGER, java_script_enabled=False), timezone.now().date()
    page.goto(reverse(RATES))
    page.get_by_label("Or write them here").fill(f"currency,month,usd_per_unit\nEUR,{month:%Y-%m},11499\n")
    page.get_by_role("button", name="Look at it").click()
    page.get_by_role("button", name="Import 1 rate").click()
    expect(page.get_by_text("Tick that these rates are right")).to_be_visible()
    page.get_by_label("I have checked these rates").check()
    page.get_by_role("button", name="Import 1 rate").click()
    expect(page.get_by_text("1 corrected")).to_be_visible()
    assert money.rate_for("EUR", month, policy=policies.current(timezone.now())).usd_per_unit == 11499


def test_the_offices_pages_have_no_barrier(cast: Cast, visit: Visit) -> None:
    now = timezone.now()
    deals.filed(cast, deals.won(cast, name="Approved"))
    policies.add_version(values={"answer_days": 10}, effective_from=None, note="Shorter", by=None, now=now)
    later = now + timedelta(days=3)
    coming = policies.add_version(values={"exception_quorum": 3}, effective_from=later, note="", by=None, now=now)
    page = visit(MANAGER)
    found = []
    for name, url in {
        "policy": reverse(OFFICE),
        "new version": reverse(ADD),
        "version": reverse("admin:policy_policyversion_change", args=[coming.pk]),
        "withdraw": reverse("admin:policy_policyversion_withdraw", args=[coming.pk]),
        "rates": reverse(RATES),
        "company": reverse("admin:accounts_company_add"),
        "index": reverse("admin:index"),
        "events": reverse("admin:events_event_changelist"),
        "event": reverse("admin:events_event_change", args=[Event.objects.latest("pk").pk]),
        "a figure's deals": reverse("insights_deals"),
    }.items():
        found += problems(page, name, url)
    if folder := os.environ.get("G_SHOTS"):
        shots(page, Path(folder))
    assert not found, "\n".join(found)


def shots(page: Page, folder: Path) -> None:
    for width in (1440, 1024, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark") if width == 1440 else ("light",):
            page.emulate_media(color_scheme=scheme)
            for name, url in {"office": reverse(OFFICE), "add": reverse(ADD), "rates": reverse(RATES)}.items():
                page.goto(url)
                if name == "add" and width == 1440:
                    page.get_by_role("button", name="Look at it").click()
                if name == "rates":
                    month = timezone.now().date()
                    rows = f"currency,month,usd_per_unit\nEUR,{month:%Y-%m},11499\nAZN,{month:%Y-%m},0.59\n"
                    page.get_by_label("Or write them here").fill(rows)
                    page.get_by_role("button", name="Look at it").click()
                page.screenshot(path=folder / f"{name}-{width}-{scheme}.png")
