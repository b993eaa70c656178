"""Logs of processes that never end, none longer than it may be: each is written by a small process of its own.

What a process says goes through a pipe, and the writer at its other end sets a full file aside. The writer ends when
everybody who could still say something has, so nothing is lost and nobody waits for a reader that is gone, however
the one that started them ends. Run as a program (`logfile.py PATH LONGEST`) this module is the writer: nothing but
the standard library here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType

#: Bytes of a log file; one as long as that is kept beside it, with `.old` in its name.
LONGEST = 10_000_000
LONGEST_LINE = 1_000_000
#: How long a writer may take for what is left in its pipe.
PATIENCE_SECONDS = 5.0


class Log:
    """A log file to be given to processes as their standard output and error: `fd`."""

    def __init__(self, path: Path, longest: int = LONGEST) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._command = [sys.executable, "-I", "-S", __file__, str(path), str(longest)]
        self._read, self._write = os.pipe()
        self.writer = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        null = subprocess.DEVNULL
        return subprocess.Popen(  # noqa: S603
            self._command, stdin=self._read, stdout=null, stderr=null, cwd="/", start_new_session=True
        )

    @property
    def fd(self) -> int:
        return self._write

    def keep(self) -> None:
        """Start the writer again if it was killed; what was said meanwhile waits in the pipe."""
        if self.writer.poll() is not None:
            self.writer = self._start()

    def leave(self) -> None:
        """Leave it to those who have it; the writer ends with the last of them."""
        for end in (self._read, self._write):
            os.close(end)

    def close(self) -> None:
        """Leave it, and wait until everything is written; only once nobody else has it."""
        self.leave()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.writer.wait(PATIENCE_SECONDS)

    def __enter__(self) -> Log:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.leave()


def write(source: int, path: Path, longest: int) -> None:
    """Copy everything that comes into the file, whole lines, setting it aside when it is full; until nothing can come.

    What can't be written, because the disk is full, is dropped: whoever says it must not wait.
    """
    rest = b""
    while chunk := os.read(source, 65_536):
        lines, end, rest = (rest + chunk).rpartition(b"\n")
        _append(path, lines + end, longest)
        if len(rest) > LONGEST_LINE:
            _append(path, rest, longest)
            rest = b""
    _append(path, rest, longest)


def _append(path: Path, text: bytes, longest: int) -> None:
    with contextlib.suppress(OSError):
        if path.exists() and path.stat().st_size + len(text) > longest:
            path.replace(path.with_suffix(".old.log"))
    with contextlib.suppress(OSError), path.open("ab") as file:
        file.write(text)


if __name__ == "__main__":
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)  # it ends after those whose words it keeps
    write(sys.stdin.fileno(), Path(sys.argv[1]), int(sys.argv[2]))
