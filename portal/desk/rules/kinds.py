"""Kinds of cases: each app adds its own, and the desk names none of them (FLOW-12)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from portal.actors import Actor
from portal.registry import Registry
from portal.workflow.blockers import _


@dataclass(frozen=True)
class Entering:
    """A record that came to the desk: what its case says of it, as it was then.

    `reasons`: codes that its kind has words for. `words`: what it is found by besides title, partner and customer.
    `since`: when it came; `due_on`: the last day to decide, where it is another than the policy's for the desk.
    """

    object_id: int
    company_id: int
    customer_id: int
    title: str
    since: datetime
    due_on: date | None = None
    reasons: tuple[str, ...] = ()
    value_usd: Decimal | None = None
    filer_id: int | None = None
    words: tuple[str, ...] = ()
    is_marketplace: bool = False
    is_returned: bool = False


class Outcome:
    """How a stay on the desk ends. What ends otherwise was not decided there: withdrawn, replaced, reopened."""

    PASSED, FAILED, SENT_BACK, RETRACTED, ENDED = "passed", "failed", "sent_back", "retracted", "ended"
    LABELS: Mapping[str, str] = {
        PASSED: _("Passed"),
        FAILED: _("Failed"),
        SENT_BACK: _("Sent back"),
        RETRACTED: _("Retracted"),
        ENDED: _("Ended otherwise"),
    }
    #: Those that somebody decided; of the first two the pass rate is reckoned.
    DECISIONS = (PASSED, FAILED, SENT_BACK)
    FINAL = (PASSED, FAILED)


@dataclass(frozen=True)
class CaseKind:
    """One kind of records that wait for somebody of the vendor's.

    `page`: the address of a record's page, which takes its number. `roles`: who may claim and decide; all others of the
    administration read. `waiting`: what waits now, of those records or of all. `pass_plain`: passes one record by its
    own verb, and raises RuleViolation; none where nothing is passed in bulk. `versions`: of those
    records, so that what is passed is what was shown (FLOW-7). `is_claimed`: one person works on it at a
    time; a council votes together.
    """

    code: str
    label: str
    page: str
    roles: Collection[str]
    reasons: Mapping[str, str]
    waiting: Callable[[Collection[int] | None], Iterable[Entering]]
    pass_plain: Callable[..., Any] | None = None
    versions: Callable[[Collection[int]], Mapping[int, int]] = lambda _ids: {}
    is_claimed: bool = True
    #: By what a bulk pass says that it found the claims true: value and label.
    validations: Mapping[str, Any] = field(default_factory=dict)

    def may_decide(self, actor: Actor) -> bool:
        return actor.is_vendor and actor.user_id is not None and actor.has(*self.roles)


#: By code; added by the apps whose records they are.
KINDS: Registry[CaseKind] = Registry()


def reason_text(kind: str, code: str) -> str:
    """The msgid of a reason."""
    found = KINDS.get(kind)
    return found.reasons.get(code, code) if found else code
