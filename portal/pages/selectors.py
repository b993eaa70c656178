"""Events as the administration lists them: found, with their deals, and what each of them changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.utils.text import capfirst
from django.utils.translation import gettext

from portal.accounts.models import Company, User
from portal.accounts.rules import Actor
from portal.events.models import Event
from portal.policy.models import PolicyVersion
from portal.policy.rules import from_values
from portal.programme import rules as numbers
from portal.ui.templatetags.ortak import rate
from portal.workflow import text, timeline
from referrals.models import Referral
from referrals.selectors import search

#: So many companies, people or deals are looked through for what was typed: more tells no event from another.
MAX_FOUND = 1_000


def find_events(events: QuerySet[Event], typed: str, actor: Actor) -> QuerySet[Event]:
    """Those whose sentence, company or person contains what was typed, and those of the deals found by it.

    Each is looked up by itself first, so that the events are then found by their indexes.
    """
    typed = " ".join(typed.split())[: search.MAX_QUERY]
    if not typed:
        return events
    companies = Company.objects.filter(name__icontains=typed).values_list("pk", flat=True)
    named = User.objects.annotate(name=Concat("first_name", Value(" "), "last_name"))
    people = named.filter(Q(name__icontains=typed) | Q(email__icontains=typed)).values_list("pk", flat=True)
    found = Q(company_id__in=list(companies[:MAX_FOUND])) | Q(actor_user_id__in=list(people[:MAX_FOUND]))
    found |= Q(verb__in=timeline.verbs_saying(typed))
    if search.is_long_enough(typed):
        deals = Referral.objects.visible_to(actor).filter(search.matching(typed, actor=actor))
        groups = deals.newest_first().values_list("engagement__public_id", flat=True)
        found |= Q(group__in=list(groups[:MAX_FOUND]))
    return events.filter(found)


def with_deals(events: Iterable[Event], actor: Actor) -> list[Event]:
    """Each with the `deal` that it is of and the actor may open, or None; one query for all."""
    listed = list(events)
    groups = {event.group for event in listed if event.group}
    seen = Referral.objects.visible_to(actor).filter(engagement__public_id__in=groups)
    seen = seen.annotate(group=F("engagement__public_id"))
    deals: dict[Any, Referral] = {(deal.group, deal.company_id): deal for deal in seen}
    for event in listed:
        event.deal = deals.get((event.group, event.company_id))  # type: ignore[attr-defined]
    return listed


@dataclass(frozen=True)
class Change:
    """One value before and after an event, in words."""

    label: str
    was: str
    becomes: str


def changes(event: Event) -> Iterator[Change | numbers.Difference]:
    """What an event changed; of a policy version each number. Not what a model keeps for its own company."""
    model = apps.get_model(event.subject_type)
    if model is PolicyVersion:
        yield from _of_policy(event)
    columns = {column.attname: column for column in model._meta.concrete_fields}
    unsaid = {*_own_columns(event), *({"values"} if model is PolicyVersion else ())}
    for name in [name for name in {**event.after, **event.before} if name not in unsaid]:
        column = columns.get(name)
        label = capfirst(str(column.verbose_name)) if column else name
        yield Change(label, *[_value_text(column, told.get(name)) for told in (event.before, event.after)])


def _own_columns(event: Event) -> Collection[str]:
    """What a model keeps for its own company."""
    found: Collection[str] = getattr(apps.get_model(event.subject_type), "own_columns", ())
    return found


def sentence(event: Event) -> str:
    """What happened in a sentence, without what its model keeps for its own company."""
    unsaid = dict.fromkeys(_own_columns(event), "…")
    told = copy(event)
    told.before, told.after = ({n: unsaid.get(n, v) for n, v in said.items()} for said in (event.before, event.after))
    return str(timeline.entry(told)["text"])


def _of_policy(event: Event) -> list[numbers.Difference]:
    was, becomes = (from_values(told.get("values", {}), version=0) for told in (event.before, event.after))
    return numbers.differences(was, becomes)


def _value_text(column: models.Field[Any, Any] | None, raw: Any) -> str:
    if raw is None or raw in ("", [], {}):
        return "–"
    value = _read(column, raw)
    chosen: Mapping[Any, Any] = dict(column.flatchoices) if column is not None else {}
    match value:
        case bool():
            return gettext("Yes") if value else gettext("No")
        case datetime() | date():
            return text.show(value)
        case Decimal():
            return rate(value)
        case list():
            return ", ".join(map(str, value))
        case str() | int():
            return str(chosen.get(value, value))
    return str(value)


def _read(column: models.Field[Any, Any] | None, raw: Any) -> Any:
    """As the column's kind; what its event tells otherwise, as it tells it."""
    if column is None or column.is_relation or isinstance(column, models.JSONField):
        return raw
    try:
        return column.to_python(raw)
    except (ValidationError, ValueError, TypeError):
        return raw
