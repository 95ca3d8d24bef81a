"""A whole node on one file: store, journal, signer, chain and core, put together in the one way
that is safe. Wires come from outside, because there are several."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from perun.chain import ChainService, FeePolicy
from perun.chain.costs import reckoned
from perun.chain.endpoint import Endpoint
from perun.chain.reports import Report
from perun.core.config import Config
from perun.core.inputs import Input
from perun.core.notices import Notice
from perun.core.rulebook import NO_RULES, Rulebook
from perun.core.starting import watches
from perun.crypto import SecretKey
from perun.node.clocks import SystemClock
from perun.node.guest import Guest
from perun.node.keeping import Place, journal_of, open_store
from perun.node.profile import Profile, write_profile
from perun.node.recovery import open_books
from perun.node.runtime import Fault, Node
from perun.node.settings import contracts_of
from perun.node.told import Follower, ToldStore
from perun.ports import Clock, Network
from perun.wallet import LocalWallet

__all__ = ["Assembly"]


def _nobody(*_: object) -> None:
    """Not listening."""


class Assembly:
    """A node from opening its store to `close`.

    Turn it by hand (`chain.poll`, `node.turn`), or by `NodeThread(assembly.node)` and
    `assembly.chain.start()`.
    """

    def __init__(
        self,
        place: Place,
        config: Config,
        key: SecretKey,
        endpoint: Endpoint,
        *,
        wallet: LocalWallet | None = None,
        clock: Clock | None = None,
        since: int = 0,
        keyfile: str | None = None,
        fees: FeePolicy | None = None,
        any_price: bool = False,
        notify: Callable[[Notice], None] = _nobody,
        fault: Fault = _nobody,
        report: Callable[[Report], None] = _nobody,
        guest: Guest | None = None,
        rules: Rulebook = NO_RULES,
    ) -> None:
        """Opens or creates the store, and takes up what it holds.

        Args:
            place: of the store; written so that `perun exit` needs nothing else.
            key: signs states and statements.
            wallet: holds it, and the account's key if that is another; only `key` if not given.
            since: block of the deployment.
            keyfile: the account's key, encrypted (`perun.wallet.encrypt`), kept for exits.
            any_price: also take part in channels and locks that, at the price of gas of the day,
                cost more to enforce than they hold; else such are refused, with both numbers.

            guest: a program above that lives in the node's turns (`perun.app`).
            rules: the games that it plays; none if not given.

        Raises:
            StoreFault: the store cannot be opened, as `open_store` says.
        """
        if not any_price:
            config = replace(config, limits=reckoned(config.limits))
        deployment, identity = config.deployment, config.identity
        self.store = open_store(
            place,
            () if guest is None else guest.kinds,
            lambda trouble: fault(place, trouble),
        )
        try:
            profile = Profile(
                deployment.contract.chain_id,
                contracts_of(deployment),
                identity.account,
                key.public_key.data,
                config.seed,
                since,
                config.limits,
            )
            write_profile(self.store, profile, keyfile)
            self.profile = profile
            self.journal = journal_of(self.store, identity.account)
        except BaseException:
            self.store.close()
            raise
        try:
            self.wallet = wallet or LocalWallet(deployment, [key])
            self.chain = ChainService(
                endpoint,
                deployment,
                self.wallet.account(identity.account),
                self._post,
                limits=config.limits,
                journal=self.journal,
                since=since,
                policy=fees,
                report=report,
            )
            self._told = ToldStore(self.store)
            self.node = Node(
                open_books(config, self._told, guest, rules),
                self._told,
                self.wallet,
                self.chain,
                clock or SystemClock(),
                notify,
                fault,
                guest,
            )
        except BaseException:
            self.journal.close()
            self.store.close()
            raise

    def _post(self, inputs: Sequence[Input]) -> None:
        self.node.post(inputs)

    def follow(self, follower: Follower) -> None:
        """Has somebody told what is written from now on; before the node turns."""
        self._told.followers.append(follower)

    def join(self, network: Network) -> None:
        """Goes on after a restart, and meets whoever is on the network.

        Looks at the chain first: what peers say next, such as the payments that it missed, would
        count for nothing yet.

        Raises:
            ChainFault: the chain cannot be reached.
        """
        self.node.start()
        for watch in watches(self.node.books):
            self.chain.watch(watch)
        self.chain.poll()
        self.node.connect(network.enter(self.node))

    def close(self) -> None:
        """Lets files and lock go, at any moment; everything signed is on disk already."""
        self.chain.stop()
        self.journal.close()
        self.store.close()
