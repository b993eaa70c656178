"""The partner reports a closed sale, and corrects it until its first invoice (ISV-2, ISV-3, ISV-5)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied

from isvconnect.models import IsvDeal
from isvconnect.policies import acts_for_partner, may_change, may_report
from isvconnect.rules.values import IsvDealInput
from isvconnect.selectors.deals import Judgement, judge
from isvconnect.timeline import ISV_CONNECT
from isvconnect.verbs.base import keep, write_years
from portal.workflow.blockers import Blocker, _
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Creation, Effect, Verb
from referrals.models import Referral
from referrals.verbs.base import lock as lock_referral


@dataclass(frozen=True)
class Report:
    """The form as it was filled in, and the won referral that the sale comes from, if any.

    `key` is the page's, so that a double click reports one deal.
    """

    form: IsvDealInput
    referral: Referral | None = None
    key: uuid.UUID | None = None


class ReportDeal(Creation[IsvDeal, Report]):
    """Report a closed ISV Connect deal, with the invoices it leads to (ISV-2, ISV-3, ISV-6)."""

    name = "report"
    label = _("Report closed ISV Connect deal")
    event = "isv_deal.reported"
    sentence = Sentence("receipt", "info", _("%(company)s reported the ISV Connect deal"), ISV_CONNECT)
    who = (acts_for_partner,)
    page = "report_isv_deal"
    in_dialog = False

    def input_blockers(self, inputs: Report, context: Context) -> Iterable[Blocker]:
        """Raises PermissionDenied for who may not report it (ISV-7)."""
        if not may_report(context.actor, None, self._referral(inputs, context)):
            raise PermissionDenied
        return self._judgement(inputs, context).violations  # the location is among them

    def apply(self, inputs: Report, context: Context) -> tuple[IsvDeal, Effect]:
        found, referral = self._judgement(inputs, context), self._referral(inputs, context)
        deal = IsvDeal(
            company_id=context.actor.own_company_id,
            referral=referral,
            created_at=context.now,
            updated_at=context.now,
            submitted_by_id=context.actor.user_id,
            **({"creation_key": inputs.key} if inputs.key else {}),
            **({"group": referral.event_group} if referral else {}),
        )
        keep(deal, found, policy_version=context.policy.version, now=context.now)
        deal.save()
        write_years(deal, found.years)
        return deal, Effect(after={"status": deal.status, "tag": deal.tag, "percent": _shown(found)})

    def _referral(self, inputs: Report, context: Context) -> Referral | None:
        """Locked: nobody reports it, or changes it, meanwhile."""
        referral = inputs.referral
        return context.once("referral", lambda: lock_referral(referral.pk)) if referral else None

    def _judgement(self, inputs: Report, context: Context) -> Judgement:
        referral = self._referral(inputs, context)
        return context.once(
            "judgement", lambda: judge(inputs.form, actor=context.actor, referral=referral, now=context.now)
        )


def _shown(found: Judgement) -> str | None:
    return None if found.percent is None else str(found.percent)


class Correct(Verb[IsvDeal, IsvDealInput]):
    """Correct the deal before its first invoice; the schedule follows (ISV-5)."""

    name = "correct"
    label = _("Correct")
    event = "isv_deal.corrected"
    sentence = Sentence("pencil", "info", _("%(company)s corrected the ISV Connect deal"), ISV_CONNECT)
    who = (may_change,)
    page = "isv_deal_action"
    in_dialog = False

    def input_blockers(self, record: IsvDeal, inputs: IsvDealInput, context: Context) -> Iterable[Blocker]:
        return self._judgement(record, inputs, context).violations

    def apply(self, record: IsvDeal, inputs: IsvDealInput, context: Context) -> Effect:
        found = self._judgement(record, inputs, context)
        record.correct()
        keep(record, found, policy_version=context.policy.version, now=context.now)
        write_years(record, found.years)
        return Effect()

    def _judgement(self, record: IsvDeal, inputs: IsvDealInput, context: Context) -> Judgement:
        return context.once("judgement", lambda: judge(inputs, actor=context.actor, deal=record, now=context.now))


REPORT, CORRECT = ReportDeal(), Correct()
