"""Which files of the browser's packages are served: those that a page asks for, out of the thousands they hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.staticfiles.finders import FileSystemFinder
from django.core.files.storage import Storage

#: By the prefix in STATICFILES_DIRS. The maps are named by the files before them, and a name has to lead somewhere.
USED = {
    "bootstrap": {"css/bootstrap.min.css", "css/bootstrap.min.css.map"},
    "bootstrap-icons": {"bootstrap-icons.svg"},
    "chart.js": {"chart.umd.min.js", "chart.umd.min.js.map"},
}


class UsedFilesFinder(FileSystemFinder):
    """Finds all of our own static files, and of a package those named above."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        for path, storage in super().list(ignore_patterns):
            if _used(storage.prefix, path):
                yield path, storage

    def find_location(self, root: Any, path: str, prefix: str | None = None) -> Any:
        if prefix and not _used(prefix, path.removeprefix(f"{prefix}/")):
            return None
        return super().find_location(root, path, prefix)


def _used(prefix: str, path: str) -> bool:
    return prefix not in USED or path in USED[prefix]
