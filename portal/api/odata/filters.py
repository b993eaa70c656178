"""The tree of a filter as a condition of the database."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import and_, or_

from django.db.models import Q

from portal.api.odata.errors import QueryError
from portal.api.odata.fields import Collection, Property, Resource
from portal.api.odata.grammar import Comparison, Group, Node, Not, Path, Some

Fields = Mapping[str, Property | Collection]


def condition(node: Node, resource: Resource) -> Q:
    """Raises QueryError for what the resource doesn't describe."""
    return _condition(node, resource.by_path)


def _condition(node: Node, fields: Fields) -> Q:
    match node:
        case Group(operator, parts):
            return reduce(and_ if operator == "and" else or_, (_condition(part, fields) for part in parts))
        case Not(negated):
            return ~_condition(negated, fields)
        case Some(path, inner):
            collection = _find(path, fields)
            if not isinstance(collection, Collection):
                raise QueryError(f"{path.text[:100]} is no list, so it has no “any”.", path.at)
            if inner is None:
                return collection.having(Q())
            return collection.having(_condition(inner, {field.path.lower(): field for field in collection.fields}))
        case Comparison(path):
            found = _find(path, fields)
            if isinstance(found, Collection):
                raise QueryError(f"{found.path} is a list: ask {found.path}/any(x: x/… eq …).", path.at)
            return found.condition(node)


def _find(path: Path, fields: Fields) -> Property | Collection:
    found = fields.get(path.text.lower())
    if found is None:
        raise QueryError(f"There is no property {path.text[:100]} to filter by; there is {_known(fields)}.", path.at)
    return found


def _known(fields: Fields) -> str:
    return ", ".join(field.path for field in fields.values())


def pinned(node: Node | None, path: str) -> Comparison | None:
    """The comparison that every row must fulfil and that sets the property to one value, if there is one."""
    match node:
        case Comparison(found, "eq") if found.text.lower() == path.lower() and not node.literals[0].is_null:
            return node
        case Group("and", parts):
            return next((one for part in parts if (one := pinned(part, path))), None)
    return None
