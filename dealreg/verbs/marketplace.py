"""How waiting for a marketplace transaction ends: found, or not (FLOW-3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from dealreg.models import MarketplaceTransaction, Registration
from dealreg.policies import may_review
from dealreg.selectors import marketplace
from dealreg.timeline import REGISTRATION
from dealreg.verbs.deciding import Comment, Decision, Passing, Refusing
from portal.workflow.blockers import _
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Effect, worker


class Sale(NamedTuple):
    """What is told of a transaction that the worker gives to a registration."""

    pk: int
    transaction_id: str
    date: date


@dataclass(frozen=True)
class Found(Comment):
    """What the worker found: the transaction of each registration, by its key."""

    transactions: Mapping[int, Sale] = field(default_factory=dict)


class Match(Passing[Comment]):
    """Give the registration its transaction: the one that the worker found.

    A reviewer's confirmation takes the nearest, and needs none: they may know of one that was not reported.
    """

    name = "match"
    label = _("Confirm the marketplace transaction")
    event = "registration.matched"
    sentence = Sentence(
        "check-circle", "success", _("The marketplace transaction was confirmed: %(transaction)s"), REGISTRATION
    )
    who = (may_review, worker)

    def apply(self, record: Registration, inputs: Comment, context: Context) -> Effect:
        given = _given(context)
        if isinstance(inputs, Found):
            found: Sale | MarketplaceTransaction | None = inputs.transactions[record.pk]
        else:
            found = marketplace.fitting(record, now=context.now).select_for_update(skip_locked=True).first()
        after = {"transaction": ""}
        if found is not None:
            given[record.pk] = found.pk
            after = {"transaction": found.transaction_id, "transaction_date": found.date.isoformat()}
        effect = super().apply(record, inputs, context)
        return Effect(after=after, reasons=[marketplace.looked_for(record, context)], comment=effect.comment)

    def settle(self, records: Sequence[Registration], context: Context) -> None:
        super().settle(records, context)
        MarketplaceTransaction.objects.give({r.pk: _given(context)[r.pk] for r in records if r.pk in _given(context)})


def _given(context: Context) -> dict[int, int]:
    """The transactions that this run gives, by registration."""
    return context.once("transactions", dict)


class NoMatch(Refusing):
    """Say that there is no transaction: a reviewer, or the worker when it was waited for long enough."""

    name = "no_match"
    label = _("No marketplace transaction")
    event = "registration.not_matched"
    sentence = Sentence("x-circle", "danger", _("No marketplace transaction was found: %(reason)s"), REGISTRATION)
    who = (may_review, worker)

    def apply(self, record: Registration, inputs: Decision, context: Context) -> Effect:
        effect = super().apply(record, inputs, context)
        return Effect(reasons=[marketplace.looked_for(record, context)], comment=effect.comment)


MATCH, NO_MATCH = Match(), NoMatch()
#: What the worker decides when it was waited for long enough; the reason says everything.
NEVER_CAME = Decision(reason_code="no_marketplace_transaction")
