"""The decision letter, written in every language when the council decides, and never changed."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from exceptions_council.models import DecisionLetter, ExceptionRequest, LetterTemplate, Vote
from exceptions_council.rules import letter, states
from exceptions_council.selectors.changes import changes_of
from portal.accounts.selectors import vendor_name
from portal.workflow import text
from portal.workflow.verbs import Context

#: Who votes so is of the majority.
_MAJORITY = {states.APPROVED: states.APPROVE, states.DENIED: states.DENY}


def write_letters(record: ExceptionRequest, context: Context) -> None:
    """One letter for each language of the portal, from the templates as they are now."""
    templates = {t.language: t for t in LetterTemplate.objects.filter(outcome=record.status)}
    letters = []
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            subject, body = _rendered(record, templates.get(language), context)
        letters.append(
            DecisionLetter(request=record, language=language, subject=subject[:300], body=body, written_at=context.now)
        )
    DecisionLetter.objects.bulk_create(letters)


def _rendered(record: ExceptionRequest, template: LetterTemplate | None, context: Context) -> tuple[str, str]:
    values, default = _values(record, context), letter.DEFAULTS[record.status]
    subject = template.subject if template else gettext(default.subject)
    body = template.body if template else gettext(default.body)
    return letter.fill(subject, values), letter.paragraphs(letter.fill(body, values))


def _values(record: ExceptionRequest, context: Context) -> Mapping[str, str]:
    deal = record.referral
    votes = Vote.objects.filter(request=record, choice=_MAJORITY[record.status]).order_by("given_at")
    changes = [f"{change.label}: {change.was} → {change.asked}" for change in changes_of(record)]
    return {
        "company": deal.company.name,
        "deal": deal.name,
        "deal_id": str(deal.public_id),
        "customer": deal.engagement.customer.name,
        "kind": gettext(states.KINDS[record.kind]),
        "decided": text.day(context.now.date()),
        "reasons": "\n".join(f"– {vote.rationale}" for vote in votes),
        "changes": "\n".join([gettext("What changes:"), *changes]) if changes else "",
        "effect": _effect(record),
        "vendor": vendor_name(),
    }


def _effect(record: ExceptionRequest) -> str:
    """What the approval opened, and until when (EXC-9, EXC-12)."""
    if record.open_until is None:
        return ""
    if record.kind in states.OPENS_REGISTRATION:
        message = gettext(
            "The deal can be registered now. Until %(until)s the limits on how old its dates are don't apply."
        )
    else:
        message = gettext(
            "The registration is open again. Correct the term, the contract value and the dates, add the contract as "
            "proof, and resubmit it until %(until)s."
        )
    return message % {"until": text.day(record.open_until)}
