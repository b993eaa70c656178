"""Nothing that can be sent is an error of ours, and nothing changes what is another company's (ORG-6)."""

from __future__ import annotations

import logging
import os

from tests.fuzz import Fuzzer
from tests.test_roles import ROWS, World

#: For longer runs by hand; the suite asks the same every time.
SEED = int(os.environ.get("ORTAK_FUZZ_SEED", "7"))
REQUESTS = int(os.environ.get("ORTAK_FUZZ_REQUESTS", "250"))


def test_no_request_is_an_error_of_ours(world: World) -> None:
    """Every address, form and parameter there is, mutated; run it longer with ORTAK_FUZZ_SEED and _REQUESTS."""
    logging.disable(logging.CRITICAL)
    try:
        fuzzer = Fuzzer(world, SEED)
        targets = fuzzer.targets(every_actor=REQUESTS > 5_000)
        times = fuzzer.weighted(targets)
        for number in range(REQUESTS):
            fuzzer.ask(times[number % len(times)])
    finally:
        logging.disable(logging.NOTSET)
    print(f"seed {SEED}: {REQUESTS} requests to {len(targets)} forms and addresses")
    told = "".join(f"\n\n{fault}\n  {asked}" for fault, asked in fuzzer.faults.items())
    assert not told, f"{len(fuzzer.faults)} faults with seed {SEED}:{told}"
    assert fuzzer.asked >= {row.route for row in ROWS}
