"""What the application needs to know of others before it can act: the account behind an address.

The application opens nothing. So a call that names `perun1…@host` passes here first: the host's
card is fetched, compared with our chain and contracts, and its account filled in. What our account
has on chain is filled into `status`, and nothing is begun that it cannot pay for.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import msgspec

from perun.app.errors import AccountTooPoor
from perun.app.methods import GetStatus, Open, TopUp
from perun.app.spending import digest_of
from perun.app.values import Status
from perun.app.work import Ask
from perun.core import gas
from perun.core.config import Config
from perun.daemon.cards import fetch_card, require_same
from perun.daemon.purse import Purse
from perun.encoding.addresses import NodeAddress
from perun.encoding.cards import Card, CardMalformed
from perun.errors import BrokenInvariant, Misuse, PerunError
from perun.node.runtime import Node
from perun.types import ETH, ChannelId, Wei

__all__ = ["Lookups", "PriceRaised"]

_AT_ONCE: Final = 4
_PREFIX: Final = "perun1"
_MOST_PLANS: Final = 1_000


@dataclass(eq=False)
class PriceRaised(Misuse):
    """A node asks more for its share than when our user looked."""

    shown: int
    asked: int

    template: ClassVar[str] = "the node asks {asked} for its share now, and {shown} when you looked"
    hint: ClassVar[str] = "look again without consent; or name the fee that you pay"


class Lookups:
    """Stands before a node, as `perun.api.door.Hosted`."""

    def __init__(
        self, node: Node, config: Config, genesis: bytes, purse: Purse, serials: Path
    ) -> None:
        """Args:
        purse: of our account.
        serials: keeps the newest serial seen of each card, so that no old one is believed.
        """
        self._node, self._config, self._genesis = node, config, genesis
        self._purse, self._file = purse, serials
        self._serials = _read(serials)
        self._plans: dict[tuple[str, bytes], int] = {}
        """Prices that were shown, by who asked what."""
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="perun-cards")
        # Apart: a host that is slow to show its card must not keep back how we stand.
        self._statuses = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="perun-status")

    @property
    def failed(self) -> Exception | None:
        """See `Hosted`."""
        return self._node.failed

    def ask(self, item: object) -> None:
        """See `Hosted`: at once, unless a card must be fetched first."""
        if isinstance(item, Ask) and isinstance(item.params, Open | TopUp):
            self._pool.submit(self._complete, item, item.params)
        elif isinstance(item, Ask) and isinstance(item.params, GetStatus):
            self._statuses.submit(self._look_outside, item)
        else:
            self._node.ask(item)

    def stop(self) -> None:
        """Fetches no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._statuses.shutdown(wait=False, cancel_futures=True)

    def card(self, address: NodeAddress) -> Card:
        """The card of a node, if it is of our chain and contracts.

        Raises:
            PeerFault: as `fetch_card` and `require_same` say.
        """
        known = self._serials.get(address.peer.hex(), 0)
        card = fetch_card(address.host, peer=address.peer, least_serial=known)
        require_same(card, self._config, self._genesis)
        if card.serial > known:
            self._serials[address.peer.hex()] = card.serial
            # Without room on the disk it is remembered as long as we live.
            with suppress(OSError):
                _write(self._file, self._serials)
        return card

    def _look_outside(self, item: Ask) -> None:
        found = self._purse.look()

        def reply(answer: object) -> None:
            if isinstance(answer, Status) and found is not None:
                answer = msgspec.structs.replace(answer, outside=str(found))
            item.reply(answer)

        self._node.ask(Ask(item.method, item.params, reply, item.caller, item.push))

    def _complete(self, item: Ask, params: Open | TopUp) -> None:
        try:
            if isinstance(params, Open) and _wants_card(params):
                full = _filled(self.card(NodeAddress.parse(params.peer)), params)
                self._hold_price(item.caller.token, params, full)
                params = full
            self._require_ether(params)
        except PerunError as error:
            item.reply(error)
            return
        except Exception as error:
            # A bug, in a thread that nobody waits for; whoever asked must not wait in vain.
            item.reply(BrokenInvariant(f"{type(error).__name__}: {error}"))
            return
        self._node.ask(Ask(item.method, params, item.reply, item.caller, item.push))

    def _hold_price(self, token: str, asked: Open, full: Open) -> None:
        """Whoever consents pays no more than what was shown before, though the card may name
        another price by now. Raises `PriceRaised`."""
        plan, price = (token, digest_of("open", asked)), int(full.fee)
        if not full.consent:
            self._plans[plan] = price
            while len(self._plans) > _MOST_PLANS:
                del self._plans[next(iter(self._plans))]
        elif price > self._plans.get(plan, price):
            raise PriceRaised(self._plans[plan], price)

    def _require_ether(self, params: Open | TopUp) -> None:
        """Raises `AccountTooPoor`: the transaction would wait for money, and lapse. What the chain
        does not tell now is not asked for."""
        has, books = self._purse.look(), self._node.books
        if has is None:
            return
        if isinstance(params, TopUp):
            view = books.channels.get(ChannelId(bytes.fromhex(params.channel[2:])))
            is_ether = view is not None and view.channel.asset == ETH
            needed = gas.DEPOSIT_GAS
        else:
            is_ether = not int(params.asset or "0x0", 16)
            needed = gas.OPEN_BOTH_GAS if params.draw else gas.OPEN_GAS
        price = needed * books.chain.gas_price + (int(params.amount) if is_ether else 0)
        if has < price:
            raise AccountTooPoor(has, Wei(price))


def _wants_card(params: Open) -> bool:
    return params.account is None and "@" in params.peer and params.peer.startswith(_PREFIX)


def _filled(card: Card, params: Open) -> Open:
    """With what a card says, which is held to the same form as what our user says."""
    full = msgspec.structs.replace(params, account=card.account or None, fee=_fee(card, params))
    try:
        return msgspec.convert(msgspec.to_builtins(full), Open)
    except msgspec.ValidationError as error:
        raise CardMalformed(str(error)) from None


def _fee(card: Card, params: Open) -> str:
    """What our user offers for the node's share; unless said, what its card asks."""
    if not params.draw or params.fee != "0":
        return params.fee
    wanted = int(params.asset or "0x0", 16)
    for asset in card.assets:
        if int(asset.asset, 16) == wanted:
            return str(asset.share_price(int(params.peer_amount)))
    return params.fee


def _read(file: Path) -> dict[str, int]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, int])
    except (OSError, msgspec.DecodeError):
        return {}


def _write(file: Path, serials: dict[str, int]) -> None:
    fresh = file.with_name(file.name + ".new")
    fresh.write_bytes(msgspec.json.encode(serials))
    fresh.replace(file)
