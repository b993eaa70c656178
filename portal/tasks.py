"""What the tasks of several apps share."""

from __future__ import annotations

from collections.abc import Callable

from django.utils import timezone


def until_done(sweep: Callable[..., int]) -> int:
    """Sweep batch after batch, each at its own instant, until one finds nothing. Returns how many rows there were."""
    return sum(iter(lambda: sweep(now=timezone.now()), 0))
