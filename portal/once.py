"""What a request, or a run of a verb, asks for once, however many rules and lines of its page need it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse

T = TypeVar("T")

#: What was found so far, by question; None outside of every scope.
_found: ContextVar[dict[str, Any] | None] = ContextVar("found", default=None)


@contextmanager
def scope() -> Iterator[None]:
    """Within it each question is answered once; a scope in another shares its answers."""
    found = _found.get()
    token = _found.set({} if found is None else found)
    try:
        yield
    finally:
        _found.reset(token)


def inside() -> bool:
    """Whether answers are kept here."""
    return _found.get() is not None


def answer(question: str, find: Callable[[], T]) -> T:
    """What `find` returns; within a scope from the second time on what it returned first."""
    found = _found.get()
    if found is None:
        return find()
    if question not in found:
        found[question] = find()
    kept: T = found[question]
    return kept


def forget(question: str) -> None:
    """The answer has changed."""
    (_found.get() or {}).pop(question, None)


class OnceMiddleware:
    """Every request is a scope."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with scope():
            return self.get_response(request)
