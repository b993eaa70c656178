"""What a request asks for once."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from portal import once
from portal.accounts import services as accounts
from portal.accounts.selectors import vendor_name
from portal.demo.cast import Cast
from tests import build

MANAGER = "manager@vendor.example"


def test_a_question_is_answered_once_in_a_scope_and_each_time_outside() -> None:
    asked: list[int] = []

    def find() -> int:
        asked.append(1)
        return len(asked)

    assert [once.answer("n", find), once.answer("n", find)] == [1, 2]
    with once.scope():
        assert [once.answer("n", find), once.answer("n", find)] == [3, 3]
        with once.scope():
            assert once.answer("n", find) == 3
            once.forget("n")
            assert once.answer("n", find) == 4
        assert once.answer("n", find) == 4
    assert once.answer("n", find) == 5


def test_an_inner_scope_shares_what_it_finds_first() -> None:
    with once.scope():
        with once.scope():
            once.answer("n", lambda: "inner")
        assert once.answer("n", lambda: "outer") == "inner"


def test_the_vendors_name_is_asked_once_and_a_new_one_is_said_at_once(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    gets, get = [], cache.get
    monkeypatch.setattr(cache, "get", lambda key, *given: gets.append(key) or get(key, *given))
    with once.scope():
        assert {vendor_name() for _ in range(3)} == {"Microsoft"}
        assert gets == ["vendor-name"]
        vendor = cast.companies["vendor"]
        accounts.change_company(vendor, actor=cast.actor(MANAGER), now=build.NOW, name="Contoso Cloud")
        assert vendor_name() == "Contoso Cloud"
