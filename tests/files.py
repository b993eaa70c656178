"""Files as people attach them, good and bad (REG-16); the PDF and the picture are the demo's."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping

import xlsxwriter

from portal.demo.papers import pdf, png

WORD, SLIDES = "wordprocessingml.document", "presentationml.presentation"
_OFFICE = "application/vnd.openxmlformats-officedocument"
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    b"\xff\xdb\x00\x43\x00" + b"\x10" * 64 + b"\xff\xd9"
)
EXE = b"MZ\x90\x00\x03\x00\x00\x00" + b"\x00" * 500 + b"This program cannot be run in DOS mode."


def archive(parts: Mapping[str, str]) -> bytes:
    """A zip of these parts, by their paths."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for path, content in parts.items():
            file.writestr(path, content)
    return out.getvalue()


def package(main: str, *paths: str) -> bytes:
    """An office document of this type with these parts."""
    listed = f'<Types><Override PartName="/x.xml" ContentType="{_OFFICE}.{main}.main+xml"/></Types>'
    return archive({"[Content_Types].xml": listed, **dict.fromkeys(paths, "<part/>")})


def docx(*more: str) -> bytes:
    return package(WORD, "word/document.xml", *more)


def xlsx() -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.add_worksheet().write(0, 0, "Instalments")
    return out.getvalue()


def bomb() -> bytes:
    """A document of some hundred kilobytes that says that it unpacks to far more."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("[Content_Types].xml", f"{_OFFICE}.{WORD}.main+xml")
        with file.open("word/document.xml", "w", force_zip64=True) as part:
            for _block in range(6):
                part.write(bytes(100 * 1024 * 1024))
    return out.getvalue()


def crowd() -> bytes:
    """More parts than any document has."""
    return docx(*(f"word/{number}.xml" for number in range(5_000)))


def long_directory() -> bytes:
    """An archive whose end says that the list of its parts is 2 MB long."""
    whole = bytearray(docx())
    place = whole.rfind(b"PK\x05\x06") + 12
    whole[place : place + 4] = struct.pack("<I", 2 * 1024 * 1024)
    return bytes(whole)


GOOD = {"pdf": pdf("Signed"), "png": png(), "jpeg": JPEG, "docx": docx(), "xlsx": xlsx()}
