"""What a hub's operator is shown: looked up in a turn of the node, so that it fits together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection

from perun.core.books import Books
from perun.core.rules.phases import phase
from perun.core.state import HubStage, PeerId, Stage
from perun.core.states.valuation import balance
from perun.crypto.interop import checksum
from perun.encoding.addresses import show_node_id
from perun.hub.acceptance import own_deposits
from perun.hub.guest import HubGuest
from perun.hub.shown import ChannelLine, Fees, PeerLine, Status
from perun.hub.treasury import gas_reserve
from perun.types import ETH

__all__ = ["channels", "fees", "peers", "status"]


def status(books: Books, guest: HubGuest, online: Collection[PeerId]) -> Status:
    """Everything counted."""
    identity, chain = books.config.identity, books.chain
    live = [view for view in books.channels.values() if view.stage is Stage.JOINED]
    credit = books.credits.get((ETH, identity.account))
    hub = books.config.policy.hub
    balances = [balance(books, v) for v in live if v.channel.asset == ETH and not v.final.ended]
    seen = guest.treasury.balance
    return Status(
        show_node_id(identity.peer),
        checksum(identity.account),
        f"eip155:{books.config.deployment.contract.chain_id}",
        guest.mode.paused,
        guest.draining,
        books.exit_only,
        dict(Counter(phase(view, chain).value for view in books.channels.values())),
        dict(Counter(HubStage(c.stage).name.lower() for c in books.hub_instances.values())),
        sum(peer in online for peer in books.indexes.of_peer),
        chain.head_number,
        chain.final_number,
        str(chain.gas_price),
        None if seen is None else str(seen),
        str(gas_reserve(books)),
        None if credit is None else str(credit.amount),
        str(own_deposits(books, ETH)),
        str(guest.shares.bounds.greatest_deposits if hub else 0),
        str(sum(each.locked for each in balances)),
        guest.shares.waiting,
        len(guest.shares.granted),
        len(guest.shares.strikes),
        str(guest.bookkeeper.earned),
    )


def channels(books: Books, online: Collection[PeerId]) -> list[ChannelLine]:
    """All that have not ended, the oldest first."""
    found = []
    for view in books.channels.values():
        if view.final.ended:
            continue
        own = balance(books, view)
        held = view.final.alice + view.final.bob
        instances = 0 if view.agreed is None else len(view.agreed.state.nanos)
        theirs = held - own.free - own.locked
        found.append(
            ChannelLine(
                "0x" + view.id.hex(),
                show_node_id(view.peer),
                checksum(view.channel.asset),
                phase(view, books.chain).value,
                str(own.free),
                str(own.locked),
                str(theirs),
                instances,
                view.peer in online,
            )
        )
    return found


def peers(books: Books, online: Collection[PeerId]) -> list[PeerLine]:
    """Whoever has a channel with us."""
    counts: dict[PeerId, int] = defaultdict(int)
    for view in books.channels.values():
        counts[view.peer] += not view.final.ended
    return [PeerLine(show_node_id(peer), n, peer in online) for peer, n in counts.items() if n]


def fees(books: Books, guest: HubGuest) -> Fees:
    """Prices, and what they have brought."""
    hub = books.config.policy.hub
    assert hub is not None
    tariff = guest.shares.tariff
    return Fees(
        str(hub.base_fee),
        hub.amount_ppm,
        hub.amount_day_ppm,
        str(tariff.flat(books.chain.gas_price)),
        tariff.prices.share_ppm,
        str(guest.bookkeeper.earned),
    )
