"""Compile the message catalogs; needs no gettext. As a command it also refuses a Turkish that is not complete."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

LOCALE_DIR = Path(__file__).resolve().parent.parent / "locale"
#: English may leave a message as it stands in the source; every other language translates all.
SOURCE_LANGUAGE = "en"


def compile_all(locale_dir: Path = LOCALE_DIR) -> list[str]:
    """Compile each catalog that is newer than its compiled form; returns what is wrong with them, a line each."""
    problems: list[str] = []
    for source in sorted(locale_dir.glob("*/LC_MESSAGES/django*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns > source.stat().st_mtime_ns:
            continue
        try:
            catalog = _read(source)
        except PoFileError as error:
            problems.append(f"{source}: {error}")
            continue
        problems += _format_errors(source, catalog)
        _write(target, catalog)
    return problems


def check_all(locale_dir: Path = LOCALE_DIR) -> list[str]:
    """Everything wrong with the catalogs, untranslated messages included; compiles nothing."""
    problems: list[str] = []
    for source in sorted(locale_dir.glob("*/LC_MESSAGES/django*.po")):
        try:
            catalog = _read(source)
        except PoFileError as error:
            problems.append(f"{source}: {error}")
            continue
        problems += _format_errors(source, catalog)
        if catalog.locale_identifier != SOURCE_LANGUAGE:
            problems += [f"{source}:{m.lineno}: not translated: {m.id!r}" for m in _untranslated(catalog)]
    return problems


def _read(source: Path) -> Catalog:
    with source.open("rb") as file:
        return read_po(file, locale=source.parent.parent.name, abort_invalid=True)


def _write(target: Path, catalog: Catalog) -> None:
    """In one step: another process may be reading it, or compiling it too."""
    aside = target.with_suffix(f".{os.getpid()}.tmp")
    with aside.open("wb") as file:
        write_mo(file, catalog)
    aside.replace(target)


def _format_errors(source: Path, catalog: Catalog) -> list[str]:
    return [f"{source}:{message.lineno}: {error}" for message, errors in catalog.check() for error in errors]


def _untranslated(catalog: Catalog) -> Iterator[Message]:
    for message in catalog:
        if message.id and (message.fuzzy or not message.string or not all(_strings(message))):
            yield message


def _strings(message: Message) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple | list) else (str(message.string),)  # type: ignore[return-value]


def main() -> None:
    problems = check_all() or compile_all()
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
