"""What other apps add to a referral in the API: parts of its representation, and paths of its PATCH."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.accounts.rules import Actor
from portal.registry import Registry
from referrals.models import Referral


@dataclass(frozen=True)
class Part:
    """Names that an app adds to the representation of a referral.

    `find` is asked once for a whole page, with the primary keys of its referrals, and makes at most two queries; it
    returns each one's values by name. `empty`: the values of a referral that it returns nothing for. Cards of other
    companies' copies have no parts.
    """

    empty: Mapping[str, Any]
    find: Callable[[Sequence[int], Actor], Mapping[int, Mapping[str, Any]]]


PARTS: Registry[Part] = Registry()


@dataclass(frozen=True)
class Operation:
    """One operation of a JSON Patch. `path` as it was sent; `steps`: its names, in small letters."""

    op: str
    path: str
    value: Any

    @property
    def steps(self) -> tuple[str, ...]:
        return tuple(step.casefold() for step in self.path.split("/")[1:])


#: Carries out the operations whose path begins with the root's name, in the request's transaction, after all other
#: operations. Raises RuleViolation and ApiError.
PatchRoot = Callable[[Referral, Sequence[Operation], Actor, datetime], None]

#: By the first step of the paths, in small letters: `registrations`.
PATCH_ROOTS: Registry[PatchRoot] = Registry()

#: The scope that a token needs for a root, besides the one of the referral itself.
ROOT_SCOPES: dict[str, str] = {}
