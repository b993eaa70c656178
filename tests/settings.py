"""The portal's settings for a test run: its own data directory, and for each xdist worker its own servers.

Workers must not share a PostgreSQL: a transaction that is open in one of its databases holds up the feed of all.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# One data directory per run, so that two runs at once don't meet; what the run starts inherits it.
if "ORTAK_TEST_RUN" not in os.environ:
    os.environ["ORTAK_TEST_RUN"] = str(os.getpid())
    os.environ["DATA_DIR"] = str(ROOT / ".data/test" / str(os.getpid()))
    for name in ("SECRET_KEY", "DEBUG", "BASE_URL", "EMAIL_URL", "STATIC_ROOT"):  # of the machine's own installation
        os.environ.pop(name, None)
    # Images of Python often set it. A process that a test starts shall read what the one before it compiled.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["ORTAK_MODE"] = "test"


def _numbered(url: str, number: int) -> str:
    """The same Redis, another of its databases."""
    plain = re.sub(r"\?.*$", "", url)
    if plain.startswith("unix://"):
        return f"{plain}?db={number}"
    return re.sub(r"(://[^/]+)(/\d*)?$", rf"\1/{number}", plain)


worker = os.environ.get("PYTEST_XDIST_WORKER")
if worker and Path(os.environ["DATA_DIR"]).name != worker:
    os.environ["DATA_DIR"] += f"/{worker}"
    if given := os.environ.get("REDIS_URL"):  # caches and queues must not mix
        os.environ["REDIS_URL"] = _numbered(given, int(worker.removeprefix("gw")) + 1)

from portal.settings import *  # noqa: E402, F403
from portal.settings import DATABASE_OWNER, DATABASES  # noqa: E402

# Tests make databases and empty tables, which is the owner's; the processes they start are the app's role's.
DATABASES["default"].update(DATABASE_OWNER)
