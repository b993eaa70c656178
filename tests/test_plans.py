"""The plans of a solution's offer, kept on the solution's page in the administration (LIC-2)."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from portal.catalog import services
from portal.catalog.models import Plan, Solution
from portal.events.models import Event
from tests import build
from tests.edge import Live, parse

MANAGER = "manager@vendor.example"


def save(client: Client, solution: Solution, *plans: dict[str, Any]) -> Any:
    """The solution's page with these rows; those with an id are known."""
    known = sum("id" in plan for plan in plans)
    form = {"plans-TOTAL_FORMS": len(plans), "plans-INITIAL_FORMS": known, "biz_apps": solution.biz_apps}
    form |= {"code": solution.code, "name": solution.name, "publisher": solution.publisher_id, "kind": solution.kind}
    form |= {name: "on" for name in ("published", "co_sell_ready", "azure_ip") if getattr(solution, name)}
    for number, plan in enumerate(plans):
        form |= {f"plans-{number}-{name}": value for name, value in {**plan, "solution": solution.pk}.items()}
    return client.post(reverse("admin:catalog_solution_change", args=[solution.pk]), form)


def test_lic_2_managers_keep_the_plans_of_a_solution_and_each_change_is_an_event(live: Live) -> None:
    manager, solution = live.browser(MANAGER), live.cast.solutions["retail"]
    answer = save(manager, solution, {"code": "basic", "name": "Basic", "offered": "on"})
    assert answer.status_code == 302, parse(answer).one("main").text
    plan = Plan.objects.get()
    assert (plan.solution, plan.code, plan.offered) == (solution, "basic", True)
    row = {"id": plan.pk, "code": "other", "name": "Basic plan"}
    assert save(manager, solution, row).status_code == 302
    plan.refresh_from_db()
    assert (plan.code, plan.name, plan.offered) == ("basic", "Basic plan", False)
    assert save(manager, solution, row).status_code == 302
    told = Event.objects.filter(verb__startswith="plan.").order_by("pk")
    assert [(e.verb, e.after, e.actor_name) for e in told] == [
        ("plan.added", {"solution": solution.code, "code": "basic", "name": "Basic", "offered": True}, "Mona Manager"),
        ("plan.changed", {"name": "Basic plan", "offered": False}, "Mona Manager"),
    ]
    twice = save(manager, solution, row, {"code": "basic", "name": "Again", "offered": "on"})
    assert twice.status_code == 200
    assert "errorlist" in twice.content.decode()
    assert Plan.objects.count() == 1


def test_lic_2_others_read_the_plans(live: Live) -> None:
    solution = live.cast.solutions["retail"]
    who = {"actor": live.cast.actor(MANAGER), "now": live.now}
    plan = services.add_plan(solution, code="basic", name="Basic plan", **who)
    reviewer = live.browser(build.REVIEWER)
    shown = reviewer.get(reverse("admin:catalog_solution_change", args=[solution.pk]))
    assert "Basic plan" in shown.content.decode()
    assert save(reviewer, solution, {"code": "x", "name": "X"}).status_code == 403
    stranger = {"actor": live.cast.actor(build.REVIEWER), "now": live.now}
    with pytest.raises(PermissionDenied):
        services.add_plan(solution, code="x", name="X", **stranger)
    with pytest.raises(PermissionDenied):
        services.change_plan(plan, name="X", offered=False, **stranger)
    assert Plan.objects.count() == 1
