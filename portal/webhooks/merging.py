"""What of a company's webhook follows when it is merged into another (ORG-1)."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Exists, Q

from portal.accounts.merging import Follows, follow
from portal.accounts.models import Company
from portal.webhooks.models import Webhook
from portal.workflow.blockers import Blocker, _


def _of(company: Company) -> Exists:
    return Exists(Webhook.objects.filter(company=company))


def _tells(gone: Company, kept: Company) -> Iterator[Blocker]:
    if Webhook.objects.filter(company=gone).filter(_of(kept)).exists():
        message = _("Both have a webhook. %(kept)s keeps its own; that of the duplicate gets nothing any more.")
        yield Blocker("merge_webhook", message, "ORG-1", params={"kept": kept.name})


follow(
    Follows(
        Webhook,
        lambda company: Webhook.objects.filter(company=company),
        tells=_tells,
        apart=lambda gone, kept: Q(_of(kept)),
    ),
    order=220,
)
