"""The reviewers' desk in the administration."""

from __future__ import annotations

from portal.desk.admin import cases

__all__ = ["cases"]
