"""What people made of a company's lists, and brought in files, follows when it is merged into another (ORG-1)."""

from __future__ import annotations

from collections.abc import Iterator

from portal.accounts.merging import Follows, follow
from portal.accounts.models import Company
from portal.pages.models import Export, Upload
from portal.workflow.blockers import Blocker, _


def _under_way(gone: Company, kept: Company) -> Iterator[Blocker]:
    """A worker carries a file out row by row, and asks for whom only at its beginning."""
    if Upload.objects.filter(company=gone, confirmed_at__isnull=False, finished_at=None).exists():
        message = _("A file that %(company)s uploaded is being carried out. Wait until that has ended.")
        yield Blocker("merge_upload", message, "ORG-1", params={"company": gone.name})


follow(Follows(Export, lambda company: Export.objects.filter(company=company)), order=310)
follow(Follows(Upload, lambda company: Upload.objects.filter(company=company), refuses=_under_way), order=320)
