"""The one way in which a query is refused."""

from __future__ import annotations


class QueryError(Exception):
    """A query option that can't be read or isn't allowed: 400, `invalidRequest` (F1.10).

    `position` counts characters of the decoded option from 0, where there is one; `target` is the option.
    """

    def __init__(self, message: str, position: int | None = None, target: str = "$filter") -> None:
        self.message, self.position, self.target = message, position, target
        super().__init__(message)

    def __str__(self) -> str:
        place = "" if self.position is None else f" at position {self.position}"
        return f"{self.target}{place}: {self.message}"
