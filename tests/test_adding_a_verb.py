"""docs/adding-a-verb.md does what it says: its blocks, run as they stand, make a verb with button, page and notice."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from portal.demo.cast import Cast
from portal.events import services as events
from portal.notify.models import Notice
from portal.workflow import services as workflow
from portal.workflow import timeline
from referrals import reactions, verbs
from referrals.models import Referral
from referrals.verbs import sharing
from referrals.web import actions
from tests import build
from tests.edge import Live

PAGE = Path(__file__).resolve().parent.parent / "docs/adding-a-verb.md"


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The page's code, each block run with the names of the module it is for; all of it is gone afterwards."""
    monkeypatch.setattr(events, "_reactions", events._reactions.copy())
    monkeypatch.setattr(timeline, "_known", timeline._known.copy())
    found = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert sum(bool(line.strip()) for block in found for line in block.splitlines()) < 40
    names: dict[str, Any] = {}
    for block, module in zip(found, (sharing, actions, reactions), strict=True):
        scope = {**vars(module), **names}
        exec(compile(block, PAGE.name, "exec", dont_inherit=True), scope)  # noqa: S102  our own page
        names |= {name: value for name, value in scope.items() if name not in vars(module)}
    machine = replace(verbs.MACHINE, verbs=[*verbs.MACHINE.verbs, names["ASK_AGAIN"]])
    monkeypatch.setitem(workflow._machines, Referral, machine)
    workflow.register(machine)
    monkeypatch.setattr(actions, "PAGES", {**actions.PAGES, "ask_again": names["ASK_AGAIN_PAGE"]})
    return names


def test_the_page_adds_a_verb_end_to_end(cast: Cast, blocks: dict[str, Any]) -> None:
    live = Live(cast)
    deal, client = live.deal(), live.browser(build.CONTOSO)
    assert "Ask again" in client.get(reverse("deal", args=[deal.public_id])).content.decode()
    url = reverse("act", args=[deal.public_id, "ask-again"])
    refused = client.post(url, {"comment": " "})
    assert (refused.status_code, "Write what you want to know." in refused.content.decode()) == (422, True)
    assert client.post(url, {"comment": "Any news?"}).status_code == 302
    told = Notice.objects.get(event__verb="referral.asked_again")
    assert (told.email, told.event.comment) == (build.SELLER, "Any news?")
    assert "Contoso Yazılım asked again" in client.get(reverse("deal", args=[deal.public_id])).content.decode()
    build.accept(cast, build.vendor_copy(deal), at=live.now)
    again = Referral.objects.get(pk=deal.pk)
    action = workflow.available_action(again, blocks["ASK_AGAIN"], cast.actor(build.CONTOSO), live.now)
    assert [blocker.code for blocker in action.blockers] == ["all_answered"]
