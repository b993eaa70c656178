"""Finds what a body names in the directories: solutions, the company's locations, partners."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from portal.catalog.models import Solution
from portal.params import as_uuid
from portal.workflow.blockers import RuleViolation
from referrals import rules
from referrals.api import wire

#: What of a solution tag the programme knows itself.
KNOWN = frozenset({"id", "name"})


@dataclass(frozen=True)
class Named:
    """The solutions that tags name; `said`: what each tag says besides, by code; `categories`: tags of no solution."""

    solutions: Sequence[Solution]
    said: Mapping[str, Mapping[str, Any]]
    categories: Sequence[Mapping[str, Any]]

    @property
    def kept(self) -> dict[str, Any]:
        return {wire.TAGS: dict(self.said), wire.CATEGORIES: list(self.categories)}


def solutions(tags: Iterable[Mapping[str, Any]]) -> Named:
    """Raises RuleViolation for tags that name no solution (REF-8)."""
    tags = list(tags)
    categories = [dict(tag) for tag in tags if _is_category(tag)]
    named = [tag for tag in tags if not _is_category(tag)]
    ids = [str(tag["id"]) for tag in named]
    by_id = _by_id(ids) if ids else {}
    if missing := [given for given in ids if given.casefold() not in by_id]:
        raise RuleViolation(rules.unready_blockers([given[:50] or "–" for given in missing]))
    found = [(by_id[str(tag["id"]).casefold()], tag) for tag in named]
    said = {solution.code: beside for solution, tag in found if (beside := _unknown_fields(tag))}
    return Named(list(dict.fromkeys(solution for solution, _tag in found)), said, categories)


def _is_category(tag: Mapping[str, Any]) -> bool:
    return str(tag.get("type", "")).casefold() == "category"


def _by_id(ids: Sequence[str]) -> dict[str, Solution]:
    """The solutions by code and by public id, in small letters."""
    codes = [*ids, *(given.upper() for given in ids)]
    found = Solution.objects.filter(Q(code__in=codes) | Q(public_id__in=[key for key in map(as_uuid, ids) if key]))
    return {key.casefold(): one for one in found for key in (one.code, str(one.public_id))}


def _unknown_fields(tag: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in tag.items() if name not in KNOWN and value not in (None, "", "Name")}
