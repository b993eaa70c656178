"""What is looked up while somebody types in the wizard: customers and solutions."""

from __future__ import annotations

import contextlib
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from portal.accounts.decorators import ActorRequest, needs_actor
from portal.accounts.rules import Actor
from portal.customers.models import Customer
from referrals.web.wizard import choices


def customers(form: Any, actor: Actor) -> list[Customer]:
    """The customers found, and the one already chosen."""
    query, country = form["customer_search"].value() or "", form["country"].value() or ""
    directory = Customer.objects.seen_by(actor.own_company_id)
    found = list(directory.suggest(country, query)) if query.strip() and country else []
    chosen = form["customer"].value()
    if chosen and str(chosen) not in {str(c.public_id) for c in found}:
        with contextlib.suppress(ValueError, ValidationError):  # a forged id: the form says so
            found = [*directory.filter(public_id=chosen), *found]
    return found


@needs_actor
@require_GET
def suggest_customers(request: ActorRequest) -> HttpResponse:
    """Customers of the directory by country and first letters, as choices for the form (REF-5)."""
    query, country = request.GET.get("customer_search", ""), request.GET.get("country", "")
    directory = Customer.objects.seen_by(request.actor.own_company_id)
    found = directory.suggest(country, query) if query.strip() and country else []
    return render(
        request, "referrals/_customers.html#customers", {"customers": found, "query": query, "country": country}
    )


@needs_actor
@require_GET
def suggest_solutions(request: ActorRequest) -> HttpResponse:
    """Third-party solutions by some letters, together with those already chosen (REF-8)."""
    query, chosen = request.GET.get("solution_search", ""), request.GET.getlist("solutions")
    return render(
        request,
        "referrals/new/solutions.html#third",
        {"group": choices.third_party(request.actor, query, chosen), "query": query},
    )
