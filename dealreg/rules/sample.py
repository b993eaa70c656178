"""Which approved registrations a random sample chooses for a closer look (FLOW-4)."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

_BYTES = 8


def is_chosen(seed: str, public_id: UUID, percent: int) -> bool:
    """Whether the sample with this seed chooses the registration: the same answer whenever it is asked again."""
    number = int.from_bytes(sha256(f"{seed}:{public_id}".encode()).digest()[:_BYTES])
    return number * 100 < percent << 8 * _BYTES
