"""Redis away, or frozen: a page goes on without its cache, and a change without its task.

Pages need nothing of Redis: sessions are in the database, the cache may be empty at any time, and what a task would do
at once a sweep does soon. What is left is not to wait for it: CACHE_SECONDS for the first who finds out, then nothing
for PAUSE_SECONDS.
"""

from __future__ import annotations

from typing import Any

from celery import current_app
from django_redis import get_redis_connection
from django_redis.cache import RedisCache, omit_exception
from kombu import Connection
from redis.exceptions import RedisError

from portal.circuit import QUEUE, QUEUE_SECONDS


class Cache(RedisCache):  # type: ignore[misc]  # django-redis' types aren't for other projects
    """django-redis, ignoring that Redis is away: nothing is found then, and nothing is kept."""

    @omit_exception(return_value=True)
    def add(self, *args: Any, **kwargs: Any) -> Any:
        # django-redis says "was there already", for which allauth's limits wait a second and then refuse.
        return self.client.add(*args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        try:
            return bool(super().touch(*args, **kwargs))
        except (RedisError, OSError):  # the one call in which django-redis forgets to ignore them
            return False


def redis_answers() -> bool:
    """Whether Redis answers right now, as far as the last seconds tell."""
    try:
        return bool(get_redis_connection().ping())
    except (RedisError, OSError):
        return False


def tasks_in_queue() -> dict[str, int | None]:
    """How many tasks wait, and how many a worker has taken and not finished; None while Redis is away."""
    try:
        redis = get_redis_connection()
        return {"tasks_waiting": redis.llen("celery"), "tasks_taken": redis.hlen("unacked")}
    except (RedisError, OSError):
        return {"tasks_waiting": None, "tasks_taken": None}


def short_connection() -> Connection:
    """A connection to the broker that gives up after QUEUE_SECONDS, for each step once."""
    steps = ("socket_timeout", "socket_connect_timeout", "connect_retries_timeout")
    options = {**current_app.conf.broker_transport_options, **dict.fromkeys(steps, QUEUE_SECONDS), "max_retries": 0}
    return current_app.connection_for_write(transport_options=options, connect_timeout=QUEUE_SECONDS)


def send_soon(task: str, **kwargs: Any) -> bool:
    """Have a worker carry out a task, by its name; whether the queue took it.

    Never raises and never waits for long: for what a sweep does as well, a little later.
    """
    if QUEUE.is_open:
        return False
    try:
        with short_connection() as broker:
            current_app.send_task(task, kwargs=kwargs, connection=broker, retry=False)
    except Exception as error:  # kombu has as many as it has transports
        QUEUE.trip(error)
        return False
    return True
