"""What of a company's deals follows when it is merged into another (ORG-1)."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q
from django.db.models.functions import Lower

from portal.accounts.merging import NAMED, Follows, Rows, follow, names
from portal.accounts.models import Company
from portal.workflow.blockers import Blocker, _
from referrals.models import Draft, Engagement, Note, Referral, StageName


def _twice(gone: Company, kept: Company) -> Iterator[Blocker]:
    """A deal has one copy of each company, and which of the two would be the true one nobody can say (REF-9).

    Private deals are counted and never named: whoever reads this is the vendor's (REF-3).
    """
    both = gone.referrals.filter(engagement__in=kept.referrals.values("engagement"))
    if count := both.count():
        seen = names(both.filter(vendor_may_view=True).order_by("-pk")[: NAMED + 1]) or "–"
        message = _(
            "Both companies have a copy of the same deal (%(count)s in all), and a company has only one copy of a "
            "deal. So they can't be merged. Among these deals: %(names)s"
        )
        yield Blocker("merge_same_deal", message, "ORG-1", params={"count": count, "names": seen})


def _stage_names(company: Company) -> Rows:
    return StageName.objects.filter(company=company)


def _named_by(company: Company) -> Q:
    own = StageName.objects.filter(company=company).annotate(folded=Lower("name")).values("folded")
    return Q(pk__in=StageName.objects.annotate(folded=Lower("name")).filter(folded__in=own).values("pk"))


def _tells_stage_names(gone: Company, kept: Company) -> Iterator[Blocker]:
    if found := list(_stage_names(gone).filter(_named_by(kept)).order_by("pk")):
        message = _("Both have a stage of this name; %(kept)s keeps its own: %(names)s")
        yield Blocker("merge_stages", message, "REF-16", params={"kept": kept.name, "names": names(found)})


follow(
    Follows(
        Engagement,
        lambda company: Engagement.objects.filter(started_by=company),
        lambda rows, kept: rows.update(started_by=kept),
        "started_by",
    ),
    order=410,
)
follow(Follows(Referral, lambda company: Referral.objects.filter(company=company), refuses=_twice), order=420)
follow(
    Follows(
        Referral,
        lambda company: Referral.objects.filter(invited_by=company),
        lambda rows, kept: rows.update(invited_by=kept),
        "invited_by",
    ),
    order=430,
)
follow(Follows(Note, lambda company: Note.objects.filter(company=company)), order=440)
follow(Follows(Draft, lambda company: Draft.objects.filter(company=company)), order=450)
follow(Follows(StageName, _stage_names, tells=_tells_stage_names, apart=lambda gone, kept: _named_by(kept)), order=460)
