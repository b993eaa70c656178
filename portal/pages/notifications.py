"""The kinds of notices about what people asked the pages for (F5.2)."""

from __future__ import annotations

from portal.notify.rules import Category, add_category
from portal.workflow.blockers import _

EXPORT, UPLOAD = "export", "upload"

add_category(
    Category(
        EXPORT,
        _("Exports"),
        _("A file that you asked for is ready."),
        "download",
        "brand",
        opens=_("Open the export"),
    ),
    order=90,
)
add_category(
    Category(
        UPLOAD,
        _("Uploads"),
        _("A file that you uploaded was looked at, or carried out."),
        "upload",
        "brand",
        opens=_("Open the upload"),
    ),
    order=91,
)
