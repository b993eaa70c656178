"""The two roles of a PostgreSQL of our own: database_roles.sql, run by its superuser. Imports no Django."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import IO

OWNER, APP = "ortak_owner", "ortak_app"
SQL = Path(__file__).resolve().parent / "database_roles.sql"


def make(psql: Path, sockets: Path, database: str, log: IO[bytes]) -> bool:
    """Make the roles, and the database the owner's; whether it went well. Done again, it changes nothing.

    Done at each start, because the data may be of a time when the portal had one role, a superuser's.
    """
    # Nothing of the environment: PGHOST and its like are meant for other servers.
    environment = {"PATH": os.environ.get("PATH", os.defpath)}
    command = [str(psql), "-X", "-q", "-h", str(sockets), "-U", "postgres", "-d", database, "-f", str(SQL)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False, env=environment)  # noqa: S603
    return done.returncode == 0
