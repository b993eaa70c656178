"""Public keys of API clients, by which their signed assertions are checked (RFC 7523)."""

from __future__ import annotations

import json

from jwcrypto.common import JWException
from jwcrypto.jwk import JWK, JWKSet

#: Bits of a modulus below which nobody signs any more.
MIN_RSA_BITS = 2048
MAX_LENGTH = 20_000
CURVES = frozenset({"P-256", "P-384", "P-521", "Ed25519"})


def read(text: str) -> JWKSet:
    """The keys of a PEM text, a JWK or a JWK set. Raises ValueError for anything else, private keys included."""
    if len(text) > MAX_LENGTH:
        raise ValueError("too long")
    keys = JWKSet()
    try:
        for key in _keys(text.strip()):
            _check(key)
            keys.add(key)
    except (JWException, TypeError, KeyError, AttributeError, UnicodeError, RecursionError) as error:
        raise ValueError("unreadable") from error
    if not keys["keys"]:
        raise ValueError("no key")
    return keys


def _keys(text: str) -> list[JWK]:
    if not text.startswith("{"):
        return [JWK.from_pem(text.encode())]
    found = json.loads(text)
    return [JWK(**key) for key in found.get("keys", [found])]


def _check(key: JWK) -> None:
    if key.has_private or key["kty"] not in {"RSA", "EC", "OKP"}:
        raise ValueError("not a public key")
    if key["kty"] == "RSA" and key.get_op_key("verify").key_size < MIN_RSA_BITS:
        raise ValueError("too short")
    if key["kty"] != "RSA" and key["crv"] not in CURVES:
        raise ValueError("not a curve for signing")
