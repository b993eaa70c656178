"""Marketplace transactions as the vendor's API clients report them, one by one (FLOW-3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import IntegrityError, transaction

from dealreg.models import MarketplaceTransaction
from dealreg.rules import marketplace as rules
from dealreg.rules.marketplace import Line
from dealreg.services.marketplace import NewTransaction, Source
from dealreg.services.marketplace import add_transaction as add
from dealreg.services.marketplace_file import DIFFERS, named, same
from portal.accounts.policies import check_runs_programme
from portal.accounts.rules import Actor
from portal.workflow.blockers import RuleViolation


class Differs(Exception):
    """There is a transaction with this id, and it says something else."""

    blocker = DIFFERS


def report(line: Line, *, note: str, actor: Actor, now: datetime) -> tuple[MarketplaceTransaction, bool]:
    """Take the sale in, which the line names as a line of a file does; and whether it was new.

    Reporting it again changes nothing. Raises PermissionDenied, Differs, or RuleViolation with all that is wrong.
    """
    check_runs_programme(actor)
    ((_line, given),) = named([line])
    if not isinstance(given, NewTransaction):
        raise RuleViolation([*rules.blockers(line.details, today=now.date()), *given])
    new = replace(given, note=note)
    if known := _known(new):
        return known, False
    try:
        with transaction.atomic():
            return add(new, actor=actor, now=now, source=Source.API), True
    except IntegrityError:  # reported twice at once
        if known := _known(new):
            return known, False
        raise


def _known(new: NewTransaction) -> MarketplaceTransaction | None:
    """The transaction with this id. Raises Differs."""
    found = MarketplaceTransaction.objects.filter(transaction_id=new.details.transaction_id).first()
    if found is not None and not same(found, new):
        raise Differs
    return found
