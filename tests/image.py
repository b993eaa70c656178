"""The Dockerfile's steps without an engine: each stage in a directory, its instructions run one after the other."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from tests.installed import registries

ROOT = Path(__file__).resolve().parent.parent
#: The image's own directories; here they lie below the stage's.
_OWN = re.compile(r"(?<![\w./-])/(?=(?:app|venv|data)\b)")


def stages() -> list[list[tuple[str, str]]]:
    """Each stage's instructions, the FROM first."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = [line.partition(" ") for line in re.sub(r"\\\n\s*", "", text).splitlines() if line]
    found: list[list[tuple[str, str]]] = []
    for word, _space, rest in lines:
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found


class Image:
    """What a build leaves: directories, environment and command. `tools` stand in for the base image's programs."""

    def __init__(self, place: Path, tools: Path) -> None:
        self.place, self.tools = place, tools
        self.root = place
        self.roots: dict[str, Path] = {}
        self.said = ""
        self.command: list[str] = []

    def below(self, text: str) -> str:
        return _OWN.sub(f"{self.root}/", text)

    def build(self) -> None:
        """Run all stages. Raises CalledProcessError for a step that fails; `said` is what the steps said."""
        for stage in stages():
            self.environment = {"PATH": f"{self.tools}:/usr/bin:/bin", "LANG": "C.UTF-8"} | registries()
            for word, rest in stage:
                getattr(self, f"_{word.lower()}", lambda _rest: None)(rest)

    def _from(self, rest: str) -> None:
        name = rest.split(" AS ")[1] if " AS " in rest else ""
        # The last stage takes the directories of the one that made them: a virtual environment can't be moved.
        self.root = self.roots.setdefault(name, self.place / name) if name else self.roots["build"]

    def _workdir(self, rest: str) -> None:
        self.cwd = Path(self.below(rest))
        self.cwd.mkdir(parents=True, exist_ok=True)

    def _env(self, rest: str) -> None:
        for name, _equals, value in (word.partition("=") for word in shlex.split(rest)):
            self.environment[name] = self.below(value).replace("$PATH", self.environment["PATH"])

    def _run(self, rest: str) -> None:
        done = subprocess.run(
            ["sh", "-ec", self.below(rest)],
            cwd=self.cwd if hasattr(self, "cwd") else self.place,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.said += done.stdout
        done.check_returncode()

    def _copy(self, rest: str) -> None:
        *given, target = rest.split()
        flags = [word for word in given if word.startswith("--from=")]
        for source in (word for word in given if word not in flags):
            if flags:
                self._take(self.roots[flags[0].removeprefix("--from=")] / source.lstrip("/"), Path(target))
            elif source == ".":
                shutil.copytree(ROOT, self.cwd, ignore=_ignored(), dirs_exist_ok=True)
            else:
                shutil.copy(ROOT / source, self.cwd)

    def _take(self, source: Path, target: Path) -> None:
        here = self.cwd / target if not target.is_absolute() else self.root / str(target).lstrip("/")
        if here != source:
            shutil.copytree(source, here)
        assert here.exists()

    def _cmd(self, rest: str) -> None:
        self.command = json.loads(rest)


def _ignored() -> object:
    patterns = (ROOT / ".dockerignore").read_text().split()
    return shutil.ignore_patterns(*(pattern.split("/")[-1] for pattern in patterns))
