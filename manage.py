#!/usr/bin/env python
"""Django's command line, with the project's own servers behind it where none were given."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from portal import embedded

#: These ask neither database nor Redis.
SERVERLESS = {"collectstatic", "compilemessages", "help", "makemessages", "version", "--help", "--version"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    from django.conf import settings
    from django.core.management import execute_from_command_line

    settings.MODE  # noqa: B018  refused now, before a server is started

    if set(sys.argv[1:2]) <= SERVERLESS:
        execute_from_command_line(sys.argv)
        return
    data_dir = Path(os.environ.get("DATA_DIR") or Path(__file__).resolve().parent / ".data")
    if embedded.running(data_dir):
        execute_from_command_line(sys.argv)
        return
    # SIGTERM must pass through `finally`, like Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        embedded.start(data_dir, tied=True)
        execute_from_command_line(sys.argv)
    except embedded.CannotStart as error:
        sys.exit(str(error))
    finally:
        embedded.stop(data_dir)


if __name__ == "__main__":
    main()
