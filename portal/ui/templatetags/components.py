"""The components of static/app.css that hold content, and forms: what every template may use without loading it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any
from zlib import crc32

from django import template
from django.forms import BaseForm, BaseFormSet, BoundField, widgets
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from portal import days
from portal.money.forms import AmountField
from portal.ui.templatetags.ortak import KINDS
from portal.workflow import text
from portal.workflow.blockers import Blocker

register = template.Library()

BANNER_ICONS = {
    "info": "info-circle-fill",
    "success": "check-circle-fill",
    "warning": "exclamation-triangle-fill",
    "danger": "x-octagon-fill",
}
#: Where {% actions %} leaves what it holds for the component around it.
SLOT = "_component_actions"


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
def banner(context: Context, content: SafeString, kind: str = "info", title: str = "", icon: str = "") -> SafeString:
    """{% banner "warning" title=_("Won early") %}…{% endbanner %}; kinds: info, success, warning, danger, quiet."""
    kind = KINDS.get(kind, kind)
    return render_to_string(
        "components/banner.html",
        {
            "kind": kind,
            "icon": icon or BANNER_ICONS.get(kind, BANNER_ICONS["info"]),
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
    hx-post). What a form names in `required_by_rules` is marked as required, too.
    """
    ours = {name: options.pop(name, "") for name in ("wide", "prefix", "suffix", "hide_label")}
    kind = _control(bound)
    help_text = bound.help_text if help is None else help
    described = " ".join([f"{bound.auto_id}_helptext"] * bool(help_text) + [error_id(bound)])
    css = {"check": "form-check-input", "select": "form-select"}.get(kind, "form-control")
    attrs = {name.replace("_", "-"): value for name, value in options.items()}
    attrs["class"] = " ".join(filter(None, [bound.field.widget.attrs.get("class", ""), css]))
    attrs["aria-describedby"] = described
    asked = bound.name in getattr(bound.form, "required_by_rules", ())
    if asked:
        attrs["aria-required"] = "true"
    if bound.errors:
        attrs["aria-invalid"] = "true"
    return render_to_string(
        "components/field.html",
        {
            "field": bound,
            "kind": kind,
            "label": label or bound.label,
            "help": help_text,
            "required": asked or (bound.field.required and not bound.form.empty_permitted),
            "described": described,
            "control": "" if kind == "group" else bound.as_widget(attrs=attrs),
            "choices": _choices(bound, options) if kind == "group" else [],
            **ours,
        },
    )


@register.inclusion_tag("components/field_error.html")
def field_error(bound: BoundField, *, oob: bool = False) -> dict[str, Any]:
    """{% field_error form.tcv oob=True %}: only what is said of the answer, for an htmx answer to a dry run."""
    errors = list(_coded(bound.errors))
    return {"id": error_id(bound), "errors": errors, "reading": None if errors else _reading(bound), "oob": oob}


@register.simple_tag
def day_names() -> dict[str, str]:
    """{% day_names as names %}: the short names of months and of the week's days, for days.js."""
    return days.names()


@register.inclusion_tag("components/field_error.html")
def rows_error(rows: BaseFormSet) -> dict[str, Any]:
    """{% rows_error form.team %}: what is wrong with a form's rows as a whole."""
    return {"id": f"id_{rows.prefix}_error", "errors": list(_coded(rows.non_form_errors()))}


def _reading(bound: BoundField) -> Decimal | None:
    """How an amount was read that could be meant otherwise."""
    return bound.field.reading(bound.data) if bound.form.is_bound and isinstance(bound.field, AmountField) else None


def _formsets(form: BaseForm) -> list[Any]:
    return [part for part in vars(form).values() if isinstance(part, BaseFormSet)]


def _coded(errors: Any) -> Iterator[tuple[str, str]]:
    """Each error with its code, where the form keeps one."""
    for error, data in zip(errors, errors.as_data() if hasattr(errors, "as_data") else errors, strict=True):
        yield str(error), getattr(data, "code", "") or ""


@register.simple_tag
def error_summary(form: BaseForm | None, blockers: Iterable[Blocker] = (), *, live: bool = False) -> SafeString:
    """{% error_summary form blockers=violations %}: everything that is wrong, each with a link to its field; app.js
    moves the focus here, unless it is `live`, for somebody who types elsewhere."""
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
    shut = not (form and form.errors) and not any(target for target, *_ in items)  # nothing here would mend it
    return render_to_string("components/error_summary.html", {"items": items, "live": live, "shut": shut})


def _choices(bound: BoundField, options: dict[str, Any]) -> list[Any]:
    """The single radios or ticks of a group, in our clothes."""
    choices = list(bound.subwidgets)
    for choice in choices:
        choice.data["attrs"] |= {"class": "form-check-input"} | {k.replace("_", "-"): v for k, v in options.items()}
    return choices


@register.filter
def colon(label: str) -> str:
    """{{ label|colon }}: what stands between a label and what is said of it; a sentence ends by itself."""
    return "" if label.endswith((".", "?", "!")) else ":"


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
