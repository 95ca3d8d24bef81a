"""RockPaperScissors: two hands decide who pays (protocol, section 4)."""

from __future__ import annotations

from functools import cached_property

from perun import checks, encoding
from perun.bindings import abi, coin_flip
from perun.bindings.calls import Call, Fees, Query
from perun.bindings.coin_flip import FlipReader, StoredFlip
from perun.bindings.nanocontract import Nanocontract
from perun.bindings.receipts import Receipt
from perun.crypto.interop import AddressLike
from perun.encoding import RockPaperScissorsDomain
from perun.types import Address, Hands, HandsId, InstanceId, Nano, Preimage

HANDS = "(uint112,uint112,bytes32,bytes32,uint40,uint32,bytes32)"
REVEAL = f"reveal({HANDS},bool,bytes32)"
HANDS_ID = f"handsId({HANDS})"
RECORD = coin_flip.RECORD


def reveal(contract: Address, hands: Hands, bob: bool, secret: Preimage) -> Call:
    """Reveals a side's hand; again, it changes nothing.

    Raises:
        WrongType, WrongLength: the secret is not 32 bytes.
    """
    checks.length("secret", secret, 32)
    return Call(contract, abi.encode_call(REVEAL, hands, bob, secret))


def hands_id(contract: Address, hands: Hands) -> Query[HandsId]:
    """Asks for a game's id; `perun.encoding.hands_id` computes the same."""
    return Query(
        contract,
        abi.encode_call(HANDS_ID, hands),
        lambda data: HandsId(InstanceId(abi.decode(("bytes32",), data)[0])),
    )


class HandsReader(FlipReader):
    """Its log and its word are those of a coin flip; a hand stands where the share does."""

    direct = REVEAL


class RockPaperScissors(Nanocontract):
    """The contract that decides rock, paper, scissors: `Hands`, two secrets.

    Source: protocol, section 4. Amounts in the asset's smallest unit, times in Unix seconds;
    sending and errors as in `Front`.
    """

    table = FlipReader.table
    reader = HandsReader()

    @cached_property
    def domain(self) -> RockPaperScissorsDomain:
        """What ids are made in."""
        return encoding.rock_paper_scissors_domain(self.chain_id, self.address)

    def nano(self, hands: Hands, *, swapped: bool = False) -> Nano:
        """How a channel's state lists the game, until its final time.

        Args:
            swapped: whether the game's Alice is the channel's Bob.

        Source: protocol, section 4, *what an honest party locks*.
        """
        id = encoding.hands_id(self.domain, hands)
        final_time = hands.validity + hands.window
        return self._listed(id, (hands.alice_lock, hands.bob_lock), final_time, swapped)

    def reveal(
        self,
        hands: Hands,
        bob: bool,
        secret: Preimage,
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Reveals the hand of Alice, or Bob's; whoever calls. Announces `FlipRevealed`."""
        return self._send(reveal(self.address, hands, bob, secret), sender, gas, fees)

    def hands_id(self, hands: Hands) -> HandsId:
        """The contract's own answer; `perun.encoding.hands_id` needs no node."""
        return self._ask(hands_id(self.address, hands))

    def record(self, id: InstanceId) -> StoredFlip:
        """What is stored of a game; `share` is the hand."""
        return self._ask(coin_flip.record(self.address, id))
