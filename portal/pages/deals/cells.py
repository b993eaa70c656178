"""What the cells of the list of deals show (REF-20)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from dealreg.rules import states
from dealreg.web.tags import STATUS_KINDS
from portal.pages.deals.rows import Row
from portal.ui.listing.cells import Cell, Shown, money, several
from portal.ui.templatetags.ortak import badge, days_left, icon, in_words, time_left
from portal.ui.templatetags.ortak import short_day as day
from portal.workflow import text
from referrals import rules
from referrals.models import Referral

#: So near an answer is urgent.
SOON = timedelta(days=3)
#: So many days before it, a close date is near.
CLOSES_SOON = 7
_ENDS = {rules.WON: ("check-circle-fill", "is-won"), rules.LOST: ("x-lg", "is-over")}


def star(referral: Referral, *, starred: bool) -> SafeString:
    """One click on and off (REF-19); the form around the list is what it sends."""
    return format_html(
        '<button class=o-star name={} value={} aria-label="{}"></button>',
        "unstar" if starred else "star",
        referral.public_id,
        (gettext("Remove from favorites: %(name)s") if starred else gettext("Favorite: %(name)s"))
        % {"name": referral.name},
    )


def _stage(row: Row) -> Shown:
    """How far it is: its stage while somebody works on it, by name and as a bar; else its answer or its end."""
    deal = row.referral
    if deal.substatus == rules.RECEIVED and row.own and deal.expires_at:
        return _answer(deal.expires_at)
    reached = _reached(deal)
    return replace(reached, css=f"{reached.css} is-edit") if row.may_edit else reached


def _partner(row: Row) -> Shown:
    """What the partner who sells makes of the vendor's deal (REF-11)."""
    if row.partner is None:
        return None
    reached = _reached(row.partner)
    return replace(reached, title=day(row.partner.closed_at)) if row.partner.is_closed else reached


def _reached(deal: Referral) -> Cell:
    if deal.substatus == rules.ACCEPTED:
        names = rules.ASSESSMENT_STAGES if deal.is_assessment else rules.STAGES
        first = deal.stage == rules.FIRST_STAGE
        name = gettext(rules.SUBSTATUSES[rules.ACCEPTED] if first else names[deal.stage])
        return Cell(name, "", f"is-s{deal.stage}")
    mark, css = _ENDS.get(deal.substatus, ("", "is-over"))
    return Cell(_with_icon(mark, gettext(rules.SUBSTATUSES[deal.substatus])), "", css)


def _answer(until: datetime) -> Cell:
    left = time_left(until)
    said = gettext("Answer · %(time)s") % {"time": in_words(max(left, timedelta()))}
    return Cell(_with_icon("clock", said), text.show(until), "is-soon" if left < SOON else "is-open")


def _with_icon(name: str, said: str) -> SafeString:
    return SafeString(f"{icon(name) if name else ''}{escape(said)}")


def _status(row: Row) -> Shown:
    return gettext(rules.SUBSTATUSES[row.referral.substatus])


def _registration(row: Row) -> Shown:
    """Where it stands, with the days that are left; before there is one, what a win would come to."""
    found = row.registration
    if found is None:
        return _forecast(row)
    if found.status == states.CLOSED:
        return badge(STATUS_KINDS.get(found.outcome, "neutral"), found.outcome_text)
    name = gettext(states.REGISTRATION_STATES[found.status])
    if found.status == states.ACTION_REQUIRED:
        return _due(name, found.action_due_at, "danger")
    if found.status == states.REGISTRATION_PENDING and found.submitted_at is None:
        return _due(gettext("Register"), row.register_until, "warning")
    return badge(STATUS_KINDS[found.status], name)


def _due(name: str, until: datetime | date | None, kind: str) -> Shown:
    if until is None:
        return badge(kind, name)
    days = days_left(until)
    left = ngettext("%(days)s day", "%(days)s days", days) % {"days": days}
    return badge(kind, f"{name} · {left}") if days >= 0 else badge(kind, name)


def _forecast(row: Row) -> Shown:
    """Which criteria stand in the way (ELIG); what only waits for the win or the vendor's answer does not."""
    if row.unmet is None:
        return None
    if not row.unmet:
        return Cell(gettext("Ready when won"), "", "is-ready")
    number = len(row.unmet)
    if number == 1:
        said = gettext("Unmet: %(criterion)s") % {"criterion": row.unmet[0]}
        return Cell(said, "", "is-unmet")
    counted = ngettext("%(count)s criterion unmet", "%(count)s criteria unmet", number) % {"count": number}
    return Cell(counted, ", ".join(row.unmet), "is-unmet")


def _close(row: Row) -> Shown:
    deal = row.referral
    if deal.is_closed:
        return day(deal.closed_at)
    css = ("is-edit" if row.may_edit else "", "is-soon" if days_left(deal.close_date) <= CLOSES_SOON else "")
    return Cell(day(deal.close_date), "", " ".join(filter(None, css)))


def _type(row: Row) -> Shown:
    name = text.phrase(row.deal_type)
    return f"{name} · {gettext('P2P')}" if row.referral.p2p else name


def _vendor(row: Row) -> Shown:
    return gettext(rules.SUBSTATUSES[row.vendor.substatus]) if row.vendor else None


#: By the code of the column.
CELLS: Mapping[str, Callable[[Row], Shown]] = {
    "name": lambda row: row.referral.name,
    "customer": lambda row: row.referral.engagement.customer.name,
    "country": lambda row: row.country,
    "sender": lambda row: row.sender.name if row.sender else None,
    "status": _status,
    "stage": _stage,
    "partner": _partner,
    "type": _type,
    "vendor": _vendor,
    "value": lambda row: money(row.referral.value, row.referral.currency, row.referral.value_usd),
    "close": _close,
    "registration": _registration,
    "solutions": lambda row: several([line.solution.name for line in row.solutions]),
    "team": lambda row: several([str(member) for member in row.team]),
    "location": lambda row: row.referral.location.name if row.referral.location else None,
    "crm": lambda row: row.referral.crm_id if row.own else None,
    "id": lambda row: str(row.referral.public_id),
    "created": lambda row: day(row.referral.created_at),
    "updated": lambda row: day(row.referral.updated_at),
}
