"""Games in turns in bytes: ids, what is signed, and evidence for `TurnGame.submit`."""

from __future__ import annotations

from typing import ClassVar, Final

from perun.crypto.hashing import keccak
from perun.encoding import words
from perun.encoding.domains import Domain, domain_of
from perun.encoding.typed_data import InDomain, TypedData
from perun.types import (
    Address,
    ChainId,
    Digest,
    Game,
    GameId,
    InstanceId,
    Move,
    Position,
    Signature,
)


class TurnGameDomain(Domain, frozen=True, gc=False):
    """Domain of games in turns: Position, Move (EIP-712)."""

    contract_name: ClassVar[str] = "TurnGame"


def turn_game_domain(chain_id: ChainId, contract: Address) -> TurnGameDomain:
    """Domain `{"Perun TurnGame", "1"}` of the TurnGame at `contract`."""
    return domain_of(TurnGameDomain, chain_id, contract)


POSITION_TYPE = "Position(bytes32 game,uint32 version,uint8 turn,int112 shift,bytes32 position)"
MOVE_TYPE = "Move(bytes32 game,uint32 version,bytes32 position,bytes32 move)"
_POSITION = keccak(POSITION_TYPE.encode())
_MOVE = keccak(MOVE_TYPE.encode())


def game_id(domain: TurnGameDomain, game: Game) -> GameId:
    """`keccak256(abi.encode(DOMAIN_SEPARATOR, game))`."""
    return GameId(InstanceId(keccak(domain.separator + game_words(game))))


def game_words(game: Game) -> bytes:
    """`abi.encode(game)`, 12 words."""
    return (
        words.address(game.alice)
        + words.address(game.bob)
        + words.unsigned(game.alice_lock)
        + words.unsigned(game.bob_lock)
        + words.address(game.rules)
        + game.rules_hash
        + game.setup
        + words.unsigned(game.validity)
        + words.unsigned(game.challenge)
        + words.unsigned(game.alice_bank)
        + words.unsigned(game.bob_bank)
        + game.salt
    )


def position_digest(domain: TurnGameDomain, position: Position) -> Digest:
    """What both keys of a game sign for `position` (protocol, section 4)."""
    fields = (
        _POSITION
        + position.game
        + words.unsigned(position.version)
        + words.unsigned(position.turn)
        + words.signed(position.shift)
        + position.position
    )
    return Digest(keccak(domain.prefix + keccak(fields)))


def move_digest(domain: TurnGameDomain, move: Move) -> Digest:
    """What the side to move signs for a move on chain (protocol, section 4)."""
    fields = _MOVE + move.game + words.unsigned(move.version) + move.position + move.move
    return Digest(keccak(domain.prefix + keccak(fields)))


def position_evidence(
    game: Game, position: Position, signature_alice: Signature, signature_bob: Signature
) -> bytes:
    """Form 0 for `TurnGame.submit`: a word 0, then the arguments of `submitPosition`."""
    tail_alice, tail_bob = words.tail(signature_alice), words.tail(signature_bob)
    head_length = 32 * (12 + 4 + 2)
    return (
        words.unsigned(0)
        + game_words(game)
        + words.unsigned(position.version)
        + words.unsigned(position.turn)
        + words.signed(position.shift)
        + position.position
        + words.unsigned(head_length)
        + words.unsigned(head_length + len(tail_alice))
        + tail_alice
        + tail_bob
    )


def move_evidence(game: Game, position: bytes, move: bytes, signature: Signature) -> bytes:
    """Form 1 for `TurnGame.submit`: a word 1, then the arguments of `submitMove`.

    Meant for a transaction of its own: `register` gives evidence less gas than a move may need.
    """
    tails = [words.tail(value) for value in (position, move, signature)]
    head_length = 32 * (12 + 3)
    places = [head_length + sum(map(len, tails[:count])) for count in range(3)]
    return (
        words.unsigned(1)
        + game_words(game)
        + b"".join(map(words.unsigned, places))
        + b"".join(tails)
    )


TURN_GAME: Final = InDomain(
    TurnGameDomain,
    (
        TypedData(Position, POSITION_TYPE, position_digest),
        TypedData(Move, MOVE_TYPE, move_digest),
    ),
)
