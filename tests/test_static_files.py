"""The static files that are served: all that the pages ask for, and not the thousands they don't."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib.staticfiles import finders

from portal.static_files import USED

ROOT = Path(__file__).resolve().parent.parent
#: Ours, the browser's packages', Django's admin's and django-htmx's. It was 2,412.
MOST = 220
#: `{% static 'x' %}`, static("x"), and a module's constant that names one.
NAMED = re.compile(r"""static\s*\(?\s*["']([\w./-]+)["']|SPRITE = "([\w./-]+)\"""")


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `collectstatic` makes of them, with the names of their contents as in production."""
    target = tmp_path_factory.mktemp("static")
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "ORTAK_MODE": "demo", "STATIC_ROOT": str(target)},
        check=True,
    )
    return target


@pytest.fixture(scope="module")
def manifest(collected: Path) -> dict[str, str]:
    paths: dict[str, str] = json.loads((collected / "staticfiles.json").read_text())["paths"]
    return paths


def test_only_what_is_used_is_collected(manifest: dict[str, str]) -> None:
    assert len(manifest) < MOST
    packages = [name for name in manifest if name.split("/")[0] in USED]
    assert sorted(packages) == sorted(f"{prefix}/{path}" for prefix, paths in USED.items() for path in paths)


def test_whatever_a_template_names_is_there(manifest: dict[str, str]) -> None:
    sources = [
        path
        for folder in ("templates", "portal", "referrals", "dealreg", "exceptions_council", "isvconnect", "licensing")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".html", ".py"}
    ]
    named = {name for path in sources for pair in NAMED.findall(path.read_text()) for name in pair if name}
    assert {"app.css", "bootstrap/css/bootstrap.min.css", "bootstrap-icons/bootstrap-icons.svg"} <= named
    assert named <= set(manifest)
    assert all(finders.find(name) for name in named)


def test_whatever_a_style_sheet_or_script_leads_to_is_there(collected: Path, manifest: dict[str, str]) -> None:
    looked = 0
    for served in (name for name in manifest.values() if name.endswith((".css", ".js"))):
        text = (collected / served).read_text()
        links = re.findall(r"""\burl\(\s*["']?([^"')]+)""", text) if served.endswith(".css") else []
        for link in [*links, *re.findall(r"^(?://|/\*)# sourceMappingURL=(\S+)", text, re.MULTILINE)]:
            if not link.startswith(("data:", "#")):
                looked += 1
                assert (collected / urlsplit(urljoin(served, link)).path).exists(), f"{served} leads to {link}"
    assert looked > 20


def test_each_file_is_there_compressed_too_and_under_the_name_of_its_contents(
    collected: Path, manifest: dict[str, str]
) -> None:
    for name in ("app.css", "bootstrap/css/bootstrap.min.css", "chart.js/chart.umd.min.js"):
        assert re.search(r"\.[0-9a-f]{12}\.", manifest[name])
        assert (collected / f"{manifest[name]}.gz").exists()


def test_other_files_of_the_packages_are_not_found() -> None:
    assert finders.find("bootstrap-icons/icons/star.svg") is None
    assert finders.find("bootstrap/js/bootstrap.js") is None
