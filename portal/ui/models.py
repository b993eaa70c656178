"""What people keep of the pages of every app: how they left a list."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Company


class ListView(models.Model):
    """How a person left a list: filters, columns and order, until cleared (REF-20)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+")
    #: The list's code.
    name = models.CharField(max_length=30)
    query = models.JSONField(default=dict)
    columns = models.JSONField(default=list)

    class Meta:
        #: The table is older than this app's models.
        db_table = "pages_listview"
        verbose_name = _("list view")
        verbose_name_plural = _("list views")
        constraints = [models.UniqueConstraint(fields=["user", "company", "name"], name="pages_listview_once")]

    def __str__(self) -> str:
        return self.name
