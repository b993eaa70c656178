"""What every template may use without loading it: icons, money, moments and deadlines as the reader writes them, and
the components of static/app.css."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zlib import crc32

from babel import Locale
from babel.dates import format_timedelta
from babel.numbers import format_decimal, format_percent
from django import template
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.forms import BaseForm, BaseFormSet, BoundField, widgets
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from portal.workflow import refusals, text
from portal.workflow.blockers import Blocker, Money, Param

register = template.Library()

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SPRITE = "bootstrap-icons/bootstrap-icons.svg"
#: Django's message levels and our kinds, in the words of the style sheet.
KINDS = {"error": "danger", "debug": "info"}
BANNER_ICONS = {
    "info": "info-circle-fill",
    "success": "check-circle-fill",
    "warning": "exclamation-triangle-fill",
    "danger": "x-octagon-fill",
}
#: Where {% actions %} leaves what it holds for the component around it.
SLOT = "_component_actions"


# Icons, badges, people


@register.simple_tag
def icon(name: str, label: str = "", **attrs: str) -> SafeString:
    """{% icon "star" class="x" %}: an icon of bootstrap-icons; silent for screen readers unless it gets a `label`.

    Drawn into the page: a link into the sprite makes the browser read all 2,000 symbols again on every page.
    """
    spoken = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html(
        '<svg class="{}" viewBox="0 0 16 16" width="16" height="16" fill="currentColor" {}>{}</svg>',
        f"o-icon {attrs.get('class', '')}".strip(),
        spoken,
        _drawings()[name],
    )


@cache
def _drawings() -> dict[str, SafeString]:
    """What the sprite draws, by the icon's name."""
    found = finders.find(SPRITE)
    with open(found, "rb") if found else staticfiles_storage.open(SPRITE) as sprite:
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
def country_name(code: str) -> str:
    """{{ place.country|country_name }}: a country by its name in the reader's language."""
    name = Locale.parse((get_language() or "en").replace("-", "_")).territories.get(code, code)
    return str(name)


@register.filter
def percent(value: int) -> str:
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
        left = datetime(until.year, until.month, until.day, tzinfo=UTC) + DAY - now
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


# Components with content


@register.simple_block_tag(takes_context=True, end_name="endactions")
def actions(context: Context, content: SafeString) -> str:
    """{% actions %}…{% endactions %} directly inside card, banner or empty_state: its buttons."""
    context[SLOT] = content
    return ""


@register.simple_block_tag(takes_context=True, end_name="endcard")
def card(
    context: Context,
    content: SafeString,
    title: str = "",
    icon: str = "",
    *,
    id: str = "",
    flush: bool = False,
    level: int = 2,
    note: str = "",
) -> SafeString:
    """{% card title=_("Customer") icon="building" id="customer" %}…{% endcard %}; flush: content to the edges."""
    return render_to_string(
        "components/card.html",
        {
            "title": title,
            "icon": icon,
            "id": id or f"card-{crc32(title.encode()):x}",
            "flush": flush,
            "level": level,
            "note": note,
            "content": content,
            "actions": _take_actions(context),
        },
    )


@register.simple_block_tag(takes_context=True, end_name="endbanner")
def banner(context: Context, content: SafeString, kind: str = "info", title: str = "") -> SafeString:
    """{% banner "warning" title=_("Won early") %}…{% endbanner %}; kinds: info, success, warning, danger."""
    kind = KINDS.get(kind, kind)
    return render_to_string(
        "components/banner.html",
        {
            "kind": kind,
            "icon": BANNER_ICONS.get(kind, BANNER_ICONS["info"]),
            "title": title,
            "content": _stripped(content),
            "actions": _take_actions(context),
        },
    )


@register.simple_block_tag(takes_context=True, end_name="endempty_state")
def empty_state(context: Context, content: SafeString, title: str, icon: str = "inbox") -> SafeString:
    """{% empty_state title=_("No deals yet") icon="inbox" %}What to do.{% actions %}……{% endempty_state %}

    Says what to do where there is nothing to show.
    """
    return render_to_string(
        "components/empty_state.html",
        {"title": title, "icon": icon, "content": _stripped(content), "actions": _take_actions(context)},
    )


def _take_actions(context: Context) -> SafeString:
    taken = str(context.get(SLOT) or "")
    if taken:
        context[SLOT] = ""
    return _stripped(taken)


def _stripped(rendered: str) -> SafeString:
    """What a template has rendered, and so escaped, already."""
    return SafeString(rendered.strip())


# Forms


@register.simple_tag
def field(bound: BoundField, label: str = "", help: str | None = None, **options: Any) -> SafeString:
    """{% field form.tcv suffix="EUR" wide=True placeholder="0.00" hx_post=url %}: label, help, control, error.

    wide, prefix, suffix, hide_label are ours; every other option becomes an attribute of the control (hx_post:
    hx-post).
    """
    ours = {name: options.pop(name, "") for name in ("wide", "prefix", "suffix", "hide_label")}
    kind = _control(bound)
    help_text = bound.help_text if help is None else help
    described = " ".join([f"{bound.auto_id}_helptext"] * bool(help_text) + [error_id(bound)])
    css = {"check": "form-check-input", "select": "form-select"}.get(kind, "form-control")
    attrs = {name.replace("_", "-"): value for name, value in options.items()}
    attrs["class"] = " ".join(filter(None, [bound.field.widget.attrs.get("class", ""), css]))
    attrs["aria-describedby"] = described
    if bound.errors:
        attrs["aria-invalid"] = "true"
    return render_to_string(
        "components/field.html",
        {
            "field": bound,
            "kind": kind,
            "label": label or bound.label,
            "help": help_text,
            "required": bound.field.required and not bound.form.empty_permitted,
            "described": described,
            "control": "" if kind == "group" else bound.as_widget(attrs=attrs),
            "choices": _choices(bound, options) if kind == "group" else [],
            **ours,
        },
    )


@register.inclusion_tag("components/field_error.html")
def field_error(bound: BoundField, *, oob: bool = False) -> dict[str, Any]:
    """{% field_error form.tcv oob=True %}: only the error place, for an htmx answer to a dry run."""
    return {"id": error_id(bound), "errors": list(_coded(bound.errors)), "oob": oob}


@register.inclusion_tag("components/field_error.html")
def rows_error(rows: BaseFormSet) -> dict[str, Any]:
    """{% rows_error form.team %}: what is wrong with a form's rows as a whole."""
    return {"id": f"id_{rows.prefix}_error", "errors": list(_coded(rows.non_form_errors()))}


def _formsets(form: BaseForm) -> list[Any]:
    return [part for part in vars(form).values() if isinstance(part, BaseFormSet)]


def _coded(errors: Any) -> Iterator[tuple[str, str]]:
    """Each error with its code, where the form keeps one."""
    for error, data in zip(errors, errors.as_data() if hasattr(errors, "as_data") else errors, strict=True):
        yield str(error), getattr(data, "code", "") or ""


@register.simple_tag
def error_summary(form: BaseForm | None, blockers: Iterable[Blocker] = ()) -> SafeString:
    """{% error_summary form blockers=violations %}: everything that is wrong, each with a link to its field; app.js
    moves the focus here."""
    items: list[tuple[str, str, str, str]] = []
    form = form or None
    if form is not None:
        at_rows = {str(error): rows for rows in _formsets(form) for error in rows.non_form_errors()}
        for error, code in _coded(form.non_field_errors()):
            rows = at_rows.get(error)
            where = (f"id_{rows.prefix}", str(rows.label)) if rows is not None else ("", "")
            items.append((*where, error, code))
        for bound in form:
            items += [(_target(bound), str(bound.label), *error) for error in _coded(bound.errors)]
    for blocker in blockers or ():
        bound_to = form[blocker.field] if form is not None and blocker.field in form.fields else None
        where = (_target(bound_to), str(bound_to.label)) if bound_to else ("", "")
        items.append((*where, text.text(blocker), blocker.code))
    if not items:
        return SafeString("")
    return render_to_string("components/error_summary.html", {"items": items})


def _choices(bound: BoundField, options: dict[str, Any]) -> list[Any]:
    """The single radios or ticks of a group, in our clothes."""
    choices = list(bound.subwidgets)
    for choice in choices:
        choice.data["attrs"] |= {"class": "form-check-input"} | {k.replace("_", "-"): v for k, v in options.items()}
    return choices


@register.filter
def error_id(bound: BoundField) -> str:
    return f"{bound.auto_id}_error"


def _target(bound: BoundField) -> str:
    return bound.id_for_label or bound.auto_id


def _control(bound: BoundField) -> str:
    match bound.field.widget:
        case widgets.RadioSelect() | widgets.CheckboxSelectMultiple():
            return "group"
        case widgets.CheckboxInput():
            return "check"
        case widgets.Select():
            return "select"
    return "text"


@register.filter
def message_kind(message: Any) -> str:
    """Of a Django message: info, success, warning, danger."""
    return KINDS.get(message.level_tag, message.level_tag)


@register.filter
def message_icon(message: Any) -> str:
    return BANNER_ICONS.get(message_kind(message), BANNER_ICONS["info"])


def _icon(name: str) -> SafeString:
    return icon(name)


@register.simple_tag
def attrs(**pairs: Any) -> SafeString:
    """{% attrs aria_current=current %}: the attributes that have a value."""
    given = [(name.replace("_", "-"), value) for name, value in pairs.items() if value not in (None, False, "")]
    return format_html_join("", ' {}="{}"', given)
