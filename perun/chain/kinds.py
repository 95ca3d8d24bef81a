"""Which contract decides which kind of instance, and how it is read: by the contracts' names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from perun.bindings.instances import InstanceReader
from perun.bindings.nanocontract import Nanocontract
from perun.bindings.suite import NODE_SUITE
from perun.core.config import Deployment
from perun.core.nanocontracts.kind import Kind
from perun.core.nanocontracts.kinds import KINDS
from perun.types import Address

__all__ = ["Known", "known_apps"]


@dataclass(frozen=True, slots=True)
class Known:
    """A kind, by the core and by the chain."""

    # Any: both take what the other gives, which only this file knows.
    kind: Kind[Any, Any]
    reader: InstanceReader[Any, Any]


_READERS: Final = {
    name: front.reader for name, front in NODE_SUITE.items() if issubclass(front, Nanocontract)
}

_ALL: Final = [Known(kind, _READERS[kind.domain.contract_name]) for kind in KINDS.values()]


def known_apps(deployment: Deployment) -> dict[Address, Known]:
    """By address: the only nanocontracts that an honest party locks [A9]."""
    there = [known for known in _ALL if known.kind.exists(deployment)]
    return {known.kind.app(deployment): known for known in there}
