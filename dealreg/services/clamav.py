"""Asks clamd whether a file holds a virus (docs/decisions/0027-documents.md says why not by a package)."""

from __future__ import annotations

import socket
import struct
from typing import BinaryIO

#: Seconds to reach clamd, and without an answer while it scans.
CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 20.0
_BLOCK = 64 * 1024
_LONGEST_ANSWER = 4096


class ScannerAway(Exception):
    """clamd was not reached, or could not scan; nothing is known of the file."""


def find_virus(file: BinaryIO, clamd: tuple[str, int]) -> str:
    """The name of the virus that the file holds; empty if it holds none. Raises ScannerAway."""
    file.seek(0)
    try:
        with socket.create_connection(clamd, timeout=CONNECT_SECONDS) as connection:
            connection.settimeout(ANSWER_SECONDS)
            answer = _ask(connection, file)
    except OSError as error:
        raise ScannerAway(str(error)) from error
    if answer == "stream: OK":
        return ""
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        return answer.removeprefix("stream: ").removesuffix(" FOUND")
    raise ScannerAway(answer or "no answer")


def _ask(connection: socket.socket, file: BinaryIO) -> str:
    """clamd's INSTREAM: blocks, each after its length; an empty one ends them. The answer ends with NUL."""
    connection.sendall(b"zINSTREAM\0")
    while block := file.read(_BLOCK):
        connection.sendall(struct.pack(">I", len(block)) + block)
    connection.sendall(struct.pack(">I", 0))
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < _LONGEST_ANSWER:
        if not (more := connection.recv(1024)):
            break
        answer += more
    return answer.rstrip(b"\0").decode("utf-8", "replace").strip()
