"""How fast decided registrations close, as a ratio to the plainest SQL that writes the same rows and events.

    python bench/close.py [ROWS]        # without: 100,000, which is also the goal

Every registration is approved and due. *Plain SQL* is one UPDATE of them, one of their deals and one INSERT of the
events, in one transaction; ours goes batch after batch, as the worker does (see bench/expire.py).
"""

from __future__ import annotations

import sys

import generate
from sweeps import CLOSE, measure, registrations

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000


def main() -> None:
    with generate.database() as fill:
        fill(deals=ROWS, customers=min(ROWS, 10_000))
        from dealreg import tasks

        registrations()
        print(f"\n{ROWS:,} registrations\n\n| sweep | plain SQL, s | ours, s | ratio |\n|---|---|---|---|")
        measure("close", CLOSE, tasks.close_decided)


if __name__ == "__main__":
    main()
