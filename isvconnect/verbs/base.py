"""What the verbs of ISV Connect deals share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from dealreg.rules import UsdRate
from isvconnect.models import Installment, IsvDeal
from isvconnect.rules.schedule import Year
from isvconnect.selectors.deals import Judgement


def lock(pk: int) -> IsvDeal:
    """Its contract years are changed under this lock only."""
    return IsvDeal.objects.select_for_update(of=("self",)).with_context().get(pk=pk)


def keep(deal: IsvDeal, found: Judgement, *, policy_version: int, now: datetime) -> None:
    """Set what was stated, and what was found, in memory (FLOW-7)."""
    assert found.tcv_usd is not None
    assert found.solution_value_usd is not None
    deal.claim = found.claim
    deal.tag, deal.percent = found.tag, found.percent
    deal.tcv_usd, deal.solution_value_usd = found.tcv_usd, found.solution_value_usd
    deal.rates = dict(deal.rates) | _to_json(found.rates)
    deal.policy_version = policy_version
    deal.rate_missing_at = (deal.rate_missing_at or now) if found.percent is None else None
    deal.next_due_on = found.years[0].due_on if found.percent is not None else None


def _to_json(rates: Mapping[str, UsdRate]) -> dict[str, object]:
    return {
        currency: {"usd_per_unit": str(rate.usd_per_unit), "month": rate.month.isoformat()}
        for currency, rate in rates.items()
    }


def write_years(deal: IsvDeal, years: tuple[Year, ...]) -> None:
    """The deal's schedule, in place of what stood there (ISV-6)."""
    deal.installments.all().delete()
    Installment.objects.bulk_create(Installment(deal=deal, **vars(year)) for year in years)
