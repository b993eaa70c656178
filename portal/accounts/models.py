"""Companies, their locations, the people in them and the roles they hold (ORG-1, ORG-2)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import uuid6
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from portal.accounts import rules
from portal.accounts.rules import Grant


class Role(models.TextChoices):
    ACCOUNT_ADMIN = rules.ACCOUNT_ADMIN, _("Account admin")
    REFERRALS_ADMIN = rules.REFERRALS_ADMIN, _("Referrals admin")
    REFERRALS_USER = rules.REFERRALS_USER, _("Referrals user")
    VIEWER = rules.VIEWER, _("Viewer")
    SELLER = rules.SELLER, _("Seller")
    REVIEWER = rules.REVIEWER, _("Reviewer")
    COUNCIL_MEMBER = rules.COUNCIL_MEMBER, _("Council member")
    PROGRAMME_MANAGER = rules.PROGRAMME_MANAGER, _("Programme manager")


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser):
    """A person, who signs in by e-mail; what they may do comes from their memberships alone."""

    class Theme(models.TextChoices):
        AUTO = "auto", _("Like the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    email = models.EmailField(_("e-mail"), unique=True)
    first_name = models.CharField(_("first name"), max_length=100)
    last_name = models.CharField(_("last name"), max_length=100)
    phone = models.CharField(_("phone"), max_length=50, blank=True)
    language = models.CharField(_("language"), max_length=5, default="en")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    theme = models.CharField(_("theme"), max_length=5, choices=Theme.choices, default=Theme.AUTO)
    is_active = models.BooleanField(_("active"), default=True)
    is_demo = models.BooleanField(default=False, editable=False)
    date_joined = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["first_name", "last_name"]

    #: No event tells of it.
    secret_columns = frozenset({"password"})

    objects = UserManager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [models.UniqueConstraint(Lower("email"), name="accounts_user_email_folded")]

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    def get_full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    # The admin asks these; its own site and model admins decide by role (portal.accounts.admin_site).
    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return False

    @property
    def is_staff(self) -> bool:
        return False

    @property
    def is_superuser(self) -> bool:
        return False


class CompanyQuerySet(models.QuerySet["Company"]):
    def vendor(self) -> Company:
        return self.get(kind=Company.Kind.VENDOR)

    def vendor_row(self) -> CompanyQuerySet:
        """The vendor, where there is one."""
        return self.filter(kind=Company.Kind.VENDOR)

    def partners(self) -> CompanyQuerySet:
        return self.filter(kind=Company.Kind.PARTNER)

    def open(self) -> CompanyQuerySet:
        """Those that somebody acts for."""
        return self.filter(closed_at=None)


class Company(models.Model):
    """A company of the programme: the one vendor, or a partner."""

    class Kind(models.TextChoices):
        VENDOR = "vendor", _("Vendor")
        PARTNER = "partner", _("Partner")

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.PARTNER)
    country = models.CharField(_("country"), max_length=2)
    top_tier_since = models.DateField(
        _("top tier since"), null=True, blank=True, help_text=_("Empty: not a top-tier partner.")
    )
    assessments_since = models.DateField(
        _("approved for solution assessments since"), null=True, blank=True, help_text=_("Empty: not approved.")
    )
    created_at = models.DateTimeField(auto_now_add=True)
    #: A closed company is nobody's to act for; what it did stays, and its deals go on (ORG-2).
    closed_at = models.DateTimeField(_("closed (UTC)"), null=True, editable=False)
    close_reason = models.TextField(_("why it was closed"), blank=True, editable=False)
    #: Where all that a duplicate had went; it stays closed.
    merged_into = models.ForeignKey(
        "self",
        verbose_name=_("merged into"),
        on_delete=models.PROTECT,
        null=True,
        related_name="absorbed",
        editable=False,
    )

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("companies")
        constraints = [
            models.UniqueConstraint("kind", condition=models.Q(kind="vendor"), name="accounts_company_one_vendor"),
            models.CheckConstraint(condition=models.Q(kind__in=["vendor", "partner"]), name="accounts_company_kind"),
            models.CheckConstraint(
                condition=models.Q(closed_at=None, close_reason="", merged_into=None)
                | models.Q(kind="partner", closed_at__isnull=False) & ~models.Q(close_reason=""),
                name="accounts_company_closed",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_vendor(self) -> bool:
        return self.kind == self.Kind.VENDOR

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None

    def is_top_tier(self, day: date) -> bool:
        """Whether the vendor counts the partner among its top tier on that day (ORG-8)."""
        return self.top_tier_since is not None and self.top_tier_since <= day

    def may_assess(self, day: date) -> bool:
        """Whether the vendor has approved the company for solution assessments by that day (ORG-7)."""
        return self.assessments_since is not None and self.assessments_since <= day


class Location(models.Model):
    """A company's site in the programme, with its partner id (MPN) and country (ORG-1)."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="locations")
    name = models.CharField(_("name"), max_length=100)
    city = models.CharField(_("city"), max_length=100)
    country = models.CharField(_("country"), max_length=2)
    mpn_id = models.CharField(_("partner id (MPN)"), max_length=20, unique=True)

    class Meta:
        verbose_name = _("location")
        verbose_name_plural = _("locations")
        constraints = [models.UniqueConstraint(fields=["company", "name"], name="accounts_location_name")]

    def __str__(self) -> str:
        return f"{self.name} ({self.mpn_id})"


class MembershipQuerySet(models.QuerySet["Membership"]):
    def acting(self) -> MembershipQuerySet:
        """Those by which somebody acts: neither taken away, nor the person's account closed, nor the company."""
        return self.filter(is_active=True, user__is_active=True, company__closed_at=None)


class Membership(models.Model):
    """A person in a company; one person may belong to several."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="memberships")
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # The person's visits (portal.accounts.visits).
    #: When they were here last, to within minutes, and whether they have looked at home since they came.
    seen_at = models.DateTimeField(null=True, editable=False)
    saw_home = models.BooleanField(default=False, editable=False)
    #: The end of the last visit in which they looked at home: what happened later is new to them.
    told_until = models.DateTimeField(null=True, editable=False)
    #: They put their first steps away.
    hides_steps = models.BooleanField(default=False, editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [models.UniqueConstraint(fields=["user", "company"], name="accounts_membership_once")]

    def __str__(self) -> str:
        return f"{self.user} / {self.company}"


class RoleGrant(models.Model):
    """A role of a member: for the entire company, or for one location (ORG-1)."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(_("role"), max_length=20, choices=Role.choices)
    location = models.ForeignKey(
        Location, on_delete=models.PROTECT, null=True, blank=True, help_text=_("Empty: the entire company.")
    )

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "role", "location"], nulls_distinct=False, name="accounts_grant_once"
            ),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="accounts_grant_role"),
        ]

    def __str__(self) -> str:
        return self.get_role_display()


class InviteQuerySet(models.QuerySet["Invite"]):
    def waiting(self) -> InviteQuerySet:
        """Neither accepted nor taken back; some may have expired."""
        return self.filter(accepted_at=None, revoked_at=None)


class Invite(models.Model):
    """A person asked into a company by mail; the link is good once."""

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    #: SHA-256 of what the link holds, by which it is found; the link itself is kept nowhere (portal.accounts.invites).
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="invites")
    email = models.EmailField(_("e-mail"))
    #: [{"role": ..., "location_id": ... or null}], given when the invitation is accepted (ORG-1).
    grants = models.JSONField(default=list)
    language = models.CharField(max_length=5, default="en")
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InviteQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.UniqueConstraint(
                "company",
                Lower("email"),
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="accounts_invite_one_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.email} → {self.company}"

    #: No event tells of it.
    secret_columns = frozenset({"token_hash"})

    def state(self, now: datetime) -> str:
        return rules.invite_state(
            expires_at=self.expires_at, accepted_at=self.accepted_at, revoked_at=self.revoked_at, now=now
        )

    @property
    def wanted(self) -> frozenset[Grant]:
        """The roles that it gives."""
        return frozenset(Grant(held["role"], held["location_id"]) for held in self.grants)


class AccountMessage(models.Model):
    """What a sign-in page has for the holder of an account, if the address has one; a worker finds out and mails it.

    The page writes the same row for known and unknown addresses, so its answer and its time tell nobody which it was.
    A row holds no link: that is made when the mail is. It is gone once it was looked at.
    """

    class Kind(models.TextChoices):
        PASSWORD_LINK = "password_link", _("Link to choose a password")
        LOCKED_OUT = "locked_out", _("Locked out after wrong passwords")

    kind = models.CharField(max_length=20, choices=Kind.choices)
    email = models.EmailField()
    #: The network address that the request came from; empty if it is not known.
    address = models.CharField(max_length=64, blank=True)
    #: Wrong passwords in a row, for LOCKED_OUT.
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("message to an account")
        verbose_name_plural = _("messages to accounts")
        constraints = [models.UniqueConstraint(fields=["kind", "email"], name="accounts_message_one_waiting")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.email}"
