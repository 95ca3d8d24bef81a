"""What makes a daemon a hub: the parts of `perun.hub`, fed from its settings."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from perun.api.place import tokens_folder
from perun.api.publishing import publish_place, withdraw_place
from perun.api.tokens import Tokens
from perun.app.app import App
from perun.chain.reports import Paid, Report
from perun.chain.rpc import RpcEndpoint
from perun.chain.wishes import Wish
from perun.core.books import Books
from perun.core.config import Config
from perun.core.state import ChannelView, PeerId, Stage
from perun.daemon.operating import Operator, Run
from perun.daemon.places import is_here, place_of
from perun.daemon.policies import TEST_NETWORKS, bounds_of, prices_of
from perun.daemon.settings import USUAL_ADMIN, BadSettings, HubSettings
from perun.encoding.addresses import NodeAddress
from perun.hub.admin import Admin
from perun.hub.deploying import PLAN_NAME, costs_of
from perun.hub.faucet import Faucet, Generosity
from perun.hub.faucet_page import FAUCET_PATH, FaucetPage
from perun.hub.gasbook import Beginning
from perun.hub.gasbook_beside import Book, book_of
from perun.hub.guest import HubGuest, InTurn
from perun.hub.questions import Questions
from perun.hub.shares import Shares
from perun.hub.shown import ADMIN_PLACE
from perun.hub.tariff import Tariff
from perun.hub.treasury import Told, Treasury
from perun.types import ETH, Wei

__all__ = ["Hosting"]

"""File that says where the operator's port is."""

_HOUR: Final = 3_600.0
"""A price named in a card stands for so long, or longer."""
_TOLD_AGAIN: Final = 256
_DRAIN: Final = 30.0
"""Seconds; a pair of proposals is refused after *patience*, which is less."""
_LOOK: Final = 0.2


class Host(Run, Protocol):
    """The daemon, as far as its hub needs it."""

    app: App
    config: Config
    peer: PeerId

    @property
    def connect(self) -> Callable[[], RpcEndpoint]:
        """A connection of one's own to the chain."""


class Hosting:
    """A daemon's hub."""

    def __init__(
        self, daemon: Host, home: Path, settings: HubSettings, tell: Callable[[Told], None]
    ) -> None:
        """Serves nothing yet; the daemon's assembly comes later."""
        self._daemon, self._settings = daemon, settings
        self._neighbours = [NodeAddress.parse(text) for text in settings.neighbours]
        self.tariff = Tariff(prices_of(settings))
        self.bounds = bounds_of(settings)
        self.questions = Questions(daemon.connect, self._post)
        self._gas: Book | None = None
        self.guest = HubGuest(
            daemon.app,
            Shares(self.tariff, self.bounds, self._group_of, self.questions.balance),
            Treasury(Wei(int(settings.credit)), self.questions.balance, self._submit, tell),
            self._faucet(),
        )
        self._home = home
        bind, port = place_of(settings.admin or USUAL_ADMIN)
        if not is_here(bind):
            raise BadSettings("[hub] admin", f"{settings.admin} is reachable from elsewhere")
        operator = Operator(daemon, self.guest, Tokens(tokens_folder(home)))
        self.admin = Admin(operator, bind, port, else_free=not settings.admin)
        self._flat: Wei | None = None
        self._named = 0.0
        self.offers: tuple[str, ...] = ("channels", "relay")
        self._serve_faucet()

    def _faucet(self) -> Faucet | None:
        """Raises `BadSettings` where ether is worth something."""
        settings = self._settings
        if settings.faucet is None:
            return None
        chain = self._daemon.config.deployment.contract.chain_id
        if chain not in TEST_NETWORKS:
            raise BadSettings("[hub] faucet", f"chain {chain} is no test network that we know")
        return Faucet(
            Generosity(
                Wei(int(settings.faucet)), settings.faucet_each_address, settings.faucet_each_day
            ),
            self._submit,
        )

    def _serve_faucet(self) -> None:
        faucet, listener = self.guest.faucet, self._daemon.listener
        if faucet is None or listener is None:
            return
        page = FaucetPage(
            faucet,
            self.guest.treasury,
            self.questions,
            self._post,
            listener.address_of_request,
        )
        listener.app.router.add_post(FAUCET_PATH, page.serve)
        self.offers += ("faucet",)

    def carries(self, sender: PeerId, to: PeerId) -> bool:
        """Whom the relay serves: one of the two has money in a channel with us, or is us."""
        known = self.guest.customers
        return sender in known or to in known or self._daemon.peer in (sender, to)

    def start(self) -> None:
        """Before anything is sent. Raises `ChainFault`."""
        self._gas = book_of(self._daemon.assembly.store, self._home)
        self._begin_book(self._gas)
        self._add_contracts(self._gas)
        known = self._gas.costs().paid
        self.guest.gas_spent = sum(paid.paid for paid in known)
        for paid in known[-_TOLD_AGAIN:]:
            self._tell_paid(paid)  # A crash may have come between the file and the turn.
        self.questions.start()
        self.admin.start()
        publish_place(self._home, self.admin.url, ADMIN_PLACE)

    def stop(self) -> None:
        """Again does nothing."""
        self.questions.stop()
        withdraw_place(self._home, ADMIN_PLACE)
        self.admin.stop()

    def close(self) -> None:
        """After everything else has stopped."""
        if self._gas is not None:
            self._gas.close()

    def hear(self, report: Report) -> None:
        """What the chain port says, in its thread."""
        # Before `start` nothing has been sent.
        if isinstance(report, Paid) and self._gas is not None:
            self._gas.put(report)
            self.guest.gas_spent += report.paid
            self._tell_paid(report)

    def _tell_paid(self, paid: Paid) -> None:
        if paid.succeeded:
            self._post(InTurn(lambda desk: self.guest.is_paid(desk, paid.key, paid.block)))

    def _begin_book(self, book: Book) -> None:
        """How the account stands before anything is sent: costs are counted from here."""
        if book.has_begun:
            return
        endpoint = self._daemon.connect()
        account = self._daemon.assembly.node.books.config.identity.account
        head = endpoint.block()
        assert head is not None  # Asked without a number there is one, or a fault.
        number = head.number
        book.begin(
            Beginning(
                number, endpoint.next_nonce(account, number), endpoint.balance(account, number)
            )
        )

    def _add_contracts(self, book: Book) -> None:
        """What contracts have cost that came after the first start, before this one."""
        costs = book.costs()
        assert costs.begun is not None
        known = {paid.hash for paid in costs.paid}
        account = self._daemon.assembly.node.books.config.identity.account
        file, first = self._home / PLAN_NAME, costs.begun.nonce
        for paid in costs_of(file, account, first, known, self._daemon.connect()):
            book.put(paid)

    def _submit(self, wish: Wish) -> None:
        self._daemon.assembly.chain.want(wish)

    def drain(self, seconds: float = _DRAIN) -> None:
        """Takes nothing new until the process ends; returns when nothing is under way, or when so
        much time has passed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._daemon.assembly.node.failed is None:
            left: queue.SimpleQueue[int] = queue.SimpleQueue()
            self._post(InTurn(lambda desk, left=left: left.put(self.guest.drain(desk))))  # type: ignore[misc]
            try:
                if not left.get(timeout=max(0.1, end - time.monotonic())):
                    return
            except queue.Empty:
                return
            time.sleep(_LOOK)

    def _post(self, item: InTurn) -> None:
        self._daemon.assembly.node.ask(item)

    def share(self) -> tuple[Wei, Wei, int]:
        """For the card: most of our share in a channel, what it costs at least, and per million."""
        now = time.monotonic()
        if self._flat is None or now - self._named > _HOUR:
            gas_price = self._daemon.assembly.node.books.chain.gas_price
            self._flat, self._named = self.tariff.name(gas_price), now
        return self.most(), self._flat, self.tariff.prices.share_ppm

    def most(self) -> Wei:
        """What we put into one channel at most, today."""
        books: Books = self._daemon.assembly.node.books
        credit = books.credits.get((ETH, books.config.identity.account))
        most = 0 if credit is None else credit.amount // self.bounds.under_way
        return Wei(min(most, self._settings.greatest_share))

    def neighbours(self) -> tuple[str, ...]:
        """Those of our settings that something can go on to now."""
        books, found = self._daemon.assembly.node.books, []
        for address in self._neighbours:
            known = books.indexes.of_peer.get(address.peer, ())
            if any(_is_open(books.channels.get(id)) for id in tuple(known)):
                found.append(str(address))
        return tuple(found)

    def _group_of(self, peer: PeerId) -> str:
        listener = self._daemon.listener
        return "" if listener is None else listener.address_of(peer)


def _is_open(view: ChannelView | None) -> bool:
    """Whether there is money in it, and nobody is ending it."""
    if view is None or view.stage is not Stage.JOINED or view.leaving:
        return False
    return bool(view.final.alice or view.final.bob) and not view.final.ended
