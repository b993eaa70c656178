"""The pages of reviewers and programme managers in the administration."""

from __future__ import annotations

from dealreg.admin import marketplace, registration, simulation

__all__ = ["marketplace", "registration", "simulation"]
