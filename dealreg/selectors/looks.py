"""When somebody last looked at a registration and decided; and what the partner's earlier ones came to."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from dealreg.models import Registration
from dealreg.rules import states
from portal.events.models import Event

#: By these a registration is judged, or given back to be corrected.
_LOOKS = (
    "registration.routed",
    "registration.passed",
    "registration.failed",
    "registration.matched",
    "registration.not_matched",
    "registration.action_required",
    "registration.reopened",
)
_RETRACTED = "registration.retracted"


def last_look(registration: Registration) -> Event | None:
    """The event of the last decision that wasn't retracted; what was changed after it, nobody has looked at yet."""
    events = Event.objects.of_subject(registration).filter(verb__in=[*_LOOKS, _RETRACTED])
    retracted = 0
    for event in events.order_by("-version", "-pk"):
        if event.verb == _RETRACTED:
            retracted += 1
        elif not retracted:
            return event
        else:
            retracted -= 1
    return None


#: So many of the last reasons are shown.
REASONS = 3


@dataclass(frozen=True)
class PartnerRecord:
    """What became of the registrations that a company has filed, this one left out. Withdrawn and replaced ones are
    in none of the three."""

    filed: int
    passed: int
    sent_back: int
    failed: int
    #: Msgids of the last reasons for which one was failed or sent back, the newest first, each once.
    reasons: tuple[str, ...]

    @property
    def pass_rate(self) -> float | None:
        """The share of the decided ones that passed; None where none was decided."""
        decided = self.passed + self.failed
        return self.passed / decided if decided else None


def record_of(registration: Registration) -> PartnerRecord:
    """The partner's record; two queries."""
    filed = Registration.objects.filter(
        referral__company_id=registration.referral.company_id, first_submitted_at__isnull=False
    ).exclude(pk=registration.pk)
    counts = filed.aggregate(
        filed=Count("pk"),
        passed=Count("pk", filter=_ended(states.GOOD)),
        failed=Count("pk", filter=_ended(states.BAD)),
        sent_back=Count("pk", filter=Q(status=states.ACTION_REQUIRED)),
    )
    rows = filed.exclude(reason_code="").order_by("-updated_at", "-pk")
    told = (
        states.decision_text(code, status=status, decided_from=left)
        for code, status, left in rows.values_list("reason_code", "status", "decided_from")[: REASONS * 5]
    )
    return PartnerRecord(**counts, reasons=tuple(dict.fromkeys(told))[:REASONS])


def _ended(states_of: tuple[str, ...]) -> Q:
    return Q(status__in=states_of) | Q(outcome__in=states_of)
