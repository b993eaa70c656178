"""Proof documents of a deal (REG-16): what is taken, who sees it, and that nothing else is left behind."""

from __future__ import annotations

import io
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from dealreg import sweeps
from dealreg.models import Document, Registration, storage
from dealreg.rules import documents as rules
from dealreg.services import contents
from dealreg.services import documents as services
from dealreg.services.clamav import ScannerAway, find_virus
from portal.bodies import PAGE_BYTES, limit_before_reading
from portal.events.models import Event
from portal.notify.models import Notice
from portal.policy import services as policies
from portal.policy.rules import Policy
from portal.variables import Refused, Variables
from portal.workflow.blockers import RuleViolation
from referrals.models import Referral
from tests import build, files
from tests.edge import Live, parse

VIEWER, COLLEAGUE = "viewer@contoso.example", "user@contoso.example"
STRANGER, SELLER = "referrals@fabrikam.example", "seller@vendor.example"
COUNCIL, MANAGER = "council1@vendor.example", "manager@vendor.example"
JSON = {"HTTP_ACCEPT": "application/json"}


@pytest.fixture(autouse=True)
def _own_storage(tmp_path: Path, settings: Any) -> None:
    """Each test's files lie in a directory of its own."""
    options = {**settings.STORAGES["documents"]["OPTIONS"], "location": tmp_path / "documents"}
    settings.STORAGES = {**settings.STORAGES, "documents": {**settings.STORAGES["documents"], "OPTIONS": options}}
    settings.CLAMAV = None


def upload(name: str = "contract.pdf", content: bytes = files.GOOD["pdf"]) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def add(live: Live, deal: Referral, *uploads: SimpleUploadedFile, by: str = build.CONTOSO) -> list[Document]:
    for file in uploads or (upload(),):
        services.add(deal, file, actor=live.cast.actor(by), now=timezone.now())
    return list(Document.objects.of_deal(deal))


def stored() -> list[str]:
    """The files that lie in the storage."""
    place = Path(storage().path(""))  # type: ignore[attr-defined]
    return sorted(os.listdir(place)) if place.exists() else []


def refused(call: Callable[[], Any]) -> list[str]:
    with pytest.raises(RuleViolation) as violation:
        call()
    return violation.value.codes


def post(client: Client, deal: Referral, *uploads: SimpleUploadedFile, **extra: Any) -> Any:
    return client.post(reverse("documents", args=[deal.public_id]), {"documents": list(uploads)}, **extra)


def opened(client: Client, document: Document) -> tuple[Any, bytes]:
    """The answer to whoever opens the document, and the bytes that they get."""
    answer = client.get(address(document))
    return answer, b"".join(answer.streaming_content) if answer.streaming else b""


def address(document: Document, name: str = "document") -> str:
    return reverse(name, args=[document.referral.public_id, document.public_id])


# What a file is


@pytest.mark.parametrize("kind", files.GOOD)
def test_reg_16_the_type_is_told_by_the_contents(kind: str) -> None:
    assert contents.kind_of(io.BytesIO(files.GOOD[kind])) == kind


BAD = {
    "document_type": {
        "program": files.EXE,
        "page": b"<!doctype html><script>alert(1)</script>" * 9,
        "drawing": b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>' * 9,
        "plain text": b"We signed.",
        "one byte": b"%",
        "old Word": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "archive": files.archive({"a.txt": "b"}),
        "slides": files.package(files.SLIDES, "ppt/presentation.xml"),
        "Word without text": files.package(files.WORD),
        "Word with macros": files.docx("word/vbaProject.bin"),
    },
    "document_unreadable": {
        "cut PDF": files.GOOD["pdf"][:300],
        "cut picture": files.GOOD["png"][:60],
        "cut JPEG": files.JPEG[:-2],
        "cut Word": files.docx()[:-30],
        "cut Excel": files.xlsx()[:200],
        "crowd": files.crowd(),
        "long directory": files.long_directory(),
    },
}


@pytest.mark.parametrize(("code", "what"), [(code, what) for code, found in BAD.items() for what in found])
def test_reg_16_whatever_it_is_called_other_contents_are_refused(code: str, what: str) -> None:
    assert refused(lambda: contents.kind_of(io.BytesIO(BAD[code][what]))) == [code]


def test_reg_16_a_zip_bomb_is_not_unpacked() -> None:
    packed = files.bomb()
    assert len(packed) < 1_000_000
    assert refused(lambda: contents.kind_of(io.BytesIO(packed))) == ["document_unreadable"]


@given(
    st.binary(min_size=1, max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"%PDF-", b"\xff\xd8\xff", b"PK\x05\x06"])
)
def test_reg_16_no_bytes_raise_anything_else(noise: bytes, head: bytes) -> None:
    with suppress(RuleViolation):
        assert contents.kind_of(io.BytesIO(head + noise)) in rules.KINDS


# What a deal takes


def test_reg_16_several_files_are_answered_for_one_by_one(live: Live) -> None:
    """Without JavaScript: those refused are named with the reason, those accepted stay."""
    deal, client = live.won(), live.browser(build.CONTOSO)
    bad = upload("Fatura.pdf", files.EXE)
    page = parse(
        post(client, deal, upload("Sözleşme.pdf"), bad, upload("empty.pdf", b""), upload("p.png", files.GOOD["png"]))
    )
    said = [banner.text for banner in page.all(class_="o-banner")]
    assert [line.split()[0] for line in said] == ["Sözleşme.pdf", "Fatura.pdf", "empty.pdf", "p.png"]
    assert "not a PDF" in said[1]
    assert "is empty" in said[2]
    assert [d.name for d in Document.objects.of_deal(deal)] == ["Sözleşme.pdf", "p.png"]
    assert len(stored()) == 2
    assert (
        parse(client.get(reverse("deal", args=[deal.public_id]))).one(id="documents-list").text.count("Sözleşme.pdf")
        == 1
    )


def test_reg_16_files_that_are_all_taken_lead_back_to_the_list(live: Live) -> None:
    deal, client = live.accepted(), live.browser(COLLEAGUE)
    answer = post(client, deal, upload(), upload("b.xlsx", files.xlsx()))
    assert answer.headers["Location"] == reverse("documents", args=[deal.public_id])
    page = parse(client.get(answer.headers["Location"]))
    assert "2 documents were added." in page.text
    assert "Excel" in page.one(id="documents-list").text
    nothing = post(client, deal)
    assert nothing.status_code == 422
    assert "Choose at least one file." in parse(nothing).text


def test_reg_16_a_script_is_answered_in_json(live: Live) -> None:
    deal, client = live.won(), live.browser(build.CONTOSO)
    answer = post(client, deal, upload(), **JSON)
    assert (answer.status_code, answer.json()) == (
        200, {"documents": [{"name": "contract.pdf", "accepted": True, "text": "Added"}]},
    )  # fmt: skip
    answer = post(client, deal, upload("virus.pdf", files.EXE), **JSON)
    assert answer.status_code == 422
    assert answer.json()["documents"][0]["accepted"] is False


def test_reg_16_size_and_number_are_the_policys(live: Live) -> None:
    policies.add_version(
        values={"max_documents": 2, "max_document_mb": 1}, effective_from=None, note="", by=None, now=live.now
    )
    deal = live.won()
    large = upload("large.pdf", files.GOOD["pdf"] + bytes(rules.MB))
    assert refused(lambda: add(live, deal, large)) == ["document_too_large"]
    assert refused(lambda: add(live, deal, upload("e.pdf", b""))) == ["document_empty"]
    add(live, deal, upload("1.pdf"), upload("2.png", files.GOOD["png"]))
    assert refused(lambda: add(live, deal, upload("again.pdf"))) == ["document_duplicate"], (
        "the same file, another name"
    )
    assert refused(lambda: add(live, deal, upload("3.docx", files.GOOD["docx"]))) == ["document_limit"]
    assert len(stored()) == 2
    exactly = rules.size_blockers(Policy().max_document_mb * rules.MB, Policy())
    assert list(exactly) == []


def test_reg_16_documents_belong_to_deals_under_way_or_won(live: Live) -> None:
    for deal in (live.received(), live.deal()):
        taken = deal.substatus == "Accepted"
        codes = [] if taken and add(live, deal) else refused(lambda deal=deal: add(live, deal))
        assert codes == ([] if taken else ["document_deal_state"])
    page = parse(live.browser(build.CONTOSO).get(reverse("documents", args=[live.received().public_id])))
    assert "accepted or won" in page.one(id="documents").text


def test_reg_16_org_3_who_may_register_the_deal_adds_its_documents(live: Live) -> None:
    deal = live.won()
    add(live, deal, upload("a.pdf"), by=COLLEAGUE)
    for email in (VIEWER, STRANGER, build.REVIEWER, SELLER):
        with pytest.raises(PermissionDenied):
            add(live, deal, upload("b.png", files.GOOD["png"]), by=email)
    assert len(stored()) == 1
    page = parse(live.browser(VIEWER).get(reverse("documents", args=[deal.public_id])))
    assert page.all("form", enctype="multipart/form-data") == []
    assert page.one(id="documents-list").text.startswith("a.pdf")


@pytest.mark.parametrize(
    ("sent", "shown", "downloaded"),
    [
        ("Sözleşme İĞÜŞ.pdf", "Sözleşme İĞÜŞ.pdf", "Sözleşme İĞÜŞ.pdf"),
        ("imza 🖊️✅.pdf", "imza 🖊️✅.pdf", "imza 🖊️✅.pdf"),
        ("../../etc/passwd", "passwd", "passwd.pdf"),
        ("..\\..\\evil.exe", "evil.exe", "evil.exe.pdf"),
        ("<script>.pdf", "<script>.pdf", "<script>.pdf"),
        ('a"b\r\nSet-Cookie: x.pdf', 'a"b  Set-Cookie: x.pdf', None),
        ("ş" * 400 + ".pdf", "ş" * 251 + ".pdf", "ş" * 251 + ".pdf"),
    ],
)
def test_reg_16_a_name_is_for_display_only(live: Live, sent: str, shown: str, downloaded: str | None) -> None:
    deal, client = live.won(), live.browser(build.CONTOSO)
    post(client, deal, upload(sent))
    document = Document.objects.get()
    assert len(document.name) <= rules.MAX_NAME
    assert stored() == [document.stored_as]
    assert not set(document.stored_as) - set("0123456789abcdef")
    answer, content = opened(client, document)
    assert content == files.GOOD["pdf"]
    assert "\n" not in answer.headers["Content-Disposition"]
    if downloaded is not None:
        assert document.name.replace("\ufe0f", "") == shown.replace("\ufe0f", "")
        assert document.file_name.replace("\ufe0f", "") == downloaded.replace("\ufe0f", "")
    assert document.name in parse(client.get(reverse("documents", args=[deal.public_id]))).one(id="documents-list").text


def test_reg_16_files_lie_where_only_the_portal_reads(live: Live) -> None:
    document = add(live, live.won())[0]
    place = Path(storage().path(document.stored_as))  # type: ignore[attr-defined]
    assert place.stat().st_mode & 0o777 == 0o600
    assert place.parent.stat().st_mode & 0o777 == 0o700
    assert settings.BASE_DIR / "static" not in place.parents
    assert settings.STATIC_ROOT not in place.parents


def test_reg_16_the_files_lie_in_a_bucket_if_a_setting_names_one() -> None:
    """What django-storages is given; it is an optional package."""
    given = {"DOCUMENTS_BUCKET": "contracts", "DOCUMENTS_ENDPOINT": "https://s3.example.com"}
    code = "import json, portal.settings as s; print(json.dumps(s.STORAGES['documents']))"
    run = {"env": os.environ | given, "cwd": settings.BASE_DIR, "capture_output": True, "check": True}
    found = json.loads(subprocess.run([sys.executable, "-c", code], **run).stdout)
    assert found["BACKEND"] == "storages.backends.s3.S3Storage"
    where = {"bucket_name": "contracts", "endpoint_url": "https://s3.example.com", "location": "documents"}
    assert found["OPTIONS"] == where


@pytest.mark.django_db(transaction=True)
def test_reg_16_uploads_at_once_exceed_no_limit(live: Live) -> None:
    policies.add_version(values={"max_documents": 1}, effective_from=None, note="", by=None, now=live.now)
    deal, answers, barrier = live.won(), [], threading.Barrier(2)

    def send(file: SimpleUploadedFile) -> None:
        try:
            barrier.wait(10)
            add(live, deal, file)
            answers.append("added")
        except RuleViolation as violation:
            answers.append(violation.codes[0])
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=[upload(f"{n}.pdf", files.pdf(str(n)))]) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answers) == ["added", "document_limit"]
    assert len(stored()) == 1


def test_reg_16_what_fails_leaves_nothing_behind(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    deal = live.won()

    def breaks(*_args: Any, **_keywords: Any) -> None:
        assert len(stored()) == 1
        raise ConnectionError

    monkeypatch.setattr(services.workflow, "run", breaks)
    with pytest.raises(ConnectionError):
        add(live, deal)
    assert stored() == []
    assert not Document.objects.exists()


def test_reg_16_an_upload_that_is_cut_off_leaves_nothing_behind(live: Live) -> None:
    deal, client = live.won(), live.browser(build.CONTOSO)
    head = b'--x\r\nContent-Disposition: form-data; name="documents"; filename="a.pdf"\r\n\r\n'
    client.post(
        reverse("documents", args=[deal.public_id]),
        head + files.GOOD["pdf"],
        content_type="multipart/form-data; boundary=x",
    )
    assert stored() == [d.stored_as for d in Document.objects.all()]
    answer = client.post(reverse("documents", args=[deal.public_id]), b"no parts", content_type="multipart/form-data")
    assert answer.status_code == 400


def test_reg_16_only_this_address_takes_so_much(live: Live) -> None:
    deal, client = live.won(), live.browser(build.CONTOSO)
    here, cookie = reverse("documents", args=[deal.public_id]), client.cookies["sessionid"].value

    def limit(path: str) -> int:
        return limit_before_reading(RequestFactory().post(path).environ | {"HTTP_COOKIE": f"sessionid={cookie}"})

    assert limit(here) == 20 * rules.MB + PAGE_BYTES
    assert limit(reverse("deal", args=[deal.public_id])) == PAGE_BYTES
    policies.add_version(values={"max_document_mb": 1}, effective_from=None, note="", by=None, now=live.now)
    assert limit(here) == rules.MB + PAGE_BYTES
    client.logout()
    assert limit(here) == PAGE_BYTES


def test_reg_16_a_large_file_is_streamed_to_the_disk(live: Live) -> None:
    """What is too large for memory takes Django's other way, by a file of its own that is moved."""
    deal, client = live.won(), live.browser(build.CONTOSO)
    large = files.GOOD["pdf"] + bytes(4 * rules.MB - 20_000) + b"%%EOF"
    post(client, deal, upload("large.pdf", large))
    document = Document.objects.get()
    assert document.size == len(large)
    assert opened(client, document)[1] == large


# Who sees what


def test_reg_16_a_document_is_served_with_all_that_keeps_it_in_its_box(live: Live) -> None:
    deal, client = live.won(), live.browser(build.CONTOSO)
    suffixes = {"pdf": "pdf", "png": "png", "jpeg": "jpg", "docx": "docx", "xlsx": "xlsx"}
    for kind, suffix in suffixes.items():
        post(client, deal, upload(f"belge.{suffix}", files.GOOD[kind]))
    for document in Document.objects.of_deal(deal):
        headers = opened(client, document)[0].headers
        assert headers["Content-Type"] == rules.KINDS[document.kind].content_type
        assert headers["Content-Disposition"].startswith("inline" if document.is_inline else "attachment")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "SAMEORIGIN"
        assert "no-store" in headers["Cache-Control"]
    assert [d.kind for d in Document.objects.of_deal(deal)] == list(suffixes)


def test_reg_16_the_company_and_the_reviewers_see_it_and_nobody_else(live: Live) -> None:
    """ORG-6: for everybody else it is as if there were none; council and managers wait for an exception."""
    document = add(live, live.won())[0]
    seen = {build.CONTOSO, COLLEAGUE, VIEWER, "admin@contoso.example", build.REVIEWER}
    for email in (*seen, STRANGER, "referrals@northwind.example", "ankara@contoso.example", SELLER, COUNCIL, MANAGER):
        client = live.browser(email)
        expected = 200 if email in seen else 404
        assert opened(client, document)[0].status_code == expected, email
        assert client.get(reverse("documents", args=[document.referral.public_id])).status_code == expected, email
        deal = client.get(reverse("deal", args=[document.referral.public_id]))
        assert (document.name in deal.content.decode()) == (email in seen), email
    other = live.won()
    assert (
        live.browser(build.CONTOSO).get(reverse("document", args=[other.public_id, document.public_id])).status_code
        == 404
    )


def test_reg_16_the_reviewer_finds_it_beside_the_claim(live: Live) -> None:
    deal = live.won()
    add(live, deal, upload("Sözleşme.pdf"), upload("s.png", files.GOOD["png"]), upload("k.docx", files.docx()))
    page = reverse("admin:dealreg_registration_change", args=[live.in_review(deal).pk])
    panel = parse(live.browser(build.REVIEWER).get(page)).one(id="documents")
    assert panel.one("iframe").attrs["src"].partition("#")[0] == address(Document.objects.get(kind="pdf"))
    assert panel.one("img", class_="o-document__image").attrs["src"] == address(Document.objects.get(kind="png"))
    assert panel.text.count("Not scanned") == 3
    for email in (COUNCIL, MANAGER):
        answer = live.browser(email).get(page)
        assert answer.status_code == 200
        assert "Sözleşme.pdf" not in answer.content.decode()


def test_reg_16_the_timeline_tells_its_own_company_alone(live: Live) -> None:
    """REF-3: nor do events in the administration say what a company's documents are called."""
    deal = live.accepted()
    document = add(live, deal)[0]
    services.remove(document, actor=live.cast.actor(build.CONTOSO), now=timezone.now())
    told = (
        live.browser(build.CONTOSO).get(reverse("deal", args=[deal.public_id]) + "?timeline=documents").content.decode()
    )
    assert "The document “contract.pdf” was added" in told
    assert "The document “contract.pdf” was removed" in told
    vendor = build.vendor_copy(deal)
    seller = live.browser(SELLER).get(reverse("deal", args=[vendor.public_id])).content.decode()
    assert "contract.pdf" not in seller
    event = Event.objects.get(verb="document.added")
    assert (event.company_id, event.shared, event.actor_user_id) == (
        deal.company_id,
        False,
        live.cast.actor(build.CONTOSO).user_id,
    )
    audit = live.browser(MANAGER).get(reverse("admin:events_event_change", args=[event.pk])).content.decode()
    assert document.sha256 in audit
    assert "contract.pdf" not in audit


# Until when it may be removed


def test_reg_16_a_document_is_removed_with_its_file(live: Live, django_capture_on_commit_callbacks: Any) -> None:
    deal, client = live.won(), live.browser(build.CONTOSO)
    document = add(live, deal)[0]
    page = parse(client.get(address(document, "remove_document")))
    assert "contract.pdf" in page.text
    with django_capture_on_commit_callbacks(execute=True):
        client.post(address(document, "remove_document"))
    assert stored() == []
    assert opened(client, document)[0].status_code == 404
    assert client.post(address(document, "remove_document")).status_code == 404
    row = Document.objects.get()
    assert (row.name, row.removed_at is not None) == ("contract.pdf", True), "what there was stays known"
    add(live, deal)  # and the same file may come again
    actor, now = live.cast.actor(build.CONTOSO), timezone.now()
    assert refused(lambda: services.remove(row, actor=actor, now=now)) == ["document_gone"]


def test_reg_16_evidence_stays(live: Live) -> None:
    """*Decision*: from the submission on; what is added while a correction is asked for may go until it is sent."""
    actor, deal = live.cast.actor(build.CONTOSO), live.won()
    first = add(live, deal)[0]

    def codes(document: Document) -> list[str]:
        return refused(lambda: services.remove(document, actor=actor, now=timezone.now()))

    live.submitted(deal)
    assert codes(first) == ["document_is_evidence"]
    sent_back = live.won()
    before = add(live, sent_back, upload("before.pdf"))[0]
    live.sent_back(sent_back)
    after = add(live, sent_back, upload("after.png", files.GOOD["png"]))[1]
    assert codes(before) == ["document_is_evidence"]
    page = parse(live.browser(build.CONTOSO).get(reverse("documents", args=[sent_back.public_id])))
    removable = [a.attrs["href"] for a in page.one(id="documents-list").all("a") if a.text == "Remove"]
    assert removable == [address(after, "remove_document")]
    refusal = live.browser(build.CONTOSO).post(address(before, "remove_document"))
    assert refusal.status_code == 422
    services.remove(after, actor=actor, now=timezone.now())
    for state in ("in_review", "approved", "marketplace"):
        registration: Registration = getattr(live, state)()
        late = add(live, registration.referral)[0]
        assert codes(late) == ["document_is_evidence"], state


def test_reg_16_who_adds_none_removes_none(live: Live) -> None:
    document = add(live, live.won())[0]
    for email in (VIEWER, build.REVIEWER, STRANGER):
        for method in ("get", "post"):
            assert getattr(live.browser(email), method)(address(document, "remove_document")).status_code == 404, email
    assert Document.objects.of_deal(document.referral).exists()


# Viruses


class Clamd(threading.Thread):
    """A clamd that speaks INSTREAM on a port of its own, and finds the virus that every scanner knows."""

    EICAR = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"

    def __init__(self, answer: bytes | None = None) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.place = self.listener.getsockname()
        self.answer, self.scanned = answer, []

    def run(self) -> None:
        while True:
            try:
                connection, _peer = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as sent:
                assert sent.read(10) == b"zINSTREAM\0"
                content = b""
                while length := struct.unpack(">I", sent.read(4))[0]:
                    content += sent.read(length)
                self.scanned.append(content)
                found = b"stream: Eicar-Signature FOUND\0" if self.EICAR in content else b"stream: OK\0"
                connection.sendall(found if self.answer is None else self.answer)


@contextmanager
def clamd(answer: bytes | None = None) -> Iterator[Clamd]:
    server = Clamd(answer)
    server.start()
    try:
        yield server
    finally:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        server.join(5)


def test_reg_16_clamd_is_asked_in_its_own_words() -> None:
    large = files.GOOD["pdf"] + bytes(200_000)
    with clamd() as server:
        assert find_virus(io.BytesIO(large), server.place) == ""
        assert server.scanned == [large]
        assert find_virus(io.BytesIO(Clamd.EICAR), server.place) == "Eicar-Signature"
    with pytest.raises(ScannerAway):
        find_virus(io.BytesIO(b"x"), server.place)


@pytest.mark.parametrize("answer", [b"", b"INSTREAM size limit exceeded. ERROR\0", b"stream: \0", b"\xff" * 10_000])
def test_reg_16_what_is_no_verdict_is_none(answer: bytes) -> None:
    with clamd(answer) as server, pytest.raises(ScannerAway):
        find_virus(io.BytesIO(b"x"), server.place)


def test_reg_16_an_infected_file_is_never_stored(live: Live, settings: Any) -> None:
    deal, client = live.won(), live.browser(build.CONTOSO)
    with clamd() as server:
        settings.CLAMAV = server.place
        bad = upload("virus.pdf", files.GOOD["pdf"] + Clamd.EICAR)
        answer = post(client, deal, bad, upload())
    assert "Eicar-Signature" in parse(answer).text
    document = Document.objects.get()
    assert (document.name, stored()) == ("contract.pdf", [document.stored_as])
    assert document.scanned_at is not None
    assert "No virus found" in parse(client.get(reverse("deal", args=[deal.public_id]))).one(id="documents-list").text
    assert opened(client, document)[0].status_code == 200


def test_reg_16_while_clamd_is_away_a_document_waits(live: Live, settings: Any) -> None:
    """It is kept, nobody opens it, and a worker has it scanned later."""
    deal, client = live.won(), live.browser(build.CONTOSO)
    settings.CLAMAV = ("127.0.0.1", 1)
    document = add(live, deal)[0]
    assert opened(client, document)[0].status_code == 404
    listed = parse(client.get(reverse("documents", args=[deal.public_id]))).one(id="documents-list")
    assert "Waiting for the virus scan" in listed.text
    assert address(document) not in {a.attrs.get("href") for a in listed.all("a")}
    review = reverse("admin:dealreg_registration_change", args=[live.in_review(deal).pk])
    assert parse(live.browser(build.REVIEWER).get(review)).one(id="documents").all("iframe") == []
    assert sweeps.scan_documents(now=timezone.now()) == 0
    with clamd() as server:
        settings.CLAMAV = server.place
        assert sweeps.scan_documents(now=timezone.now()) == 1
        assert sweeps.scan_documents(now=timezone.now()) == 0
    assert opened(client, document)[0].status_code == 200


def test_reg_16_a_virus_that_is_found_later_takes_the_document_away(
    live: Live, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    """Evidence or not; the timeline says why."""
    deal = live.won()
    add(live, deal, upload("v.pdf", files.GOOD["pdf"] + Clamd.EICAR))
    live.in_review(deal)
    with clamd() as server, django_capture_on_commit_callbacks(execute=True):
        settings.CLAMAV = server.place
        assert sweeps.scan_documents(now=timezone.now()) == 1
    assert stored() == []
    assert not Document.objects.of_deal(deal).exists()
    page = live.browser(build.CONTOSO).get(reverse("deal", args=[deal.public_id])).content.decode()
    assert "The document “v.pdf” was deleted" in page
    assert "Eicar-Signature" in page
    told = Notice.objects.filter(event__verb="document.infected").values_list("user__email", flat=True)
    assert set(told) == {build.CONTOSO, COLLEAGUE}, "who can add another"


def test_reg_16_without_clamd_nothing_is_scanned(live: Live) -> None:
    add(live, live.won())
    assert sweeps.scan_documents(now=timezone.now()) == 0


@pytest.mark.parametrize("value", ["clamav", "clamav:0", "clamav:x", "http://clamav:3310", ":3310"])
def test_where_clamd_is_has_to_be_a_host_and_a_port(value: str) -> None:
    with pytest.raises(Refused, match="CLAMAV_URL must look like clamav:3310"):
        Variables({"CLAMAV_URL": value}).place("CLAMAV_URL", like="clamav:3310")
    assert Variables({"CLAMAV_URL": " clamav:3310 "}).place("CLAMAV_URL", like="") == ("clamav", 3310)
    assert Variables({}).place("CLAMAV_URL", like="") is None


# What nobody needs any more


def test_reg_16_files_without_a_document_are_deleted_after_a_day(live: Live) -> None:
    now = timezone.now()
    assert sweeps.purge_documents(now=now) == 0, "nothing was ever stored"
    kept, removed = add(live, live.won(), upload(), upload("x.png", files.GOOD["png"]))
    Document.objects.filter(pk=removed.pk).update(removed_at=now)
    storage().save("0" * 32, io.BytesIO(b"cut off"))  # type: ignore[arg-type]
    assert sweeps.purge_documents(now=now) == 0, "an upload may be under way"
    assert sweeps.purge_documents(now=now + timedelta(days=1, minutes=1)) == 2
    assert stored() == [kept.stored_as]
