"""The reviewers' pages in the administration."""

from __future__ import annotations

from dealreg.admin import registration

__all__ = ["registration"]
