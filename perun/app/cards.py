"""What a card has to say to whoever opens a channel; how it is fetched, each host knows.

What a card says is believed as far as its signature goes: who, where, which prices. The contracts
that it names are compared with those that this node has proved by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import msgspec
from msgspec.structs import replace

from perun.app.methods import Open
from perun.app.spending import digest_of
from perun.core.config import Config
from perun.crypto.interop import checksum
from perun.encoding.cards import Card, CardMalformed, card_name
from perun.encoding.kinds import NEEDED
from perun.errors import Misuse, PeerFault
from perun.node.settings import contracts_of

__all__ = [
    "CARD_PATH",
    "OtherContracts",
    "PriceRaised",
    "ShownPrices",
    "require_same",
    "wants_card",
]

CARD_PATH: Final = "/.well-known/perun.json"
_PREFIX: Final = "perun1"
_MOST_SHOWN: Final = 1_000


@dataclass(eq=False)
class PriceRaised(Misuse):
    """A node asks more for its share than when our user looked."""

    shown: int
    asked: int

    template: ClassVar[str] = "the node asks {asked} for its share now, and {shown} when you looked"
    hint: ClassVar[str] = "look again without consent; or name the fee that you pay"


@dataclass(eq=False)
class OtherContracts(PeerFault):
    """A node uses other contracts, or another chain, than we do."""

    what: str
    ours: str
    theirs: str

    template: ClassVar[str] = "the node's {what} is {theirs}, ours is {ours}"
    hint: ClassVar[str] = "choose a node of your network; send nothing to contracts you do not know"


def require_same(card: Card, config: Config, genesis: bytes) -> None:
    """Raises `OtherContracts` unless a card is about our chain and our contracts."""
    contract, named = config.deployment.contract, card.contracts
    pairs = [
        ("network", f"eip155:{contract.chain_id}", card.network),
        ("genesis", "0x" + genesis.hex(), card.genesis),
    ]
    for name, where in contracts_of(config.deployment).items():
        # A kind of instance that one of us does not know is one that we do not share.
        if name in NEEDED or card_name(name) in named:
            pairs.append((name, checksum(where), named.get(card_name(name), "nowhere")))
    for what, ours, theirs in pairs:
        if ours.lower() != theirs.lower():
            raise OtherContracts(what, ours, theirs)


def wants_card(params: Open) -> bool:
    """Whether the card of the node that is named must be read before the channel is opened."""
    return params.account is None and "@" in params.peer and params.peer.startswith(_PREFIX)


class ShownPrices:
    """What cards asked when our users looked."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, bytes], int] = {}

    def complete(self, token: str, asked: Open, card: Card) -> Open:
        """With the node's account; and with what its card asks for its share, unless our user
        offers something else. Whoever consents pays no more than what was shown before, though
        the card may name another price by now.

        Raises:
            CardMalformed: what the card says has not the form that what our user says has.
            PriceRaised: it asks more than it did.
        """
        full = _completed(asked, card)
        plan, price = (token, digest_of("open", asked)), int(full.fee)
        if not full.consent:
            self._shown[plan] = price
            while len(self._shown) > _MOST_SHOWN:
                del self._shown[next(iter(self._shown))]
        elif price > self._shown.get(plan, price):
            raise PriceRaised(self._shown[plan], price)
        return full


def _completed(params: Open, card: Card) -> Open:
    full = replace(params, account=card.account or None, fee=_fee(card, params))
    try:
        return msgspec.convert(msgspec.to_builtins(full), Open)
    except msgspec.ValidationError as error:
        raise CardMalformed(str(error)) from None


def _fee(card: Card, params: Open) -> str:
    if not params.draw or params.fee != "0":
        return params.fee
    wanted = int(params.asset or "0x0", 16)
    for asset in card.assets:
        if int(asset.asset, 16) == wanted:
            return str(asset.share_price(int(params.peer_amount)))
    return params.fee
