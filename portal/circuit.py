"""Not to wait twice for a server that is away. Needs no Django: the settings use it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

#: Seconds for one connection or answer: of the cache; of the queue, where a task not sent costs somebody a minute.
CACHE_SECONDS = 0.2
QUEUE_SECONDS = 1.0
#: Seconds in which nobody tries again.
PAUSE_SECONDS = 5.0

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Circuit:
    """Open for PAUSE_SECONDS after a failure; shared by the threads of a process."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._until = 0.0

    @property
    def is_open(self) -> bool:
        return time.monotonic() < self._until

    def trip(self, error: Exception) -> None:
        self._until = time.monotonic() + PAUSE_SECONDS
        _log.warning("%s goes without Redis for %d s: %s", self._name, PAUSE_SECONDS, type(error).__name__)

    def close(self) -> None:
        self._until = 0.0


CACHE = Circuit("The cache")
QUEUE = Circuit("The queue")


class OneTry(Retry):
    """redis-py's way of trying a connection or a command again: here once, and not at all while the circuit is open."""

    def __init__(self) -> None:
        super().__init__(NoBackoff(), 0)

    def __deepcopy__(self, _memo: dict[int, Any]) -> OneTry:
        return self

    def call_with_retry(self, do: Callable[[], T], fail: Callable[..., Any], *args: Any, **kwargs: Any) -> T:
        if CACHE.is_open:
            error = RedisConnectionError("Redis was away a moment ago")
            fail(error)
            raise error
        try:
            return super().call_with_retry(do, fail, *args, **kwargs)
        except (RedisConnectionError, RedisTimeoutError, OSError) as error:
            CACHE.trip(error)
            raise
