"""The form of a deal: reported directly or from a won referral, or corrected; checked while it is typed (ISV-2..4)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from isvconnect.models import IsvDeal, Tag
from isvconnect.rules.values import IsvDealInput
from isvconnect.selectors import deals as selectors
from isvconnect.selectors.prefill import prefill
from isvconnect.services import deals as services
from isvconnect.verbs import CORRECT, REPORT
from isvconnect.web.forms import QUESTIONS, IsvDealForm, initial_of
from isvconnect.web.views import get_deal
from portal.accounts.decorators import ActorRequest, needs_actor
from portal.accounts.models import Location
from portal.catalog.models import Solution
from portal.customers.models import Customer
from portal.params import whole_number
from portal.policy import services as policies
from portal.ui import live
from portal.ui.forms import add_blockers, as_if_sent, conflicts, without_errors
from portal.ui.http import done, for_htmx, posted, version_shown
from portal.workflow import services as workflow
from portal.workflow.blockers import Blocker, Money, RuleViolation
from referrals.models import Referral
from referrals.web.actions import get_referral
from referrals.web.wizard.lookups import customers

#: So many invoices are listed before a form is sent; the deal's page has all of them.
MAX_YEARS = 12


class _Page:
    """The form's page in one request: of a direct deal, of one from a `referral`, or of a `deal` that is corrected."""

    def __init__(self, request: ActorRequest, *, referral: Referral | None = None, deal: IsvDeal | None = None) -> None:
        self.request, self.deal = request, deal
        #: Whether the page says what somebody else has changed meanwhile.
        self.told = False
        self.referral = deal.referral if deal else referral
        self.now = timezone.now()

    @cached_property
    def known(self) -> IsvDealInput:
        """What was stated, or is known from the referral (ISV-4)."""
        if self.deal:
            return self.deal.claim
        return prefill(self.referral, now=self.now) if self.referral else IsvDealInput()

    @property
    def fixed(self) -> IsvDealInput:
        """What isn't asked: a reported deal's location; of one from a referral that, and its customer (ISV-2)."""
        customer = self.known.customer if self.referral else None
        return IsvDealInput(location=self.known.location, customer=customer)

    @cached_property
    def places(self) -> list[Location]:
        return list(selectors.locations(self.request.actor, self.referral))

    @cached_property
    def solutions(self) -> list[Solution]:
        """Those that may be named; the one that was stays among them (ISV-3)."""
        sold = selectors.tagged_on(self.referral) if self.referral else selectors.tagged_solutions(self.request.actor)
        stated = [self.deal.solution] if self.deal else []
        return list(dict.fromkeys([*sold, *stated]))

    def form(self, data: Any = None) -> IsvDealForm:
        given: dict[str, Any] = {"places": self.places, "solutions": self.solutions, "fixed": self.fixed}
        return IsvDealForm(data, initial={**self._usual(), **initial_of(self.known)}, **given)

    def _usual(self) -> dict[str, Any]:
        """The only choice there is, and the person themselves as the contact."""
        user, names = self.request.user, ("first_name", "last_name", "phone", "email")
        choices: dict[str, Sequence[Any]] = {"location": self.places, "solution": self.solutions}
        only = {name: found[0] for name, found in choices.items() if len(found) == 1}
        return {f"contact_{name}": getattr(user, name) for name in names} | only

    def judge(self, form: IsvDealForm) -> selectors.Judgement:
        return services.check(form.value(), self.referral, self.deal, actor=self.request.actor, now=self.now)

    @property
    def back(self) -> str:
        if self.deal:
            return reverse("isv_deal", args=[self.deal.public_id])
        return reverse("deal", args=[self.referral.public_id]) if self.referral else reverse("isv_deals")

    def send(self, form: IsvDealForm) -> IsvDeal:
        """Report it, or correct it. Raises RuleViolation, Stale."""
        given: dict[str, Any] = {"actor": self.request.actor, "now": self.now}
        if self.deal is None:
            return services.report(form.value(), self.referral, key=form.cleaned_data.get("key"), **given)
        seen = whole_number(self.request.POST.get("version"))
        return workflow.run_from_page(self.deal, CORRECT, form.value(), seen_version=seen, **given)


@needs_actor
@require_http_methods(["GET", "POST"])
def report(request: ActorRequest) -> HttpResponse:
    """*Report closed ISV Connect deal*: a sale that no referral knows (ISV-2)."""
    if not REPORT.may(request.actor) or not (page := _Page(request)).places:
        raise PermissionDenied(gettext("Only referrals admins of a location report ISV Connect deals."))
    return _answer(page, gettext("Report closed ISV Connect deal"), gettext("Submit the deal"))


@needs_actor
@require_http_methods(["GET", "POST"])
def report_of(request: ActorRequest, public_id: uuid.UUID) -> HttpResponse:
    """The same form, prefilled from the company's own won referral; one that was reported is shown instead (ISV-4)."""
    referral = get_referral(request, public_id)
    if referral.company_id != request.actor.company_id or request.actor.is_vendor:
        raise Http404
    found = selectors.offer(referral, request.actor, timezone.now())
    if found.deal:
        return redirect("isv_deal", found.deal.public_id)
    if not found.allowed:
        raise PermissionDenied
    unmet = [
        criterion.message
        for criterion in found.criteria
        if criterion.code == "isv_solution" and criterion.state != "met"
    ]
    page, reasons = _Page(request, referral=referral), [*found.blockers, *unmet]
    heading, submit = gettext("Register for ISV Connect"), gettext("Submit the deal")
    told = {"cosell_first": bool(found.order_hint), "prefilled": page.known.solution_value is not None}
    return _answer(page, heading, submit, reasons=reasons, **told)


def correct(request: ActorRequest, public_id: uuid.UUID) -> HttpResponse:
    """The form of a deal before its first invoice (ISV-5)."""
    deal = get_deal(request, public_id)
    if not CORRECT.may(request.actor, deal):
        raise PermissionDenied
    reasons = workflow.available_action(deal, CORRECT, request.actor, timezone.now()).blockers
    heading, submit = gettext("Correct the deal"), gettext("Save the correction")
    return _answer(_Page(request, deal=deal), heading, submit, reasons=reasons)


def _answer(page: _Page, heading: str, submit: str, *, reasons: Sequence[Blocker] = (), **more: Any) -> HttpResponse:
    """The form; `reasons` why there is none."""
    request, shown = page.request, {"heading": heading, "submit": submit, "reasons": reasons, **more}
    if reasons or not page.solutions:
        shown |= {"no_solution": not reasons, "referral": page.referral, "deal": page.deal, "back": page.back}
        return render(request, "isvconnect/form.html", shown, status=422 if request.method == "POST" else 200)
    form = page.form(posted(request))
    if request.method == "POST" and not _looks_on(request):
        sent = _send(page, form)
        if sent:
            return done(request, sent[1], "isv_deal", sent[0].public_id)
        return render(request, "isvconnect/form.html", shown | _context(page, form, live.ALL), status=422)
    if form.is_bound:
        form.is_valid()
        without_errors(form)
    if request.htmx:
        context = _context(page, form, live.left_in(request.POST))
        return for_htmx(render(request, "isvconnect/check.html", shown | context))
    context = _context(page, form, " ".join(form.fields) if "check" in request.POST else "")
    shown |= {**context, "form": context["checked"]} if "check" in request.POST else context
    return for_htmx(render(request, "isvconnect/form.html", shown))


def _looks_on(request: ActorRequest) -> bool:
    """Whether the form was only sent to look something up, or to be checked."""
    return "find" in request.POST or "check" in request.POST


def _send(page: _Page, form: IsvDealForm) -> tuple[IsvDeal, str] | None:
    """The deal and what to say; None if it is refused, with everything that is wrong at its field (ISV-3)."""
    try:
        if form.is_valid():
            said = gettext("The deal was corrected.") if page.deal else gettext("The deal was submitted.")
            return page.send(form), said
        add_blockers(form, [b for b in page.judge(form).violations if b.field not in form.errors])
    except workflow.Stale as stale:
        page.deal, page.told = get_deal(page.request, page.deal.public_id) if page.deal else None, True
        add_blockers(form, [*stale.blockers, *conflicts(page.deal, stale.changes, QUESTIONS)] if page.deal else [])
    except RuleViolation as violation:
        add_blockers(form, violation.blockers)
    return None


def _context(page: _Page, form: IsvDealForm, left: str = "") -> dict[str, Any]:
    checked = page.form(form.data if form.is_bound else as_if_sent(form))
    checked.is_valid()
    fixed = page.fixed.customer
    return {
        "form": form,
        "referral": page.referral,
        "deal": page.deal,
        "version": version_shown(page.request, page.deal.version, told=page.told) if page.deal else "",
        "back": page.back,
        "customer": Customer.objects.filter(pk=fixed).first() if fixed else None,
        "customers": customers(form, page.request.actor) if "customer" in form.fields else [],
        "least": Money(policies.current(page.now).isv_minimum_value_usd, "USD"),
        **_checked(page, checked, left),
    }


def _checked(page: _Page, form: IsvDealForm, left: str) -> dict[str, Any]:
    """The dry run: what is wrong at its field, as far as that was left, and the schedule (ISV-6)."""
    judgement = page.judge(form)
    years, value = judgement.years, judgement.claim.solution_value
    return {
        "checked": form,
        "judgement": judgement,
        "ready": not judgement.violations and not form.errors,
        "years": years[:MAX_YEARS],
        "more_years": max(0, len(years) - MAX_YEARS),
        "total": value.amount if value else None,
        "total_fee": sum((year.fee for year in years if year.fee is not None), Decimal(0)) if years else None,
        "currency": value.currency if value else "",
        "tag": Tag(judgement.tag).label if judgement.tag else "",
        "rate_months": sorted({rate.month for rate in judgement.rates.values()}),
        **live.settle(form, judgement.violations, left=left),
    }
