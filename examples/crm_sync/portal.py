"""The portal's side: the few calls of its API that the sync makes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

REFERRALS = "/v1.0/engagements/referrals"
EVENTS = "/v1.0/events"


class Refused(Exception):
    """The portal's rules refuse a change, for good. The message has every reason."""


class Changed(Exception):
    """Somebody changed the deal since it was read (412)."""


class Portal:
    """A company's deals, over HTTP. What fails on the way is tried again; a key makes each creation happen once."""

    def __init__(self, base: str, client_id: str, secret: str, *, tries: int = 8) -> None:
        self.http = httpx.Client(base_url=base, timeout=30)
        self.credentials = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        self.token = ""
        self.tries = tries

    def events(self, address: str) -> dict[str, Any]:
        """A page of what happened, from the stored address on; the first one without any."""
        return self._call("GET", address or EVENTS)

    def read(self, referral: str) -> dict[str, Any] | None:
        """The deal; None if the client may not see it."""
        try:
            return self._call("GET", f"{REFERRALS}/{referral}")
        except LookupError:
            return None

    def create(self, body: Mapping[str, Any], key: str) -> dict[str, Any]:
        return self._call("POST", REFERRALS, body, {"Idempotency-Key": key})

    def patch(self, referral: str, operations: Sequence[Mapping[str, Any]], etag: str) -> dict[str, Any]:
        headers = {"If-Match": etag, "Prefer": "return=representation"}
        return self._call("PATCH", f"{REFERRALS}/{referral}", operations, headers)

    def _call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        for attempt in range(self.tries):
            if attempt:
                time.sleep(min(0.1 * 2**attempt, 5))
            try:
                found = self._once(method, path, body, headers or {})
            except httpx.TransportError:
                continue
            if found.status_code == 401:
                self.token = ""
            elif found.status_code == 429:
                time.sleep(float(found.headers.get("Retry-After", "1")))
            elif found.status_code < 500:
                return _answer(found)
        raise ConnectionError(f"{method} {path} failed {self.tries} times")

    def _once(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> httpx.Response:
        if not self.token:
            answer = self.http.post("/oauth2/token", data=self.credentials)
            answer.raise_for_status()
            self.token = answer.json()["access_token"]
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        return self.http.request(method, path, json=body, headers=sent)


def _answer(found: httpx.Response) -> dict[str, Any]:
    if found.is_success:
        body: dict[str, Any] = found.json() if found.content else {}
        return body
    if found.status_code == 404:
        raise LookupError(str(found.url))
    if found.status_code == 412:
        raise Changed
    error = found.json()["error"]
    reasons = [f"{detail['code']}: {detail['message']}" for detail in error["details"]]
    raise Refused("; ".join(reasons) or error["message"])
