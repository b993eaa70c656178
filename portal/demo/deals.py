"""A year of deals, made by the real verbs at past instants, so that every countdown is live today."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from dealreg import sweeps as registrations
from dealreg.models import MarketplaceTransaction, Registration
from dealreg.rules import RegistrationInput
from dealreg.rules.marketplace import Details
from dealreg.services import documents, marketplace
from dealreg.services.registration import decide
from dealreg.verbs import CLOSE, CLOSE_UNREGISTERED, ROUTE, SUBMIT
from portal.accounts.rules import SYSTEM, Actor
from portal.demo import papers
from portal.demo.cast import ANKARA, BERLIN, ISTANBUL, MUNICH, Cast
from portal.desk.models import CommentTemplate
from portal.notify import services as notify
from portal.programme import services as programme
from portal.workflow.blockers import Money
from portal.workflow.services import run
from referrals import rules, sweeps, verbs
from referrals.models import Referral
from referrals.services import creation
from referrals.verbs import Invitation, NewDeal, Reason

HELP = "ProofOfConceptOrDemo"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass
class World:
    """What the scenarios share."""

    cast: Cast
    now: datetime
    chance: random.Random

    def ago(self, days: float) -> datetime:
        return self.now - timedelta(days=days)

    @property
    def admin(self) -> Actor:
        return self.cast.actor("referrals@contoso.example")

    @property
    def fabrikam(self) -> Actor:
        return self.cast.actor("referrals@fabrikam.example")

    @property
    def seller(self) -> Actor:
        return self.cast.actor("seller@vendor.example")

    @property
    def reviewer(self) -> Actor:
        return self.cast.actor("reviewer@vendor.example")


def create(cast: Cast, *, now: datetime, more: Sequence[Callable[[World], None]] = ()) -> int:
    """Every scenario of the demo, and `more` of them; returns how many deals (referrals of all companies) there are."""
    programme.import_ecb_history(since=(now - timedelta(days=730)).date(), actor=SYSTEM, now=now)
    programme.carry_forward(to_month=now.date(), actor=SYSTEM, now=now)
    world = World(cast, now, random.Random(7))  # noqa: S311  the same world each time
    for scenario in (_pipeline, _answers, _inbound, _ends, _to_register, _history, _registrations, _texts, *more):
        scenario(world)
    notify.forget_undelivered(now=now)
    return Referral.objects.count()


#: What reviewers write often (FLOW-16): the decision, its reason, and the text in English and in Turkish.
_TEXTS = [
    (
        "registration.require_action",
        "dates_do_not_match_contract",
        "The dates differ from those of the signed contract. Please correct them, or add the page that names them.",
        "Tarihler imzalı sözleşmedekilerden farklı. Lütfen düzeltin ya da tarihlerin yazdığı sayfayı ekleyin.",
    ),
    (
        "registration.require_action",
        "value_does_not_match_contract",
        "The contract names another total than the registration. Correct the value, please, or add the further order.",
        "Sözleşmedeki toplam, kayıttakinden farklı. Lütfen tutarı düzeltin ya da ek siparişi ekleyin.",
    ),
    (
        "registration.fail_review",
        "duplicate_registration",
        "This sale was registered before. If it is a renewal, name the earlier registration on a new one.",
        "Bu satış daha önce kaydedildi. Yenilemeyse, yeni bir kayıtta önceki kaydı belirtin.",
    ),
    (
        "exception.ask_evidence",
        "",
        "Please add the signed contract under Documents, with the page that names the date.",
        "Lütfen imzalı sözleşmeyi, tarihin yazdığı sayfayla birlikte Belgeler altına ekleyin.",
    ),
]


def _texts(_world: World) -> None:
    for place, (used_for, reason, english, turkish) in enumerate(_TEXTS):
        CommentTemplate.objects.create(
            used_for=used_for, reason_code=reason, text_en=english, text_tr=turkish, position=place
        )


# Building blocks

_NAMES = itertools.cycle(
    [
        "Plant monitoring",
        "Store analytics",
        "Fleet tracking",
        "Müşteri 360",
        "Veri ambarı",
        "Quality inspection",
        "Service portal",
        "Akıllı fabrika",
        "Claims automation",
        "Energy dashboard",
        "Tedarik zinciri",
    ]
)


def _deal(world: World, customer: str, value: int, currency: str, **changes: Any) -> NewDeal:
    """What a person at Contoso would enter; `changes` are fields of NewDeal."""
    who = world.cast.customers[customer]
    base = NewDeal(
        customer=who,
        location=world.cast.locations[ISTANBUL],
        name=f"{who.name.split()[0]} · {next(_NAMES)}",
        value=Money(Decimal(value), currency),
        close_date=(world.now + timedelta(days=world.chance.randrange(4, 120))).date(),
        team=[
            _member("Umut", "Öztürk", "user@contoso.example"),
            _member("Rüya", "İpekçi", "referrals@contoso.example"),
        ],
        solutions=[world.cast.solutions["factory"]],
        crm_id=f"OPP-{world.chance.randrange(10_000, 99_999)}",
        contact=rules.Contact("Deniz Aksoy", "+90 532 555 01 01", "deniz.aksoy@customer.example", consent=True),
    )
    return replace(base, **changes)


def _member(first: str, last: str, email: str) -> rules.Member:
    return rules.Member(first, last, "+90 212 555 01 00", email)


def _own(world: World, days: float, deal: NewDeal, *, help_code: str = HELP, view: bool = True) -> Referral:
    at = world.ago(days)
    deal = replace(deal, help_code=help_code, vendor_may_view=view)
    if deal.close_date < at.date():
        deal = replace(deal, close_date=at.date())
    return creation.create_deal(deal, actor=world.admin, now=at)


def _vendor_copy(referral: Referral) -> Referral:
    return Referral.objects.get(engagement=referral.engagement, company__kind="vendor")


def _accept(copy: Referral, member: rules.Member, *, actor: Actor, now: datetime) -> None:
    """As it was sent, with this person for a team."""
    taken = verbs.Acceptance(name=copy.name, value=copy.money, close_date=copy.close_date, team=[member])
    run(copy, verbs.ACCEPT, taken, actor=actor, now=now)


def _co_sell(world: World, days: float, customer: str, value: int, currency: str, **changes: Any) -> Referral:
    """A co-sell deal the vendor accepted a day later."""
    referral = _own(world, days, _deal(world, customer, value, currency, **changes))
    sam = _member("Sam", "Seller", "seller@vendor.example")
    _accept(_vendor_copy(referral), sam, actor=world.seller, now=world.ago(days) + DAY)
    return referral


def _won(
    world: World, created: float, won: float, customer: str, value: int, currency: str, **changes: Any
) -> Referral:
    return _win(world, _co_sell(world, created, customer, value, currency, **changes), won)


def _win(world: World, referral: Referral, days: float) -> Referral:
    return run(referral, verbs.WIN, verbs.Signing(), actor=world.admin, now=world.ago(days))


def _form(referral: Referral, at: datetime, **changes: Any) -> RegistrationInput:
    """A three-year contract signed a little before `at`."""
    signed = max(at.date() - timedelta(days=3), referral.created_at.date())
    base = RegistrationInput(
        marketplace=False,
        deployment="azure",
        term="finite",
        tcv=Money(referral.value * 3, referral.currency),
        solution_value=Money(referral.value * 2, referral.currency),
        signed=signed,
        start=signed,
        end=signed.replace(year=signed.year + 3) - DAY
        if (signed.month, signed.day) != (2, 29)
        else signed + 1095 * DAY,
        tenant="customer",
        pricing="other",
        contract_names_confirmed=True,
    )
    return replace(base, **changes)


def _registered(world: World, referral: Referral, days: float, **changes: Any) -> Registration:
    at = world.ago(days)
    registration = Registration.objects.get(referral=referral)
    filed = run(registration, SUBMIT, _form(referral, at, **changes), actor=world.admin, now=at)
    return run(filed, ROUTE, actor=SYSTEM, now=at + timedelta(seconds=2))


def _close(registration: Registration, *, now: datetime) -> Registration:
    return run(registration, CLOSE, actor=SYSTEM, now=now)


def sell(cast: Cast, number: str, customer: str, *, day: date, now: datetime) -> MarketplaceTransaction:
    """A sale of Contoso's on the marketplace, as a programme manager reports it."""
    sale = (cast.companies["contoso"], cast.customers[customer], cast.solutions["factory"])
    new = marketplace.NewTransaction(Details(number, day, Decimal(18_500), "EUR"), *sale)
    return marketplace.add_transaction(new, actor=cast.actor("manager@vendor.example"), now=now)


def _documented(world: World, referral: Referral, days: float) -> None:
    """The signed contract, and a picture of the signatures (REG-16)."""
    paper = papers.pdf("Signed contract", f"D-U-N-S {referral.engagement.customer.duns}", "Contoso Factory Insights")
    for name, content in {"Sözleşme (imzalı).pdf": paper, "İmza sayfası.png": papers.png()}.items():
        documents.add(referral, SimpleUploadedFile(name, content), actor=world.admin, now=world.ago(days))


# Scenarios


def _pipeline(world: World) -> None:
    """Active deals in every stage, five currencies, all deal types."""
    plan = [
        (40, "anadolu", 40_000, "EUR", 10), (5, "ege", 1_850_000, "TRY", 20), (21, "isik", 75_000, "USD", 40),
        (33, "toros", 120_000, "EUR", 60), (64, "nordwerk", 260_000, "EUR", 80), (12, "thames", 98_000, "GBP", 20),
        (18, "alpen", 54_000, "CHF", 40), (27, "isar", 310_000, "EUR", 60), (44, "puget", 66_000, "USD", 80),
        (9, "fjord", 410_000, "SEK", 10), (6, "anadolu", 88_000, "USD", 40), (15, "ege", 45_500, "EUR", 20),
    ]  # fmt: skip
    for index, (days, customer, value, currency, stage) in enumerate(plan):
        place = [ISTANBUL, ANKARA, BERLIN][index % 3]
        solution = ["factory", "retail"][index % 2]
        changes = {"location": world.cast.locations[place], "solutions": [world.cast.solutions[solution]]}
        referral = _co_sell(world, days, customer, value, currency, **changes)
        if stage > rules.FIRST_STAGE:
            run(referral, verbs.SET_STAGE, verbs.Stage(stage), actor=world.admin, now=world.ago(days / 2))
    for days, customer, value, currency, view in [
        (3, "bogaz", 30_000, "EUR", False), (8, "spree", 22_000, "EUR", False), (16, "isik", 64_000, "USD", True),
        (25, "prairie", 140_000, "USD", True), (30, "toros", 900_000, "TRY", True), (2, "isar", 15_000, "EUR", False),
    ]:  # fmt: skip
        _own(world, days, _deal(world, customer, value, currency), help_code=rules.NO_HELP, view=view)
    fresh = _co_sell(world, 1.5, "anadolu", 52_000, "EUR", name="Anadolu · Fırın kameraları")
    run(fresh, verbs.SET_STAGE, verbs.Stage(60), actor=world.admin, now=world.ago(0.2))
    note = verbs.NewNote("Müşteri teklifi Cuma günü bekliyor. 🙂")
    run(fresh, verbs.ADD_NOTE, note, actor=world.admin, now=world.ago(0.1))


def _answers(world: World) -> None:
    """The vendor has not answered yet, declined, or let the time pass."""
    for days, customer in [(13.2, "ege"), (9, "isar"), (2, "thames"), (0.3, "fjord")]:
        _own(world, days, _deal(world, customer, 60_000, "EUR"))
    for days, customer, reason in [(20, "puget", "not_a_customer"), (50, "alpen", "timeline")]:
        copy = _vendor_copy(_own(world, days, _deal(world, customer, 47_000, "EUR")))
        run(copy, verbs.DECLINE, Reason(reason), actor=world.seller, now=world.ago(days - 4))
    for days in (31, 19):
        _own(world, days, _deal(world, "toros", 39_000, "EUR"))
        while sweeps.expire_due(now=world.ago(days - 14)):
            pass


def _send(world: World, days: float, customer: str, value: int, currency: str, *, sender: str = "fabrikam") -> Referral:
    """A deal that Fabrikam started and sends on to Contoso."""
    twin = world.cast.solutions["twin"]
    deal = _deal(
        world,
        customer,
        value,
        currency,
        location=world.cast.locations[MUNICH],
        solutions=[twin],
        team=[_member("Friederike", "Weiß", "referrals@fabrikam.example")],
        help_code=rules.NO_HELP,
        vendor_may_view=True,
    )
    origin = creation.create_deal(deal, actor=world.fabrikam, now=world.ago(days))
    invitation = Invitation(
        partner=world.cast.companies["contoso"],
        close_date=deal.close_date,
        value=deal.value,
        help_code=HELP,
        team=deal.team,
        solutions=deal.solutions,
        notes="Könntet ihr die Umsetzung in der Türkei übernehmen?",
    )
    run(origin, verbs.INVITE_PARTNER, invitation, actor=world.fabrikam, now=world.ago(days))
    return Referral.objects.with_context().get(engagement=origin.engagement, company=invitation.partner)


def _accepted_by_contoso(world: World, received: Referral, days: float) -> None:
    umut = _member("Umut", "Öztürk", "user@contoso.example")
    _accept(received, umut, actor=world.admin, now=world.ago(days))


def _inbound(world: World) -> None:
    """Deals that wait for Contoso's answer, and how it answered others."""
    for days, customer, value in [(12.9, "nordwerk", 72_000), (8, "isar", 51_000), (1, "spree", 29_000)]:
        _send(world, days, customer, value, "EUR")
    _accepted_by_contoso(world, _send(world, 26, "isar", 95_000, "EUR"), 24)
    declined = _send(world, 37, "alpen", 18_000, "CHF")
    run(declined, verbs.DECLINE, Reason("requirement_not_met"), actor=world.admin, now=world.ago(35))
    _send(world, 48, "fjord", 200_000, "SEK")
    while sweeps.expire_due(now=world.ago(33)):
        pass


def _ends(world: World) -> None:
    """Lost, closed as error, won without a registration to make."""
    for days, customer, reason in [(90, "thames", "other_vendor"), (70, "ege", "budget"), (45, "puget", "no_response")]:
        referral = _co_sell(world, days, customer, 58_000, "GBP")
        run(referral, verbs.LOSE, Reason(reason), actor=world.admin, now=world.ago(days / 3))
    for days, reason in [(22, "duplicate"), (11, "test")]:
        referral = _own(world, days, _deal(world, "bogaz", 12_000, "TRY"), help_code=rules.NO_HELP, view=False)
        run(referral, verbs.CLOSE_AS_ERROR, Reason(reason), actor=world.admin, now=world.ago(days - 1))
    private = _own(world, 60, _deal(world, "spree", 33_000, "EUR"), help_code=rules.NO_HELP, view=False)
    _win(world, private, 20)
    _won(world, 52, 14, "bogaz", 48_000, "EUR")  # not managed: ELIG-4


def _to_register(world: World) -> None:
    """Won and eligible, nobody registered them yet; one is close to the end of its window."""
    _won(world, 80, 57, "anadolu", 61_000, "EUR")
    _won(world, 30, 4, "isik", 2_400_000, "TRY", solutions=[world.cast.solutions["retail"]])
    _won(world, 12, 1, "toros", 45_000, "USD")


def _registrations(world: World) -> None:
    """A registration in every state FLOW knows, with every AUTO reason."""
    review = world.reviewer
    _registered(world, _won(world, 20, 6, "anadolu", 90_000, "EUR"), 5)  # approved
    _registered(world, _won(world, 25, 3, "isar", 70_000, "EUR"), 2)  # approved
    large = _won(world, 40, 9, "nordwerk", 1_600_000, "EUR")
    _documented(world, large, 8.1)
    _registered(world, large, 8)  # AUTO-1
    several = _send(world, 30, "isar", 80_000, "EUR")
    _accepted_by_contoso(world, several, 28)
    _registered(world, _win(world, several, 7), 6)  # AUTO-2
    payg = _won(world, 200, 12, "ege", 64_000, "EUR")
    first, last = world.ago(150).date(), world.ago(20).date()
    _registered(world, payg, 11, pricing="payg", signed=first, start=first, end=last)  # AUTO-3
    early = _win(world, _co_sell(world, 5, "thames", 85_000, "GBP"), 3.9)
    _documented(world, early, 3.1)
    _registered(world, early, 3)  # AUTO-4
    _send_back(world)
    for days, verb, reason, comment in _DECISIONS:
        pending = _registered(world, _won(world, days + 30, days + 2, "toros", 1_300_000, "EUR"), days + 1)
        decided: dict[str, Any] = {"reason_code": reason, "comment": comment, "validated_by": "poe"}
        decide(pending, verb, actor=review, now=world.ago(days), **decided)
    for index, (customer, solution) in enumerate([("fjord", "retail"), ("isik", "factory"), ("isik", "retail")]):
        what = [world.cast.solutions[solution]]
        won = _won(world, 34 + index, 16, customer, 77_000, "EUR", solutions=what)
        when = world.ago(10 - index).date()
        pending = _registered(world, won, 15 - index, marketplace=True, marketplace_date=when)
        if index == 1:
            sell(world.cast, "MP-24017", customer, day=when - 2 * DAY, now=world.ago(4))
            registrations.match_marketplace(now=world.ago(4))
        elif index == 2:
            text = "No transaction of this customer was found near the date you gave."
            decide(pending, "no_match", actor=review, now=world.now, reason_code="evidence_missing", comment=text)


_DECISIONS = [
    (0, "pass_review", "", ""),
    (0, "fail_review", "contract_missing_names", "The contract on file names neither Contoso nor the solution."),
]


def _send_back(world: World) -> None:
    """Action required: twice, once after the approval was looked at again."""
    pending = _registered(world, _won(world, 45, 13, "alpen", 1_400_000, "CHF"), 12)
    text = "The start date in the contract is the first of the month. Please correct it."
    decide(
        pending, "require_action", actor=world.reviewer, now=world.ago(2),
        reason_code="dates_do_not_match_contract", comment=text,
    )  # fmt: skip
    approved = _registered(world, _won(world, 28, 5, "puget", 83_000, "USD"), 4)
    comment = "Please leave the contract where we can find it."
    decide(approved, "select_for_review", actor=world.reviewer, now=world.ago(3), comment=comment)
    forgotten = _registered(world, _won(world, 90, 54, "fjord", 13_000_000, "SEK"), 53)
    decide(
        forgotten, "require_action", actor=world.reviewer, now=world.ago(49),
        reason_code="hardware_in_value", comment="Servers are part of the value. Please take them out.",
    )  # fmt: skip


def _history(world: World) -> None:
    """Deals of the past year, closed long ago; of another solution than this season's, which would be duplicates."""
    other: dict[str, Any] = {"solutions": [world.cast.solutions["retail"]]}
    for days, customer, value in [
        (330, "anadolu", 72_000),
        (280, "isar", 54_000),
        (230, "toros", 95_000),
        (160, "thames", 61_000),
    ]:
        done = _registered(world, _won(world, days, days - 20, customer, value, "EUR", **other), days - 21)
        _close(done, now=world.ago(days - 28.5))
    passed = _registered(world, _won(world, 190, 170, "nordwerk", 1_900_000, "EUR", **other), 169)
    passed = decide(passed, "pass_review", actor=world.reviewer, now=world.ago(160), validated_by="poe")
    _close(passed, now=world.ago(159))
    failed = _registered(world, _won(world, 150, 130, "ege", 1_250_000, "EUR", **other), 129)
    text = "The contract was signed before the deal was shared."
    failed = decide(
        failed,
        "fail_review",
        actor=world.reviewer,
        now=world.ago(120),
        reason_code="signed_before_sharing",
        comment=text,
    )
    _close(failed, now=world.ago(119))
    unregistered = Registration.objects.get(referral=_won(world, 110, 95, "puget", 46_000, "USD"))
    run(unregistered, CLOSE_UNREGISTERED, actor=world.admin, now=world.ago(94))
    for days, customer in [
        (300, "ege"),
        (250, "fjord"),
        (210, "alpen"),
        (140, "isar"),
        (120, "nordwerk"),
        (100, "puget"),
    ]:
        referral = _co_sell(world, days, customer, 50_000, "EUR")
        run(referral, verbs.LOSE, Reason("budget"), actor=world.admin, now=world.ago(days - 40))
