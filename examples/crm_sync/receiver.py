"""Receives the portal's webhooks: checks the signature, notes the deal, answers at once."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from examples.crm_sync.crm import Crm

MAX_BYTES = 100_000


def server(path: str, port: int, secret: str) -> ThreadingHTTPServer:
    """A server for the CRM's file; a delivery that comes twice changes nothing."""
    verifier = Webhook(secret)

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > MAX_BYTES:
                self._answer(413)
                return
            body = self.rfile.read(length)
            try:
                verifier.verify(body, dict(self.headers.items()))
            except WebhookVerificationError:
                self._answer(401)
                return
            event = json.loads(body)
            if event["ResourceName"] == "referral":
                crm = Crm(path)
                with crm.transaction():
                    crm.note([event["ResourceUri"].rsplit("/", 1)[-1]])
                crm.db.close()
            self._answer(204)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return ThreadingHTTPServer(("127.0.0.1", port), Receiver)
