"""ISV Connect deals besides single verbs: the dry run, reporting once, and merged customers (ISV-2, ISV-3)."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F

from isvconnect import verbs
from isvconnect.models import IsvDeal
from isvconnect.rules.values import IsvDealInput
from isvconnect.selectors.deals import Judgement, judge
from portal.accounts.rules import Actor
from portal.workflow import services as workflow
from portal.workflow.blockers import Blocker, RuleViolation, _
from referrals.models import Referral

#: Somebody went back, changed what they had sent, and sent it again: neither may get lost.
_USED = Blocker(
    "already_reported",
    _("This form was sent already and reported a deal, which is in the list: correct it there."),
    "ISV-5",
)


def report(
    form: IsvDealInput,
    referral: Referral | None = None,
    *,
    actor: Actor,
    now: datetime,
    key: uuid.UUID | None = None,
) -> IsvDeal:
    """Report a closed sale; called again with the same `key` and form, return the deal there is.

    Raises PermissionDenied, or RuleViolation with everything that is wrong: another form under a used key as well.
    """
    key = key or uuid.uuid4()
    own = IsvDeal.objects.filter(company_id=actor.own_company_id, creation_key=key)
    if known := own.first():
        if judge(form, actor=actor, referral=referral, now=now).claim != known.claim:
            raise RuleViolation([_USED])
        return known
    try:
        with transaction.atomic():
            return workflow.run(None, verbs.REPORT, verbs.Report(form, referral, key), actor=actor, now=now)
    except IntegrityError:
        if known := own.first():  # the other of two clicks
            return known
        raise


def check(
    form: IsvDealInput,
    referral: Referral | None = None,
    deal: IsvDeal | None = None,
    *,
    actor: Actor,
    now: datetime,
) -> Judgement:
    """The dry run: violations, invoices and values as reporting or correcting now would find them. Writes nothing."""
    return judge(form, actor=actor, referral=referral, deal=deal, now=now)


def move_customer(merged: int, kept: int, *, now: datetime) -> None:
    """Let a merged customer's deals be the kept one's (REF-5), as new versions of them."""
    moved = IsvDeal.objects.filter(customer=merged)
    moved.update(customer=kept, version=F("version") + 1, updated_at=now)
