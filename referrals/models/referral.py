"""Referrals: each company's copy of an engagement, with its team, its solutions and its stars."""

from __future__ import annotations

import uuid
from datetime import datetime

import uuid6
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from portal.accounts.models import Company, Location
from portal.accounts.rules import SELLER, Actor, reading_scope, team_scope, writing_scope
from portal.workflow.blockers import Money
from portal.workflow.models import Record
from referrals import rules
from referrals.models import expressions
from referrals.models.engagement import Engagement
from referrals.models.sharing import Sharing
from referrals.rules import sharing


class Substatus(models.TextChoices):
    """The substatuses of REF-11, with the API's tokens."""

    RECEIVED = rules.RECEIVED, _("Received")
    ACCEPTED = rules.ACCEPTED, _("Accepted")
    WON = rules.WON, _("Won")
    LOST = rules.LOST, _("Lost")
    DECLINED = rules.DECLINED, _("Declined")
    EXPIRED = rules.EXPIRED, _("Expired")
    ERROR = rules.ERROR, _("Error")


def _listed(actor: Actor) -> models.Q:
    """The deals of the actor's locations whose team lists them (ORG-2)."""
    scope = team_scope(actor)
    if not scope:
        return models.Q(pk__in=())
    place = TeamMember.objects.filter(referral=models.OuterRef("pk"), email=actor.email.lower())
    listed = models.Q(models.Exists(place))
    return listed if scope.entire_company else listed & models.Q(location_id__in=scope.location_ids)


class ReferralQuerySet(models.QuerySet["Referral"]):
    def visible_to(self, actor: Actor) -> ReferralQuerySet:
        """The referrals that the actor may read (ORG-2, ORG-4, ORG-6, REF-3)."""
        if actor.is_system:
            return self
        if actor.is_vendor:
            if not actor.grants:
                return self.none()
            return self.filter(models.Q(company_id=actor.own_company_id) | models.Q(vendor_may_view=True))
        own = self.filter(company_id=actor.own_company_id)
        scope = reading_scope(actor)
        if scope.entire_company:
            return own
        return own.filter(models.Q(location_id__in=scope.location_ids) | _listed(actor))

    def changeable_by(self, actor: Actor) -> ReferralQuerySet:
        """The company's own referrals that the actor may change, as policies.may_change says of one (ORG-2)."""
        own = self.filter(company_id=actor.own_company_id)
        if actor.is_vendor:
            return own if actor.has(SELLER) else own.none()
        scope = writing_scope(actor)
        if scope.entire_company:
            return own
        return own.filter(models.Q(location_id__in=scope.location_ids) | _listed(actor))

    def of_company(self, actor: Actor) -> ReferralQuerySet:
        """The referrals in the actor's lists: the company's own copies; for the vendor also partner-led deals it may
        view."""
        if not actor.is_vendor:
            return self.filter(company_id=actor.own_company_id)
        partner_led = models.Q(vendor_may_view=True, help_code=rules.NO_HELP)
        return self.filter(models.Q(company_id=actor.own_company_id) | partner_led)

    def created_with(self, key: uuid.UUID, *, company_id: int) -> ReferralQuerySet:
        """The company's own copy of the deal it created with this creation key."""
        own = self.filter(company_id=company_id)
        return own.filter(engagement__started_by_id=company_id, engagement__creation_key=key)

    def with_context(self) -> ReferralQuerySet:
        """Load what lists and verbs need without a query per row, but not the long text that only search reads."""
        related = self.select_related("engagement__customer", "company", "location", "invited_by")
        return related.defer("search_text", "search_vector")

    def touch(self, now: datetime, *, actor: Actor | None = None) -> int:
        """Raise the versions of copies whose pages or API answers changed with something else (REF-21); `actor`: whose
        own write it was, if it was one."""
        via, run_id = (actor.via, actor.run_id) if actor else ("", "")
        marks = {"last_modified_via": via or rules.PORTAL, "last_run_id": run_id}
        return self.update(version=models.F("version") + 1, updated_at=now, **marks)

    def newest_first(self) -> ReferralQuerySet:
        return self.order_by("-created_at", "-pk")

    def inbound(self) -> ReferralQuerySet:
        return self.filter(invited_by__isnull=False)

    def outbound(self) -> ReferralQuerySet:
        return self.filter(invited_by__isnull=True)

    def open(self) -> ReferralQuerySet:
        return self.filter(substatus__in=[rules.RECEIVED, rules.ACCEPTED])

    def unanswered(self) -> ReferralQuerySet:
        return self.filter(substatus=rules.RECEIVED)

    def due_to_expire(self, now: datetime) -> ReferralQuerySet:
        return self.unanswered().filter(expires_at__lte=now)


def of_visible(actor: Actor) -> models.Q:
    """For rows of a deal each: those whose deal the actor sees (ReferralQuerySet.visible_to). For whoever sees all of a
    company's by its column, as planning takes twice as long with the subquery."""
    if not actor.is_vendor and reading_scope(actor).entire_company:
        return models.Q(referral__company_id=actor.own_company_id)
    return models.Q(referral__in=Referral.objects.visible_to(actor))


def of_changeable(actor: Actor) -> models.Q:
    """The same for deals that the actor may change (ReferralQuerySet.changeable_by)."""
    if not actor.is_vendor and writing_scope(actor).entire_company:
        return models.Q(referral__company_id=actor.own_company_id)
    return models.Q(referral__in=Referral.objects.changeable_by(actor))


class Referral(Sharing, Record):
    """One company's copy of an engagement; people call it a *deal*. Only its verbs change it."""

    class Intent(models.TextChoices):
        YES = "yes", _("Yes")
        NO = "no", _("No")
        UNDECIDED = "undecided", _("Have not decided")

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    engagement = models.ForeignKey(Engagement, on_delete=models.PROTECT, related_name="referrals")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="referrals")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, null=True, blank=True)
    #: Who sent it; null for a company's own deal.
    invited_by = models.ForeignKey(
        Company, on_delete=models.PROTECT, null=True, blank=True, related_name="sent_referrals"
    )

    name = models.CharField(_("deal name"), max_length=200)
    value = models.DecimalField(_("estimated value"), max_digits=18, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3)
    value_usd = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    usd_rate_month = models.DateField(null=True)
    close_date = models.DateField(_("estimated close date"))
    crm_id = models.CharField(_("CRM id"), max_length=100, blank=True)
    campaign_id = models.CharField(_("marketing campaign id"), max_length=100, blank=True)
    marketplace_intent = models.CharField(max_length=10, choices=Intent.choices, default=Intent.UNDECIDED)

    substatus = FSMField(_("status"), choices=Substatus.choices, default=Substatus.ACCEPTED, protected=True)
    stage = models.PositiveSmallIntegerField(_("sales stage"), default=rules.FIRST_STAGE)
    reason_code = models.CharField(max_length=30, blank=True)
    reason_note = models.TextField(blank=True)
    won_early = models.BooleanField(default=False)
    #: The day the contract was signed, where whoever won or planned the win knew it (REF-18).
    signed_on = models.DateField(_("contract signed"), null=True, blank=True)
    #: Someone asked to mark it Won at this instant (REF-18).
    win_at = models.DateTimeField(null=True, blank=True)

    #: What the invited partner is asked for, in the inviter's words (REF-9).
    invite_help = models.CharField(max_length=40, default=rules.NO_HELP)
    invite_notes = models.TextField(blank=True)

    #: What a CRM sent that the programme has no use for, given back as it came; by its name on the wire.
    wire_extras = models.JSONField(default=dict, blank=True, editable=False)
    #: Which surface wrote last, and in which run of it: connectors know their own echo by these (F9).
    last_modified_via = models.CharField(max_length=100, default=rules.PORTAL, editable=False)
    last_run_id = models.CharField(max_length=100, default="", blank=True, editable=False)

    #: Name, ids, customer, notes and team, folded (REF-20); verbs.search_index keeps it.
    search_text = models.TextField(default="", editable=False)
    search_vector = models.GeneratedField(
        expression=SearchVector("search_text", config="simple"), output_field=SearchVectorField(), db_persist=True
    )

    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = ReferralQuerySet.as_manager()

    owner_path, group_path = "company_id", "engagement__public_id"
    derived_columns = frozenset({"version", "search_text", "updated_at", "last_modified_via", "last_run_id"})
    #: The company's own references, and in events what its documents are called: not everybody who reads events
    #: reads them (REF-3, REF-20, REG-16).
    own_columns = frozenset({"crm_id", "campaign_id", "document", "wire_extras"})
    bookkeeping = frozenset({"updated_at", "last_modified_via", "last_run_id"})

    class Meta:
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        indexes = [
            models.Index(fields=["company", "-created_at", "-id"], name="referrals_company_newest"),
            models.Index(fields=["company", "substatus", "-created_at", "-id"], name="referrals_company_substatus"),
            models.Index(
                fields=["company", "-created_at", "-id"],
                condition=models.Q(invited_by__isnull=False),
                name="referrals_company_inbound",
            ),
            models.Index(fields=["-created_at", "-id"], name="referrals_newest"),
            # Integrations ask what changed since they asked last (F1.10).
            models.Index(fields=["company", "-updated_at", "-id"], name="referrals_company_updated"),
            models.Index(fields=["-updated_at", "-id"], name="referrals_updated"),
            # They look a deal up by their own id.
            models.Index(fields=["company", "crm_id"], condition=~models.Q(crm_id=""), name="referrals_company_crm_id"),
            models.Index("company", expressions.FOLDED_NAME, "id", name="referrals_company_name"),
            models.Index("company", expressions.KNOWN_VALUE, "id", name="referrals_company_value"),
            models.Index(fields=["company", "close_date", "id"], name="referrals_company_close"),
            models.Index("company", expressions.LIFE, "id", name="referrals_company_life"),
            models.Index("company", expressions.SHOWN_STAGE, "id", name="referrals_company_stage"),
            models.Index(
                fields=["expires_at"], condition=models.Q(substatus=rules.RECEIVED), name="referrals_due_to_expire"
            ),
            GinIndex(fields=["search_vector"], name="referrals_search"),
            GinIndex(expressions.NAME_PARTS, name="referrals_name_parts"),
            models.Index(fields=["invited_by", "-created_at", "-id"], name="referrals_sent_newest"),
            models.Index(fields=["win_at"], condition=models.Q(win_at__isnull=False), name="referrals_win_at"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["engagement", "company"], name="referrals_one_copy_per_company"),
            *Sharing.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(substatus__in=list(rules.SUBSTATUSES)), name="referrals_referral_substatus"
            ),
            models.CheckConstraint(condition=models.Q(value__gt=0), name="referrals_referral_value_positive"),
            models.CheckConstraint(condition=models.Q(stage__in=list(rules.STAGES)), name="referrals_referral_stage"),
            models.CheckConstraint(
                condition=models.Q(substatus__in=sorted(rules.TERMINAL), closed_at__isnull=False)
                | models.Q(substatus__in=[rules.RECEIVED, rules.ACCEPTED], closed_at__isnull=True),
                name="referrals_referral_closed_at",
            ),
            models.CheckConstraint(
                condition=~models.Q(substatus=rules.RECEIVED) | models.Q(expires_at__isnull=False),
                name="referrals_referral_received_expires",
            ),
            models.CheckConstraint(
                condition=models.Q(signed_on=None) | models.Q(substatus=rules.WON) | models.Q(win_at__isnull=False),
                name="referrals_referral_signed_on",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    # Which moves exist (REF-11). The verbs call them, and do everything else (referrals.verbs).

    @transition(substatus, source=Substatus.RECEIVED, target=Substatus.ACCEPTED)
    def accept(self) -> None: ...

    @transition(substatus, source=Substatus.RECEIVED, target=Substatus.DECLINED)
    def decline(self) -> None: ...

    @transition(substatus, source=Substatus.RECEIVED, target=Substatus.EXPIRED)
    def expire(self) -> None: ...

    @transition(substatus, source=Substatus.ACCEPTED, target=Substatus.WON)
    def win(self) -> None: ...

    @transition(substatus, source=Substatus.ACCEPTED, target=Substatus.LOST)
    def lose(self) -> None: ...

    @transition(substatus, source=[Substatus.RECEIVED, Substatus.ACCEPTED], target=Substatus.ERROR)
    def close_as_error(self) -> None: ...

    @transition(substatus, source=Substatus.ACCEPTED, target=None)
    def set_stage(self) -> None: ...

    @transition(substatus, source=Substatus.ACCEPTED, target=None)
    def schedule_win(self) -> None: ...

    @transition(substatus, source=Substatus.ACCEPTED, target=None)
    def cancel_win(self) -> None: ...

    @transition(substatus, source=Substatus.ACCEPTED, target=None)
    def end_win_plan(self) -> None: ...

    @transition(substatus, source=Substatus.ACCEPTED, target=None)
    def share_with_vendor(self) -> None: ...

    @transition(substatus, source=Substatus.ACCEPTED, target=None)
    def request_help(self) -> None: ...

    @transition(substatus, source=Substatus.ACCEPTED, target=None)
    def invite_partner(self) -> None: ...

    @transition(substatus, source=Substatus.ACCEPTED, target=None)
    def edit_details(self) -> None: ...

    @transition(substatus, source=Substatus.ACCEPTED, target=None)
    def edit_team(self) -> None: ...

    @transition(substatus, source=Substatus.ACCEPTED, target=None)
    def edit_solutions(self) -> None: ...

    @transition(substatus, source=Substatus.ACCEPTED, target=None)
    def edit_contact(self) -> None: ...

    @transition(substatus, source=Substatus.RECEIVED, target=None)
    def set_references(self) -> None: ...

    def touch(self, now: datetime, actor: Actor) -> None:
        super().touch(now, actor)
        self.mark(actor)

    def mark(self, actor: Actor) -> None:
        """Note in memory which surface writes."""
        self.last_modified_via, self.last_run_id = actor.via or rules.PORTAL, actor.run_id

    # Properties

    @property
    def owner_id(self) -> int:
        return self.company_id

    @property
    def event_group(self) -> uuid.UUID:
        return self.engagement.public_id

    @property
    def team_emails(self) -> list[str]:
        return [member.email for member in self.team.all()]

    @property
    def status(self) -> str:
        """New, Active or Closed (REF-11)."""
        return rules.status_of(self.substatus)

    @property
    def party(self) -> sharing.Party:
        return sharing.Party(
            self.company_id,
            self.invited_by_id,
            self.company.is_vendor,
            vendor_may_view=self.vendor_may_view,
            asks_vendor=self.help_code != rules.NO_HELP,
        )

    @property
    def is_closed(self) -> bool:
        return self.substatus in rules.TERMINAL

    @property
    def is_inbound(self) -> bool:
        return self.invited_by_id is not None

    @property
    def is_assessment(self) -> bool:
        return self.engagement.is_assessment

    @property
    def won_at(self) -> datetime | None:
        return self.closed_at if self.substatus == rules.WON else None

    @property
    def money(self) -> Money:
        return Money(self.value, self.currency)

    @property
    def reason_text(self) -> str:
        reasons = rules.ERROR_REASONS if self.substatus == rules.ERROR else rules.CLOSE_REASONS
        return reasons.get(self.reason_code, self.reason_code)


class TeamMember(models.Model):
    """A person who works on a company's copy of the deal (REF-7)."""

    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="team")
    first_name = models.CharField(_("first name"), max_length=100)
    last_name = models.CharField(_("last name"), max_length=100)
    phone = models.CharField(_("phone"), max_length=50)
    email = models.EmailField(_("e-mail"))
    title = models.CharField(_("title"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("team member")
        verbose_name_plural = _("team members")
        indexes = [models.Index(fields=["email"], name="referrals_team_email")]
        constraints = [
            models.UniqueConstraint(fields=["referral", "email"], name="referrals_team_once"),
            models.CheckConstraint(
                condition=models.Q(email=models.functions.Lower("email")), name="referrals_team_email_lower"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"
