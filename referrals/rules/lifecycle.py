"""The life of a deal: statuses, stages, reasons, and what keeps it from moving on (REF-11..18)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime

from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, Term, _

# REF-11: the API's tokens.
RECEIVED, ACCEPTED, WON, LOST = "Received", "Accepted", "Won", "Lost"
DECLINED, EXPIRED, ERROR = "Declined", "Expired", "Error"
SUBSTATUSES: Mapping[str, str] = {
    RECEIVED: _("Received"),
    ACCEPTED: _("Accepted"),
    WON: _("Won"),
    LOST: _("Lost"),
    DECLINED: _("Declined"),
    EXPIRED: _("Expired"),
    ERROR: _("Error"),
}
TERMINAL = frozenset({WON, LOST, DECLINED, EXPIRED, ERROR})
#: A copy in one of these takes no part in the engagement any more (AUTO-2).
GONE = frozenset({DECLINED, EXPIRED, ERROR})

# REF-14, in per cent.
FIRST_STAGE, WON_STAGE = 10, 100
STAGES: Mapping[int, str] = {
    10: _("Created / accepted"),
    20: _("Qualified"),
    40: _("Developed"),
    60: _("Proposed"),
    80: _("Negotiated"),
    100: _("Won"),
}
# REF-15
ASSESSMENT_STAGES: Mapping[int, str] = {
    10: _("Created / accepted"),
    20: _("Secure customer LOE"),
    40: _("Collect data"),
    60: _("Prepare assessment report"),
    80: _("Present to customer"),
    100: _("Won"),
}
# REF-16: the wire's names for four of the stages.
STAGE_NAMES: Mapping[str, int] = {"Qualify": 20, "Develop": 40, "Propose": 60, "Close": 80}

# F3.1: reason codes.
CLOSE_REASONS: Mapping[str, str] = {
    "budget": _("The budget was inadequate"),
    "no_response": _("The customer did not respond"),
    "other_vendor": _("The customer chose another vendor"),
    "requirement_not_met": _("A requirement could not be met"),
    "not_a_customer": _("Not a customer"),
    "timeline": _("The proposed timeline was too short"),
    "spam": _("Abuse, spam or phishing"),
    "other": _("Other"),
}
ERROR_REASONS: Mapping[str, str] = {
    "duplicate_upload": _("Duplicate created by a bulk upload"),
    "duplicate": _("Duplicate created in the portal"),
    "duplicate_from_vendor": _("Duplicate sent by %(vendor)s"),
    "connector": _("Connector synchronisation issue"),
    "customer_match": _("Customer matching issue"),
    "solution": _("Solution issue (please explain)"),
    "test": _("Test referral"),
    "data": _("Data error"),
    "other": _("Other (please explain)"),
}
#: These say nothing without words of one's own.
EXPLAINED_REASONS = frozenset({"other", "solution"})


def status_of(substatus: str) -> str:
    """The status that follows from the substatus: New, Active or Closed (REF-11)."""
    return {RECEIVED: "New", ACCEPTED: "Active"}.get(substatus, "Closed")


def stages_for(*, assessment: bool) -> Mapping[int, str]:
    return ASSESSMENT_STAGES if assessment else STAGES


def answer_blockers(expires_at: datetime | None, *, now: datetime) -> Iterator[Blocker]:
    """An answer must come in time; a late one is refused even before a worker has expired the deal (REF-13)."""
    if expires_at and now >= expires_at:
        message = _("The time to answer ended on %(until)s; the deal expires within minutes.")
        yield Blocker("answered_too_late", message, "REF-13", params={"until": expires_at})


def reason_blockers(reason_code: str, note: str, reasons: Iterable[str], *, rule: str) -> Iterator[Blocker]:
    """A reason must be from the list; *other* and *solution issue* also need an explanation (REF-12, REF-17)."""
    if reason_code not in reasons:
        yield Blocker("reason_required", _("Choose the reason."), rule, "reason_code")
    elif reason_code in EXPLAINED_REASONS and not note.strip():
        yield Blocker("reason_note_required", _("Say in a few words what the reason is."), rule, "comment")


def stage_blockers(stage: int, *, current: int, assessment: bool) -> Iterator[Blocker]:
    """Stages may be skipped or corrected; those of an assessment must be marked in order (REF-14, REF-15)."""
    stages = list(stages_for(assessment=assessment))[:-1]
    if stage not in stages:
        yield Blocker("unknown_stage", _("Choose one of the stages of this deal."), "REF-14", "stage")
    elif stage == current:
        yield Blocker("same_stage", _("The deal is in this stage already."), "REF-14", "stage")
    elif assessment and stage > current and stages.index(stage) != stages.index(current) + 1:
        yield Blocker(
            "stage_out_of_order",
            _("A solution assessment's stages are marked in order; next is “%(next)s”."),
            "REF-15",
            "stage",
            {"next": Term(ASSESSMENT_STAGES[stages[stages.index(current) + 1]])},
        )


def win_blockers(*, stage: int, assessment: bool) -> Iterator[Blocker]:
    """An assessment can't be won while stages are left to mark (REF-15)."""
    last = list(ASSESSMENT_STAGES)[-2]
    if assessment and stage < last:
        yield Blocker(
            "stages_incomplete",
            _("Mark all stages of the solution assessment first; the last is “%(last)s”."),
            "REF-15",
            params={"last": Term(ASSESSMENT_STAGES[last])},
        )


def signing_blockers(signed_on: date | None, *, today: date) -> Iterator[Blocker]:
    """The day the contract was signed may be left out, and is not in the future (REF-18)."""
    if signed_on is not None and signed_on > today:
        message = _("The contract can't have been signed after today, %(today)s (UTC).")
        yield Blocker("signed_in_future", message, "REF-18", "signed_on", {"today": today})


def safe_win_at(created: datetime, policy: Policy) -> datetime:
    """The first instant at which winning raises no question (REF-18)."""
    return created + policy.safe_win_after


def is_early(*, created: datetime, now: datetime, policy: Policy) -> bool:
    """Whether winning now is before the safe instant (REF-18)."""
    return now < safe_win_at(created, policy)
