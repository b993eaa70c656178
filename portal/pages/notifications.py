"""The kinds of notices about what people asked the pages for (F5.2)."""

from __future__ import annotations

from portal.notify.rules import Category, add_category
from portal.workflow.blockers import _

EXPORT = "export"

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
