"""The environment's variables, each read as what it has to be: a wrong one ends the process with one clear line."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

TRUE = frozenset(["true", "yes", "y", "on", "ok", "1"])
FALSE = frozenset(["false", "no", "n", "off", "0"])


class Refused(SystemExit):
    """This process can't run as it was told to.

    A SystemExit: whichever program loads the settings, Python prints the line instead of a traceback and ends with
    exit code 1.
    """

    def __init__(self, line: str) -> None:
        super().__init__(f"ortak: {line}")


class Variables:
    """Reads `environ`, in which an empty variable counts as one not given. Every method raises Refused."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def text(self, name: str, default: str = "") -> str:
        return self.environ.get(name, "").strip() or default

    def flag(self, name: str, default: bool) -> bool:
        value = self.text(name).lower()
        if value and value not in TRUE | FALSE:
            raise Refused(f"{name} must be true or false, not {value!r}.")
        return value in TRUE if value else default

    def number(self, name: str, default: int, *, lowest: int = 0, highest: int = 2**31) -> int:
        value = self.text(name) or str(default)
        if not (value.isascii() and value.isdigit() and len(value) < 12 and lowest <= int(value) <= highest):
            raise Refused(f"{name} must be a whole number from {lowest} to {highest}, not {value[:40]!r}.")
        return int(value)

    def words(self, name: str, default: Collection[str] = ()) -> list[str]:
        """What stands between the commas."""
        given = [part.strip() for part in self.text(name).split(",")]
        return [part for part in given if part] or [*default]

    def hosts(self, name: str, default: Collection[str] = ()) -> list[str]:
        """Host names, as ALLOWED_HOSTS takes them."""
        given = self.words(name, default)
        for host in given:
            if "/" in host or " " in host:
                raise Refused(f"{name} must be host names separated by commas, without https://, not {host!r}.")
        return given

    def origins(self, name: str) -> list[str]:
        """Where forms may come from, as CSRF_TRUSTED_ORIGINS takes it."""
        given = self.words(name)
        for origin in given:
            if not _is_address(origin, ("http", "https"), "netloc"):
                raise Refused(f"{name} must be origins like https://portal.example.com, not {origin!r}.")
        return given

    def choice(self, name: str, choices: Collection[str], default: str | None = None) -> str:
        """One of the choices; without a default it has to be given."""
        value = self.text(name) or default
        if value is None:
            raise Refused(f"{name} is not set: it must be {_either(choices)}.")
        if value not in choices:
            raise Refused(f"{name} must be {_either(choices)}, not {value!r}.")
        return value

    def address(
        self, name: str, *, like: str, schemes: Collection[str], part: str = "scheme", default: str = ""
    ) -> str:
        """A URL of one of the schemes that has this part; it may hold a password, so no message shows it."""
        value = self.text(name, default)
        if value and not _is_address(value, schemes, part):
            raise Refused(f"{name} must look like {like}.")
        return value

    def place(self, name: str, *, like: str) -> tuple[str, int] | None:
        """A host and a port, as host:port; None if nothing is given."""
        value = self.text(name)
        host, _colon, port = value.rpartition(":")
        if value and not (host and ":" not in host and "/" not in host and port.isdecimal() and 0 < int(port) < 2**16):
            raise Refused(f"{name} must look like {like}.")
        return (host, int(port)) if value else None


def _is_address(value: str, schemes: Collection[str], part: str) -> bool:
    try:
        url = urlsplit(value)
        return url.scheme in schemes and (url.port or 1) > 0 and bool(getattr(url, part).strip("/"))
    except ValueError:  # a port or an IPv6 address that is none
        return False


def _either(choices: Collection[str]) -> str:
    *first, last = choices
    return f"{', '.join(first)} or {last}"


env = Variables(os.environ)
