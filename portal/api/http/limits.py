"""Rate limits: so many requests a minute for each client, counted in Redis. While it is away there is no limit."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django_redis import get_redis_connection
from redis.exceptions import RedisError

#: Seconds of a window.
WINDOW = 60


@dataclass(frozen=True)
class Usage:
    """How much of its limit a client has used in the window that ends in `reset` seconds."""

    limit: int
    used: int
    reset: int

    @property
    def exceeded(self) -> bool:
        return self.used > self.limit

    def headers(self) -> dict[str, str]:
        """As the IETF's draft has them (draft-ietf-httpapi-ratelimit-headers)."""
        left = max(0, self.limit - self.used)
        return {
            "RateLimit-Policy": f'"default";q={self.limit};w={WINDOW}',
            "RateLimit": f'"default";r={left};t={self.reset}',
        }


def count(name: str, *, limit: int) -> Usage | None:
    """Count one more request of this name; None while Redis is away, or for no limit (0)."""
    if not limit:
        return None
    now = int(time.time())
    window, passed = divmod(now, WINDOW)
    try:
        pipeline = get_redis_connection().pipeline(transaction=False)
        pipeline.incr(f"api-limit:{name}:{window}")
        pipeline.expire(f"api-limit:{name}:{window}", 2 * WINDOW)
        used = int(pipeline.execute()[0])
    except (RedisError, OSError):
        return None
    return Usage(limit, used, WINDOW - passed)


def token_wait(request: HttpRequest) -> int:
    """In how many seconds this client may ask for a token again; 0 for now."""
    asked = request.POST.get("client_id", "") or request.headers.get("Authorization", "")
    usage = count(f"token:{hash_of(asked)}", limit=settings.API_TOKENS_PER_MINUTE)
    return usage.reset if usage and usage.exceeded else 0


def hash_of(text: str) -> str:
    """A key of fixed length: what is sent may be long, or secret."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]
