"""Binding of request bodies: keys in any case (F1.4), typed by a serializer, the rest apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


def bind(serializer: type[serializers.Serializer[Any]], data: Any, *, partial: bool = False) -> dict[str, Any]:
    """The body's values by the serializer's fields, whatever the case of its keys.

    Raises serializers.ValidationError with every problem at its path.
    """
    reader = serializer(data=folded(data, serializer()), partial=partial)
    reader.is_valid(raise_exception=True)
    return dict(reader.validated_data)


def folded(data: Any, field: serializers.Field[Any, Any, Any, Any]) -> Any:
    """The same data with the keys spelt as the serializer's fields; unknown keys stay as they are."""
    match field:
        case serializers.ListSerializer():
            child = field.child
            return [folded(item, child) for item in data] if isinstance(data, list) and child else data
        case serializers.ListField():
            return [folded(item, field.child) for item in data] if isinstance(data, list) else data
        case serializers.Serializer() if isinstance(data, Mapping):
            names: dict[str, str] = {str(name).casefold(): str(name) for name in field.fields}
            found: dict[str, Any] = {}
            for key, value in data.items():
                name = names.get(str(key).casefold(), str(key))
                found[name] = folded(value, field.fields[name]) if name in field.fields else value
            return found
    return data


def unknown(data: Mapping[str, Any], serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """The values of the body that the serializer has no field for."""
    names = {str(name).casefold() for name in serializer().fields}
    return {key: value for key, value in data.items() if key.casefold() not in names}
