"""Compile the message catalogs; needs no gettext. As a command it also refuses a Turkish that is not complete."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import PoFileError, read_po

LOCALE_DIR = Path(__file__).resolve().parent.parent / "locale"
#: English may leave a message as it stands in the source; every other language translates all.
SOURCE_LANGUAGE = "en"


def compile_all(locale_dir: Path = LOCALE_DIR) -> list[str]:
    """Compile each catalog that is newer than its compiled form; returns what is wrong with them, a line each."""
    problems: list[str] = []
    for source in _sources(locale_dir):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns > source.stat().st_mtime_ns:
            continue
        wrong = _problems(source, complete=False)
        if not wrong:
            _compile(source, target)
        problems += wrong
    return problems


def check_all(locale_dir: Path = LOCALE_DIR) -> list[str]:
    """Everything wrong with the catalogs, untranslated messages included; compiles nothing."""
    return [problem for source in _sources(locale_dir) for problem in _problems(source, complete=True)]


def _sources(locale_dir: Path) -> list[Path]:
    return sorted(locale_dir.glob("*/LC_MESSAGES/django*.po"))


def _compile(source: Path, target: Path) -> None:
    """By `pybabel compile`, but in one step: another process may be reading the target, or compiling it too."""
    aside = target.with_suffix(f".{os.getpid()}.tmp")
    arguments = ["--input-file", str(source), "--output-file", str(aside), "--locale", source.parent.parent.name]
    CommandLineInterface().run(["pybabel", "--quiet", "compile", *arguments])  # type: ignore[no-untyped-call]
    aside.replace(target)


def _problems(source: Path, *, complete: bool) -> list[str]:
    language = source.parent.parent.name
    try:
        with source.open("rb") as file:
            catalog = read_po(file, locale=language, abort_invalid=True)
    except PoFileError as error:
        return [f"{source}: {error}"]
    found = [f"{source}:{message.lineno}: {error}" for message, errors in catalog.check() for error in errors]
    if complete and language != SOURCE_LANGUAGE:
        found += [f"{source}:{m.lineno}: not translated: {m.id!r}" for m in catalog if m.id and not _is_translated(m)]
    return found


def _is_translated(message: Message) -> bool:
    strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return all(strings) and not message.fuzzy


def main() -> None:
    problems = check_all() or compile_all()
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
