"""Events as sentences."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext, pgettext

from dealreg import states
from portal.events.models import Event
from portal.workflow import text
from portal.workflow.blockers import _, from_json
from referrals import rules

#: What each verb is on the timeline: icon, tone, sentence. %(company)s is the company whose record it is.
SENTENCES: dict[str, tuple[str, str, str]] = {
    "referral.created": ("plus-circle", "brand", _("%(company)s created the deal")),
    "referral.received": ("envelope", "info", _("%(company)s was invited")),
    "referral.accepted": ("check-circle", "success", _("%(company)s accepted the deal")),
    "referral.declined": ("x-circle", "danger", _("%(company)s declined the deal: %(reason)s")),
    "referral.expired": ("hourglass-bottom", "warning", _("%(company)s did not answer in time")),
    "referral.stage_set": ("signpost-split", "neutral", _("%(company)s moved the sales stage to %(stage)s")),
    "referral.win_planned": ("calendar-check", "info", _("The win is planned for the safe hour")),
    "referral.win_cancelled": ("calendar-x", "neutral", _("The planned win was cancelled")),
    "referral.won": ("trophy", "success", _("%(company)s won the deal")),
    "referral.lost": ("emoji-frown", "danger", _("%(company)s lost the deal: %(reason)s")),
    "referral.closed_as_error": (
        "exclamation-octagon",
        "danger",
        _("%(company)s closed the deal as an error: %(reason)s"),
    ),
    "registration.opened": ("clipboard-plus", "brand", _("The deal can be registered")),
    "registration.submitted": ("send", "info", _("The registration was filed")),
    "registration.routed": ("signpost", "info", _("The registration was checked: %(state)s")),
    "registration.resubmitted": ("send", "info", _("The registration was corrected and resubmitted")),
    "registration.selected": ("search", "info", _("The registration was selected for review")),
    "registration.passed": ("check-circle", "success", _("The registration passed the review")),
    "registration.failed": ("x-circle", "danger", _("The registration failed the review: %(reason)s")),
    "registration.action_required": ("pencil", "warning", _("The registration was sent back: %(reason)s")),
    "registration.matched": ("check-circle", "success", _("The marketplace transaction was confirmed")),
    "registration.not_matched": ("x-circle", "danger", _("No marketplace transaction was found: %(reason)s")),
    "registration.closed": ("archive", "neutral", _("The registration was closed")),
}
_PLAIN = ("dot", "neutral", "%(verb)s")
_REASONS = {**rules.CLOSE_REASONS, **rules.ERROR_REASONS, **states.FAIL_REASONS, **states.ACTION_REASONS}


def entry(event: Event) -> dict[str, Any]:
    """One line of a timeline, in the reader's language."""
    icon, tone, sentence = SENTENCES.get(event.verb, _PLAIN)
    reason = _REASONS.get(event.after.get("reason_code", ""), "")
    stage = rules.STAGES.get(event.after.get("stage"), "")
    status = states.REGISTRATION_STATES.get(event.after.get("status", ""), "")
    params = {
        "company": event.company.name if event.company else "",
        "reason": gettext(reason) if reason else "–",
        "stage": f"{gettext(stage)} ({event.after.get('stage')} %)" if stage else "",
        "state": gettext(status) if status else "",
        "verb": event.verb,
    }
    return {
        "at": event.at,
        "verb": event.verb,
        "icon": icon,
        "tone": tone,
        "text": gettext(sentence) % params,
        "who": event.actor_user.get_full_name() if event.actor_user else pgettext("actor", "Ortak"),
        "comment": event.comment,
        "reasons": [text.text(from_json(reason)) for reason in event.reasons],
    }
