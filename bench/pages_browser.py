"""When a page is there, and what moves while it comes: Chromium's own entries, in a browser that has nothing yet.

    python bench/pages_browser.py [DEALS]        # without: 10,000; the goals are 1 s and 0.05

*First* and *largest* are when the first and the largest part of the page was painted, the slowest of several visits;
*moved* is the sum of Chromium's layout shifts. Web, database and browser share the machine. Needs a Chromium.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from typing import Any

import generate
from deals_list import BY
from slow_clients import serving

VISITS = 5
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Milliseconds, milliseconds, and how much of the window.
ENTRIES = """() => document.fonts.ready.then(() => new Promise((done) => {
  const seen = { "layout-shift": [], "largest-contentful-paint": [] };
  const observers = Object.keys(seen).map((type) => {
    const observer = new PerformanceObserver((list) => seen[type].push(...list.getEntries()));
    observer.observe({ type, buffered: true });
    return observer;
  });
  setTimeout(() => {
    observers.forEach((observer) => observer.disconnect());
    const first = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0;
    const largest = Math.max(...seen["largest-contentful-paint"].map((entry) => entry.startTime));
    done([first, largest, seen["layout-shift"].reduce((sum, entry) => sum + entry.value, 0)]);
  }, 300);
}))"""


def pages() -> dict[str, str]:
    from django.urls import reverse

    from dealreg.models import Registration
    from dealreg.rules import states
    from referrals.models import Referral

    contoso = Referral.objects.filter(company__name__startswith="Contoso")
    deal = contoso.filter(substatus="Accepted", stage=40).latest("created_at")
    waits = Registration.objects.filter(referral__in=contoso, status=states.REGISTRATION_PENDING)
    return {
        "home": reverse("home"),
        "list": reverse("deals") + "?tab=outbound&exact=1",
        "deal": reverse("deal", args=[deal.public_id]),
        "new deal": reverse("new_deal"),
        "registration": reverse("registration", args=[waits.latest("pk").referral.public_id]),
        "insights": reverse("insights") + "?period=12",
    }


def visited(browser: Any, signed_in: Any, url: str) -> list[float]:
    """One visit with an empty cache."""
    context = browser.new_context(storage_state=signed_in, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(url)
    entries: list[float] = page.evaluate(ENTRIES)
    context.close()
    return entries


def measure(port: int) -> Iterator[str]:
    from playwright.sync_api import sync_playwright

    from portal.demo.cast import PASSWORD

    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    base, found = f"http://127.0.0.1:{port}", pages()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=False)
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{base}/accounts/login/")
        page.fill("[name=login]", BY)
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{base}/")
        for name, url in found.items():
            visits = [visited(browser, context.storage_state(), base + url) for _visit in range(VISITS)]
            first, largest, moved = map(max, zip(*visits, strict=True))
            yield f"| {name} | {first:,.0f} ms | {largest:,.0f} ms | {moved:.3f} |"
        browser.close()


if __name__ == "__main__":
    deals = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with generate.database() as fill:
        from django.core.management import call_command

        call_command("collectstatic", interactive=False, verbosity=0)
        fill(deals=deals, customers=deals, demo=True)
        with serving([]) as port:
            print(f"\n{deals:,} deals\n\n| page | first | largest | moved |\n|---|---|---|---|", flush=True)
            for line in measure(port):
                print(line, flush=True)
