"""Where the days of exceptions lead: the partner to the request, the council to its docket (FLOW-8, EXC-7)."""

from __future__ import annotations

import pytest
from django.urls import reverse

from exceptions_council import verbs
from portal.demo.cast import Cast
from portal.workflow import services as workflow
from tests import build
from tests.edge import Live, document_fromstring
from tests.test_exceptions_pages import asked

pytestmark = pytest.mark.django_db


def _links(live: Live, email: str) -> set[str]:
    page = document_fromstring(live.browser(email).get(reverse("deadlines")).content.decode())
    return {link.get("href") for link in page.xpath("//main//a[@href]")}


def test_exc_7_the_days_lead_to_where_something_can_be_done(cast: Cast) -> None:
    """The council may not see the deal itself, as a private one's (REF-3)."""
    live = Live(cast)
    request = asked(live)
    docket = reverse("admin:exceptions_council_exceptionrequest_change", args=[request.pk])
    assert docket in _links(live, "council1@vendor.example")
    assert live.browser("council1@vendor.example").get(docket).status_code == 200
    question = verbs.EvidenceQuestion("The signed contract, please.", live.day(5))
    member = cast.actor("council1@vendor.example")
    workflow.run(request, verbs.ASK_EVIDENCE, question, actor=member, now=live.now)
    own = reverse("exception", args=[request.public_id])
    assert own in _links(live, build.CONTOSO)
    assert live.browser(build.CONTOSO).get(own).status_code == 200
