"""What a file is, told by its bytes and never by its name (REG-16)."""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from typing import BinaryIO

import puremagic

from dealreg.rules import documents as rules
from portal.workflow.blockers import RuleViolation

#: Bytes at the front that the detection looks at, and at the end where a complete file says that it ends.
HEAD, TAIL = 64 * 1024, 1024 * 1024
#: How each of these ends; trailing bytes are allowed, as cameras and signing tools add some.
ENDS = {"pdf": b"%%EOF", "png": b"IEND", "jpeg": b"\xff\xd9"}
#: An office document's parts: how many, and how many bytes they may unpack to; the bytes of the list of its parts.
MAX_PARTS, MAX_UNPACKED, MAX_DIRECTORY = 5_000, 500 * rules.MB, rules.MB
#: Of each office type, what its list of contents names, and the folder that holds its text.
_PACKAGES = {
    "docx": (b"wordprocessingml.document.main+xml", "word/"),
    "xlsx": (b"spreadsheetml.sheet.main+xml", "xl/"),
}
_CONTENT_TYPES = "[Content_Types].xml"
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, struct.error)


def kind_of(file: BinaryIO) -> str:
    """The type of a file that isn't empty, a key of rules.KINDS.

    Raises RuleViolation: document_type for any other type, document_unreadable for a damaged or hostile file.
    """
    file.seek(0)
    found = _types(file.read(HEAD))
    kind = next((kind for kind, known in rules.KINDS.items() if known.content_type in found), None)
    if kind is None:
        raise RuleViolation([rules.type_refused()])
    if kind in _PACKAGES:
        return _package_kind(file)
    file.seek(max(0, file.seek(0, 2) - TAIL))
    if ENDS[kind] not in file.read():
        raise RuleViolation([rules.unreadable()])
    return kind


def _types(head: bytes) -> set[str]:
    """The content types of which a file that begins so may be."""
    try:
        return {match.mime_type for match in puremagic.magic_string(head) if match.offset == 0}
    except puremagic.PureError:
        return set()


def _package_kind(file: BinaryIO) -> str:
    """The type of a zip archive, by the list of contents inside it. Only that list is unpacked."""
    if _directory_bytes(file) > MAX_DIRECTORY:
        raise RuleViolation([rules.unreadable()])
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise RuleViolation([rules.unreadable()])
            names = archive.namelist()
            listed = b""
            if _CONTENT_TYPES in names:
                with archive.open(_CONTENT_TYPES) as part:
                    listed = part.read(rules.MB)
    except _DAMAGED as error:
        raise RuleViolation([rules.unreadable()]) from error
    for kind, (main, folder) in _PACKAGES.items():
        if main in listed and any(name.startswith(folder) for name in names) and not _has_macros(names):
            return kind
    raise RuleViolation([rules.type_refused()])


def _has_macros(names: list[str]) -> bool:
    return any(name.lower().endswith("vbaproject.bin") for name in names)


def _directory_bytes(file: BinaryIO) -> int:
    """How long an archive says that its list of parts is: Python reads all of it at once. Zip64 counts as endless."""
    file.seek(max(0, file.seek(0, 2) - 65_557))
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 16:
        return 0  # no archive; zipfile says so
    return int(struct.unpack("<I", tail[end + 12 : end + 16])[0])


def sha256(file: BinaryIO) -> str:
    """The hash by which the same file is known again."""
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # reads in blocks
