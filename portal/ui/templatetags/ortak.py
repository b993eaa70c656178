"""What every template may use without loading it: icons, money, moments and deadlines as the reader writes them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any
from zlib import crc32

from babel import Locale
from babel.dates import format_timedelta
from babel.numbers import format_decimal, format_percent
from django import template
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.dates import MONTHS
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from portal.workflow import refusals, text
from portal.workflow.blockers import Blocker, Money, Param

register = template.Library()

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SPRITE = "bootstrap-icons/bootstrap-icons.svg"
ICONS = "icons.svg"
#: Django's message levels and our kinds, in the words of the style sheet.
KINDS = {"error": "danger", "debug": "info"}


# Icons, badges, people


@register.simple_tag
def icon(name: str, label: str = "", **attrs: str) -> SafeString:
    """{% icon "star" class="x" %}: an icon of bootstrap-icons; silent for screen readers unless it gets a `label`.

    A link into our own sprite, which browsers keep: it has only the icons that the source names (`manage.py
    draw_icons`). Others are drawn into the page.
    """
    return _icon_of(name, str(label), f"o-icon {attrs.get('class', '')}".strip())


@lru_cache(maxsize=1000)
def _icon_of(name: str, label: str, css: str) -> SafeString:
    """A page has a hundred icons, of which most are the same few."""
    spoken = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    if name in _linked():
        link = f"{staticfiles_storage.url(ICONS)}#{name}"
        return format_html('<svg class="{}" {}><use href="{}"/></svg>', css, spoken, link)
    drawn = '<svg class="{}" viewBox="0 0 16 16" width="16" height="16" fill="currentColor" {}>{}</svg>'
    return format_html(drawn, css, spoken, drawings()[name])


@cache
def _linked() -> frozenset[str]:
    """The icons of our own sprite."""
    return frozenset(_symbols(ICONS))


@cache
def drawings() -> dict[str, SafeString]:
    """What bootstrap-icons draws, by the icon's name."""
    return _symbols(SPRITE)


def _symbols(path: str) -> dict[str, SafeString]:
    found = finders.find(path)
    with open(found, "rb") if found else staticfiles_storage.open(path) as sprite:
        drawn = re.findall(r'<symbol[^>]* id="([\w-]+)"[^>]*>(.*?)</symbol>', sprite.read().decode(), re.DOTALL)
    return {name: SafeString(drawing.strip()) for name, drawing in drawn}


@register.simple_tag
def badge(kind: str, text: Any, icon: str = "") -> SafeString:
    """{% badge "success" _("Won") icon="trophy" %}; kinds: neutral, brand, info, success, warning, danger."""
    return format_html(
        '<span class="o-badge o-badge--{}">{}{}</span>', KINDS.get(kind, kind), _icon(icon) if icon else "", text
    )


@register.simple_tag
def avatar(name: Any, **attrs: str) -> SafeString:
    """{% avatar name %}: the person's initials on a colour of their own; the name itself stands next to it."""
    name = str(name)
    tone = crc32(name.encode()) % 6
    return format_html(
        '<span class="o-avatar o-avatar--{} {}" aria-hidden="true">{}</span>',
        tone,
        attrs.get("class", ""),
        initials(name),
    )


@register.filter
def initials(name: str) -> str:
    words = name.replace("@", " ").split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


@register.filter(is_safe=True)
def cells_without_heads(table: str) -> str:
    """Heads of columns that hold no text become cells."""
    return re.sub(r"<th( [^>]*)?>\s*</th>", r"<td\1></td>", table)


# Numbers and money


@register.filter(name="money")
def money_text(amount: Decimal | Money | None, currency: str = "") -> str:
    """{{ deal.value|money:deal.currency }}, or of a Money: {{ acv|money }}."""
    if isinstance(amount, Money):
        return text.money(amount.amount, amount.currency)
    return text.money(amount, currency)


@register.simple_tag
def money(amount: Decimal | None, currency: str, usd: Decimal | None = None) -> SafeString:
    """{% money amount currency usd=deal.value_usd %}: the amount; under it what it is in USD, where rules use that."""
    dollars = SafeString("")
    if usd is not None and currency != "USD":
        dollars = format_html('<span class="o-money__usd">≈ {}</span>', text.money(usd, "USD"))
    return format_html('<span class="o-money">{}{}</span>', text.money(amount, currency), dollars)


@register.filter
def amount(value: Decimal | None) -> str:
    """{{ stage.deals_usd|amount }}: as money, where the column's head names the currency."""
    return text.amount(value)


@register.filter
def number(value: Decimal | float | int | None) -> str:
    """{{ count|number }}: with the reader's separators."""
    return "–" if value is None else format_decimal(value, locale=_locale())


@register.filter
def rate(value: Decimal | None) -> str:
    """{{ row.usd_per_unit|rate }}: USD per unit, with all the digits it is stored with and no zeros behind them."""
    return "–" if value is None else format_decimal(value, "#,##0.############", locale=_locale())


@register.filter
def country_name(code: str) -> str:
    """{{ place.country|country_name }}: a country by its name in the reader's language."""
    name = Locale.parse((get_language() or "en").replace("-", "_")).territories.get(code, code)
    return str(name)


@register.filter
def month_name(number: int) -> str:
    """{{ 7|month_name }}: a month of the year, in the reader's language."""
    return str(MONTHS[number])


@register.filter
def percent(value: int | Decimal) -> str:
    """{{ referral.stage|percent }}: with the sign where the reader's language puts it."""
    return text.percent(value)


@register.filter
def in_percent(share: float) -> str:
    return format_percent(share, locale=_locale())


# Moments


@register.simple_tag
def when(moment: datetime | None, style: str = "full") -> SafeString:
    """{% when event.at %}: in the person's zone, UTC on hover. Styles: full, short (no year), relative."""
    if not moment:
        return SafeString('<span class="o-none">–</span>')
    local, hover = timezone.localtime(moment), f"{text.clock(moment.astimezone(UTC))} UTC"
    if style == "relative":
        shown, hover = _ago(timezone.now() - moment) or text.clock(local), f"{text.clock(local)} · {hover}"
    else:
        shown = text.clock(local, year=style != "short")
    return format_html('<time class="o-when" datetime="{}" title="{}">{}</time>', moment.isoformat(), hover, shown)


@register.simple_tag
def day(value: date | None, *, year: bool = True) -> SafeString:
    """{% day deal.close_date %}: a calendar day; of an instant, the day it is in the person's zone."""
    if not value:
        return SafeString('<span class="o-none">–</span>')
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return format_html('<time class="o-when" datetime="{}">{}</time>', value.isoformat(), text.day(value, year=year))


def short_day(value: date | None) -> str:
    """A calendar day, of an instant that in the person's zone; with the year where that isn't this one."""
    if not value:
        return ""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return text.day(value, year=value.year != timezone.localdate().year)


def time_left(until: datetime) -> timedelta:
    return until - timezone.now()


def days_left(until: datetime | date) -> int:
    """How many days follow today until the last one, in UTC; negative when it is over."""
    last = until.astimezone(UTC).date() if isinstance(until, datetime) else until
    return (last - timezone.now().astimezone(UTC).date()).days


@register.simple_tag
def deadline(until: datetime | date | None, soon: int = 3) -> SafeString:
    """{% deadline referral.expires_at %}: "3 days left (23 Nov, 00:00 UTC)", with its urgency (ok, soon, late).

    A date is a last day, good until its end. `soon`: from how many days on it is urgent.
    """
    if not until:
        return SafeString('<span class="o-none">–</span>')
    now = timezone.now()
    if isinstance(until, datetime):
        left, point = until - now, f"{text.clock(until.astimezone(UTC), year=until.year != now.year)} UTC"
        local = timezone.localtime(until)
        hover, words = f"{text.clock(local)} {local.tzname()}", _left(left)
    else:
        today = now.astimezone(UTC).date()
        left = datetime.combine(until, time.max, UTC) - now  # the day after the last there is none of
        point, hover, words = text.day(until, year=until.year != today.year), text.day(until), _days_left(until - today)
    urgency = "late" if left <= timedelta() else "soon" if left < soon * DAY else "ok"
    return format_html(
        '<time class="o-left o-left--{}" datetime="{}" title="{}"><span class="o-left__words">{}</span> '
        '<span class="o-left__point">({})</span></time>',
        urgency,
        until.isoformat(),
        hover,
        words,
        point,
    )


@register.filter
def in_words(time: timedelta) -> str:
    """{{ answers.typical_time|in_words }}: "36 hours", "3 days"."""
    return _counted(time)


def _left(left: timedelta) -> str:
    if left <= timedelta():
        return gettext("ended %(ago)s") % {"ago": _ago(-left)}
    return gettext("%(time)s left") % {"time": _counted(left)}


def _days_left(left: timedelta) -> str:
    if left.days < 0:
        return gettext("ended %(ago)s") % {"ago": _counted(-left, DAY, ago=True)}
    if left.days == 0:
        return gettext("today is the last day")
    return gettext("%(time)s left") % {"time": _counted(left, DAY)}


def _ago(since: timedelta) -> str:
    """How long ago, in the largest unit that still says something; nothing for the future."""
    if since < timedelta():
        return ""
    return _counted(since, ago=True) if since >= MINUTE else gettext("just now")


def _counted(time: timedelta, unit: timedelta | None = None, *, ago: bool = False) -> str:
    """The whole days, hours or minutes in a time, at least one: "36 hours", or "36 hours ago"."""
    unit = unit or (DAY if time >= 2 * DAY else HOUR if time >= HOUR else MINUTE)
    count = max(1, time // unit)
    # Below this threshold lies every larger unit: the programme's periods are days, not weeks or months.
    return format_timedelta(
        -count * unit if ago else count * unit, threshold=count, add_direction=ago, locale=_locale()
    )


def _locale() -> str:
    return get_language() or "en"


# Blockers and actions


@register.filter
def blocker_text(blocker: Blocker) -> str:
    """{{ blocker|blocker_text }}: the sentence, in the reader's language."""
    return text.text(blocker)


@register.inclusion_tag("components/why.html")
def why(code: str) -> dict[str, Any]:
    """{% why blocker.code %}: a link to what the reference says of the code; nothing for what has none there."""
    return {"code": code if code in refusals.codes() else ""}


@register.filter
def term(msgid: str) -> str:
    """A msgid of the rules in the reader's language; it may name the vendor."""
    return text.text(Blocker("", msgid)) if msgid else ""


@register.filter
def blocker_value(value: Param) -> str:
    """An instant, day or amount within a sentence, as the rules' own sentences show it."""
    return text.show(value)


@register.simple_tag
def action(action: Any, href: str, kind: str = "secondary", *, dialog: bool = True, icon: str = "") -> SafeString:
    """{% action a url kind="primary" %}: a link to the action's page, opened as a dialog where there is JavaScript.

    One that is not available stays visible, and opens its reasons. kinds: primary, secondary, danger.
    """
    return render_to_string(
        "components/action.html",
        {
            "action": action,
            "label": text.phrase(action.label),
            "href": href,
            "kind": kind,
            "dialog": dialog,
            "icon": icon,
        },
    )


def _icon(name: str) -> SafeString:
    return icon(name)


@register.simple_tag
def attrs(**pairs: Any) -> SafeString:
    """{% attrs aria_current=current %}: the attributes that have a value."""
    given = [(name.replace("_", "-"), value) for name, value in pairs.items() if value not in (None, False, "")]
    return format_html_join("", ' {}="{}"', given)
