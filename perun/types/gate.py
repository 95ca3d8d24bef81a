"""The path over several hubs: its terms, and what its parties sign."""

from __future__ import annotations

from typing import NewType

from perun import checks
from perun.types.quantities import Address, InstanceId, Record, Salt, UnixTime, Wei
from perun.types.turn_game import Game

__all__ = ["Final", "Gated", "Opening", "Path", "PathId", "PathRecord"]

PathId = NewType("PathId", InstanceId)
"""A path of `Gate`."""


class Path(Record, frozen=True, gc=False):
    """The fixed terms of a path over several hubs; their hash is its id (protocol, section 4)."""

    app: Address
    """The nanocontract that decides what moves between the ends."""
    instance: InstanceId
    """Its instance."""
    parties: tuple[Address, ...]
    """Addresses of the keys of Alice, of the hubs in order, and of Bob; 3 to 8."""
    end: UnixTime
    """Last second at which it can be opened or fixed: the final time of the instance; uint40."""
    salt: Salt
    """Random, so that no id is used twice."""

    def __post_init__(self) -> None:
        checks.length("app", self.app, 20)
        checks.length("instance", self.instance, 32)
        checks.between("parties", len(self.parties), 3, 8)
        for party in self.parties:
            checks.length("parties", party, 20)
        checks.unsigned("end", self.end, 40)
        checks.length("salt", self.salt, 32)


class Gated(Record, frozen=True, gc=False, tag=9):
    """A path in full, as its parties tell each other: what is behind the gate, and who they are.

    Its app, instance and end follow from what is inside, whose salt is the path's too.
    """

    inside: Game
    """What decides what moves between the ends."""
    parties: tuple[Address, ...]
    """As in `Path`."""

    def __post_init__(self) -> None:
        checks.between("parties", len(self.parties), 3, 8)
        for party in self.parties:
            checks.length("parties", party, 20)

    @property
    def salt(self) -> Salt:
        """That of what is inside."""
        return self.inside.salt


class PathRecord(Record, frozen=True, gc=False, tag=9):
    """What the chain says of a path that is open or fixed."""

    fixed: bool
    """Whether it is done with `shift`; else it hears what is inside, after its end."""
    shift: Wei
    """From its Alice to its Bob; 0 unless fixed."""


class Opening(Record, frozen=True, gc=False):
    """The instance of a path counts: signed by each of its parties (section 4)."""

    path: PathId

    def __post_init__(self) -> None:
        checks.length("path", self.path, 32)


class Final(Record, frozen=True, gc=False):
    """What moves by a path, for good: signed by each of its parties, once (section 4)."""

    path: PathId
    shift: Wei
    """What moves from its Alice to its Bob; negative: the other way."""

    def __post_init__(self) -> None:
        checks.length("path", self.path, 32)
        checks.signed_amount("shift", self.shift)
