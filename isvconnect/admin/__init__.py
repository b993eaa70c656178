"""The pages of ISV Connect in the administration: deals, invoices, fee rates and runs (ISV-5, ISV-6)."""

from __future__ import annotations

from isvconnect.admin import deals, invoices, rates, runs

__all__ = ["deals", "invoices", "rates", "runs"]
