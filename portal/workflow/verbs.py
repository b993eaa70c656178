"""Defines verbs: one action on a record, with everything that belongs to it in one class."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Generic, Never, TypeVar, cast

from portal.accounts.rules import Actor
from portal.events.models import Event
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker
from portal.workflow.models import Record
from portal.workflow.timeline import Params, Sentence

#: The kind of record, and what the verb takes.
R = TypeVar("R", bound=Record)
Inputs = TypeVar("Inputs", contravariant=True)
T = TypeVar("T")


@dataclass(frozen=True)
class Context:
    """Who acts, when (UTC), and under which policy."""

    actor: Actor
    now: datetime
    policy: Policy
    _found: dict[str, object] = field(default_factory=dict, compare=False, repr=False)

    def once(self, name: str, find: Callable[[], T]) -> T:
        """Return what `find` returns, but call it only once: several steps of one verb need the same object."""
        if name not in self._found:
            self._found[name] = find()
        return cast(T, self._found[name])


@dataclass(frozen=True)
class Effect:
    """What the event records beside the record's own columns: values before and after, reasons, a comment.

    `events` are further events on other records; they are recorded after the verb's own event.
    """

    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)
    reasons: Sequence[Blocker] = ()
    comment: str = ""
    events: Sequence[Event] = ()


def worker(actor: Actor, _record: object = None) -> bool:
    """A predicate for `who`: workers may run the verb."""
    return actor.is_system


class Described:
    """A verb's name and its texts.

    `name` stands in addresses, and is the model's @transition where the state matters; `label` is the button;
    `event` is what is written down, and `sentence` how the timeline tells it. `shared`: the engagement's other
    participants see it. `internal`: not even the record's own company sees it. `danger`: the button warns.
    `final`: the page says that it can't be undone. `quiet`: no button of its own. `primary`: the button stands out.
    `page`: the URL name of its own page, which takes the deal's id; without one the common page of verbs asks for the
    inputs. `in_dialog`: that page fits in a dialog.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    event: ClassVar[str]
    sentence: ClassVar[Sentence]
    shared: ClassVar[bool] = False
    internal: ClassVar[bool] = False
    danger: ClassVar[bool] = False
    final: ClassVar[bool] = False
    quiet: ClassVar[bool] = False
    primary: ClassVar[bool] = False
    page: ClassVar[str] = ""
    in_dialog: ClassVar[bool] = True


class Verb(Described, Generic[R, Inputs]):
    """An action on a record. Its input is a frozen dataclass, or None.

    An actor for whom one of the predicates in `who` holds may run it. `apply` has the whole effect on the locked row:
    the transition, and every row that belongs to it.
    """

    who: tuple[Callable[[Actor, R], bool], ...]

    def may(self, actor: Actor, record: R) -> bool:
        return any(allowed(actor, record) for allowed in self.who)

    def blockers(self, record: R, context: Context) -> Iterable[Blocker]:
        """Reasons against the verb that don't depend on the inputs; buttons ask for them, too."""
        return ()

    def input_blockers(self, record: R, inputs: Inputs, context: Context) -> Iterable[Blocker]:
        """What is wrong with the inputs; forms and dry runs ask for it as well."""
        return ()

    def apply(self, record: R, inputs: Inputs, context: Context) -> Effect:
        raise NotImplementedError

    def settle(self, records: Sequence[R], context: Context) -> None:
        """Update what is derived from the records, after they are saved and before the events are written."""

    @property
    def by_worker(self) -> bool:
        """Whether only workers may run it; then it has no button."""
        return self.who == (worker,)


class Creation(Described, Generic[R, Inputs]):
    """A verb that creates a record; `apply` writes all its rows. One that writes no other may say how it is made, and
    can then be run for many at once."""

    who: tuple[Callable[[Actor], bool], ...]

    def may(self, actor: Actor) -> bool:
        return any(allowed(actor) for allowed in self.who)

    def blockers(self, context: Context) -> Iterable[Blocker]:
        """Reasons against it that don't depend on the inputs."""
        return ()

    def input_blockers(self, inputs: Inputs, context: Context) -> Iterable[Blocker]:
        """What is wrong with the inputs."""
        return ()

    def make(self, inputs: Inputs, context: Context) -> tuple[R, Effect]:
        """The record, not yet saved."""
        raise NotImplementedError

    def apply(self, inputs: Inputs, context: Context) -> tuple[R, Effect]:
        record, effect = self.make(inputs, context)
        record.save()
        return record, effect


@dataclass(frozen=True)
class Machine(Generic[R]):
    """The verbs of one model in the order of their buttons, and how its row is locked.

    `state` returns the msgid of a record's state. `params` fill the sentences of its events.
    """

    model: type[R]
    verbs: Sequence[Verb[R, Never]]
    lock: Callable[[int], R]
    state: Callable[[R], str]
    params: Params
    creations: Sequence[Creation[R, Never]] = ()
    #: What happens to records along with other verbs, and is no verb of its own.
    along: Sequence[Described] = ()
    #: What a batch locks, never waiting: the row, and whatever the verbs lock before it.
    locked_with: tuple[str, ...] = ("self",)
    #: What else the verbs lock first, where joining it would be slow: a batch locks it after its rows, never waiting,
    #: and goes on with the rows for which it could.
    hold: Callable[[Sequence[R]], Sequence[R]] = lambda rows: rows
    by_name: Mapping[str, Verb[R, Never]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {verb.name: verb for verb in self.verbs})

    @property
    def every(self) -> list[Described]:
        """All verbs of the machine, creation first."""
        return [*self.creations, *self.along, *self.verbs]
