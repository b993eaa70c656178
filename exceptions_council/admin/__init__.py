"""The pages of the council and of those who read along in the administration."""

from __future__ import annotations

from exceptions_council.admin import letters, requests

__all__ = ["letters", "requests"]
