"""Requests that are wrong in every way we can think of, made of the portal's own pages and forms.

A `Fuzzer` reads a page, finds its forms and parameters, and sends them back mutated: the same seed, the same requests.
"""

from __future__ import annotations

import json
import random
import re
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlsplit

from django.apps import apps
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.test.client import encode_multipart

from portal.accounts.models import Company
from referrals.models import Draft
from referrals.web.wizard.draft import STEPS
from tests import build
from tests.edge import Element, parse
from tests.test_roles import ACTORS, ROWS, Row, World

DIGITS = "9" * 5_000
#: What stands in for a value; bytes are sent as they are.
VALUES: list[str | bytes] = [
    "", " ", "0", "1", "-1", "²", "٣", "1e309", "-1e309", "NaN", "Infinity", "1,5", "1.5", "1.000,50", "0x10", "１",
    DIGITS, "-" + DIGITS, "0." + DIGITS, "2147483648", str(2**63 - 1), str(2**63), str(2**64), "1e-400", "9" * 19,
    "x" * 51, "x" * 256, "x" * 1_001, "x" * 20_000, "ş" * 300, "İıŞğ", "🙂" * 60, "\u202e\u200b\ufeff", "\ufffe",
    "a\x00b", "\x01\x1b\x7f", "\r\n\r\n", "\t", b"\xff\xfe", b"\xed\xa0\x80", b"%", b"%zz", b"%u0041", "\\ud800",
    "[]", "{}", "[" * 5_000, "[" * 5_000 + "]" * 5_000, '{"a":' * 3_000, '"\\ud800"', '{"\\udfff": "\\u0000"}', "null",
    '[{"email": "\\ud800"}]', '[1, null, [], {}]', '{"answer_days": 1e309}', '{"blackouts": [{"first": []}]}',
    "0001-01-01", "9999-12-31", "10000-01-01", "0000-00-00", "2026-02-30", "2026-13", "0001-01", "9999-12",
    "9999-12-31T23:59:59", "2026-W01", "2026-11-18 12:00", "true", "yes", "no", "on", "all", "None", "en", "tr", "xx",
    "../../etc/passwd", "/\\evil.example", "//evil.example/", "https://evil.example/", "javascript:alert(1)", "%00",
    "<script>alert(1)</script>", "{{ 7|add:1 }}", "%(x)s %s %d %", "' OR 1=1 --", "$(id)", "=1+1", "a;=1+1",
    "a@b.example", "a@b", "@", "a" * 250 + "@b.example", "İ@contoso.example", "EUR", "USD", "eur", "ZZZ", "TR", "tr",
    "00000000-0000-0000-0000-000000000000", "urn:uuid:00000000-0000-0000-0000-000000000000", "{" + "0" * 32 + "}",
    "eyJhIjoxfQ", "WzEsMl0", "W251bGwsbnVsbF0", "WyJhIiwiYiJd", "====", "name", "-name", "--name", ".name", "1.2.3",
]  # fmt: skip
#: Those that are worth more tries than the others.
SHARP: list[str | bytes] = [
    "", "²", "-1", "Text", DIGITS, str(2**64), "NaN", "1e309", "0001-01-01", "9999-12-31", "x" * 256, "x" * 51,
    "[" * 5_000 + "]" * 5_000, '[{"email": "\\ud800"}]', '{"a": "\\ud800"}', "0" * 32, b"\xed\xa0\x80",
]  # fmt: skip
#: Those that are nearly right, by what stands there: they get further than the others.
LIKE: dict[str, list[str | bytes]] = {
    r"[\[{].*": [value for value in VALUES if str(value)[:1] in {"[", "{"}] + ["{", "[[]]", '{"\\ud800": 1}'],
    r"\d{4}-\d{2}-\d{2}": [value for value in VALUES if re.match(r"\d{4,5}-", str(value))],
    r"-?[\d.,]+": ["²", "٣", "-1", "0", DIGITS, str(2**31), str(2**63), str(2**64), "1e309", "NaN", "0.001", "1" * 19],
    r"\+?\d[\d ()+-]*": ["5" * 51, "+", DIGITS],
    r".+@.+": ["a" * 250 + "@b.example", "İ@contoso.example", "a@b", "@"],
    r"[0-9a-f-]{32,36}": ["0" * 32, "x", "²", "00000000-0000-0000-0000-000000000000", DIGITS],
}
FILES = [
    b"", b"\xff\xfe\x00", b"currency,month,usd_per_unit\nEUR,2026-11,1.1",
    b"currency,month,usd_per_unit\n" + b"x" * 140_000,
    b"currency,month,usd_per_unit\nEUR,0001-01,1e309\nGBP,9999-12,NaN\nTRY,2026-11," + b"9" * 5_000,
    b'currency,month,usd_per_unit\n"EUR,2026-11,1', b"currency;month;usd_per_unit\nE\x00R;2026-11;1,1", b"\n\n\n",
]  # fmt: skip
TYPES = [
    "", "text/plain", "application/json", "application/xml", "multipart/form-data", "multipart/form-data; boundary=",
    "multipart/form-data; boundary=x", "multipart/form-data; boundary=" + "x" * 300, "multipart/mixed; boundary=x",
    "application/x-www-form-urlencoded; charset=rot13", "multipart/form-data; boundary=x; charset=hex",
    "application/x-www-form-urlencoded; charset=utf-16", "text/html; charset=zlib", "x" * 5_000, ";;;", "a/b; c=d; e",
]  # fmt: skip
METHODS = ["GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get"]
HEADERS = ["HX-Request", "HX-Target", "HX-Current-URL", "HX-Boosted", "Accept-Language", "Referer", "If-Modified-Since"]
HEADERS += ["Accept", "Accept-Encoding", "X-Requested-With", "X-Forwarded-For", "Range", "If-None-Match", "Origin"]
COOKIES = ["django_language", "csrftoken", "messages", "sessionid", "theme"]

Fields = dict[str, list[Any]]


@dataclass(frozen=True)
class Target:
    """Something that can be asked: an address with its parameters, or a form."""

    route: str
    actor: str
    method: str
    path: str
    fields: Fields
    offered: Fields = field(default_factory=dict)
    buttons: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Sent:
    """One request as it was sent."""

    target: Target
    method: str
    url: str
    body: bytes
    content_type: str
    headers: dict[str, str]
    cookies: dict[str, str]

    def __str__(self) -> str:
        more = {**self.headers, **self.cookies}
        said = (
            f"{self.target.actor} {self.method} {self.url[:400]} [{self.content_type[:80]}] {self.body[:600]!r} {more}"
        )
        return said if len(said) < 1_500 else said[:1_500] + "..."


class Fuzzer:
    """The world of the table of roles, and what goes wrong in it when it is asked nonsense."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random = world, random.Random(seed)  # noqa: S311  no secrets, and the same every time
        self.clients = {actor: self._client(actor) for actor in ACTORS}
        self.cookies = {actor: SimpleCookie(client.cookies) for actor, client in self.clients.items()}
        self.names, self.asked = {"q"}, set[str]()
        self._fill_draft()
        self.ids = sorted({str(thing) for thing in world.things.values()} | {str(e) for e in world.entries.values()})
        self.others = {actor: others_rows(self._own_company(actor)) for actor in ("owner", "strang", "admin", "anon")}
        self.faults: dict[str, str] = {}

    def _fill_draft(self) -> None:
        """Something in each step, so that each of its pages has all that it can have."""
        person = {"first_name": "Umut", "last_name": "Öztürk", "phone": "1", "email": "user@contoso.example"}
        customer = {"customer": [str(self.world.cast.customers["anadolu"].public_id)], "contact_name": ["Deniz"]}
        deal = {"name": ["Plant"], "value": ["5"], "currency": ["EUR"], "close_date": ["2099-01-01"]}
        answers = {"customer": customer, "deal": deal, "help": {"help_code": [build.HELP], "vendor_may_view": ["yes"]}}
        invitations = [{"key": "0123456789ab", "values": {"value": ["5"]}}]
        data = {**answers, "team": [person, person], "invitations": invitations, "tried": list(STEPS)[:-1]}
        Draft.objects.filter(public_id=self.world.things["draft"]).update(data=data)

    def _client(self, actor: str) -> Client:
        client = self.world.live.browser(ACTORS[actor])
        client.raise_request_exception = False
        return client

    def _own_company(self, actor: str) -> int:
        email = ACTORS[actor]
        return self.world.cast.users[email].memberships.get().company_id if email else 0

    # What there is to ask

    def targets(self, *, every_actor: bool = False) -> list[Target]:
        """Every address of the table, its parameters and its forms, as somebody finds them who may open it."""
        found: dict[tuple[str, ...], Target] = {}
        for row in self._rows(every_actor):
            may = [actor for actor, answer in row.expected.items() if answer in {"200", "302", "422", "open"}]
            self.asked.add(row.route)
            for actor in may if every_actor and may else [self._who(may or list(row.expected))]:
                for target in self._targets(row, actor):
                    who = actor if every_actor else ""
                    key = (target.method, target.path, who, *sorted(target.fields))
                    found.setdefault(key, target)
        self.names = {"q", *(name for target in found.values() for name in target.fields)}
        return list(found.values())

    def _rows(self, every_subject: bool) -> list[Row]:
        """The table's, or of each page and method one that somebody may open."""
        if every_subject:
            return ROWS
        rows: dict[tuple[str, str], list[Row]] = {}
        for row in ROWS:
            rows.setdefault((row.route, row.method), []).append(row)
        open_rows = (
            [row for row in same if {"200", "302"} & {*row.expected.values()}] or same for same in rows.values()
        )
        return [self.random.choice(same) for same in open_rows]

    def _who(self, may: list[str]) -> str:
        """Mostly those who find the most on their pages."""
        busy = [actor for actor in may if actor in {"owner", "manag", "review", "seller"}]
        return self.random.choice(busy if busy and self.random.random() < 0.8 else may)

    def weighted(self, targets: list[Target]) -> list[Target]:
        """In an order by chance; large forms stand in it several times."""
        times = [target for target in targets for _turn in range(min(5, 1 + len(target.fields) // 2))]
        self.random.shuffle(times)
        return times

    def _targets(self, row: Row, actor: str) -> Iterator[Target]:
        path = self.world.address(row)
        if row.method == "POST":
            sent = {name: [str(v)] for name, v in self.world.sent(row).items()}
            yield Target(row.route, actor, "POST", path, sent)
            return
        if row.route == "new_deal_step":  # the table names one of them
            for step in STEPS:
                yield from self._found(row, actor, path.replace("/deal/", f"/{step}/"))
            return
        yield from self._found(row, actor, path)

    def _found(self, row: Row, actor: str, path: str) -> Iterator[Target]:
        """What there is on a page."""
        page = parse(self._page(actor, path))
        yield Target(row.route, actor, "GET", path, _parameters(page, path))
        for form in page.all("form"):
            action = urlsplit(form.attrs.get("action") or form.attrs.get("hx-post") or path).path or path
            method = "POST" if form.attrs.get("method", "get").lower() == "post" else "GET"
            fields, offered, buttons = _fields(form, page)
            yield Target(row.route, actor, method, action, fields, offered, buttons)

    def _page(self, actor: str, path: str) -> str:
        response, _fault = self._send(Sent(Target("", actor, "GET", path, {}), "GET", path, b"", "", {}, {}))
        html = response is not None and "html" in response.headers.get("Content-Type", "")
        return response.content.decode() if response is not None and html else ""

    # Asking

    def ask(self, target: Target) -> None:
        """Ask it once, mutated, and keep what went wrong."""
        asked = self._mutated(target)
        _response, fault = self._send(asked)
        if fault:
            place = re.sub(r" '.*' at | \".*\" at ", " at ", fault, flags=re.DOTALL)
            self.faults.setdefault(place, f"{fault}\n  {asked}")

    def _send(self, asked: Sent) -> tuple[HttpResponse | None, str]:
        """The answer, and what is wrong with it; whatever it did is undone."""
        actor = asked.target.actor
        client = self.clients[actor]
        client.cookies = SimpleCookie(self.cookies[actor])
        for name, value in asked.cookies.items():
            client.cookies[name] = value
        with transaction.atomic():
            try:
                response = client.generic(
                    asked.method, asked.url, asked.body, content_type=asked.content_type, headers=asked.headers
                )
                fault = self._fault(asked, response) or self._afterwards(asked, client, response)
            except Exception as error:  # before Django could make an answer of it
                response, fault = None, _said(asked.target, error)
            transaction.set_rollback(True)
        if asked.method != "GET":
            cache.clear()  # it would remember sessions that never were
        return response, fault

    def _afterwards(self, asked: Sent, client: Client, response: HttpResponse) -> str:
        """What it left behind is read: where it leads to, and the page itself."""
        if asked.method != "POST" or (response.status_code >= 400 and response.status_code != 422):
            return ""
        for url in {response.headers.get("Location", "").partition("#")[0], asked.target.path} - {""}:
            if fault := self._fault(asked, client.get(url), read=True):
                return fault
        return ""

    def _fault(self, asked: Sent, response: HttpResponse, *, read: bool = False) -> str:
        if response.status_code >= 500 and asked.target.route != "readyz":
            info = getattr(response, "exc_info", None)
            return _said(asked.target, info[1] if info else f"{response.status_code}")
        if b"Traceback (most recent call last)" in getattr(response, "content", b""):
            return f"{asked.target.route}: a traceback"
        kept = self.others.get(asked.target.actor) if asked.target.route != "invite" else None  # whoever has the link
        if kept is not None and asked.method == "POST" and not read and response.status_code < 400:
            now = others_rows(self._own_company(asked.target.actor))
            if changed := sorted({table for table, _row in kept.items() - now.items()}):
                return f"{asked.target.route}: changed rows of other companies in {changed}"
        return ""

    # Mutating

    def _mutated(self, target: Target) -> Sent:
        pick, method, path = self.random.random(), target.method, target.path
        fields = {name: list(values) for name, values in target.fields.items()}
        self._fill(target, fields)
        if (kind := self.random.random()) < 0.5:
            for _turn in range(self.random.choice([1, 1, 2, 3])):
                self._mutate(fields)
        else:
            share = self.random.choice([0.2, 0.5, 1])
            same = self.random.choice(SHARP) if kind < 0.65 else None
            for name in sorted(fields):
                if self.random.random() < share and not name.endswith("_FORMS"):
                    fields[name] = [self._near(fields[name], SHARP) if same is None else same]
        if pick < 0.06:
            method = self.random.choice(METHODS)
        elif pick < 0.12:
            path = self._other_path(path)
        headers, cookies = self._extras()
        if method == "POST":
            body, content_type = self._body(fields)
            return Sent(target, method, path, body, content_type, headers, cookies)
        return Sent(target, method, f"{path}?{_encoded(fields)}", b"", "", headers, cookies)

    def _fill(self, target: Target, fields: Fields) -> None:
        """Choices that a person could make, so that more of the form is right but for one thing."""
        for name, values in target.offered.items():
            if values and self.random.random() < 0.6:
                fields[name] = [self.random.choice(values)]
        for name in sorted(fields):
            if fields[name] == [""] and self.random.random() < 0.5:
                fields[name] = [_plausible(name, self.world)]

        if target.buttons and self.random.random() < 0.8:
            name, value = self.random.choice(target.buttons)
            fields[name] = [value]

    def _mutate(self, fields: Fields) -> None:
        names = sorted(fields) or [self.random.choice(sorted(self.names))]
        name, kind = self.random.choice(names), self.random.random()
        if kind < 0.08:
            fields.pop(name, None)
        elif kind < 0.14:
            fields[name] = fields.get(name, [""]) * self.random.choice([2, 100])
        elif kind < 0.18:
            fields[name + "[]"] = fields.pop(name, [""])
        elif kind < 0.22:
            fields[self.random.choice(sorted(self.names))] = [self._value()]
        elif kind < 0.26:
            fields[name] = [self._value(), self._value()]
        else:
            fields[name] = [self._near(fields.get(name, []), VALUES)]

    def _near(self, values: list[Any], others: list[str | bytes]) -> Any:
        """Something like what stands there, or anything."""
        for look, alike in LIKE.items():
            if values and self.random.random() < 0.6 and re.fullmatch(look, str(values[0]), re.DOTALL):
                return self.random.choice(alike)
        return self.random.choice(others) if self.random.random() < 0.85 else self.random.choice(self.ids)

    def _value(self) -> Any:
        return self.random.choice(self.ids) if self.random.random() < 0.15 else self.random.choice(VALUES)

    def _other_path(self, path: str) -> str:
        """With another thing in place of the one it names."""
        parts = [n for n, part in enumerate(path.split("/")) if re.fullmatch(r"[0-9a-f-]{12,36}|\d+", part)]
        if not parts:
            return path
        pieces = path.split("/")
        value = self._value()
        pieces[self.random.choice(parts)] = quote_plus(value if isinstance(value, bytes) else value.encode())
        return "/".join(pieces)

    def _extras(self) -> tuple[dict[str, str], dict[str, str]]:
        headers = {"HX-Request": "true"} if self.random.random() < 0.25 else {}
        if self.random.random() < 0.1:
            headers["HX-Target"] = "dialog"
        if self.random.random() < 0.06:
            headers[self.random.choice(HEADERS)] = _as_header(self._value())
        cookies = {}
        if self.random.random() < 0.04:
            cookies[self.random.choice(COOKIES)] = re.sub(r"[^!-~]", "", _as_header(self._value()))[:3000]
        return headers, cookies

    def _body(self, fields: Fields) -> tuple[bytes, str]:
        pick = self.random.random()
        if pick < 0.07:
            return _encoded(fields).encode(), self.random.choice(TYPES)
        if pick < 0.09:
            return self.random.choice([b"", b"--x\r\n\r\n--x--", b"[" * 5_000, b"\xff", b"=" * 100]), TYPES[6]
        has_file = any(isinstance(v, SimpleUploadedFile) for values in fields.values() for v in values)
        if "file" in fields:
            fields["file"] = [SimpleUploadedFile("rates.csv", self.random.choice(FILES))]
            has_file = True
        if pick < 0.2 or has_file:
            data = {
                name.replace("\n", ""): values if len(values) != 1 else values[0] for name, values in fields.items()
            }
            charset = self.random.choice(["", "", "", "; charset=hex", "; charset=utf-8", "; charset=rot13"])
            return encode_multipart("fuzz", data), "multipart/form-data; boundary=fuzz" + charset
        return _encoded(fields).encode(), "application/x-www-form-urlencoded"


def _said(target: Target, error: Any) -> str:
    """A fault by its place, so that each is told once."""
    if not isinstance(error, BaseException):
        return f"{target.route}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "site-packages" not in f.filename and "/lib/python" not in f.filename]
    places = [f"{f.filename.rpartition('/')[2]}:{f.lineno} {f.name}" for f in (*own[-1:], *frames[-1:])]
    return f"{type(error).__name__} {str(error)[:120]!r} at {' <- '.join(reversed(places))}"


def _parameters(page: Element, path: str) -> Fields:
    """The parameters with which the page links to itself."""
    found: Fields = {}
    for element in page:
        for name in ("href", "hx-get"):
            parts = urlsplit(element.attrs.get(name, ""))
            if parts.query and parts.path in {"", path}:
                for key, value in parse_qsl(parts.query, keep_blank_values=True):
                    found.setdefault(key, [value])
    return found


def _fields(form: Element, page: Element) -> tuple[Fields, Fields, tuple[tuple[str, str], ...]]:
    """What the form would send, empty where it asks; what its choices offer; and its buttons."""
    fields: Fields = {n: v if isinstance(v, list) else [v] for n, v in form.fields().items()}
    fields.pop("csrfmiddlewaretoken", None)
    offered: Fields = {}
    buttons = []
    own = form.attrs.get("id")
    for element in [*form, *(page.all(form=own) if own else [])]:
        name = element.attrs.get("name")
        if not name or name == "csrfmiddlewaretoken" or element.tag not in {"input", "select", "button", "textarea"}:
            continue
        kind = element.attrs.get("type", "")
        if element.tag == "button" or kind == "submit":
            buttons.append((name, element.attrs.get("value", "")))
            continue
        if element.tag == "select":
            offered[name] = [o.attrs.get("value", "") for o in element.all("option")][:40]
        elif kind in {"radio", "checkbox"}:
            offered.setdefault(name, []).append(element.attrs.get("value", "on"))
        fields.setdefault(name, [""])
    return fields, offered, tuple(buttons)


def _plausible(name: str, world: World) -> str:
    """Something that the field may well take."""
    guesses = {
        "email": "new@contoso.example", "date": str(world.live.day(3)), "signed": str(world.live.day(-1)),
        "start": str(world.live.day(-1)), "end": str(world.live.day(364)), "value": "40000", "tcv": "50000",
        "phone": "+90 212", "values": json.dumps({"answer_days": 10}), "code": "SOL-1-A",
    }  # fmt: skip
    return next((value for key, value in guesses.items() if key in name), "Text")


def _encoded(fields: Fields) -> str:
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, values in fields.items() for value in values)


def _quoted(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1") if value.startswith(b"%") else quote_plus(value)
    return quote_plus(str(value), errors="surrogatepass")


def _as_header(value: Any) -> str:
    """As a header can hold it: one line of latin-1."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value.encode().decode("latin-1")
    return re.sub(r"[\r\n\x00]", "", text)[:4_000]


# What is the other companies'


def others_rows(own: int) -> dict[tuple[str, int], str]:
    """Every row that belongs to a partner other than this one, with a digest of its columns."""
    others = list(Company.objects.partners().exclude(pk=own).values_list("pk", flat=True))
    found = {}
    with connection.cursor() as cursor:
        for table, condition in _owned():
            # A deal's other copies count what everybody sees of it, and are found by its shared notes (REF-21, REF-23).
            counted = "'version', 'updated_at', 'last_modified_via', 'last_run_id', 'search_text', 'search_vector'"
            row = f"md5((to_jsonb(t) - ARRAY[{counted}])::text)"
            cursor.execute(f"SELECT id, {row} FROM {table} t WHERE {condition}", [others])  # noqa: S608  ours
            found.update({(table, pk): digest for pk, digest in cursor.fetchall()})
    return found


def _owned() -> Iterator[tuple[str, str]]:
    """Each table whose rows are somebody's, and whose they are."""
    for model in apps.get_models():
        table = model._meta.db_table
        if model is Company:
            yield table, "id = ANY (%s)"
        for column in model._meta.concrete_fields:
            if column.related_model is Company and column.name in {"company", "publisher"}:
                yield table, f"{column.column} = ANY (%s)"
            elif column.name in {"referral", "membership"} and column.is_relation:
                owner = column.related_model._meta.db_table
                yield table, f"{column.column} IN (SELECT id FROM {owner} WHERE company_id = ANY (%s))"  # noqa: S608  ours
