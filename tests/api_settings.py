"""For a process of its own that serves the addresses of tests/api_urls.py."""

from __future__ import annotations

from portal.settings import *  # noqa: F403

ROOT_URLCONF = "tests.api_urls"
