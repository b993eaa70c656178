"""The reviewers' desk in the administration, and what programme managers keep for it."""

from __future__ import annotations

from portal.desk.admin import cases, templates

__all__ = ["cases", "templates"]
