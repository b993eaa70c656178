"""What tests of pages share: people signed in, deals around the very moment, and a page as a tree of elements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from lxml.html import HtmlElement, document_fromstring, fragment_fromstring, html_parser

from dealreg.models import Registration
from dealreg.services import registration as dealreg
from portal.demo.cast import MUNICH, Cast
from portal.money import rules as money_rules
from portal.money import services as money
from portal.workflow.blockers import Money
from referrals import verbs
from referrals.models import Draft, Referral
from referrals.services import creation, drafts
from tests import build, do

BIG = Money(Decimal(2_000_000), "EUR")
STRANGER = "referrals@fabrikam.example"
RATES = {"EUR": Decimal("1.10"), "GBP": Decimal("1.25"), "TRY": Decimal("0.03"), "CHF": Decimal("1.05")}


class Browser(Client):
    """Reads the files that it is sent to their end, as browsers do; their bytes are still there for the test."""

    def request(self, **request: Any) -> Any:
        response = super().request(**request)
        if response.streaming:
            response.streaming_content = [b"".join(response.streaming_content)]
        return response


class Live:
    """The cast, and deals of Contoso's made in the days before this very moment: pages ask the clock themselves."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.now = timezone.now()
        for back in range(3):  # the rates that count now, whatever day the tests run
            month = money_rules.add_months(money_rules.month_start(self.now.date()), -back)
            money.import_month(month=month, rates=RATES, source="test", publication="", now=self.now)

    def browser(self, email: str | None, **options: Any) -> Client:
        """A browser in which this person has signed in; nobody without an e-mail."""
        client = Browser(**options)
        if email:
            client.force_login(self.cast.users[email])
        return client

    def ago(self, days: float) -> datetime:
        return self.now - timedelta(days=days)

    def day(self, days: int) -> date:
        """The day in so many days."""
        return (self.now + timedelta(days=days)).date()

    def deal(self, *, days: float = 10, **changes: Any) -> Referral:
        """Help asked, the vendor's answer outstanding."""
        return build.deal(self.cast, at=self.ago(days), **{"close_date": self.day(30), **changes})

    def accepted(self, *, days: float = 10, **changes: Any) -> Referral:
        return build.accepted(self.cast, at=self.ago(days), **{"close_date": self.day(30), **changes})

    def won(self, *, days: float = 10, won: float = 1, **changes: Any) -> Referral:
        """Won so many days ago, with its registration to make."""
        given = {"close_date": self.day(30), **changes}
        return build.won(self.cast, at=self.ago(won), created=self.ago(days), **given)

    def received(self, *, days: float = 1, **changes: Any) -> Referral:
        """Contoso's copy of a deal that Fabrikam sent it."""
        places = {"location": self.cast.locations[MUNICH], "close_date": self.day(30)}
        terms = {"solutions": [self.cast.solutions["twin"]], "help_code": "Unknown"}
        given = build.deal_input(self.cast, **{**places, **terms, **changes})
        sender, at = self.cast.actor(STRANGER), self.ago(days)
        origin = creation.create_deal(given, actor=sender, now=at)
        invitation = verbs.Invitation(
            partner=self.cast.companies["contoso"],
            close_date=given.close_date,
            value=given.value,
            help_code=build.HELP,
            team=given.team,
            solutions=given.solutions,
        )
        return do.invite_partner(origin, invitation, actor=sender, now=at)

    def draft(self) -> Draft:
        """A new deal of Contoso's that has only been begun."""
        draft = drafts.new(self.cast.actor(build.CONTOSO), team=[], now=self.now)
        draft.save()
        return draft

    def form(self, **changes: Any) -> Any:
        """A one-year contract signed yesterday that would be approved."""
        signed, end = self.day(-1), self.day(364)
        return build.form(**{"signed": signed, "start": signed, "end": end, **changes})

    def submitted(self, referral: Referral | None = None, **changes: Any) -> Registration:
        """Filed, and not routed yet."""
        registration = Registration.objects.get(referral=referral or self.won())
        actor = self.cast.actor(build.CONTOSO)
        return do.submit(registration, self.form(**changes), actor=actor, now=timezone.now())

    def approved(self, referral: Referral | None = None, **changes: Any) -> Registration:
        return do.routed(self.submitted(referral, **changes), now=timezone.now())

    def in_review(self, referral: Referral | None = None, **changes: Any) -> Registration:
        """Before the reviewer because of its size (AUTO-1)."""
        return self.approved(referral, **{"tcv": BIG, **changes})

    def decided(self, registration: Registration, verb: str, reason_code: str = "", comment: str = "") -> Registration:
        actor, now = self.cast.actor(build.REVIEWER), timezone.now()
        given = {"reason_code": reason_code, "comment": comment, "validated_by": "figures"}
        return dealreg.decide(registration, verb, actor=actor, now=now, **given)

    def sent_back(self, referral: Referral | None = None, comment: str = "Please correct the start.") -> Registration:
        return self.decided(self.in_review(referral), "require_action", "dates_do_not_match_contract", comment)

    def marketplace(self, **changes: Any) -> Registration:
        """Waiting for its marketplace transaction (FLOW-3)."""
        return self.approved(marketplace=True, marketplace_date=self.day(10), **changes)


def _closed(live: Live, verb: str, **inputs: Any) -> Referral:
    done: Referral = getattr(do, verb)(live.accepted(), actor=live.cast.actor(build.CONTOSO), now=live.now, **inputs)
    return done


def _answered(live: Live) -> Referral:
    actor = live.cast.actor(build.CONTOSO)
    return do.decline(live.received(), actor=actor, now=live.now, reason_code="timeline", comment="Too soon.")


def _unregistered(live: Live) -> Referral:
    registration = Registration.objects.get(referral=live.won())
    return do.close_unregistered(registration, actor=live.cast.actor(build.CONTOSO), now=live.now).referral


def _failed(live: Live, registration: Registration, verb: str) -> Referral:
    return live.decided(registration, verb, "contract_missing_names", "The contract names nobody.").referral


#: Contoso's deal in every state that the deal page tells apart (REF-11, FLOW).
STATES: dict[str, Callable[[Live], Referral]] = {
    "received": lambda live: live.received(),
    "open": lambda live: live.accepted(),
    "inbound": lambda live: build.accept(live.cast, live.received(), at=live.now, by=build.CONTOSO),
    "unanswered": lambda live: live.deal(),
    "private": lambda live: live.deal(help_code="Unknown", vendor_may_view=False),
    "lost": lambda live: _closed(live, "lose", reason_code="budget", comment="Next year again."),
    "error": lambda live: _closed(live, "close_as_error", reason_code="duplicate"),
    "declined": _answered,
    "expired": lambda live: do.expire(live.received(days=15), now=live.now),
    "won": lambda live: live.won(),
    "checking": lambda live: live.submitted().referral,
    "approved": lambda live: live.approved().referral,
    "in_review": lambda live: live.in_review().referral,
    "sent_back": lambda live: live.sent_back().referral,
    "passed": lambda live: live.decided(live.in_review(), "pass_review").referral,
    "failed": lambda live: _failed(live, live.in_review(), "fail_review"),
    "marketplace": lambda live: live.marketplace().referral,
    "matched": lambda live: live.decided(live.marketplace(), "match").referral,
    "not_matched": lambda live: _failed(live, live.marketplace(), "no_match"),
    "not_registered": _unregistered,
    "closed": lambda live: do.close(live.approved(), now=live.now + timedelta(days=8)).referral,
}


# A page as a tree


@dataclass(frozen=True)
class Element:
    """One element of a page, as lxml read it, with what tests ask of it."""

    node: HtmlElement

    def __iter__(self) -> Iterator[Element]:
        """It and everything in it, in the page's order."""
        return map(Element, self.node.iter("*"))

    @property
    def tag(self) -> str:
        return str(self.node.tag)

    @property
    def attrs(self) -> dict[str, str]:
        return dict(self.node.attrib)

    @property
    def children(self) -> list[Element | str]:
        """Elements and strings, as they follow each other."""
        parts: list[Element | str] = [self.node.text or ""]
        for child in self.node:  # a comment is a node, too, which nobody reads
            parts += [*([Element(child)] if isinstance(child.tag, str) else []), child.tail or ""]
        return [part for part in parts if part]

    @property
    def text(self) -> str:
        """What is read in it, with single spaces."""
        return " ".join(" ".join(self.node.itertext()).split())

    def all(self, tag: str = "", **attrs: str) -> list[Element]:
        """The elements inside it with this tag and these attributes (class_ and hx_get: class and hx-get); a class
        among others is enough."""
        return [Element(node) for node in self.node.iterdescendants(tag or "*") if _has(node, attrs)]

    def one(self, tag: str = "", **attrs: str) -> Element:
        found = self.all(tag, **attrs)
        assert len(found) == 1, f"{len(found)} of <{tag} {attrs}>"
        return found[0]

    def fields(self) -> dict[str, Any]:
        """What a browser would send of the form as it stands: a list where a name comes several times."""
        form, sent = html_parser.makeelement("form"), {}
        form.append(deepcopy(self.node))  # of anything that holds fields
        for name, value in form.form_values():
            sent[name] = [*_listed(sent[name]), value] if name in sent else value
        return sent


def _has(node: HtmlElement, wanted: dict[str, str]) -> bool:
    for name, value in wanted.items():
        attribute = name.rstrip("_").replace("_", "-")
        held = node.get(attribute)
        held = "" if held == attribute else held  # lxml gives `open` the value "open"
        if held is None or (value not in held.split() if name == "class_" else value != held):
            return False
    return True


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def parse(response: HttpResponse | str) -> Element:
    """The page, or the part of one, below an element that stands for the document."""
    text = response if isinstance(response, str) else response.content.decode()
    if "<html" in text:
        document = html_parser.makeelement("document")
        document.append(document_fromstring(text))
    else:
        document = fragment_fromstring(text, create_parent="document")
    for field in document.iter("input", "textarea"):  # as browsers read them: empty, and without the first line's end
        if field.tag == "textarea":
            field.text = (field.text or "").removeprefix("\n")
        elif not field.checkable and field.get("value") is None:
            field.set("value", "")
    return Element(document)
