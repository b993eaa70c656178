"""Decision letters: what their templates may name, and how a text is made of one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from exceptions_council.rules.states import APPROVED, DENIED
from portal.workflow.blockers import _

#: What a template may name in braces, with what stands for it.
PLACES: Mapping[str, str] = {
    "company": _("The partner's company"),
    "deal": _("The name of the deal"),
    "deal_id": _("The id of the deal"),
    "customer": _("The customer"),
    "kind": _("What the exception was about"),
    "decided": _("The day of the decision"),
    "reasons": _("The rationales of the majority"),
    "changes": _("What changes, field by field"),
    "effect": _("What is open now, and until when"),
    "vendor": _("The vendor's name"),
}
_PLACE = re.compile(r"\{(\w+)\}")


def unknown_places(template: str) -> list[str]:
    """What the template names and no letter knows."""
    return sorted(set(_PLACE.findall(template)) - set(PLACES))


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with its places filled; what is unknown stays as it is written."""
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), template)


def paragraphs(filled: str) -> str:
    """Without the paragraphs that came to nothing, as there was nothing for their place."""
    parts = filled.replace("\r\n", "\n").split("\n\n")
    return "\n\n".join(part.strip() for part in parts if part.strip())


@dataclass(frozen=True)
class Template:
    """A letter's subject and text, with places in braces."""

    subject: str
    body: str


#: How letters read until somebody writes other templates; msgids.
DEFAULTS: Mapping[str, Template] = {
    APPROVED: Template(
        _("Your request for an exception was approved: {deal}"),
        _(
            "{company} asked for an exception on the deal “{deal}” for {customer}: {kind}.\n\n"
            "The exception council approved it on {decided}.\n\n{reasons}\n\n{changes}\n\n{effect}\n\n"
            "The decision is final."
        ),
    ),
    DENIED: Template(
        _("Your request for an exception was denied: {deal}"),
        _(
            "{company} asked for an exception on the deal “{deal}” for {customer}: {kind}.\n\n"
            "The exception council denied it on {decided}.\n\n{reasons}\n\n"
            "The decision is final. Nothing changes about the deal, and no second request can be made."
        ),
    ),
}
