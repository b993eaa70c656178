"""ETags: the version of the copy, quoted (architecture: one conflict protocol)."""

from __future__ import annotations

from django.http import HttpRequest

from portal.api.http.errors import ApiError


def etag_of(version: int) -> str:
    return f'"{version}"'


def expected_version(request: HttpRequest, *, required: bool = False) -> int | None:
    """The version that If-Match names; None if any will do.

    Raises ApiError: 412 for a tag that is none of ours, 428 → 400 where it is required and missing (F1.3).
    """
    given = request.headers.get("If-Match", "").strip()
    if not given and required:
        raise ApiError(400, "If-Match is required: send the eTag of the version that you read.", target="If-Match")
    if given in {"", "*"}:
        return None
    version = given.removeprefix("W/").strip().replace('\\"', "").strip('"')
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise ApiError(412, "This eTag is no version of the resource.", target="If-Match")
    return int(version)
