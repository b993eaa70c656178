"""Draws static/icons.svg: the icons that the source names, out of the two thousand of bootstrap-icons."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from portal.ui.templatetags.ortak import drawings

_WORD = re.compile(r"""["']([a-z0-9-]+)["']""")
_FOLDERS = ("templates", "portal", "referrals", "dealreg", "exceptions_council", "isvconnect", "licensing")


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        root = Path(settings.BASE_DIR)
        files = [file for folder in _FOLDERS for kind in ("html", "py") for file in (root / folder).rglob(f"*.{kind}")]
        named = {word for file in files for word in _WORD.findall(file.read_text())}
        drawn = [
            f'<symbol id="{name}" viewBox="0 0 16 16">{drawing}</symbol>\n'
            for name, drawing in sorted(drawings().items())
            if name in named
        ]
        (root / "static" / "icons.svg").write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg">\n{"".join(drawn)}</svg>\n'
        )
        self.stdout.write(f"{len(drawn)} icons")
