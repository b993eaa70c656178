"""The reference of refusals and reasons is that of the code, and every refusal leads to it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from portal.demo.cast import Cast
from portal.workflow import refusals
from portal.workflow.refusals import collect
from portal.workflow.refusals.collect import Found, Module
from portal.workflow.refusals.next_steps import NEXT, SAYS_ITSELF
from tests import build
from tests.edge import Live, parse

RUN = "run `python manage.py write_refusals` (after `make messages`, for the Turkish texts)"


@pytest.fixture(scope="module")
def source() -> tuple[list[Found], list[str]]:
    return collect.collect()


def test_every_refusal_can_be_read_in_the_source(source: tuple[list[Found], list[str]]) -> None:
    assert source[1] == [], (
        "write code and text as literals, names, or what portal/workflow/refusals/collect.py reads besides; "
        "a new table of reasons is named in TABLES there, with its rule"
    )


def test_the_reference_is_that_of_the_code(source: tuple[list[Found], list[str]]) -> None:
    found = tuple(source[0])
    assert refusals.CATALOGUE.read_text(encoding="utf-8") == refusals.serialized(found), f"refusals changed: {RUN}"
    assert refusals.DOCUMENT.read_text(encoding="utf-8") == refusals.document(found), f"refusals changed: {RUN}"


def test_every_code_says_what_to_do_next(source: tuple[list[Found], list[str]]) -> None:
    codes = {one.code for one in source[0]}
    assert sorted(codes - NEXT.keys() - SAYS_ITSELF) == [], (
        "say in portal/workflow/refusals/next_steps.py what to do next (NEXT), or that their texts say so "
        f"(SAYS_ITSELF); then {RUN}"
    )
    assert sorted((NEXT.keys() | SAYS_ITSELF) - codes) == [], "nothing has these codes any more: remove them there"
    assert NEXT.keys() & SAYS_ITSELF == set()


def test_every_text_is_there_in_turkish(source: tuple[list[Found], list[str]]) -> None:
    with translation.override("tr"):
        texts = {*NEXT.values(), *(one.message for one in source[0])}
        assert sorted(text for text in texts if translation.gettext(text) == text) == []


def test_every_refusal_names_its_rule(source: tuple[list[Found], list[str]]) -> None:
    ruleless = {one.code for one in source[0] if not one.rule}
    assert ruleless <= {"fx_rate_missing", "reason_note_required", "taken", "wrong_state"}


def read(text: str) -> tuple[Sequence[Found], int]:
    """What is found in a module of this source, and how many calls can't be read."""
    module = Module("dealreg/rules/new.py", ast.parse(text))
    found: list[Found] = []
    unread = 0
    for call in module.calls:
        if collect._name(call) in collect.MAKERS:
            made = list(collect._made(call, module.scope(call), collect.DEPTH))
            found += made
            unread += not made
    return sorted(found, key=lambda one: one.message), unread


#: Ways in which the code says a text, each with both of them; R is the rule.
WAYS = [
    'x = Blocker("a", _("One."), R), Blocker(code="b", message=_("Two."), rule=R)',
    'def f(y):\n if y:\n  m = _("One.")\n else:\n  m = _("Two.")\n yield Blocker("a", m, R)',
    'def f():\n m = _("One.")\n yield Blocker("b", m)\n m = _("Two.")\n yield Blocker("a", m, R)',
    'def f(y):\n yield Blocker("a", _("One.") if y else _("Two."), R)',
    'T = (("a", _("One.")), ("b", _("Two.")))\ndef f():\n for c, m in T:\n  yield Blocker(c, m, R)',
    'def g(c, m, **p): return Blocker(c, m, R, params=p)\nx = g("a", _("One.")), g("b", _("Two."))',
    'T = {1: _("One."), 2: _("Two.")}\nx = Blocker("a", T[y], R)',
    'def g():\n if y: return 1, _("One.")\n return 2, _("Two.")\ndef f():\n n, m = g()\n return Blocker("a", m, R)',
]


@pytest.mark.parametrize("source", WAYS)
def test_what_the_source_says_in_the_ways_it_does(source: str) -> None:
    found, unread = read(source)
    assert ([one.message for one in found], unread) == (["One.", "Two."], 0)
    assert len({one.code for one in found}) == ('"b"' in source) + 1


@pytest.mark.parametrize("source", ['x = Blocker(f"a_{y}", _("One."))', 'x = Blocker("a", _(y))', "x = Blocker(*y)"])
def test_what_can_t_be_read_is_told(source: str) -> None:
    assert read(source) == ([], 1)


# The page


def test_the_page_shows_every_code_to_everybody_in_their_language(db: None) -> None:
    page = parse(Client().get(reverse("refusals"), headers={"Accept-Language": "tr"}))
    assert {section.attrs["id"] for section in page.all("section", class_="o-refusal")} == refusals.codes()
    shown = page.one("section", id="signed_too_old").text
    with translation.override("tr"):
        assert translation.gettext("What to do next:") in page.text
    assert "REG-7" in shown
    assert "%(" not in page.text
    assert "A contract can be registered" not in shown


def test_a_refusal_links_to_its_entry(cast: Cast) -> None:
    """At a field, in the summary above, and at a button that isn't available."""
    live = Live(cast)
    won, client = live.won(), live.browser(build.CONTOSO)
    form = {"go": "submit", "solution": "", "tcv": "-1", "tcv_currency": "EUR"}
    page = parse(client.post(reverse("registration", args=[won.public_id]), form))
    links = {a.attrs["href"] for a in page.all("a", class_="o-whylink")}
    assert f"{reverse('refusals')}#pricing_required" in links
    viewer = parse(live.browser("admin@contoso.example").get(reverse("home")))
    assert viewer.one("a", class_="o-whylink").attrs["href"].endswith("#role_missing")
    assert {link.partition("#")[2] for link in links} <= refusals.codes()
