"""How much a request may bring (portal/bodies.py); tests/test_webserver.py has what the server does about it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from django.urls import reverse

from portal.accounts.models import User
from portal.bodies import PAGE_BYTES, TOO_LARGE, limit_before_reading
from portal.demo.cast import Cast
from portal.money.forms import LARGEST_UPLOAD_BYTES
from tests import build
from tests.edge import Live, parse

UPLOAD = "admin:money_monthlyrate_upload"
MANAGER = "manager@vendor.example"


class Unread(BytesIO):
    """A body that nobody may read."""

    def read(self, *_args: Any) -> bytes:
        raise AssertionError("it was read")


def post(client: Client, address: str, length: int, **extra: Any) -> Any:
    return client.generic("POST", address, b"", CONTENT_LENGTH=str(length), **{"wsgi.input": Unread(), **extra})


@pytest.mark.django_db
def test_a_page_takes_a_megabyte_and_no_more_is_even_read(client: Client) -> None:
    for address in ("/accounts/login/", "/nowhere/", "/healthz/", reverse(UPLOAD)):
        refused = post(client, address, PAGE_BYTES + 1)
        assert refused.status_code == 413, address
        assert "at most 976.6 KB" in parse(refused).one("main").text.replace("\xa0", " ")
    assert post(client, "/accounts/login/", 0, **{TOO_LARGE: True}).status_code == 413
    assert client.post("/accounts/login/", {"login": "x" * (PAGE_BYTES - 1000)}).status_code == 200


def test_the_refusal_is_in_the_readers_language(cast: Cast) -> None:
    User.objects.filter(email=build.CONTOSO).update(language="tr")
    client = Live(cast).browser(build.CONTOSO)
    assert "Bu çok büyük" in parse(post(client, "/", PAGE_BYTES + 1)).one("main").text


def test_an_upload_has_its_own_limit_for_people_who_are_signed_in(cast: Cast) -> None:
    manager = Live(cast).browser(MANAGER)
    large = SimpleUploadedFile("rates.csv", b"x" * (LARGEST_UPLOAD_BYTES + 1))
    answer = manager.post(reverse(UPLOAD), {"file": large})
    assert answer.status_code == 200
    assert "larger than 1 MB" in answer.content.decode()
    assert post(manager, reverse(UPLOAD), 2 * LARGEST_UPLOAD_BYTES + 1).status_code == 413
    assert post(manager, "/", PAGE_BYTES + 1).status_code == 413, "and only where files are taken"


def test_the_server_asks_for_the_limit_before_it_reads(cast: Cast) -> None:
    manager = Live(cast).browser(MANAGER)

    def limit(path: str, cookie: str = "") -> int:
        environ = RequestFactory().post(path).environ | {"HTTP_COOKIE": f"sessionid={cookie}"}
        return limit_before_reading(environ)

    session = manager.cookies["sessionid"].value
    assert limit(reverse(UPLOAD), session) == 2 * LARGEST_UPLOAD_BYTES
    assert limit(reverse(UPLOAD)) == limit(reverse(UPLOAD), "x" * 32) == limit("/", session) == PAGE_BYTES
    manager.logout()
    assert limit(reverse(UPLOAD), session) == PAGE_BYTES


def test_without_a_database_everything_is_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """No `db` here: whatever asks it raises."""
    environ = RequestFactory().post(reverse(UPLOAD)).environ | {"HTTP_COOKIE": f"sessionid={'x' * 32}"}
    assert limit_before_reading(environ) == PAGE_BYTES
