"""Room for deep calls. Needs no Django: the web server uses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def with_room(call: Callable[..., T], *given: object) -> T:
    """Return what the call returns; all calls below it find room at once.

    CPython keeps the frames of calls in blocks of 16 KiB. It gives a block back to the system when the call that began
    it ends, and asks for it anew with the next: a loop that happens to stand at the end of a block, as in a template,
    does so in each turn. This frame is larger than a block, and what its own block has left is enough for those below.
    """
    return call(*given)


#: In words of memory; of what isn't used, only addresses are taken.
with_room.__code__ = with_room.__code__.replace(co_stacksize=1 << 17)
