"""What an installation still needs of rates and policy (FX-1, FLOW-7)."""

from __future__ import annotations

from portal.accounts.selectors import STEPS, Step
from portal.money.models import MonthlyRate
from portal.policy.models import PolicyVersion
from portal.workflow.blockers import _

STEPS.add(
    "rates",
    Step(
        _("Take in the monthly rates"),
        _("By file, or by `manage.py import_rates`: a currency without a recent rate can't be judged."),
        "admin:money_monthlyrate_upload",
        lambda: MonthlyRate.objects.exists(),
    ),
    order=60,
)
STEPS.add(
    "policy",
    Step(
        _("Look at the programme's numbers"),
        _("If they differ from the built-in ones, publish your own. The programme works without that."),
        "admin:policy_policyversion_changelist",
        lambda: PolicyVersion.objects.exists(),
        optional=True,
    ),
    order=70,
)
