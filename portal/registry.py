"""What several apps show together: each app adds what it knows, and whoever shows it names no app."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """Things by their code, in the order of their numbers, whichever app was loaded first."""

    def __init__(self) -> None:
        self._places: dict[str, tuple[int, T]] = {}

    def add(self, code: str, thing: T, *, order: int) -> T:
        """Raises ValueError if another thing has the code or the number."""
        if code in self._places or order in {taken for taken, _thing in self._places.values()}:
            raise ValueError(f"{code} or its place {order} is taken")
        self._places[code] = (order, thing)
        self._places = dict(sorted(self._places.items(), key=lambda item: item[1][0]))
        return thing

    def __getitem__(self, code: str) -> T:
        return self._places[code][1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
