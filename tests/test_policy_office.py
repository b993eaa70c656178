"""The office's page on the policy: what is in force and what comes, drafts, withdrawing, trying before publishing."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dealreg.models import Registration
from dealreg.rules import states
from dealreg.services import simulation
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.policy import rules as policy_rules
from portal.policy import services as policies
from portal.policy.models import PolicyDraft, PolicyVersion
from portal.policy.rules import Blackout, Policy
from portal.programme import rules, services
from tests.edge import Live, parse

MANAGER, REVIEWER = "manager@vendor.example", "reviewer@vendor.example"
ADD, OFFICE = "admin:policy_policyversion_add", "admin:policy_policyversion_changelist"


@pytest.fixture
def manager(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.users[MANAGER])
    return client


def version(days: int | None = None, **values: Any) -> PolicyVersion:
    now = timezone.now()
    at = None if days is None else (now + timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    return policies.add_version(values=values, effective_from=at, note="", by=None, now=now)


def form(client: Client, **asked: Any) -> dict[str, Any]:
    fields: dict[str, Any] = parse(client.get(reverse(ADD), asked)).one("form", id="policyversion_form").fields()
    return fields


def send(client: Client, sent: dict[str, Any], button: str, **given: str) -> Any:
    return client.post(reverse(ADD), {**sent, **given, button: "yes"})


def said(answer: Any) -> str:
    return " ".join(parse(answer).one("main").text.split())


def names() -> list[str]:
    return [f.name for f in fields(Policy) if f.name != "version"]


# Every number is on the page


def test_flow_7_every_number_has_a_name_and_the_rule_it_stands_for() -> None:
    source = inspect.getsource(Policy)
    assert rules.OTHER not in rules.groups(), "name the new number in portal/programme/rules.py"
    assert sorted(number.name for number in rules.numbers()) == sorted(names())
    for number in rules.numbers():
        (line,) = re.findall(rf"^    {number.name}: .*# (.*)$", source, re.MULTILINE)
        assert number.rule in line, number.name


def other(number: rules.Number) -> tuple[str, Any]:
    """What is typed for another value, and the value."""
    least, most = policy_rules.RANGES.get(number.name, (0, 100))
    return {
        rules.AMOUNT: ("31000.50", Decimal("31000.50")),
        rules.LIST: ("9, 2", (9, 2)),
        rules.DAY: ("2024-02-03", number.default.replace(year=2024, month=2, day=3) if number.kind == "day" else None),
        rules.PERIODS: ("2026-12-24 – 2026-12-31", (Blackout(*map(_day, ("2026-12-24", "2026-12-31"))),)),
        rules.CALENDAR: ("TR", "TR"),
    }.get(number.kind) or next((str(n), n) for n in (most, least) if n != number.default)


def _day(text: str) -> Any:
    return Policy.pracr_since.fromisoformat(text)


def test_flow_7_every_number_is_changed_in_the_office_and_used_from_then_on(manager: Client) -> None:
    """One version each: what was typed is what policies.current() answers, and the version before still its own."""
    before = policies.current(timezone.now())
    for number in rules.numbers():
        typed, value = other(number)
        answer = send(manager, form(manager), "_save", **{number.name: typed})
        assert answer.status_code == 302, number.name
        current = policies.current(timezone.now())
        assert getattr(current, number.name) == value, number.name
        assert rules.differences(before, current) == [rules.Difference(number, number.default, value)], number.name
        assert policies.by_version(before.version) == before
        before = current


def test_flow_7_an_empty_field_is_the_default_and_no_holidays_are_chosen(manager: Client) -> None:
    version(answer_days=10, holiday_calendar="TR")
    given = {"answer_days": "", "holiday_calendar": "none"}
    assert send(manager, form(manager), "_save", **given).status_code == 302
    assert PolicyVersion.objects.get(number=2).values == {"holiday_calendar": ""}


def test_the_minimum_value_changes_in_four_fields_at_most(manager: Client) -> None:
    changed = {"minimum_deal_value_usd": "30000", "note": "Higher", "in_force_from": ""}
    shown = send(manager, form(manager), "_preview", **changed)
    page = parse(shown).one("form", id="policyversion_form")
    assert not PolicyVersion.objects.exists()
    assert "25,000 USD → 30,000 USD" in said(shown)
    assert send(manager, page.fields(), "_save").status_code == 302
    assert policies.current(timezone.now()).minimum_deal_value_usd == 30_000


# What is in force, what comes, what was withdrawn


def test_flow_7_a_version_to_come_is_withdrawn_and_never_counts(cast: Cast, manager: Client) -> None:
    version(answer_days=10)
    coming = version(3, answer_days=99)
    page = reverse("admin:policy_policyversion_withdraw", args=[coming.pk])
    assert page in manager.get(reverse(OFFICE)).content.decode()
    assert manager.get(page).status_code == 200
    assert policies.current(timezone.now() + timedelta(days=4)).version == 2
    for _twice in range(2):
        assert manager.post(page).status_code == 302
    assert policies.current(timezone.now() + timedelta(days=4)).version == 1
    assert policies.by_version(2).answer_days == 99, "it keeps its number"
    (event,) = Event.objects.filter(verb="policy.version_withdrawn")
    assert (event.subject_id, event.actor_user) == (coming.pk, cast.users[MANAGER])
    office = said(manager.get(reverse(OFFICE)))
    assert "To come" not in office
    assert "Withdrawn" in office
    assert form(manager)["answer_days"] == "10"


def test_flow_7_what_is_in_force_is_not_withdrawn(cast: Cast, manager: Client) -> None:
    first = version(answer_days=10)
    answer = manager.post(reverse("admin:policy_policyversion_withdraw", args=[first.pk]), follow=True)
    assert "1 is in force already." in answer.content.decode()
    assert policies.current(timezone.now()).version == 1
    with pytest.raises(PermissionDenied):
        services.withdraw_policy_version(first, actor=cast.actor(REVIEWER), now=timezone.now())


def test_flow_7_the_next_one_starts_from_what_is_in_force(manager: Client) -> None:
    """And not from one whose time hasn't come."""
    version(answer_days=10)
    version(3, answer_days=99)
    assert form(manager)["answer_days"] == "10"
    assert "v2 replaces all numbers when its day comes" in said(manager.get(reverse(ADD)))


def test_flow_7_two_versions_of_one_day_are_refused(manager: Client) -> None:
    coming = version(3, answer_days=99)
    day = coming.effective_from.date().isoformat()
    answer = send(manager, form(manager), "_save", in_force_from=day, answer_days="12")
    assert "v1 is in force from this day on." in answer.context["adminform"].form.errors["in_force_from"][0]
    with pytest.raises(policies.DayTaken):
        version(3, answer_days=12)
    policies.withdraw(coming, now=timezone.now())
    assert send(manager, form(manager), "_save", in_force_from=day, answer_days="12").status_code == 302


def test_flow_7_a_version_may_wait_for_the_last_day_of_the_calendar(manager: Client) -> None:
    for refused in (False, True):
        answer = send(manager, form(manager), "_save", in_force_from="31.12.9999", answer_days="12")
        assert answer.status_code == (200 if refused else 302)
        assert manager.get(reverse(ADD)).status_code == 200


def test_flow_7_exactly_one_version_is_marked_as_in_force_and_history_says_what_changed(manager: Client) -> None:
    version(answer_days=10)
    version(answer_days=10, exception_quorum=3)
    version(3)
    page = parse(manager.get(reverse(OFFICE))).one("main")
    assert page.one("section", **{"aria-labelledby": "in-force"}).one("a").text == "v2"
    history = page.one("section", **{"aria-labelledby": "history"})
    assert [badge.text for badge in history.all("span") if badge.text == "In force"] == ["In force"]
    text = " ".join(history.text.split())
    assert "Votes that decide, at least EXC-8 : 2 → 3" in text
    assert "Time to answer a deal received REF-13 : 14 days → 10 days" in text


# Drafts


def test_a_draft_is_kept_without_any_effect_and_published_later(cast: Cast, manager: Client) -> None:
    kept = send(manager, form(manager), "_draft", answer_days="12", note="Quicker answers")
    assert kept.status_code == 302
    draft = PolicyDraft.objects.get()
    assert (draft.values, draft.note, draft.updated_by) == ({"answer_days": 12}, "Quicker answers", cast.users[MANAGER])
    assert policies.current(timezone.now()) == Policy()
    assert "Quicker answers" in said(manager.get(reverse(OFFICE)))
    again = form(manager, draft=draft.pk)
    assert (again["answer_days"], again["note"]) == ("12", "Quicker answers")
    assert send(manager, again, "_draft", answer_days="13").status_code == 302
    late = send(manager, again, "_draft", answer_days="14")
    assert "Somebody saved or dropped this draft meanwhile." in said(late)
    assert PolicyDraft.objects.get().values == {"answer_days": 13}
    assert send(manager, form(manager, draft=draft.pk), "_save").status_code == 302
    assert policies.current(timezone.now()).answer_days == 13
    assert not PolicyDraft.objects.exists()


def test_a_draft_is_dropped_and_only_managers_keep_any(cast: Cast, manager: Client) -> None:
    send(manager, form(manager), "_draft", answer_days="12")
    manager.post(reverse("admin:policy_policydraft_drop", args=[PolicyDraft.objects.get().pk]))
    assert not PolicyDraft.objects.exists()
    given: dict[str, Any] = {"values": {}, "effective_from": None, "note": "", "now": timezone.now()}
    with pytest.raises(PermissionDenied):
        services.save_policy_draft(**given, actor=cast.actor(REVIEWER))
    wrong = send(manager, form(manager), "_draft", answer_days="soon")
    assert "answer_days" in wrong.context["adminform"].form.errors


# Trying


def test_flow_7_what_would_have_gone_to_review_instead_is_shown_before_publishing(cast: Cast, manager: Client) -> None:
    live = Live(cast)
    approved = live.approved()
    live.in_review()
    assert (approved.status, approved.acv_usd is not None) == (states.APPROVED, True)
    limit = str(approved.acv_usd - 1) if approved.acv_usd else ""
    shown = send(manager, form(manager), "_preview", review_above_acv_usd=limit)
    text = said(shown)
    assert "Of the last 2 decisions 1 would have gone another way." in text
    assert f"{approved.referral.name} Contoso Yazılım Approved Review (Pending)" in text
    assert reverse("admin:dealreg_registration_change", args=[approved.pk]) in shown.content.decode()
    assert not PolicyVersion.objects.exists()
    assert simulation.simulate(Policy()) == (2, [])


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ({"minimum_acv_usd": Decimal(10**12)}, simulation.REFUSED),
        ({"minimum_deal_value_usd": Decimal(10**12)}, simulation.NOT_ELIGIBLE),
        ({"review_above_acv_usd": Decimal(1)}, states.REVIEW_PENDING),
        ({"answer_days": 1}, None),
    ],
)
def test_flow_7_a_simulation_tells_what_becomes_of_a_registration(
    cast: Cast, values: dict[str, Any], outcome: str | None
) -> None:
    approved = Live(cast).approved()
    looked_at, moved = simulation.simulate(Policy(**values))
    assert looked_at == 1
    assert [(one.registration.pk, one.was.outcome, one.becomes.outcome) for one in moved] == (
        [(approved.pk, states.APPROVED, outcome)] if outcome else []
    )
    assert Registration.objects.get(pk=approved.pk).status == states.APPROVED
