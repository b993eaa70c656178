"""Deal registrations: one per referral, from *may be registered* to *closed* (FLOW)."""

from __future__ import annotations

import uuid
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any

import uuid6
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import JSONArray
from django.utils.translation import gettext_lazy as _
from django_fsm import RETURN_VALUE, FSMField, transition

from dealreg import rules
from dealreg.models.sample import Sample
from dealreg.models.states import DECIDED, NOT_REGISTERED, OUTCOMES, RETRACTED, Status, Validation
from dealreg.rules import states
from portal.accounts.rules import Actor
from portal.catalog.models import Solution
from portal.workflow.blockers import Blocker, Money, from_json
from portal.workflow.models import Record
from referrals.models import Referral, of_visible


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def visible_to(self, actor: Actor) -> RegistrationQuerySet:
        """The registrations of the company's own visible referrals; the vendor's people see all of them (ORG-2)."""
        if actor.is_system:
            return self
        if actor.is_vendor:
            return self if actor.grants else self.none()
        return self.filter(of_visible(actor))

    def with_owner(self) -> RegistrationQuerySet:
        """With whose they are, without the deals' models: for sweeps of many rows."""
        return self.annotate(
            found_owner=models.F(Registration.owner_path), found_group=models.F(Registration.group_path)
        )

    def with_sale(self) -> RegistrationQuerySet:
        """As with_owner(), and with the names of the sale.

        All found by each row's key: joined to rows that are locked, the planner may walk through all deals for each.
        """
        deal = Referral.objects.filter(pk=models.OuterRef("referral_id"))
        names = JSONArray("company__name", "engagement__customer__name")
        solution = Solution.objects.filter(pk=models.OuterRef("solution_id"))
        return self.annotate(
            found_owner=models.Subquery(deal.values("company_id")),
            found_group=models.Subquery(deal.values("engagement__public_id")),
            found_names=models.Subquery(deal.annotate(names=names).values("names")),
            found_solution=models.Subquery(solution.values("name")),
        )

    def with_context(self) -> RegistrationQuerySet:
        """Load what pages and verbs need without a query per row, but not the deal's long text that only search
        reads."""
        related = self.select_related(
            "solution", "referral__engagement__customer", "referral__company", "referral__location"
        )
        return related.defer("referral__search_text", "referral__search_vector").prefetch_related("referral__team")

    def to_register(self) -> RegistrationQuerySet:
        """Won deals whose registration has not been filed yet."""
        return self.filter(status=Status.REGISTRATION_PENDING, submitted_at=None)

    def to_route(self) -> RegistrationQuerySet:
        return self.filter(status=Status.REGISTRATION_PENDING, submitted_at__isnull=False)

    def approved(self) -> RegistrationQuerySet:
        """Approved or passed, closed ones included (REG-18)."""
        return self.filter(models.Q(status__in=states.GOOD) | models.Q(outcome__in=states.GOOD))

    def due_to_close(self, now: datetime) -> RegistrationQuerySet:
        return self.filter(status__in=DECIDED, close_due_at__lte=now)

    def awaiting_transaction(self) -> RegistrationQuerySet:
        """Those that wait for their marketplace transaction (FLOW-3)."""
        return self.filter(status=Status.MARKETPLACE_PENDING)

    def unanswered(self, now: datetime) -> RegistrationQuerySet:
        """Sent back, and the time to correct them is over (FLOW)."""
        return self.filter(status=Status.ACTION_REQUIRED, action_due_at__lte=now)

    def to_sample(self, until: datetime) -> RegistrationQuerySet:
        """Approved, closing by then, and in no random sample yet (FLOW-4)."""
        return self.filter(status=Status.APPROVED, sample=None, close_due_at__lte=until)


class Registration(Record):
    """The registration of one won referral. Changes only through its verbs."""

    owner_path, group_path = "referral__company_id", "referral__engagement__public_id"

    class Deployment(models.TextChoices):
        AZURE = "azure", _("Azure")
        OTHER = "other", _("Other")

    class Term(models.TextChoices):
        PERPETUAL = "perpetual", _("Perpetual")
        FINITE = "finite", _("Finite")

    class Tenant(models.TextChoices):
        CUSTOMER = "customer", _("Customer tenant")
        PARTNER = "partner", _("Partner tenant")

    class Pricing(models.TextChoices):
        PAYG = "payg", _("Pay-as-you-go")
        OTHER = "other", _("Other")

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    referral = models.OneToOneField(Referral, on_delete=models.PROTECT, related_name="registration")
    status = FSMField(_("status"), choices=Status.choices, default=Status.REGISTRATION_PENDING, protected=True)
    outcome = models.CharField(_("outcome"), max_length=30, blank=True)

    # What the partner states: each question once, with its label and what the form says to it. The form asks them in
    # the kind of their columns (dealreg.web.forms), and the rules know them by these names (RegistrationInput).
    solution = models.ForeignKey(
        Solution, verbose_name=_("Solution"), on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    renews = models.ForeignKey(
        "self",
        verbose_name=_("Renewal of"),
        on_delete=models.PROTECT,
        related_name="renewals",
        null=True,
        blank=True,
        help_text=_("The earlier registration, if this contract renews it."),
    )
    marketplace = models.BooleanField(_("Is it a marketplace transaction?"), null=True)
    marketplace_date = models.DateField(_("Estimated transaction date"), null=True, blank=True)
    deployment = models.CharField(
        _("Where is the solution deployed?"), max_length=10, choices=Deployment.choices, blank=True
    )
    term = models.CharField(_("Contract term"), max_length=10, choices=Term.choices, blank=True)
    tcv = models.DecimalField(
        _("Total contract value"),
        max_digits=18,
        decimal_places=2,
        null=True,
        help_text=_("Software and services, without hardware."),
    )
    tcv_currency = models.CharField(_("Currency"), max_length=3, blank=True)
    solution_value = models.DecimalField(
        _("Solution value"),
        max_digits=18,
        decimal_places=2,
        null=True,
        help_text=_("The total contract value less non-recurring application fees."),
    )
    solution_value_currency = models.CharField(_("Currency"), max_length=3, blank=True)
    payg_year_value = models.DecimalField(
        _("Paid in twelve months"),
        max_digits=18,
        decimal_places=2,
        null=True,
        blank=True,
        help_text=_("Only if an average year is too little: the most paid in some twelve months, same currency."),
    )
    signed = models.DateField(
        _("Contract signed"), null=True, help_text=_("Pay-as-you-go: the date of the first invoice.")
    )
    start = models.DateField(
        _("Contract start"),
        null=True,
        help_text=_("The day the customer starts to use the solution; it may be before the signing."),
    )
    end = models.DateField(
        _("Contract end"),
        null=True,
        blank=True,
        help_text=_("Not for a perpetual contract. Pay-as-you-go: the date of the last or latest invoice."),
    )
    tenant = models.CharField(_("Tenant type"), max_length=10, choices=Tenant.choices, blank=True)
    pricing = models.CharField(_("Pricing model"), max_length=10, choices=Pricing.choices, blank=True)
    contract_names_confirmed = models.BooleanField(
        _("My company holds the contract with the customer, and it names my company and the eligible solution."),
        default=False,
        help_text=_("Where several partners take part, only the one that holds the contract registers the deal."),
    )

    # What was found when it was opened (ELIG-10): the criteria with their values, and the solutions that fulfilled them
    criteria = models.JSONField(default=list)
    open_solutions = models.JSONField(default=list)

    # What was found on submission, then frozen (FX-2, FLOW-7)
    acv = models.DecimalField(_("annual contract value"), max_digits=18, decimal_places=2, null=True)
    acv_usd = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    tcv_usd = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    solution_value_usd = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    rates = models.JSONField(default=dict)
    policy_version = models.PositiveIntegerField(default=0)
    #: Why it was routed as it was: blockers as JSON (FLOW-2).
    route_reasons = models.JSONField(default=list)
    #: What each decision was made by, by the version that it made, other companies' records included; for reviewers
    #: and replays, never for the partner, and so in no event (AUTO-2, AUTO-5, ORG-6).
    route_facts = models.JSONField(default=dict)

    # The last decision, as the partner reads it
    reason_code = models.CharField(max_length=40, blank=True)
    comment = models.TextField(blank=True)
    #: By what a reviewer found the claim true (FLOW-10).
    validated_by = models.CharField(_("validated by"), max_length=10, choices=Validation.choices, blank=True)
    #: The state that the last decision left, where retracting it leads (FLOW, retract).
    decided_from = models.CharField(max_length=30, choices=Status.choices, blank=True)
    #: What a revalidation or a correction that comes to nothing closes with: the columns of BY_REVALIDATION or
    #: BY_REOPENING, and the outcome; what `reopen` keeps says so as `for` (PAYG-3, EXC-12).
    previous = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    #: The random sample that it took part in, chosen or not (FLOW-4).
    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, null=True, editable=False, related_name="+")

    created_at = models.DateTimeField()
    first_submitted_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    review_pending_at = models.DateTimeField(null=True)
    action_required_at = models.DateTimeField(null=True)
    #: Until when its marketplace transaction is waited for (FLOW-3); kept after the decision.
    marketplace_until = models.DateTimeField(null=True)
    action_due_at = models.DateTimeField(null=True)
    #: When a retracted decision left it waiting for its marketplace transaction again: the clock counts from here.
    marketplace_again_at = models.DateTimeField(null=True)
    revalidated_at = models.DateTimeField(null=True)
    #: When an approved exception opened it to be corrected; null again once it is closed (EXC-9).
    reopened_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    close_due_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    objects = RegistrationQuerySet.as_manager()

    derived_columns = frozenset({"version", "sample_id", "route_facts"})

    class Meta:
        verbose_name = _("deal registration")
        verbose_name_plural = _("deal registrations")
        indexes = [
            models.Index(fields=["status", "review_pending_at"], name="dealreg_review_queue"),
            models.Index(fields=["close_due_at"], condition=models.Q(status__in=DECIDED), name="dealreg_due_to_close"),
            models.Index(
                fields=["submitted_at"],
                condition=models.Q(status=Status.REGISTRATION_PENDING, submitted_at__isnull=False),
                name="dealreg_to_route",
            ),
            models.Index(
                fields=["marketplace_until"],
                condition=models.Q(status=Status.MARKETPLACE_PENDING),
                name="dealreg_marketplace_due",
            ),
            models.Index(
                fields=["action_due_at"],
                condition=models.Q(status=Status.ACTION_REQUIRED),
                name="dealreg_unanswered",
            ),
            models.Index(
                fields=["close_due_at"],
                condition=models.Q(status=Status.APPROVED, sample=None),
                name="dealreg_to_sample",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="dealreg_registration_status"),
            models.CheckConstraint(
                condition=models.Q(status=Status.CLOSED, outcome__in=list(OUTCOMES), closed_at__isnull=False)
                | (~models.Q(status=Status.CLOSED) & models.Q(outcome="", closed_at__isnull=True)),
                name="dealreg_registration_outcome",
            ),
            models.CheckConstraint(
                condition=models.Q(status=Status.REGISTRATION_PENDING)
                | models.Q(submitted_at__isnull=False)
                | models.Q(outcome__in=[NOT_REGISTERED, states.REPLACED]),
                name="dealreg_registration_submitted",
            ),
            models.CheckConstraint(
                condition=(models.Q(tcv=None) | models.Q(tcv__gt=0))
                & (models.Q(solution_value=None) | models.Q(solution_value__gt=0))
                & (models.Q(payg_year_value=None) | models.Q(payg_year_value__gt=0)),
                name="dealreg_registration_values_positive",
            ),
            models.CheckConstraint(
                condition=~models.Q(status=Status.MARKETPLACE_PENDING)
                | models.Q(marketplace_until__isnull=False, marketplace_date__isnull=False),
                name="dealreg_registration_marketplace",
            ),
            models.CheckConstraint(
                condition=models.Q(validated_by__in=["", *Validation.values]), name="dealreg_registration_validated_by"
            ),
            models.CheckConstraint(
                condition=models.Q(decided_from__in=["", *RETRACTED]), name="dealreg_registration_decided_from"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.referral} · {self.get_status_display()}"

    # Which moves exist (FLOW). The verbs call them, and do everything else (dealreg.verbs).

    @transition(status, source=Status.REGISTRATION_PENDING, target=None)
    def submit(self) -> None: ...

    @transition(
        status,
        source=Status.REGISTRATION_PENDING,
        target=RETURN_VALUE(Status.APPROVED, Status.REVIEW_PENDING, Status.MARKETPLACE_PENDING),
    )
    def route(self, state: str) -> str:
        return state

    @transition(status, source=Status.REGISTRATION_PENDING, target=Status.CLOSED)
    def close_unregistered(self) -> None: ...

    @transition(status, source=Status.APPROVED, target=Status.REVIEW_PENDING)
    def select_for_review(self) -> None: ...

    @transition(status, source=Status.REVIEW_PENDING, target=Status.REVIEW_PASSED)
    def pass_review(self) -> None: ...

    @transition(status, source=Status.REVIEW_PENDING, target=Status.REVIEW_FAILED)
    def fail_review(self) -> None: ...

    @transition(status, source=[Status.REVIEW_PENDING, Status.MARKETPLACE_PENDING], target=Status.ACTION_REQUIRED)
    def require_action(self) -> None: ...

    @transition(status, source=Status.ACTION_REQUIRED, target=Status.REVIEW_PENDING)
    def resubmit(self) -> None: ...

    @transition(status, source=Status.MARKETPLACE_PENDING, target=Status.MARKETPLACE_PASSED)
    def match(self) -> None: ...

    @transition(status, source=Status.MARKETPLACE_PENDING, target=Status.MARKETPLACE_FAILED)
    def no_match(self) -> None: ...

    @transition(status, source=list(DECIDED), target=Status.CLOSED)
    def close(self) -> None: ...

    @transition(
        status,
        source=[s for s in Status if s != Status.REGISTRATION_PENDING],
        target=Status.ACTION_REQUIRED,
    )
    def reopen(self) -> None: ...

    @transition(status, source=Status.CLOSED, target=Status.REGISTRATION_PENDING)
    def open_anew(self) -> None: ...

    @transition(status, source=list(Status), target=Status.CLOSED)
    def replace(self) -> None: ...

    @transition(status, source=[Status.APPROVED, Status.REVIEW_PASSED, Status.CLOSED], target=Status.REVIEW_PENDING)
    def revalidate(self) -> None: ...

    @transition(status, source=Status.ACTION_REQUIRED, target=Status.CLOSED)
    def withdraw(self) -> None: ...

    @transition(status, source=Status.ACTION_REQUIRED, target=RETURN_VALUE(Status.REVIEW_FAILED, Status.CLOSED))
    def fail_unanswered(self, state: str) -> str:
        return state

    @transition(status, source=Status.REVIEW_PASSED, target=Status.REVIEW_PENDING)
    @transition(status, source=Status.REVIEW_FAILED, target=RETURN_VALUE(Status.REVIEW_PENDING, Status.ACTION_REQUIRED))
    @transition(
        status, source=[Status.MARKETPLACE_PASSED, Status.MARKETPLACE_FAILED], target=Status.MARKETPLACE_PENDING
    )
    def retract(self) -> str:
        return self.decided_from

    @transition(status, source=Status.CLOSED, target=Status.REGISTRATION_PENDING)
    def register_after_all(self) -> None: ...

    # Properties

    @property
    def owner_id(self) -> int:
        owner: int | None = vars(self).get("found_owner")  # with_owner()
        return owner or self.referral.company_id

    @property
    def event_group(self) -> uuid.UUID:
        group: uuid.UUID | None = vars(self).get("found_group")  # with_owner()
        return group or self.referral.engagement.public_id

    @property
    def sale_names(self) -> tuple[str, str, str]:
        """Partner, customer and solution, for the event of a decision."""
        held = vars(self)
        if "found_names" in held:  # with_sale()
            return (*held["found_names"], held["found_solution"] or "")
        deal = self.referral
        return deal.company.name, deal.engagement.customer.name, self.solution.name if self.solution else ""

    @property
    def is_being_routed(self) -> bool:
        """Whether it is filed and still waits for a worker to route it; the page then says *checking* (FLOW-1)."""
        return self.status == Status.REGISTRATION_PENDING and self.submitted_at is not None

    @property
    def reasons(self) -> list[Blocker]:
        return [from_json(reason) for reason in self.route_reasons]

    @property
    def claim(self) -> rules.RegistrationInput:
        """What was stated, as the form holds it: each question has the column of its name."""
        stated = {q.name: getattr(self, _KEYS.get(q.name, q.name)) for q in fields(rules.RegistrationInput)}
        stated |= {"tcv": self.tcv_money, "solution_value": self.solution_money}
        answers: dict[str, Any] = {name: None if value == "" else value for name, value in stated.items()}
        return rules.RegistrationInput(**answers)

    @claim.setter
    def claim(self, form: rules.RegistrationInput) -> None:
        stated = vars(form).copy()
        for name in ("tcv", "solution_value"):
            stated[name], stated[f"{name}_currency"] = _split(stated[name])
        empty = type(self)()
        for name, value in stated.items():
            column = _KEYS.get(name, name)
            setattr(self, column, getattr(empty, column) if value is None else value)

    @property
    def tcv_money(self) -> Money | None:
        return _joined(self.tcv, self.tcv_currency)

    @property
    def solution_money(self) -> Money | None:
        return _joined(self.solution_value, self.solution_value_currency)

    @property
    def payg_year_money(self) -> Money | None:
        return _joined(self.payg_year_value, self.tcv_currency)

    @property
    def acv_money(self) -> Money | None:
        return _joined(self.acv, self.tcv_currency)

    @property
    def outcome_text(self) -> str:
        return str(OUTCOMES.get(self.outcome, ""))

    @property
    def reason(self) -> str:
        """The msgid of the last decision's reason; where nobody answered in time, of what had been asked (FLOW-5)."""
        return states.decision_text(self.reason_code, status=self.status, decided_from=self.decided_from)

    @property
    def state_since(self) -> datetime | None:
        """When it came into its state."""
        since = {
            Status.REGISTRATION_PENDING: self.submitted_at or self.created_at,
            Status.APPROVED: self.approved_at,
            Status.REVIEW_PENDING: self.review_pending_at,
            Status.ACTION_REQUIRED: self.action_required_at,
            Status.MARKETPLACE_PENDING: self.marketplace_again_at or self.submitted_at,
            Status.CLOSED: self.closed_at,
        }
        return since.get(Status(self.status), self.decided_at)

    @property
    def was_unanswered(self) -> bool:
        """Whether it failed because nobody corrected it in time (FLOW, fail_unanswered)."""
        return self.decided_from == Status.ACTION_REQUIRED

    @property
    def is_revalidation(self) -> bool:
        """Whether it is being checked again at a new value (FLOW-6)."""
        return self.previous is not None and self.previous.get("for") != "reopen"

    @property
    def is_reopened(self) -> bool:
        """Whether an approved exception opened it to be corrected, and it isn't closed again yet (EXC-9)."""
        return self.reopened_at is not None

    @property
    def was_withdrawn(self) -> bool:
        """Whether it was filed and given up (FLOW, withdraw)."""
        return self.outcome == NOT_REGISTERED and self.submitted_at is not None

    @property
    def has_failed(self) -> bool:
        """Whether it failed review or marketplace validation; stays true after it is closed."""
        return not {self.status, self.outcome}.isdisjoint({Status.REVIEW_FAILED, Status.MARKETPLACE_FAILED})


#: Questions that are answered by a row: the rules know its key.
_KEYS = {"solution": "solution_id", "renews": "renews_id"}


def _split(money: Money | None) -> tuple[Decimal | None, str]:
    return (money.amount, money.currency) if money else (None, "")


def _joined(amount: Decimal | None, currency: str) -> Money | None:
    return Money(amount, currency) if amount is not None and currency else None
