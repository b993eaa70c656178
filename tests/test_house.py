"""The rules of the house (docs/architecture.md) that no other tool looks after, read off the source itself; and that
the programme's rules in docs/rules.md, in the code and in the tests are the same ones."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parent.parent
APPS = ("portal", "referrals", "dealreg", "exceptions_council", "isvconnect", "licensing")
CODE = sorted(p for app in APPS for p in (ROOT / app).rglob("*.py") if "migrations" not in p.parts)
TESTS = sorted((ROOT / "tests").rglob("*.py"))

N = TypeVar("N", bound=ast.AST)


@cache
def walked(path: Path) -> list[ast.AST]:
    """Every node of the file, from the module on."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))))


def nodes(paths: Iterable[Path], kind: type[N]) -> Iterator[tuple[str, N]]:
    """Every node of this kind with the place where it stands."""
    for path in paths:
        for node in walked(path):
            if isinstance(node, kind):
                yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}", node


def dotted(node: ast.AST) -> str:
    """`a.b.c`, of a chain of calls as well: the names in the order they are read."""
    match node:
        case ast.Attribute():
            return f"{dotted(node.value)}.{node.attr}"
        case ast.Call():
            return dotted(node.func)
        case ast.Name():
            return node.id
    return ""


# Who sees, who writes


#: Where requests come in and pages are put together: these look and call services.
EDGES = [
    path
    for path in CODE
    if path.name.startswith(("views", "forms"))
    or "web" in path.parts
    or ("pages" in path.parts and "services" not in path.parts and path.name not in {"models.py", "tasks.py"})
]
#: What not everybody may know of (ORG-6).
GUARDED = {
    "Referral",
    "Registration",
    "Engagement",
    "TeamMember",
    "ReferralSolution",
    "Note",
    "Event",
    "Export",
    "Notice",
}
#: How a query of these begins: with what the actor may see, or from rows that were looked up so before.
SEEN = {"visible_to", "changeable_by", "of", "timeline", "none"}
AT_HAND = {
    "pk",
    "pk__in",
    "subject_id__in",
    "referral",
    "referral__in",
    "engagement",
    "engagement_id",
    "engagement_id__in",
}


def _queries(path: Path) -> Iterator[tuple[str, ast.expr, str]]:
    """Each whole query on a guarded model, with its function."""
    for function in walked(path):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        calls = [n for n in ast.walk(function) if isinstance(n, ast.Call | ast.Attribute)]
        inner = {id(n.value) for n in calls if isinstance(n, ast.Attribute)} | {
            id(n.func) for n in calls if isinstance(n, ast.Call)
        }
        for node in calls:
            if id(node) not in inner and re.match(rf"({'|'.join(GUARDED)})\.objects\b", dotted(node)):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node, function.name


def _conditions(node: ast.AST) -> set[str]:
    """The keywords along a chain of calls."""
    if isinstance(node, ast.Call):
        return {word.arg for word in node.keywords if word.arg} | _conditions(node.func)
    return _conditions(node.value) if isinstance(node, ast.Attribute) else set()


def test_org_6_edges_start_from_what_the_actor_may_see() -> None:
    asked = [(place, query, name) for path in EDGES for place, query, name in _queries(path)]
    bare = [
        place
        for place, query, _name in asked
        if not SEEN & set(dotted(query).split(".")) and not AT_HAND & _conditions(query)
    ]
    assert bare == []
    assert {name for _place, _query, name in asked} >= {"to_review", "get_referral"}


#: What only services do: of any row, or of a manager.
ROW_WRITES = re.compile(r"(?<!cache)(?<!form)\.(save|delete)$")
MANAGER_WRITES = re.compile(r"\.objects\b.*\.(\w*create|\w*update|delete)$")
QUIET = {"rules", "policies", "selectors", "timeline", "tasks", "context", "admin"}


def test_only_services_write() -> None:
    """Neither edges nor rules change a row; a formset that saves nothing (commit=False) only tells what changed."""
    quiet = [p for p in CODE if p in EDGES or QUIET & {*p.parts, p.stem} or p.name.startswith("admin")]
    written = [
        place
        for place, call in nodes(quiet, ast.Call)
        if (ROW_WRITES.search(dotted(call)) or MANAGER_WRITES.search(dotted(call)))
        and "commit" not in {word.arg for word in call.keywords}
    ]
    assert written == []


def test_time_is_told_and_never_asked_for_below_the_edges() -> None:
    """Services and rules are given `now`, so that yesterday can be tested and replayed."""
    clocks = {"timezone.now", "datetime.now", "date.today", "timezone.localdate", "time.time"}
    edges = ("views", "forms", "middleware", "adapter", "admin", "tasks", "health", "run", "embedded")
    below = [
        p
        for p in CODE
        if not p.stem.startswith(edges)
        and not {"web", "api", "http", "admin", "management", "templatetags"} & set(p.parts)
    ]
    assert [place for place, call in nodes(below, ast.Call) if dotted(call.func) in clocks] == []


# What this house does without


def test_no_signals() -> None:
    """Apps above hear of what happens below by events (portal.events.services.on), in plain sight."""
    imported = [(place, name) for place, name in _imports() if re.match(r"django\.(dispatch|.*\bsignals)\b", name)]
    assert imported == []


def test_no_driver_is_imported_by_name() -> None:
    """Decision 3: the database driver is Django's business."""
    assert [(place, name) for place, name in _imports() if name.startswith("psycopg")] == []


def _imports() -> Iterator[tuple[str, str]]:
    for place, plain in nodes(CODE, ast.Import):
        yield from ((place, alias.name) for alias in plain.names)
    for place, named in nodes(CODE, ast.ImportFrom):
        yield from ((place, f"{named.module}.{alias.name}") for alias in named.names)


def test_no_model_hides_work_in_save() -> None:
    hidden = [
        place
        for place, kind in nodes([path for path in CODE if not path.name.startswith("forms")], ast.ClassDef)
        for part in kind.body
        if isinstance(part, ast.FunctionDef) and part.name == "save"
    ]
    assert hidden == []


def test_no_protected_state_is_refreshed_in_place() -> None:
    """A row that may have moved is fetched anew (workflow.run); a refresh would set a protected field."""
    assert [place for place, name in nodes(CODE, ast.Attribute) if name.attr == "refresh_from_db"] == []


def test_no_order_that_nobody_asked_for() -> None:
    """Meta.ordering sorts every query, aggregates included, without a word in the code that asks."""
    ordered = [
        place
        for place, kind in nodes(CODE, ast.ClassDef)
        for part in kind.body
        if kind.name == "Meta" and isinstance(part, ast.Assign) and dotted(part.targets[0]) == "ordering"
    ]
    assert ordered == []


# How it reads


TEMPLATES = sorted(p for app in ("templates", *APPS) for p in (ROOT / app).rglob("*.html"))
#: Of persons we say *they*, in code, comments and texts alike.
HE = re.compile(r"\b(he|him|his|himself)\b", re.IGNORECASE)


def _lines(paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            yield f"{path.relative_to(ROOT)}:{number}", line


def test_no_line_of_a_template_needs_scrolling() -> None:
    assert [place for place, line in _lines(TEMPLATES) if len(line) > 160] == []
    assert len(TEMPLATES) > 80


def test_persons_are_they() -> None:
    here = {path for path in TESTS if path.name == "test_house.py"}  # it spells out what it looks for
    read = [path for path in [*CODE, *TESTS, *TEMPLATES] if path not in here]
    assert [(place, line.strip()) for place, line in _lines(read) if HE.search(line)] == []


# The programme's rules


AREAS = "ORG|REF|ELIG|REG|FLOW|AUTO|FX|EXC|ISV|LIC"
#: An id, or several: REF-5, REG-1 to REG-14, ELIG-2..5.
CITED = re.compile(rf"\b({AREAS})-(\d+)(?:(?:\.\.| to )(?:\1-)?(\d+))?")
NAMED = re.compile(rf"(?:^|_)({AREAS.lower()})_(\d+)(?=_|$)")


def cited(text: str) -> set[str]:
    found = CITED.findall(text)
    return {f"{area}-{n}" for area, first, last in found for n in range(int(first), int(last or first) + 1)}


def _docstrings(paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    for path in paths:
        for node in walked(path):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}", ast.get_docstring(node) or ""


@cache
def _rules() -> tuple[set[str], set[str]]:
    """The ids of docs/rules.md: what is built, and what (single rules or whole areas) is named as not built yet."""
    text = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
    built, _heading, rest = text.partition("\n## Not built yet")
    listed = re.findall(rf"^- \*\*((?:{AREAS})-\d+)\*\* \S", built, re.MULTILINE)
    assert len(listed) == len(set(listed)), "an id is listed twice"
    whole = {f"{area}-{n}" for area in re.findall(rf"\b({AREAS}) \(", rest) for n in range(1, 20)}
    return set(listed), cited(rest) | whole


def test_every_rule_that_the_code_cites_is_in_the_list() -> None:
    """In docstrings, and as the rule of a blocker, which people read and decisions keep."""
    built, unbuilt = _rules()
    in_docstrings = {(place, rule) for place, text in _docstrings(CODE) for rule in cited(text)}
    in_blockers = {
        (place, node.value)
        for place, node in nodes(CODE, ast.Constant)
        if isinstance(node.value, str) and re.fullmatch(rf"({AREAS})-\d+", node.value)
    }
    assert {(place, rule) for place, rule in in_docstrings | in_blockers if rule not in built | unbuilt} == set()
    assert len(in_docstrings) > 100


def test_every_rule_of_the_list_has_its_docstring_and_its_test() -> None:
    built, _unbuilt = _rules()
    assert len(built) > 60
    in_code = {rule for _place, text in _docstrings(CODE) for rule in cited(text)}
    in_tests = {rule for _place, text in _docstrings(TESTS) for rule in cited(text)}
    for _place, function in nodes(TESTS, ast.FunctionDef):
        in_tests |= {f"{area.upper()}-{int(number)}" for area, number in NAMED.findall(function.name)}
    assert built - in_code == set(), "no docstring cites these"
    assert built - in_tests == set(), "no test names these"


def test_how_ids_are_read() -> None:
    assert cited("as ELIG-2..4 and REG-1 to REG-3 say (FX-2)") == {
        "ELIG-2", "ELIG-3", "ELIG-4", "REG-1", "REG-2", "REG-3", "FX-2",
    }  # fmt: skip
    assert NAMED.findall("test_ref_11_flow_5_is_drawn") == [("ref", "11"), ("flow", "5")]


def test_a_module_that_belongs_to_no_room_fails_the_check(tmp_path: Path) -> None:
    """docs/architecture.md: the contracts are exhaustive, so no app gets a new module beside its rooms."""
    for name in APPS:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    apps = [path.parent.relative_to(tmp_path) for path in tmp_path.rglob("apps.py")]
    for app in apps:
        (tmp_path / app / "helpers.py").write_text('"""Nobody\'s room."""\n')
    lint = Path(sys.executable).with_name("lint-imports")
    checked = subprocess.run([lint, "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert checked.returncode != 0
    strays = {".".join((*app.parts, "helpers")) for app in apps}
    assert len(strays) > 10
    assert {stray for stray in strays if f"- {stray}\n" not in checked.stdout} == set()


def test_verbs_and_what_they_take_are_typed() -> None:
    """No Any; the type checker is stricter there, too (pyproject.toml)."""
    rooms = [ROOT / "portal/workflow/verbs.py", *(path for app in APPS for path in (ROOT / app).glob("verbs/*.py"))]
    assert len(rooms) > 10
    loose = re.compile(r"\bAny\b")
    assert [path.name for path in rooms if loose.search(path.read_text())] == []
