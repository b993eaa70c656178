"""Both signatures of a delivery: Microsoft's (F2), and Standard Webhooks'."""

from __future__ import annotations

import base64
import hmac
import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.conf import settings
from django.urls import reverse
from django.utils.crypto import salted_hmac

from portal.webhooks.models import Delivery, SigningKey, Webhook

KEY_BITS = 3072
#: A certificate's life; a key whose certificate ends within the last part of it is replaced.
VALID, RENEW_BEFORE = timedelta(days=730), timedelta(days=60)


# Standard Webhooks


def secret_of(seed: uuid.UUID) -> str:
    """The secret of a webhook, as its receiver keeps it: worked out whenever it is needed, and kept nowhere."""
    return f"whsec_{base64.b64encode(_key_of(seed)).decode()}"


def _key_of(seed: uuid.UUID) -> bytes:
    return salted_hmac("portal.webhooks.secret", seed.hex, algorithm="sha256").digest()


def _standard(webhook: Webhook, message: str, body: bytes, now: datetime) -> dict[str, str]:
    """With the secret before this one as well, for as long as it overlaps."""
    seeds = [webhook.secret_seed]
    if webhook.previous_seed and webhook.previous_until and now < webhook.previous_until:
        seeds.append(webhook.previous_seed)
    stamp = str(int(now.timestamp()))
    signed = b".".join([message.encode(), stamp.encode(), body])
    made = [base64.b64encode(hmac.digest(_key_of(seed), signed, "sha256")).decode() for seed in seeds]
    return {
        "webhook-id": message,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in made),
    }


# Microsoft's


@dataclass(frozen=True)
class Signer:
    key: rsa.RSAPrivateKey
    certificate_url: str


def signer(now: datetime) -> Signer:
    """The key that signs now; a new one where there is none, its certificate ends soon, or SECRET_KEY is another."""
    newest = SigningKey.objects.order_by("-pk").first()
    if newest is not None and newest.expires_at > now + RENEW_BEFORE:
        try:
            return _signer(newest.public_id, newest.private_key)
        except ValueError:  # encrypted with another SECRET_KEY
            pass
    made = rotate(now=now)
    return _signer(made.public_id, made.private_key)


@lru_cache(maxsize=4)
def _signer(public_id: uuid.UUID, encrypted: str) -> Signer:
    key = serialization.load_pem_private_key(encrypted.encode(), _passphrase())
    assert isinstance(key, rsa.RSAPrivateKey)
    return Signer(key, f"{settings.BASE_URL}{reverse('webhook_certificate', args=[public_id])}")


def _passphrase() -> bytes:
    return salted_hmac("portal.webhooks.key", "", algorithm="sha256").hexdigest().encode()


def rotate(*, now: datetime) -> SigningKey:
    """A new key, and its certificate; it signs from now on. Older certificates can still be fetched."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    host = (urlsplit(settings.BASE_URL).hostname or "ortak")[:64]
    name = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Ortak"),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, host),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    kept = serialization.BestAvailableEncryption(_passphrase())
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return SigningKey.objects.create(
        private_key=key.private_bytes(pem, pkcs8, kept).decode(),
        certificate=certificate.public_bytes(pem).decode(),
        created_at=now,
        expires_at=now + VALID,
    )


def _microsoft(webhook: Webhook, body: bytes, by: Signer) -> dict[str, str]:
    signature = base64.b64encode(by.key.sign(body, padding.PKCS1v15(), hashes.SHA256())).decode()
    header = "x-ms-signature" if webhook.ms_signature_header else "Authorization"
    return {
        header: f"Signature {signature}",
        "X-MS-Certificate-Url": by.certificate_url,
        "X-MS-Signature-Algorithm": "rsa-sha256",
    }


# A delivery


def body_of(delivery: Delivery) -> bytes:
    """What is sent; the same at every attempt (F2)."""
    return json.dumps(
        {
            "EventName": delivery.name,
            "ResourceUri": f"{settings.BASE_URL}{delivery.resource_path}",
            "ResourceName": delivery.resource_name,
            "AuditUri": None,
            "ResourceChangeUtcDate": f"{delivery.changed_at:%Y-%m-%dT%H:%M:%S.%f}0Z",
        }
    ).encode()


def headers_of(delivery: Delivery, body: bytes, by: Signer, now: datetime) -> dict[str, str]:
    """Both signatures of one attempt."""
    webhook = delivery.webhook
    return {**_microsoft(webhook, body, by), **_standard(webhook, str(delivery.public_id), body, now)}
