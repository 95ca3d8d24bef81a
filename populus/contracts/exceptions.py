"""What can be wrong when a contract is asked for by name."""

from __future__ import annotations

from populus.exceptions import PopulusError

__all__ = ["UnknownContract", "NoKnownAddress", "BytecodeMismatch"]


class UnknownContract(PopulusError):
    """No compiled contract has this name."""


class NoKnownAddress(PopulusError):
    """The registrar has no address for this contract on this chain."""


class BytecodeMismatch(PopulusError):
    """The code at the address is not what the sources compile to."""
