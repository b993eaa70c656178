"""docker-compose.yml as Compose reads it, without an engine: its variables filled in, and what each service gets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docker-compose.yml"
#: $$, or ${NAME}, ${NAME:-default}, ${NAME:?complaint}.
VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?::([-?])([^}]*))?\})")


class Missing(Exception):
    """Compose would refuse to start, with this complaint."""


def load() -> dict[str, Any]:
    compose: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return compose


def variables() -> dict[str, str | None]:
    """Every variable the file reads: its default, or None where it has to be given."""
    found = VARIABLE.findall(re.sub(r"^\s*#.*$", "", FILE.read_text(), flags=re.MULTILINE))
    return {name: None if how == "?" else default for _dollar, name, how, default in found if name}


def filled(value: Any, given: Mapping[str, str]) -> Any:
    """The same with the variables filled in, everywhere below it. Raises Missing."""
    if isinstance(value, dict):
        return {key: filled(part, given) for key, part in value.items()}
    if isinstance(value, list):
        return [filled(part, given) for part in value]
    return VARIABLE.sub(lambda found: _one(found, given), value) if isinstance(value, str) else value


def _one(found: re.Match[str], given: Mapping[str, str]) -> str:
    dollar, name, how, word = found.groups()
    if dollar:
        return dollar
    if how == "?" and not given.get(name):
        raise Missing(word)
    return given.get(name) or (word if how == "-" else "")


def example(text: str) -> dict[str, str]:
    """The lines NAME=value of an environment file; those commented out, too, with an empty value."""
    lines = re.findall(r"^(#?)([A-Z_]+)=(.*)$", text, re.MULTILINE)
    return {name: "" if comment else value for comment, name, value in lines}
