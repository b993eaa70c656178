"""Logs of what never ends: bounded while it runs, nothing lost, and nobody waits for a reader that is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from portal import logfile, run
from portal.logfile import Log

LINE = "{:06d} " + "x" * 92  # 100 bytes with its end
SAY = "import sys\nfor n in range({first}, {last}): sys.stdout.write('%06d ' % n + 'x' * 92 + '\\n')"


def say(log: Log, first: int, last: int) -> subprocess.Popen[bytes]:
    """A process that says these lines."""
    return subprocess.Popen([sys.executable, "-c", SAY.format(first=first, last=last)], stdout=log.fd, stderr=log.fd)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def kept(path: Path) -> list[str]:
    """Every line that is still there, the older file first."""
    old = path.with_suffix(".old.log")
    return [*(old.read_text().splitlines() if old.exists() else []), *path.read_text().splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log" / "web.log"


def test_a_full_log_is_set_aside_while_it_is_written(path: Path) -> None:
    """Two files at most, whole lines, and the newest is always there."""
    log = Log(path, 100_000)
    for start in range(0, 5_000, 500):
        assert say(log, start, start + 500).wait(30) == 0
    log.close()
    assert sorted(p.name for p in path.parent.iterdir()) == ["web.log", "web.old.log"]
    assert max(p.stat().st_size for p in path.parent.iterdir()) <= 100_000
    lines = kept(path)
    assert lines == [LINE.format(n) for n in range(5_000 - len(lines), 5_000)]
    assert len(lines) > 1_000


def test_nothing_is_lost_when_the_writer_is_killed(path: Path) -> None:
    """It is started again, and what was said meanwhile is in the pipe."""
    log = Log(path)
    assert say(log, 0, 10).wait(30) == 0
    wait_for(lambda: path.exists() and len(kept(path)) == 10)
    log.writer.kill()
    log.writer.wait()
    assert say(log, 10, 20).wait(30) == 0
    log.keep()
    log.close()
    assert kept(path) == [LINE.format(n) for n in range(20)]
    assert log.writer.returncode == 0


def test_a_killed_supervisor_keeps_nobody_waiting_and_loses_nothing(path: Path, tmp_path: Path) -> None:
    """What it started says ten times what a pipe holds, is not held up, and the writer ends with it."""
    go = tmp_path / "go"
    child = f"import pathlib, time\nwhile not pathlib.Path({str(go)!r}).exists(): time.sleep(0.01)\n"
    child += SAY.format(first=0, last=7_000)
    program = f"""
import subprocess, sys, time
from pathlib import Path
from portal.logfile import Log
log = Log(Path({str(path)!r}))
child = subprocess.Popen([sys.executable, "-c", {child!r}], stdout=log.fd, stderr=log.fd, start_new_session=True)
print(child.pid, log.writer.pid, flush=True)
time.sleep(60)
"""
    supervisor = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=run.BASE_DIR)
    assert supervisor.stdout is not None
    pids = [int(pid) for pid in supervisor.stdout.readline().split()]
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    go.touch()
    wait_for(lambda: path.exists() and len(kept(path)) == 7_000)
    assert kept(path) == [LINE.format(n) for n in range(7_000)]
    wait_for(lambda: not any(_runs(pid) for pid in pids))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_nobody_ends_the_writer_before_those_it_writes_for(path: Path) -> None:
    """Ctrl-C and SIGTERM are for the others, whose last words it keeps."""
    log = Log(path)
    assert say(log, 0, 1).wait(30) == 0
    wait_for(path.exists)  # it has begun
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(log.writer.pid, signum)
    assert say(log, 1, 2).wait(30) == 0
    log.close()
    assert kept(path) == [LINE.format(n) for n in range(2)]


def test_a_file_that_can_not_be_written_keeps_nobody_waiting(tmp_path: Path) -> None:
    log = Log(tmp_path)  # a directory
    assert say(log, 0, 5_000).wait(30) == 0
    log.close()
    assert log.writer.returncode == 0


def ended(path: Path) -> bool:
    return kept(path)[-1] == LINE.format(399)


def test_children_share_one_log_over_their_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make run`: bounded while it runs, and whatever was said before the end is there after it."""
    monkeypatch.setattr(Log.__init__, "__defaults__", (50_000,))
    child = run.Child("sayer", [sys.executable, "-c", SAY.format(first=0, last=400) + "\nimport time; time.sleep(60)"])
    supervisor = run.Supervisor(tmp_path, [child])
    path = tmp_path / "sayer.log"
    for life in (1, 2):
        supervisor.watch()
        # The last line of the second life, too: by then there are more lines than one life has.
        wait_for(lambda life=life: path.exists() and len(kept(path)) >= min(400 * life, 500) and ended(path))
        assert child.process is not None
        if life == 1:
            child.process.kill()
            child.process.wait()
    supervisor.stop()
    assert kept(path)[-400:] == [LINE.format(n) for n in range(400)]
    assert sum(p.stat().st_size for p in tmp_path.iterdir()) <= 100_000
    assert logfile.LONGEST == 10_000_000
