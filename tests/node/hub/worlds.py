"""A hub in a world without sockets, whose chain readings a test answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from perun.app.app import App
from perun.chain.wishes import Wish
from perun.core.config import HubPolicy, Policy
from perun.core.inputs import CommandOffer
from perun.core.notices import ChannelRefused
from perun.core.state import ChannelView, PeerId, Stage
from perun.hub.acceptance import Bounds
from perun.hub.faucet import Faucet, Generosity
from perun.hub.guest import HubGuest, InTurn
from perun.hub.shares import Shares
from perun.hub.tariff import Prices, Tariff
from perun.hub.treasury import Told, Treasury
from perun.node.guest import Desk
from perun.testing.parties import Party, World
from perun.testing.people import SETTINGS
from perun.testing.stories import OPEN_HANDED
from perun.types import ETH, Address, Seconds, Wei

CREDIT = 10_000
FREE = Prices(exit_gas=False)
PLENTY = Wei(10**30)


class HubWorld:
    """A hub with credit, and openers who come from addresses."""

    def __init__(
        self,
        prices: Prices = FREE,
        *,
        deposits: int = 100_000,
        credit: int = CREDIT,
        policy: HubPolicy | None = None,
        answers: bool = True,
        wanted: int = 0,
    ) -> None:
        self.world = World(lag=2)
        self.wanted = wanted
        self.own: Wei | None = None
        """What the hub's account has on the chain; None: the chain does not say."""
        self.fillings: list[Wish] = []
        """What the treasury has handed to the chain port."""
        self.told: list[Told] = []
        self.wishes: list[Wish] = []
        """What the faucet has handed to the chain port."""
        self.generosity = Generosity(Wei(7), each_address=2, each_day=4)
        self.answers = answers
        """Whether the chain answers at once."""
        self.asked: list[tuple[Address, Callable[[Desk, Wei | None], None]]] = []
        self.money: dict[Address, Wei] = {}
        """On the chain; who is not here has plenty."""
        self.groups: dict[PeerId, str] = {}
        self.bounds = Bounds(Wei(deposits))
        self.prices = prices
        hub = policy or HubPolicy(greatest_draw=Wei(10**30), asks=True)
        self.hub = self.world.party(
            "ingrid", Policy(greatest_deposit=Wei(0), hub=hub), guest=self._guest
        )
        self.world.ledger.fund(self.hub.account.address, credit)
        self.blocks(4)

    def _guest(self, party: Party) -> HubGuest:
        app = App(SETTINGS, party.random)
        self.tariff = Tariff(self.prices)
        group_of: Callable[[PeerId], str] = lambda peer: self.groups.get(peer, peer.hex())  # noqa: E731
        shares = Shares(self.tariff, self.bounds, group_of, self._look_up)
        self.treasury = Treasury(
            Wei(self.wanted), self._look_up_own, self.fillings.append, self.told.append
        )
        self.faucet = Faucet(self.generosity, self.wishes.append)
        self.guest = HubGuest(app, shares, self.treasury, self.faucet)
        return self.guest

    def _look_up(self, account: Address, found: Callable[[Desk, Wei | None], None]) -> None:
        self.asked.append((account, found))
        if self.answers:
            self.answer()

    def _look_up_own(self, _account: Address, found: Callable[[Desk, Wei | None], None]) -> None:
        own = self.own
        self.hub.node.ask(InTurn(lambda desk: found(desk, own)))

    def answer(self, money: Wei | None = PLENTY) -> None:
        """The chain says what an account holds."""
        account, found = self.asked.pop(0)
        has = None if money is None else self.money.get(account, money)
        self.hub.node.ask(InTurn(lambda desk: found(desk, has)))

    def blocks(self, count: int) -> None:
        """So many blocks come, one after the other."""
        for _ in range(count):
            self.world.advance()

    def opener(self, name: str, group: str = "") -> Party:
        """Somebody with a fresh key."""
        party = self.world.party(name, OPEN_HANDED)
        if group:
            self.groups[party.peer] = group
        self.world.advance()
        return party

    def offer(self, party: Party, own: int = 1_000, share: int = 500, fee: int = 0) -> None:
        """Offers a channel that draws on the hub's credit."""
        party.do(
            CommandOffer(
                self.hub.peer,
                self.hub.account.address,
                ETH,
                Seconds(600),
                party.nonce(),
                Wei(own),
                Wei(share),
                draw=True,
                fee=Wei(fee),
            )
        )
        self.world.settle()

    def is_joined(self, party: Party) -> bool:
        """Whether the hub has signed an `Open` for its newest channel."""
        return self.view(party) is not None and self.view(party).stage is Stage.JOINED  # type: ignore[union-attr]

    def view(self, party: Party) -> ChannelView | None:
        """The hub's view of a party's newest channel."""
        known = self.hub.node.books.channels.values()
        found = [view for view in known if view.peer == party.peer]
        return found[-1] if found else None

    def reasons(self, party: Party) -> list[str]:
        """What the hub has said no with."""
        notices: list[Any] = party.told(ChannelRefused)
        return [notice.reason for notice in notices]

    def opens(self) -> int:
        """How much all live `Open`s that nobody has used hold of the credit."""
        channels = self.hub.node.books.channels.values()
        return sum(
            one.open.bob_amount
            for view in channels
            for one in view.opens
            if one.ours and not view.head.drawn
        )


def hold_back(party: Party) -> None:
    """Its transactions do not come to the chain."""
    party.chain.mining = False
