"""Keys by which a request is carried out once, however often it is sent (wire.md, Auth; F1.3)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client, override_settings
from django.utils import timezone

from portal.accounts.models import Location
from portal.api.models import Answer, ApiClient
from portal.api.services import idempotency
from portal.api.tasks import purge
from portal.demo.cast import Cast
from tests.api import Api, make_client

pytestmark = pytest.mark.urls("tests.api_urls")
KEY = {"Idempotency_Key": "k1"}


@pytest.fixture
def client(cast: Cast) -> ApiClient:
    return make_client(cast.companies["contoso"], client_id="contoso-crm")


def add(api: Api, name: str = "one", **headers: str) -> Any:
    return api.post("/v1.0/probe", {"name": name}, **headers)


def places(name: str = "one") -> int:
    return Location.objects.filter(name=name).count()


@pytest.mark.django_db
class TestKeys:
    def test_the_first_answer_is_given_again(self, client: ApiClient) -> None:
        api = Api(client)
        first, again = add(api, **KEY), add(api, **KEY)
        assert first.status_code == 201, first.content
        assert (again.status_code, again.content) == (201, first.content)
        for name in ("ETag", "Location", "Content-Type"):
            assert again[name] == first[name]
        assert (first.get("Idempotency-Replayed"), again["Idempotency-Replayed"]) == (None, "true")
        assert places() == 1

    def test_the_id_of_a_request_is_a_key_as_well(self, client: ApiClient) -> None:
        api = Api(client)
        assert add(api, request_id="r1").content == add(api, request_id="r1").content
        assert api.patch("/v1.0/probe", [], request_id="r1").status_code == 204
        assert api.patch("/v1.0/probe", [], request_id="r1")["Idempotency-Replayed"] == "true"

    def test_another_body_under_the_same_key_is_refused(self, client: ApiClient) -> None:
        api = Api(client)
        add(api, **KEY)
        refused = add(api, "two", **KEY)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "invalidRequest")
        assert places("two") == 0

    def test_a_key_is_its_clients_and_its_methods(self, client: ApiClient, cast: Cast) -> None:
        add(Api(client), **KEY)
        other = Api(make_client(cast.companies["fabrikam"]))
        assert add(other, "two", **KEY).status_code == 201
        assert Api(client).patch("/v1.0/probe", {"name": "one"}, **KEY).status_code == 204

    def test_without_a_key_each_request_is_its_own(self, client: ApiClient) -> None:
        api = Api(client)
        assert (add(api).status_code, add(api).status_code) == (201, 422)
        assert Answer.objects.count() == 0

    def test_a_refusal_changes_nothing_and_may_be_tried_again(self, client: ApiClient) -> None:
        api = Api(client)
        for _time in range(2):
            refused = add(api, "refused", **KEY)
            assert (refused.status_code, refused.get("Idempotency-Replayed")) == (422, None)
        assert (places("refused"), Answer.objects.count()) == (0, 0)
        assert add(api, **KEY).status_code == 201

    def test_a_fault_of_ours_changes_nothing_and_may_be_tried_again(self, client: ApiClient) -> None:
        api = Api(client)
        api.http.raise_request_exception = False
        refused = add(api, "broken", **KEY)
        assert (refused.status_code, refused.json()["error"]["code"]) == (500, "generalException")
        assert (places("broken"), Answer.objects.count()) == (0, 0)

    def test_a_key_that_is_too_long_is_refused(self, client: ApiClient) -> None:
        assert add(Api(client), Idempotency_Key="k" * 256).status_code == 400

    def test_an_answer_is_kept_for_a_day(self, client: ApiClient) -> None:
        api = Api(client)
        add(api, **KEY)
        Answer.objects.update(created_at=timezone.now() - idempotency.KEPT)
        assert add(api, "two", **KEY).status_code == 201
        assert purge() == 0
        Answer.objects.update(created_at=timezone.now() - idempotency.KEPT - timedelta(seconds=1))
        assert purge() == 1

    def test_who_may_no_longer_ask_gets_no_kept_answer(self, client: ApiClient) -> None:
        api = Api(client)
        add(api, **KEY)
        assert add(Api(client, scope="referrals.read"), **KEY).status_code == 403
        assert api.call("POST", "/v1.0/probe", {"name": "one"}, Authorization="Bearer no", **KEY).status_code == 401

    def test_a_key_costs_two_statements(self, client: ApiClient) -> None:
        from django.test.utils import CaptureQueriesContext

        api = Api(client)
        api.patch("/v1.0/probe", [])
        with CaptureQueriesContext(connection) as found:
            api.patch("/v1.0/probe", [], **KEY)
        told = [query["sql"] for query in found if "SAVEPOINT" not in query["sql"]]
        assert len(told) == 2, told


@pytest.fixture
def committed(transactional_db: None, client: ApiClient) -> ApiClient:
    return client


def _send(api: Api, name: str) -> tuple[int, bytes]:
    answer = Client().post(
        "/v1.0/probe",
        json.dumps({"name": name}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {api.token}", "Idempotency-Key": f"key-{name}"},
    )
    return answer.status_code, answer.content


def _send_often(api: Api, name: str, times: int) -> set[tuple[int, bytes]]:
    """From a thread of its own, with a connection of its own."""
    try:
        return {_send(api, name) for _time in range(times)}
    finally:
        connections.close_all()


@override_settings(API_REQUESTS_PER_MINUTE=0)
def test_a_thousand_parallel_repeats_make_one_row_and_equal_answers(committed: ApiClient) -> None:
    api = Api(committed)
    with ThreadPoolExecutor(16) as pool:
        answers = set().union(*pool.map(lambda _thread: _send_often(api, "one", 63), range(16)))
    assert [status for status, _body in answers] == [201]
    assert places() == 1
    assert Answer.objects.count() == 1


def test_who_waits_longer_than_a_statement_may_is_told_to_come_again(committed: ApiClient) -> None:
    api = Api(committed)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        from django.db import transaction

        with transaction.atomic():
            key = idempotency.Key(str(committed.pk), "POST", "/v1.0/probe", "key-one", "")
            idempotency.reserve(key, now=timezone.now())
            held.set()
            done.wait(20)
            transaction.set_rollback(True)
        connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        held.wait(20)
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '200ms'")
        answer = api.post("/v1.0/probe", {"name": "one"}, Idempotency_Key="key-one")
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")
    finally:
        done.set()
        thread.join()
    assert (answer.status_code, answer["Retry-After"]) == (409, "1")
    assert _send(api, "one")[0] == 201


KILLED = """
import os, signal, sys
import django
django.setup()
from django.db import transaction
from django.test import Client
from portal.api.http import endpoint
token, after = sys.argv[1:]
real = endpoint.idempotency.once
def once(answer, reserved):
    if after == "commit":
        real(answer, reserved)
        os.kill(os.getpid(), signal.SIGKILL)
    with transaction.atomic():
        real(answer, reserved)
        os.kill(os.getpid(), signal.SIGKILL)
endpoint.idempotency.once = once
Client().post("/v1.0/probe", b'{"name": "one"}', content_type="application/json",
              headers={"Authorization": "Bearer " + token, "Idempotency-Key": "key-one"})
"""


@pytest.mark.parametrize(("after", "kept"), [("commit", 1), ("change", 0)])
def test_a_process_killed_between_change_and_answer_leaves_one_row(
    committed: ApiClient, process_env: dict[str, str], after: str, kept: int
) -> None:
    api = Api(committed)
    env = {**process_env, "DJANGO_SETTINGS_MODULE": "tests.api_settings", "PYTHONPATH": os.getcwd()}
    died = subprocess.run([sys.executable, "-c", KILLED, api.token, after], env=env, capture_output=True, text=True)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert (places(), Answer.objects.count()) == (kept, kept)
    first, again = api.post("/v1.0/probe", {"name": "one"}, Idempotency_Key="key-one"), _send(api, "one")
    assert first.status_code == again[0] == 201
    assert first.content == again[1]
    assert (first.get("Idempotency-Replayed") == "true") is bool(kept)
    assert places() == 1
