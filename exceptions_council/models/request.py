"""Requests for exceptions: one per referral, ever, from *submitted* to a decision that is final (EXC-1, EXC-6)."""

from __future__ import annotations

import uuid
from datetime import date, datetime

import uuid6
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import RETURN_VALUE, FSMField, transition

from dealreg.models import Registration
from exceptions_council.rules import states
from exceptions_council.rules.form import AskedValues
from portal.accounts.rules import COUNCIL_MEMBER, PROGRAMME_MANAGER, REVIEWER, Actor
from portal.workflow.blockers import Blocker, Money, from_json
from portal.workflow.models import Record
from referrals.models import Referral, of_visible


class Kind(models.TextChoices):
    PRE_REGISTRATION = states.PRE_REGISTRATION, _("Pre-registration")
    REJECTED = states.REJECTED, _("Rejected registration")
    UPDATE = states.UPDATE, _("Update of a registration")
    REREGISTRATION = states.REREGISTRATION, _("Re-registration")


class Status(models.TextChoices):
    SUBMITTED = states.SUBMITTED, _("Submitted")
    IN_REVIEW = states.IN_REVIEW, _("With the council")
    EVIDENCE_REQUESTED = states.EVIDENCE_REQUESTED, _("Evidence requested")
    APPROVED = states.APPROVED, _("Approved")
    DENIED = states.DENIED, _("Denied")


OPEN = (Status.SUBMITTED, Status.IN_REVIEW, Status.EVIDENCE_REQUESTED)
FINAL = (Status.APPROVED, Status.DENIED)


class ExceptionRequestQuerySet(models.QuerySet["ExceptionRequest"]):
    def visible_to(self, actor: Actor) -> ExceptionRequestQuerySet:
        """Those of the company's own visible deals; council, reviewers and programme managers see all (EXC-10)."""
        if actor.is_system:
            return self
        if actor.is_vendor:
            return self if actor.has(COUNCIL_MEMBER, REVIEWER, PROGRAMME_MANAGER) else self.none()
        return self.filter(of_visible(actor))

    def with_owner(self) -> ExceptionRequestQuerySet:
        """With whose they are, without the deals' models: for sweeps of many rows."""
        return self.annotate(
            found_owner=models.F(ExceptionRequest.owner_path), found_group=models.F(ExceptionRequest.group_path)
        )

    def with_context(self) -> ExceptionRequestQuerySet:
        return self.select_related(
            "submitted_by",
            "replaces__engagement__customer",
            "referral__registration__solution",
            "referral__engagement__customer",
            "referral__company",
            "referral__location",
        ).prefetch_related("referral__team", "evidence", "votes__member", "conflicts__member")

    def open(self) -> ExceptionRequestQuerySet:
        return self.filter(status__in=OPEN)

    def decided(self) -> ExceptionRequestQuerySet:
        return self.filter(status__in=FINAL)

    def evidence_due(self, now: datetime) -> ExceptionRequestQuerySet:
        """Evidence was asked for, and the time to give it is over (EXC-11)."""
        return self.filter(status=Status.EVIDENCE_REQUESTED, evidence_due_at__lte=now)

    def overdue(self, today: date) -> ExceptionRequestQuerySet:
        """Not decided by the day they should have been (EXC-7)."""
        return self.open().filter(due_on__lt=today)


class ExceptionRequest(Record):
    """A request for an exception on one deal. Changes only through its verbs; a decision is final (EXC-6)."""

    owner_path, group_path = "referral__company_id", "referral__engagement__public_id"

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    #: One request per referral, ever (EXC-1).
    referral = models.OneToOneField(Referral, on_delete=models.PROTECT, related_name="exception_request")
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    status = FSMField(_("status"), choices=Status.choices, default=Status.SUBMITTED, protected=True)

    # What the partner states. What is not asked for is empty (AskedValues).
    justification = models.TextField(_("Justification"))
    term = models.CharField(_("Contract term"), max_length=10, choices=Registration.Term.choices, blank=True)
    tcv = models.DecimalField(_("Total contract value"), max_digits=18, decimal_places=2, null=True, blank=True)
    tcv_currency = models.CharField(_("Currency"), max_length=3, blank=True)
    signed = models.DateField(_("Contract signed"), null=True, blank=True)
    start = models.DateField(_("Contract start"), null=True, blank=True)
    end = models.DateField(_("Contract end"), null=True, blank=True)
    #: The deal that this one is to replace (EXC-13).
    replaces = models.ForeignKey(
        Referral, verbose_name=_("Earlier deal"), on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    tooling_error = models.BooleanField(_("An error of the portal stood in the way"), default=False)
    tickets = models.CharField(_("Support ticket numbers"), max_length=500, blank=True)

    # What there was when it was asked (FLOW-7): blockers as JSON, the policy's version, and the rates
    refusals = models.JSONField(default=list)
    #: The registration's values then, as AskedValues names them, to say what changes.
    values_then = models.JSONField(default=dict)
    policy_version = models.PositiveIntegerField(default=0)
    rates = models.JSONField(default=dict)

    created_at = models.DateTimeField()
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    #: When the partner last sent something; the documents there were then are evidence (REG-16).
    last_sent_at = models.DateTimeField()
    in_review_at = models.DateTimeField(null=True)
    #: The last day (UTC) to decide: so many business days after the submission (EXC-7).
    due_on = models.DateField(_("due on"))
    overdue_at = models.DateTimeField(null=True)
    #: When too few of the council were found to vote (EXC-15).
    too_few_at = models.DateTimeField(null=True)
    evidence_asked_at = models.DateTimeField(null=True)
    evidence_due_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    #: The last day (UTC) of what the approval opened (EXC-12).
    open_until = models.DateField(null=True)

    objects = ExceptionRequestQuerySet.as_manager()

    derived_columns = frozenset({"version"})

    class Meta:
        verbose_name = _("exception request")
        verbose_name_plural = _("exception requests")
        indexes = [
            models.Index(fields=["due_on"], condition=models.Q(status__in=OPEN), name="exceptions_docket"),
            models.Index(
                fields=["evidence_due_at"],
                condition=models.Q(status=Status.EVIDENCE_REQUESTED),
                name="exceptions_evidence_due",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="exceptions_request_status"),
            models.CheckConstraint(condition=models.Q(kind__in=Kind.values), name="exceptions_request_kind"),
            models.CheckConstraint(
                condition=models.Q(status__in=FINAL, decided_at__isnull=False)
                | (~models.Q(status__in=FINAL) & models.Q(decided_at=None)),
                name="exceptions_request_decided",
            ),
            models.CheckConstraint(
                condition=models.Q(status=Status.APPROVED, open_until__isnull=False)
                | (~models.Q(status=Status.APPROVED) & models.Q(open_until=None)),
                name="exceptions_request_open_until",
            ),
            models.CheckConstraint(
                condition=models.Q(status=Status.EVIDENCE_REQUESTED, evidence_due_at__isnull=False)
                | (~models.Q(status=Status.EVIDENCE_REQUESTED) & models.Q(evidence_due_at=None)),
                name="exceptions_request_evidence",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind=Kind.PRE_REGISTRATION) | models.Q(signed__isnull=False, start__isnull=False),
                name="exceptions_request_dates",
            ),
            models.CheckConstraint(
                condition=models.Q(kind=Kind.REREGISTRATION, replaces__isnull=False)
                | (~models.Q(kind=Kind.REREGISTRATION) & models.Q(replaces=None)),
                name="exceptions_request_replaces",
            ),
            models.CheckConstraint(
                condition=~models.Q(replaces=models.F("referral")), name="exceptions_request_replaces_another"
            ),
            models.CheckConstraint(
                condition=models.Q(tcv=None, tcv_currency="") | models.Q(tcv__gt=0), name="exceptions_request_tcv"
            ),
            models.CheckConstraint(condition=~models.Q(justification=""), name="exceptions_request_justified"),
        ]

    def __str__(self) -> str:
        return f"{self.referral} · {self.get_status_display()}"

    # Which moves exist (EXC-6, EXC-11). The verbs call them, and do everything else (exceptions_council.verbs).

    @transition(
        status,
        source=[Status.SUBMITTED, Status.IN_REVIEW],
        target=RETURN_VALUE(Status.IN_REVIEW, Status.APPROVED, Status.DENIED),
    )
    def vote(self, state: str) -> str:
        return state

    @transition(status, source=[Status.SUBMITTED, Status.IN_REVIEW], target=Status.EVIDENCE_REQUESTED)
    def ask_evidence(self) -> None: ...

    @transition(status, source=Status.EVIDENCE_REQUESTED, target=Status.IN_REVIEW)
    def answer_evidence(self) -> None: ...

    @transition(status, source=Status.EVIDENCE_REQUESTED, target=Status.IN_REVIEW)
    def evidence_unanswered(self) -> None: ...

    @transition(status, source=list(OPEN), target=None)
    def declare_conflict(self) -> None: ...

    @transition(status, source=list(OPEN), target=None)
    def note_overdue(self) -> None: ...

    @transition(status, source=list(OPEN), target=None)
    def note_too_few(self) -> None: ...

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
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def asked(self) -> AskedValues:
        """What it asks the registration to say."""
        tcv = Money(self.tcv, self.tcv_currency) if self.tcv is not None else None
        return AskedValues(self.term or None, tcv, self.signed, self.start, self.end)

    @property
    def reasons(self) -> list[Blocker]:
        """What had been refused when it was asked, as it was said then."""
        return [from_json(reason) for reason in self.refusals]

    def is_overdue(self, today: date) -> bool:
        return not self.is_final and self.due_on < today
