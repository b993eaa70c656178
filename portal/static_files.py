"""Which files of the browser's packages are served: those that a page asks for, out of the thousands they hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.staticfiles.finders import AppDirectoriesFinder, FileSystemFinder
from django.core.files.storage import Storage

#: By the prefix in STATICFILES_DIRS, or the folder in a Python package. The maps are named by the files before them,
#: and a name has to lead somewhere.
USED = {
    "bootstrap": {"css/bootstrap.min.css", "css/bootstrap.min.css.map"},
    "bootstrap-icons": {"bootstrap-icons.svg"},
    "chart.js": {"chart.umd.min.js", "chart.umd.min.js.map"},
    "dejavu": {"DejaVuSans.ttf", "DejaVuSans-Bold.ttf"},
    "drf_spectacular_sidecar": {
        f"swagger-ui-dist/swagger-ui{name}" for name in (".css", ".css.map", "-bundle.js", "-bundle.js.map")
    },
    "inter": {"inter-latin-wght-normal.woff2", "inter-latin-ext-wght-normal.woff2"},
    "oauth2_provider": set(),
    "rest_framework": set(),
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


class UsedAppFilesFinder(AppDirectoriesFinder):
    """The same for what Python packages bring."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        for path, storage in super().list(ignore_patterns):
            if _used(*_split(path)):
                yield path, storage

    def find_in_app(self, app: str, path: str) -> Any:
        return super().find_in_app(app, path) if _used(*_split(path)) else None


def _split(path: str) -> tuple[str, str]:
    folder, _slash, rest = path.partition("/")
    return folder, rest


def _used(prefix: str, path: str) -> bool:
    return prefix not in USED or path in USED[prefix]
