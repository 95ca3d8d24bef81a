"""What the two ends of a game have signed, and what our user wants in it."""

from __future__ import annotations

from perun.types import Record, Signature, UnixTime, Version, Wei

__all__ = ["ChainMove", "GameView", "Ply"]


class Ply(Record, frozen=True, gc=False, array_like=True):
    """A position of a game that at least one side has signed, or is about to."""

    version: Version
    turn: int
    """Who moves: 1 Alice, 2 Bob, 0 nobody: it is finished."""
    shift: Wei
    """If finished, what moves from the game's Alice to its Bob."""
    position: bytes
    """Its bytes, as the rules make them."""
    move: bytes
    """By which it came from the newest agreed one; empty: it is how it begins, or a resignation."""
    alice: Signature = Signature(b"")
    bob: Signature = Signature(b"")


class ChainMove(Record, frozen=True, gc=False, array_like=True):
    """A move that we make on chain: one for each position that is recorded there."""

    version: Version
    """Of the position moved from."""
    position: bytes
    """Its bytes."""
    move: bytes
    signature: Signature = Signature(b"")
    """Empty while our signer works."""


class GameView(Record, frozen=True, gc=False, array_like=True):
    """What the ends of a game have signed, and what our user wants in it."""

    agreed: Ply | None = None
    """The newest position that both have signed."""
    own: Ply | None = None
    """Ours, without the other end's signature."""
    held: Ply | None = None
    """The other end's, which our signer is at work on; version 0: which waits for our state."""
    signed: int = -1
    """Highest version that we have signed, or asked our signer to sign."""
    choice: tuple[Version, bytes] | None = None
    """The move that our user wants to make, and the version of the position it is made from."""
    resigned: bool = False
    called: int = -1
    """The version at which our user took the game to the chain; counts while none is newer."""
    chain_move: ChainMove | None = None
    since: UnixTime = UnixTime(0)
    """Own clock when the newest position was agreed on."""
    draws: bool = False
    """Whether our user offers a draw: signed once it is the other side's turn."""
    offered: Ply | None = None
    """The draw that the other end has signed and offers; it lapses when we move."""
