"""What the palette (Ctrl K) can do besides finding: each app adds its own actions, for whom they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from portal.accounts.rules import Actor
from portal.registry import Registry


@dataclass(frozen=True)
class Command:
    """One line of the palette: a page to open, or with `sends` a form's one button, by its name and value.

    `in_dialog`: the page fits in a dialog. `lang`: the label's language, where it isn't the page's.
    """

    label: str
    url: str
    icon: str = ""
    in_dialog: bool = False
    sends: tuple[str, str] | None = None
    lang: str = ""


#: Each returns what this person may begin now, wherever they are.
COMMANDS: Registry[Callable[[Actor], Iterable[Command]]] = Registry()
