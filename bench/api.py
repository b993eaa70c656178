"""How fast the API is over HTTP, among few deals and among many, and beside a bare view that gives the same JSON.

    python bench/api.py [FEW [MANY]]        # without any: 10,000 and 100,000; the goal is 10000 1000000

Two portals run at once, one with FEW deals and one with MANY, each with its database and two gunicorn processes. One
client asks the one and the other in turn, over connections that stay open, so whatever else the machine does falls on
both. All is on: tokens, limits, rights, keys, events, a webhook. Each figure is a median. `bare` is bench/bare/urls.py.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

REFERRALS = "/v1.0/engagements/referrals"
OPEN = "status eq 'Active' and direction eq 'Outgoing'"
SIZE, ROUNDS = 50, 60
#: Deals that are asked for and changed, each portal's own.
ONES = 200


# A portal, in a process of its own: fills, serves, says where, and ends when its input does


def serve(deals: int) -> None:
    import generate

    os.environ["API_REQUESTS_PER_MINUTE"] = "1000000"
    with generate.database() as fill:
        fill(deals=deals, customers=deals)
        _connect()
        with _gunicorn(generate.ROOT) as port:
            print(json.dumps({"port": port, **_deep()}), flush=True)
            sys.stdin.read()


def _connect() -> None:
    """The demo's clients, and a webhook, so that each change is told."""
    from django.utils import timezone

    from portal.accounts import selectors as accounts
    from portal.accounts.models import Company, User
    from portal.demo import cast, clients
    from portal.webhooks.rules import EVENTS
    from portal.webhooks.services import registration

    names = {"contoso": "Contoso", "fabrikam": "Fabrikam"}
    companies = {key: Company.objects.get(name__startswith=name) for key, name in names.items()}
    found = {**companies, "vendor": Company.objects.vendor()}
    clients.create(cast.Cast(companies=found), now=timezone.now())
    admin = accounts.actor_for(accounts.memberships(User.objects.get(email="admin@contoso.example"))[0])
    registration.set_up(url="https://hooks.example.com/", names=EVENTS, actor=admin, now=timezone.now())


def _deep() -> dict[str, Any]:
    """The token of the last page that both portals can have, up to page 1,000: as page 999 would give it."""
    from django.http import QueryDict

    from portal.api import odata
    from portal.api.models import ApiClient
    from portal.api.odata import orders
    from portal.api.services.tokens import actor_of
    from referrals.api.query import listed, referrals

    actor = actor_of(ApiClient.objects.select_related("company").get(client_id="contoso-crm"))
    asked = odata.read(QueryDict(urlencode({"$filter": OPEN})), referrals(actor))
    rows = asked.order.apply(listed(asked, actor).filter(asked.condition).values("pk"))
    page = min(1000, rows.count() // SIZE)
    place = orders.last(rows[(page - 1) * SIZE - 1], asked.order, None)
    return {"page": page, "token": orders.token(place, asked.order, asked.salt)}


@contextmanager
def _gunicorn(root: Path) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "PORT": str(port),
        "HOST": "127.0.0.1",
        "WEB_CONCURRENCY": "2",
        "DJANGO_SETTINGS_MODULE": "bare.settings",
        "PYTHONPATH": str(root / "bench"),
    }
    command = [sys.executable, "-m", "gunicorn", "-c", str(root / "portal/gunicorn.py")]
    web = subprocess.Popen(command, cwd=root, env=environment, stdout=sys.stderr)  # noqa: S603
    try:
        yield port
    finally:
        web.terminate()
        web.wait(30)


# The client


class Portal:
    """One of the portals, and a connection to it that stays open."""

    def __init__(self, process: subprocess.Popen[str], deals: int) -> None:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        self.deals, self.page, self.deep = deals, said["page"], said["token"]
        self.connection = http.client.HTTPConnection("127.0.0.1", said["port"], timeout=60)
        self.headers: dict[str, str] = {}
        self._wait()
        client = {"grant_type": "client_credentials", "client_id": "contoso-crm", "client_secret": "ortak-demo-secret"}
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        token = json.loads(self.ask("POST", "/oauth2/token", urlencode(client), kind))["access_token"]
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        found = self.list({"$filter": OPEN + " and type eq 'Independent'", "$top": str(ONES)})
        self.ones = [deal["id"] for deal in found]
        self.turn = 0

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                return self.ask("GET", "/healthz") and None
            except OSError:
                self.connection.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def reconnect(self) -> None:
        """An idle connection is closed, and the other portal takes longer to fill."""
        self.connection.close()

    def ask(self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> bytes:
        self.connection.request(method, path, body or None, headers or self.headers)
        answer = self.connection.getresponse()
        read = answer.read()
        assert answer.status < 300, (method, path, answer.status, read[:500])
        return read

    def list(self, options: dict[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.ask("GET", listing(options)))["value"]
        return found

    def one(self) -> str:
        """Each time another deal."""
        self.turn += 1
        return f"{REFERRALS}/{self.ones[self.turn % ONES]}"


def listing(options: dict[str, str]) -> str:
    return f"{REFERRALS}?{urlencode({'$top': str(SIZE), **options}, quote_via=quote, safe='$')}"


def create(portal: Portal, *, help_code: str = "Unknown") -> bytes:
    person = {"firstName": "U", "lastName": "Ö", "phoneNumber": "1", "email": "user@contoso.example"}
    address = {"country": "DE", "city": "City 1"}
    deal = {
        "name": "Bench",
        "customerProfile": {"name": "Anadolu Yazılım 1", "address": address, "team": [person]},
        "consent": {"consentToToShareInfoWithOthers": True, "consentToShareReferralWithMicrosoftSellers": True},
        "details": {
            "dealValue": "40000",
            "currency": "USD",
            "closingDateTime": "2099-05-01T00:00:00Z",
            "requirements": {"solutions": [{"id": "SOL-10001-CTS"}]},
        },
        "inviteContext": {"assistanceRequestCode": help_code},
        "team": [person],
    }
    return portal.ask("POST", REFERRALS, json.dumps(deal), {**portal.headers, "Idempotency-Key": str(uuid.uuid4())})


def patch(portal: Portal) -> bytes:
    """A stage that the deal isn't in; each deal's next one when its turn comes again."""
    path = portal.one()
    stage = ("Develop", "Propose", "Close", "Qualify")[portal.turn // ONES % 4]
    body = json.dumps([{"op": "replace", "path": "/salesStage", "value": stage}])
    return portal.ask("PATCH", path, body, {**portal.headers, "Idempotency-Key": str(uuid.uuid4())})


Work = Callable[[Portal], object]


def reads(options: dict[str, str]) -> Work:
    return lambda portal: portal.ask("GET", listing(options))


WORK: dict[str, Work] = {
    "empty view": lambda portal: portal.ask("GET", "/v1.0/empty"),
    "bare view": lambda portal: portal.ask("GET", "/v1.0/bare"),
    "list": reads({"$filter": OPEN}),
    "list, page 1,000": lambda portal: portal.ask("GET", listing({"$filter": OPEN, "$skiptoken": portal.deep})),
    "search: a word in the name": reads({"$filter": "contains(name,'Kiosks')"}),
    "search: in no name": reads({"$filter": "contains(name,'zzzzzz')"}),
    "search: by the CRM's id": lambda portal: portal.ask(
        "GET", listing({"$filter": f"externalReferenceId eq 'OPP-{portal.deals // 2}'"})
    ),
    "list, changed since": reads({"$filter": "updatedDateTime gt 2020-01-01", "$orderby": "updatedDateTime asc"}),
    "get": lambda portal: portal.ask("GET", portal.one()),
    "patch a stage": patch,
    "create": create,
    "create, with help": lambda portal: create(portal, help_code="GeneralOrOther"),
}


def measure(portals: list[Portal], rounds: int) -> dict[str, list[list[float]]]:
    """Seconds by work and portal. In each round everything is asked of everybody once, in turn."""
    took: dict[str, list[list[float]]] = {what: [[] for _portal in portals] for what in WORK}
    for number in range(-5, rounds):
        for what, work in WORK.items():
            if what.startswith("search") and number > rounds // 4:  # slow ones are told apart soon
                continue
            for position, portal in enumerate(portals):
                began = time.perf_counter()
                work(portal)
                if number >= 0:  # what came before warmed up
                    took[what][position].append(time.perf_counter() - began)
    return took


def check(portal: Portal) -> None:
    """Both views say the same."""
    bare = json.loads(portal.ask("GET", "/v1.0/bare"))["value"]
    ours = portal.list({"$filter": OPEN})
    for mine, theirs in zip(ours, bare, strict=True):
        differing = [name for name in mine | theirs if mine.get(name) != theirs.get(name)]
        assert mine == theirs, differing


def report(portals: list[Portal], took: dict[str, list[list[float]]]) -> None:
    few, many = (f"{portal.deals:,}" for portal in portals)
    print(f"\n| request | {few} deals | {many} deals | ratio | to the bare view |\n|---|---|---|---|---|")
    for what, (one, other) in took.items():
        middle = statistics.median(one), statistics.median(other)
        between = statistics.median(b / a for a, b in zip(one, other, strict=True))
        bare = [
            statistics.median(a / b for a, b in zip(mine, plain, strict=False))
            for mine, plain in zip((one, other), took["bare view"], strict=True)
        ]
        print(
            f"| {what} | {middle[0] * 1000:.1f} ms | {middle[1] * 1000:.1f} ms | {between:.2f}"
            f" | {bare[0]:.2f}, {bare[1]:.2f} |"
        )
    for portal, first, deep in zip(portals, took["list"], took["list, page 1,000"], strict=True):
        ratio = statistics.median(b / a for a, b in zip(first, deep, strict=True))
        print(f"\nPage {portal.page:,} of {portal.deals:,} deals takes {ratio:.2f} times as long as page 1.")


def main(sizes: list[int], rounds: int) -> None:
    with ExitStack() as stack:
        running = []
        for deals in sizes:
            command = [sys.executable, __file__, "serve", str(deals)]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            running.append(stack.enter_context(subprocess.Popen(command, text=True, **pipes)))  # noqa: S603
        portals = [Portal(process, deals) for process, deals in zip(running, sizes, strict=True)]
        for portal in portals:
            portal.reconnect()
            check(portal)
        report(portals, measure(portals, rounds))


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(int(sys.argv[2]))
    else:
        main([int(word) for word in sys.argv[1:3]] or [10_000, 100_000], int(sys.argv[3]) if sys.argv[3:] else ROUNDS)
