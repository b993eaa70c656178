"""What people keep of the pages of every app: the views of a list that they named, and how they left a list."""

from __future__ import annotations

import uuid6
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Company
from portal.accounts.rules import Actor


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def of_person(self, actor: Actor) -> SavedViewQuerySet:
        """Those that the person saved in this company."""
        return self.filter(user_id=actor.user_id, company_id=actor.own_company_id)

    def visible_to(self, actor: Actor) -> SavedViewQuerySet:
        """Their own, and those that colleagues share in this company (ORG-6)."""
        mine = models.Q(user_id=actor.user_id) | models.Q(is_shared=True)
        return self.filter(mine, company_id=actor.own_company_id)


class SavedView(models.Model):
    """What a list showed, under a name: tab, search, filters, order and columns (REF-20)."""

    MAX_NAME = 60

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+")
    #: The list's code.
    listing = models.CharField(max_length=30)
    name = models.CharField(_("Name"), max_length=MAX_NAME)
    #: The query, as ListQuery writes it; what is no longer there is left out when it is read.
    address = models.TextField()
    #: With everybody in the company.
    is_shared = models.BooleanField(default=False)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = [
            models.UniqueConstraint(fields=["user", "company", "listing", "name"], name="ui_savedview_once"),
        ]
        indexes = [models.Index(fields=["company", "listing"], name="ui_savedview_shared")]

    def __str__(self) -> str:
        return self.name


class ListView(models.Model):
    """How a person left a list: filters, columns and order, until cleared (REF-20)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+")
    #: The list's code.
    name = models.CharField(max_length=30)
    query = models.JSONField(default=dict)
    columns = models.JSONField(default=list)
    #: The view that the list opens with, instead of as it was left.
    default = models.ForeignKey(SavedView, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        #: The table is older than this app's models.
        db_table = "pages_listview"
        verbose_name = _("list view")
        verbose_name_plural = _("list views")
        constraints = [models.UniqueConstraint(fields=["user", "company", "name"], name="pages_listview_once")]

    def __str__(self) -> str:
        return self.name
