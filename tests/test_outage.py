"""What Redis's absence costs (portal/outage.py): one short wait, and sign-ins. tests/e2e has the whole portal so."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.core.cache import cache, caches
from django.test import Client

from portal import outage
from portal.accounts.models import AccountMessage
from portal.circuit import CACHE, CACHE_SECONDS, PAUSE_SECONDS
from portal.demo.cast import PASSWORD, Cast
from tests import build
from tests.edge import Live

LOGIN = "/accounts/login/"


def use_redis(settings: Any, path: str) -> None:
    """Have the cache use the Redis at this socket."""
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": f"unix://{path}"}}
    CACHE.close()


@pytest.fixture
def stopped(settings: Any) -> Iterator[None]:
    use_redis(settings, "/nonexistent/redis.sock")
    yield
    caches["default"].close()


@pytest.fixture
def frozen(settings: Any) -> Iterator[socket.socket]:
    """A Redis that takes connections and never answers; its listening socket."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        path = Path(folder) / "redis.sock"
        listener.bind(str(path))
        listener.listen(64)
        listener.setblocking(False)
        use_redis(settings, str(path))
        yield listener


def tries(listener: socket.socket) -> int:
    """How many have connected since this was last asked."""
    count = 0
    while True:
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def everything() -> list[Any]:
    """What the cache can be asked for."""
    return [
        cache.get("a", "nothing"), cache.add("a", 1), cache.get_or_set("a", 7), cache.get_many(["a", "b"]),
        bool(cache.set("a", 1)), bool(cache.delete("a")), cache.touch("a"), outage.redis_answers(),
    ]  # fmt: skip


ABSENT = ["nothing", True, 7, {}, False, False, False, False]


def test_a_stopped_redis_is_an_empty_cache(stopped: None) -> None:
    assert everything() == ABSENT
    assert outage.tasks_in_queue() == {"tasks_waiting": None, "tasks_taken": None}


def test_a_frozen_redis_is_tried_once_for_all_that_a_page_asks(
    frozen: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [everything() for _page in range(3)] == [ABSENT] * 3
    assert tries(frozen) == 1
    now = time.monotonic()
    monkeypatch.setattr("portal.circuit.time.monotonic", lambda: now + PAUSE_SECONDS + 1)
    assert everything() == ABSENT
    assert tries(frozen) == 1, "and once more after the pause"
    assert CACHE_SECONDS <= 0.2


def test_the_cache_is_back_after_the_pause(stopped: None, settings: Any) -> None:
    assert cache.get("a") is None
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": settings.REDIS_URL}}
    assert cache.get_or_set("a", 7) == 7
    assert cache.get("a") is None, "not asked for five seconds"
    CACHE.close()
    cache.set("a", 8)
    assert cache.get("a") == 8


def test_nobody_signs_in_while_wrong_passwords_cant_be_counted(cast: Cast, stopped: None, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {}  # as in production: allauth's own
    client = Client()
    refused = client.post(LOGIN, {"login": build.CONTOSO, "password": PASSWORD})
    assert "Nobody can sign in for the moment" in refused.content.decode()
    assert "Too many" not in refused.content.decode()
    assert "_auth_user_id" not in client.session


def test_every_other_limit_is_open_meanwhile(cast: Cast, stopped: None, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {}
    for _turn in range(3):
        assert Client().post("/accounts/password/reset/", {"email": build.CONTOSO}).status_code == 302
    assert AccountMessage.objects.get().email == build.CONTOSO  # a worker makes the mail
    owner = Live(cast).browser(build.CONTOSO)
    assert owner.get("/").status_code == 200


def test_with_redis_people_sign_in_and_wrong_passwords_count(cast: Cast, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {}
    assert Client().post(LOGIN, {"login": build.CONTOSO, "password": PASSWORD}).status_code == 302
    answers = [Client().post(LOGIN, {"login": build.CONTOSO, "password": "wrong"}) for _turn in range(6)]
    assert "Too many" in answers[-1].content.decode()


def test_a_task_is_sent_from_any_thread() -> None:
    """Pages are made in threads; the application is current in the one that made it."""
    sent: list[bool] = []
    thread = threading.Thread(target=lambda: sent.append(outage.send_soon("portal.notify.tasks.heartbeat")))
    thread.start()
    thread.join()
    assert sent == [True]
    assert outage.tasks_in_queue() == {"tasks_waiting": 1, "tasks_taken": 0}


def test_a_task_that_cant_be_sent_is_left_to_the_sweep_and_not_tried_again_at_once(
    frozen: socket.socket, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = settings.CACHES["default"]["LOCATION"].removeprefix("unix://")
    monkeypatch.setattr(current_app.conf, "broker_write_url", f"redis+socket://{path}", raising=False)
    monkeypatch.setattr(outage, "QUEUE_SECONDS", 0.1)
    assert [outage.send_soon("x") for _task in range(5)] == [False] * 5
    assert 0 < tries(frozen) <= 2
