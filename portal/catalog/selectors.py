"""What the apps above know of a solution."""

from __future__ import annotations

from collections.abc import Callable

from portal.registry import Registry

#: By a solution's number, how much was decided or issued about it; each app adds its own.
SETTLED: Registry[Callable[[int], int]] = Registry()
