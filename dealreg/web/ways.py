"""What other apps offer where the registration form is refused (REG-12)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.registry import Registry
from portal.workflow.blockers import Blocker
from referrals.models import Referral


@dataclass(frozen=True)
class Way:
    """A way out, in the reader's language: what it is, the button's label, and where it leads."""

    text: str
    label: str
    url: str


#: Asked with the deal, what is refused, the form's answers as far as they could be read, and when (UTC).
FindWay = Callable[[Referral, Collection[Blocker], Mapping[str, Any], datetime], Way | None]
WAYS: Registry[FindWay] = Registry()
