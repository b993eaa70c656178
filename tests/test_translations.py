"""Turkish is complete: the catalogs hold every text of the sources, and no page or mail shows English beside it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from django.core import mail
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, get_resolver, reverse
from django.utils import timezone, translation
from django.utils.translation.reloader import translation_file_changed

from dealreg.models import Registration, Status
from dealreg.rules import checks
from dealreg.rules.eligibility import EligibilityFacts, eligibility
from dealreg.rules.values import RegistrationFacts, RegistrationInput
from portal import translations
from portal.accounts.admin_site import site
from portal.accounts.models import User
from portal.accounts.rules import Actor
from portal.demo.cast import Cast
from portal.notify import services as notices
from portal.policy.rules import Policy
from portal.programme.rules import BUSINESS_DAYS
from portal.ui.templatetags import ortak
from portal.workflow import services as workflow
from portal.workflow import text
from portal.workflow.blockers import Blocker, Money, RuleViolation, from_json, to_json
from referrals import rules
from referrals.models import Referral
from tests import build, do
from tests.edge import STATES, Live, parse
from tests.turkish import PLACE, Reader, catalog, ids, key, messages, said, strings

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    """What is read here is what the catalogs say now, also where nobody has compiled them since."""
    assert translations.compile_all() == []
    translation_file_changed(None, Path("django.mo"))


# The catalogs


def test_turkish_is_complete() -> None:
    assert translations.check_all() == []
    assert len(list(messages("tr"))) > 700


@pytest.mark.parametrize("language", ["en", "tr"])
def test_every_translation_keeps_its_places_and_markup(language: str) -> None:
    """What is filled in, and the HTML around it, are the same in both languages, form by form."""
    wrong = [
        (source, string)
        for message in messages(language)
        for source, string in zip(ids(message), strings(message), strict=True)
        if string and sorted(PLACE.findall(source)) != sorted(PLACE.findall(string))
    ]
    assert wrong == []


def test_no_turkish_ending_hangs_on_a_place() -> None:
    """Endings follow the vowels of the word before them: a name that is filled in can't have one."""
    hanging = re.compile(r"%\(\w+\)[sd][”\"]?['’]?[a-zçğıöşü]", re.IGNORECASE)
    assert [s for m in messages("tr") for s in strings(m) if hanging.search(s)] == []


def test_both_catalogs_hold_the_same_messages() -> None:
    assert {key(m) for m in messages("en")} == {key(m) for m in messages("tr")}


@pytest.fixture
def extracted(tmp_path: Path) -> Catalog:
    """What the sources hold right now, collected from a copy of them."""
    if shutil.which("xgettext") is None:
        pytest.skip("no gettext on this machine: what the sources hold can't be collected")
    copy = tmp_path / "copy"
    hidden = shutil.ignore_patterns(".*", "node_modules", "locale", "tests", "static", "staticfiles", "__pycache__")
    shutil.copytree(ROOT, copy, ignore=hidden)
    (copy / "locale").mkdir()
    collect = [sys.executable, "manage.py", "makemessages", "-l", "tr"]
    env = {**os.environ, "PYTHONPATH": str(copy), "DJANGO_SETTINGS_MODULE": "portal.settings"}
    run = subprocess.run(collect, cwd=copy, env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return catalog("tr", copy / "locale")


def test_the_catalogs_lack_no_message_of_the_sources(extracted: Catalog) -> None:
    sources = {key(message) for message in extracted if message.id}
    assert len(sources) > 700
    lacking = sources - {key(m) for m in messages("tr")}
    assert sorted(lacking, key=str) == [], "run `make messages` and translate"


# Capitals


#: Texts that are not Turkish, and the names of models, which the catalog writes so that they can be capitalised.
_CAPITALISED = {"language.code|upper", "opts.verbose_name_plural|capfirst"}


def test_templates_change_the_case_of_no_turkish_text() -> None:
    """Python makes İ of no i, and i of no İ."""
    change = re.compile(r"\{[{%]\s*([^%}]*\|(?:lower|upper|title|capfirst)\b)")
    files = [*ROOT.glob("templates/**/*"), *ROOT.glob("*/**/templates/**/*")]
    files = [f for f in files if f.is_file() and not {"node_modules", ".venv", ".data"} & set(f.parts)]
    assert len(files) > 40
    assert {found for f in files for found in change.findall(f.read_text())} <= _CAPITALISED


def test_names_that_django_capitalises_begin_with_no_small_i() -> None:
    """The admin capitalises the names of models and fields, which are written small in English, by Python's rules;
    a unit follows its number and stays small."""
    named = [m for m in messages("tr") if ids(m)[0][0].islower() and ids(m)[0] != BUSINESS_DAYS]
    names = [s for m in named for s in strings(m)]
    assert len(names) > 50
    assert [name for name in names if name.startswith("i")] == []


# What people see


class World:
    """Contoso's deal in every state, all people reading Turkish."""

    def __init__(self, cast: Cast) -> None:
        User.objects.update(language="tr")
        self.cast, self.live = cast, Live(cast)
        self.deals = {state: make(self.live) for state, make in STATES.items()}
        self.deals["planned"] = self._planned()
        self.deals["ineligible"] = self.live.deal(
            value=Money(Decimal(900), "TRY"), customer=cast.customers["bogaz"], solutions=[cast.solutions["field"]]
        )

    def _planned(self) -> Referral:
        actor = self.cast.actor(build.CONTOSO)
        return do.schedule_win(self.live.accepted(days=1), actor=actor, now=self.live.now)

    def addresses(self, actor: Actor) -> Iterator[str]:
        """Every address outside the admin: the pages of a deal in every state, each other address and verb once."""
        own = Referral.objects.visible_to(actor).filter(company_id=actor.company_id)
        if actor.is_vendor:  # who answers, but registers nothing
            own = own.order_by("substatus", "pk").distinct("substatus")
        for pattern in _patterns(get_resolver().url_patterns):
            if pattern.name == "api_docs":  # of the API, which speaks English
                continue
            yield from _address(pattern.name)
            if pattern.name == "deal":
                yield from (reverse("deal", args=[referral.public_id]) for referral in own)
            elif "<uuid:public_id>" in str(pattern.pattern):
                states = REGISTRABLE if pattern.name == "registration" else ("open", "won")
                yield from (url for state in states for url in _address(pattern.name, self.deals[state].public_id))
        yield from self._verbs(actor, own)

    def _verbs(self, actor: Actor, own: Iterable[Referral]) -> Iterator[str]:
        """The page of each verb the actor has, for the first deal where nothing is in its way."""
        found = {
            action.name: reverse("act", args=[referral.public_id, action.name.replace("_", "-")])
            for referral in own
            for action in workflow.available_actions(referral, actor, self.live.now)
            if action.enabled
        }
        yield from found.values()


#: States whose registration form differs.
REGISTRABLE = ("won", "sent_back", "open", "ineligible")


def _address(name: str | None, *args: Any) -> Iterator[str]:
    """The address, unless it needs other arguments."""
    try:
        yield reverse(name, args=args)
    except NoReverseMatch:
        return


def _patterns(patterns: list[Any]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        elif pattern.namespace != "admin":
            yield from _patterns(pattern.url_patterns)


def _admin_addresses() -> Iterator[str]:
    """The admin's pages: lists, forms of new entries, and the newest entry of each list."""
    yield reverse("admin:index")
    for model in site._registry:
        route = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield from (reverse(f"{route}_{page}") for page in ("changelist", "add"))
        if newest := model._default_manager.order_by("pk").last():
            yield reverse(f"{route}_change", args=[newest.pk])
    yield reverse("admin:money_monthlyrate_upload")


def _read_all(reader: Reader, client: Client, addresses: Iterator[str]) -> tuple[dict[str, list[str]], int]:
    """The English words by page, and how many whole pages were read."""
    english, pages = {}, 0
    for address in addresses:
        response = client.get(address)
        if not response.headers.get("Content-Type", "").startswith("text/html") or not response.content:
            continue
        body = response.content.decode()
        assert "<html" not in body or re.search(r'<html lang="tr"', body), f"{address} is not marked as Turkish"
        pages += "<html" in body
        if words := reader.page(response):
            english[f"{address} ({response.status_code})"] = sorted(set(words))
    return english, pages


def test_no_page_or_mail_shows_english_to_a_turk(cast: Cast) -> None:
    """REF-24, and every page: a partner's, a seller's, a reviewer's, the admin's, and those before the sign-in."""
    world, english = World(cast), {}
    reader = Reader()
    for email in (build.CONTOSO, build.SELLER):
        found, pages = _read_all(reader, world.live.browser(email), world.addresses(cast.actor(email)))
        assert pages > 20
        english.update(found)
    found, pages = _read_all(reader, world.live.browser("manager@vendor.example"), _admin_addresses())
    assert pages > 15
    english.update(found)
    waiting = Registration.objects.filter(
        status__in=[Status.REVIEW_PENDING, Status.MARKETPLACE_PENDING, Status.APPROVED]
    )
    review = [reverse("admin:dealreg_registration_change", args=[registration.pk]) for registration in waiting]
    found, pages = _read_all(reader, world.live.browser(build.REVIEWER), iter(review))
    assert pages == len(review) > 2
    english.update(found)
    english.update(_read_answers(reader, world))
    english.update(_read_mails(reader, world))
    assert not english, "\n".join(f"{page}: {', '.join(words)}" for page, words in english.items())


def _read_wizard(world: World, client: Client) -> dict[str, Any]:
    """Every step of an empty deal, sent and told what is missing; with an invitation, and at the end the review."""
    draft = world.live.draft()
    pages = {
        step: client.post(reverse("new_deal_step", args=[draft.public_id, step]), {"go": "next", **sent})
        for step, sent in {
            "customer": {"country": "TR", "customer_search": "anadolu"},
            "deal": {"value": "0", "currency": "EUR"},
            "team": {},
            "solutions": {"solution_search": "yok"},
            "help": {"help_code": "x"},
        }.items()
    }
    place = reverse("new_deal_invitation", args=[draft.public_id, "0123456789ab"])
    contoso = world.cast.companies["contoso"].public_id
    for name, sent in {"invitation, empty": {}, "invitation, own": {"partner": contoso}}.items():
        pages[name] = client.post(place, {**sent, "team-TOTAL_FORMS": 0, "team-INITIAL_FORMS": 0})
    for step in ("help", "review"):
        pages[f"{step}, shown"] = client.get(reverse("new_deal_step", args=[draft.public_id, step]))
    pages["discard"] = client.get(reverse("discard_draft", args=[draft.public_id]))
    return pages


def _read_answers(reader: Reader, world: World) -> dict[str, list[str]]:
    """What forms answer: everything missing, everything wrong, and the pages of a stranger."""
    client, stranger = world.live.browser(build.CONTOSO), Client(headers={"accept-language": "tr"})
    registration = reverse("registration", args=[world.deals["won"].public_id])
    wrong = {"deployment": "other", "term": "perpetual", "end": "2020-01-01", "pricing": "payg", "tcv": "-1",
             "tcv_currency": "EUR", "signed": "2099-01-01", "start": "x", "solution_value": "5"}  # fmt: skip
    lists = [f"{reverse('deals')}?{query}" for query in ("q=yok", "tab=inbound&status=Lost", "status=Won")]
    answers = {
        **_read_wizard(world, client),
        "registration, empty": client.post(registration, {}),
        "registration, wrong": client.post(registration, wrong),
        "check": client.post(reverse("registration_check", args=[world.deals["won"].public_id]), wrong),
        "decline": client.post(reverse("act", args=[world.deals["received"].public_id, "decline"]), {}),
        "unknown": client.get("/nirgendwo/"),
        "sign-in": stranger.get(reverse("account_login")),
        "sign-in, wrong": stranger.post(reverse("account_login"), {"login": "a@b.example", "password": "x"}),
        "password": stranger.get(reverse("account_reset_password")),
        "password, sent": stranger.post(
            reverse("account_reset_password"), {"email": "referrals@contoso.example"}, follow=True
        ),
        "link, old": stranger.get(reverse("account_reset_password_from_key", args=["1", "un-known"])),
        **{address: client.get(address) for address in lists},
    }
    assert [name for name, answer in answers.items() if 'lang="tr"' not in answer.content.decode()] == ["check"]
    return {name: words for name, answer in answers.items() if (words := reader.page(answer))}


def _read_mails(reader: Reader, world: World) -> dict[str, list[str]]:
    notices.deliver_due(now=world.live.now + timedelta(minutes=1))
    assert len(mail.outbox) > 20
    texts = {message.subject: f"{message.subject}\n{message.body}" for message in mail.outbox}
    parts = {f"{m.subject} (HTML)": parse(str(m.alternatives[0][0])) for m in mail.outbox if m.alternatives}  # type: ignore[attr-defined]
    assert all(part.all("html", lang="tr") for part in parts.values())
    spoken = texts | {name: " ".join(said(part)) for name, part in parts.items()}
    return {name: words for name, heard in spoken.items() if (words := reader.words(heard))}


# What rules say


def _refusals(cast: Cast) -> Iterator[Blocker]:
    """Blockers of every module of rules, as events keep them."""
    now = timezone.now()
    bad = rules.NewDeal("", Money(Decimal(0), "EUR"), now.date() - timedelta(days=1), build.HELP, True,
                        rules.Contact(), [], 0, notes="x" * 20_000)  # fmt: skip
    yield from rules.creation_blockers(bad, today=now.date(), policy=Policy())
    yield from rules.stage_blockers(60, current=10, assessment=True)
    yield from rules.win_blockers(stage=20, assessment=True)
    yield from checks.violations(RegistrationInput(), RegistrationFacts(now.date(), now.date()), Policy())
    facts = EligibilityFacts(
        deal_type="co_sell", value=Money(Decimal(1_000), "USD"), value_usd=Decimal(1_000), substatus="Accepted",
        customer_managed=False, azure_ip_solutions=(), vendor_substatus="Received", vendor_expires_at=now,
        vendor_seller="Deniz Aksoy", safe_win_at=now, rate_month=None,
    )  # fmt: skip
    for criterion in eligibility(facts, Policy()).criteria:
        yield from (criterion.needed, criterion.actual, criterion.message)
    with pytest.raises(RuleViolation) as refused:
        build.deal(cast, name="", team=[])
    yield from refused.value.blockers


def test_blockers_are_said_in_the_readers_language(cast: Cast) -> None:
    """However long ago they were written down: events keep the message, not its translation."""
    reader = Reader()
    blockers = [from_json(to_json(blocker)) for blocker in _refusals(cast)]
    assert len(blockers) > 40
    with translation.override("tr"):
        turkish = [text.text(blocker) for blocker in blockers]
    with translation.override("en"):
        english = [text.text(blocker) for blocker in blockers]
    assert [said for said in turkish if reader.words(said)] == []
    assert [said for said in turkish if said in english and "USD" not in said] == []
    assert "Tahmini değerin karşılığı 1.000 USD, oysa en az 25.000 USD gerekiyor." in " ".join(turkish)
    assert "The estimated value is worth 1,000 USD, but at least 25,000 USD is needed." in " ".join(english)


def test_numbers_stand_as_the_language_writes_them() -> None:
    with translation.override("tr"):
        assert (text.percent(60), text.money(Decimal("40000.5"), "EUR")) == ("%60", "40.000,50 EUR")
        assert text.day(build.NOW.date()) == "18 Kas 2026"
    with translation.override("en"):
        assert (text.percent(60), text.money(Decimal("40000.5"), "EUR")) == ("60%", "40,000.50 EUR")
        assert text.day(build.NOW.date()) == "18 Nov 2026"


#: Of a deadline or of something past, so many seconds away, in both languages: whole units, none above days.
TIMES = [
    (0.4, "1 minute left", "1 dakika kaldı", "just now", "az önce"),
    (59 * 60, "59 minutes left", "59 dakika kaldı", "59 minutes ago", "59 dakika önce"),
    (36.9 * 3600, "36 hours left", "36 saat kaldı", "36 hours ago", "36 saat önce"),
    (13.9 * 86400, "13 days left", "13 gün kaldı", "13 days ago", "13 gün önce"),
    (59 * 86400, "59 days left", "59 gün kaldı", "59 days ago", "59 gün önce"),
]


@pytest.mark.parametrize(("seconds", "left", "kaldi", "ago", "once"), TIMES)
def test_times_left_and_ago_count_whole_units(seconds: float, left: str, kaldi: str, ago: str, once: str) -> None:
    time = timedelta(seconds=seconds)
    with translation.override("en"):
        assert (ortak._left(time), ortak._ago(time)) == (left, ago)
        assert ortak._days_left(timedelta(days=-1)) == "ended 1 day ago"
    with translation.override("tr"):
        assert (ortak._left(time), ortak._ago(time)) == (kaldi, once)
        assert ortak._days_left(timedelta(days=-1)) == "1 gün önce sona erdi"
