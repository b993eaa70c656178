"""Tokens of API clients (wire.md, Auth)."""

from __future__ import annotations

import pytest

from portal.api.http.authentication import access_of
from portal.demo.cast import Cast
from tests.api import Api, make_client

pytestmark = pytest.mark.django_db


def test_a_client_gets_a_token_with_all_its_scopes(cast: Cast) -> None:
    client = make_client(cast.companies["contoso"], scopes="referrals.read referrals.write")
    access = access_of(Api(client).token)
    assert access is not None
    assert access.actor.company_id == client.company_id
    assert access.scopes == {"referrals.read", "referrals.write"}
