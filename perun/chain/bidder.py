"""Signs a wish under a nonce, at a price, and hands it in; and again, dearer or cheaper.

A wish under a nonce may be signed many times: one of all those can be mined. Each is journalled
before it leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from msgspec.structs import replace

from perun.bindings.access import calls_others, cost, worth_listing
from perun.bindings.calls import Access, Call, Fees, transaction
from perun.bindings.failures import PoolRefused
from perun.bindings.gas import MOST_GAS
from perun.bindings.reverts import Reverted, RevertedWithReason
from perun.chain.aside import Aside
from perun.chain.endpoint import Block, Reading, Sending
from perun.chain.fees import (
    FeePolicy,
    first_fees,
    higher_fees,
    lower_fees,
    most_now,
    usual_now,
)
from perun.chain.journal import Attempt, Entry
from perun.chain.nonces import Nonces
from perun.chain.reports import NotTaken, Report, Sent, TooDear, TooPoor
from perun.chain.wishes import Wish
from perun.types import Address, ChainId, Seconds, UnixTime, Wei

if TYPE_CHECKING:
    from web3.types import TxParams

__all__ = ["PLAIN_TRANSFER_GAS", "Account", "Bidder", "Node"]

PLAIN_TRANSFER_GAS: Final = 21_000

_UNESTIMATED: Final = 2
"""Blocks after which a wish is sent without an estimate, if the node gives none."""

_FREELY: Final = 8
"""Bids that a pool has refused after which ever more blocks go by before another …"""

_LONGEST_PAUSE: Final = 64
"""… up to so many: each stays in the journal."""

_MOST_OF_A_TRANSFER: Final = 4 * PLAIN_TRANSFER_GAS
"""Gas where money is only sent: the receiver's code may run on our account, and is a stranger's."""
_BASE_GAS: Final = 150_000
_GAS_PER_BYTE: Final = 100
"""Above what any call of ours uses: see `perun.chain.costs`. Gas that is not used costs nothing."""

_LEAST_GAS: Final = 50_000
_USED_PER_BYTE: Final = 20

_AS_USUAL: Final = ("known", "nonce", "already", "replacement", "duplicate")
"""Words of a pool that has the transaction, or one like it: blocks will tell."""

_TOO_CHEAP: Final = ("underpriced", "too low", "less than block base fee", "below")

_NO_PRICE: Final = 5
"""How much longer a bid is left as it is that was refused for another reason than its price."""

_CROWDED: Final = ("full", "limit")
"""Words of a pool that makes room for dearer ones."""

_TOO_DEAR: Final = ("exceed", "insufficient", "cap", "funds", "balance", "too high", "overshot")


class Account(Protocol):
    """Signs transactions of one account; the wallets of `perun.wallet` do."""

    @property
    def address(self) -> Address:
        """The account."""

    def sign_transaction(self, params: TxParams) -> tuple[bytes, bytes]:
        """The signed transaction as nodes take it, and its hash."""


class Node(Reading, Sending, Protocol):
    """What a submitter asks."""


def _worth(wish: Wish) -> Wei | None:
    """The price of gas at which a register or a submission costs what it saves, about
    (`perun.core.gas`); None: not known."""
    if wish.stake is None:
        return None
    return Wei(wish.stake // (_LEAST_GAS + _USED_PER_BYTE * len(wish.call.data)))


def _says(reason: str, words: tuple[str, ...]) -> bool:
    return any(word in reason.lower() for word in words)


class Bidder:
    """One account's bids."""

    def __init__(
        self,
        node: Node,
        account: Account,
        chain: ChainId,
        nonces: Nonces,
        policy: FeePolicy | None,
        report: Callable[[Report], None],
        aside: Aside,
    ) -> None:
        self._node = node
        self._account = account
        self._chain = chain
        self._nonces = nonces
        self._report = report
        self._aside = aside
        self.policy = policy or FeePolicy()
        self.tip = self.policy.least_tip
        """What builders are paid per gas, as last heard, in wei."""
        # Base fee of the last hours, and the time of the block that was looked at last.
        self._usual: tuple[Wei, UnixTime] | None = None
        # Keys of wishes of which it is told already that gas is too dear for them.
        self._too_dear: set[bytes] = set()
        # Transactions that a pool has not taken, and why.
        self._not_taken: dict[bytes, str] = {}
        # Blocks since which there is no estimate, by key.
        self._unestimated: dict[bytes, int] = {}

    def hear_tip(self) -> Wei:
        """Asks what builders are paid."""
        self.tip = self._aside.ask("the usual tip", self._node.tip, self.tip)
        return self.tip

    def see(self, head: Block) -> None:
        """Another block, whose base fee counts for what is usual."""
        usual, at = self._usual or (head.base_fee, head.time)
        self._usual = usual_now(self.policy, usual, head.base_fee, head.time - at), head.time

    def _most(self, head: Block, *wishes: Wish) -> Wei:
        """What is bid at most for these, one behind the other: as for the most urgent."""
        usual = self._usual[0] if self._usual is not None else head.base_fee
        return max(
            most_now(
                self.policy,
                head.base_fee,
                usual,
                None if wish.until is None else Seconds(max(0, wish.until - head.time)),
                _worth(wish),
            )
            for wish in wishes
        )

    # ---------------------------------------------------------------------------------- new bids

    def bid(self, nonce: int, wish: Wish, head: Block) -> bool:
        """Signs, journals and sends a first transaction; False if there is no point now.

        Raises:
            Reverted: the contract would refuse it.
            StoreFault: the journal failed; nothing was sent.
        """
        worth = _worth(wish)
        if worth is not None and worth < head.base_fee:
            if wish.key not in self._too_dear:
                self._too_dear.add(wish.key)
                self._report(TooDear(wish.key, head.base_fee, worth))
            return False
        self._too_dear.discard(wish.key)
        # Also where that is below the base fee of now: pools keep it until gas is cheaper.
        fees = first_fees(self.policy, head.base_fee, self.hear_tip(), self._most(head, wish))
        return self._bid(nonce, wish, fees, head)

    def raised(self, entry: Entry, wish: Wish, head: Block, behind: Sequence[Wish] = ()) -> bool:
        """Replaces what was left lying by something dearer, or what was too dear by something that
        the pool may take; False if there is no point now. Raises what `bid` does.

        Args:
            behind: what stands under higher nonces, and cannot be mined before it.
        """
        newest = entry.attempts[-1]
        left = self._nonces.waits_since(entry.nonce, head.number)
        ends = [each.until for each in (wish, *behind) if each.until is not None]
        hurried = min(ends, default=2**64) - head.time < self.policy.hurry
        patience = 1 if hurried else self.policy.patience
        refusal = self._not_taken.get(newest.hash, "")
        refused = sum(item.hash in self._not_taken for item in entry.attempts)
        if head.number - left < min(2 ** max(0, refused - _FREELY), _LONGEST_PAUSE) - 1:
            return False
        cheap = _says(refusal, _TOO_CHEAP)
        if _says(refusal, _TOO_DEAR) and not cheap:
            if self._holds_another(entry):
                return False  # which must be outbid, and this pool takes nothing dearer
            fees = lower_fees(self.policy, newest.fees, head.base_fee)
            return fees is not None and self._bid(entry.nonce, wish, fees, head)
        if newest.call == wish.call and not cheap:
            # A bid that no pool has taken was not left lying: a node in trouble has no price. But
            # some refuse what is too cheap without a word about it.
            elsewhere = bool(refusal) and not _says(refusal, _CROWDED)
            if head.number - left < patience * (_NO_PRICE if elsewhere else 1):
                return False
        most = self._most(head, wish, *behind)
        higher = higher_fees(self.policy, newest.fees, head.base_fee, self.hear_tip(), most)
        return higher is not None and self._bid(entry.nonce, wish, higher, head)

    def _holds_another(self, entry: Entry) -> bool:
        """Hands in again what may have arrived when it was signed, or in another life of ours: a
        pool that has it says so, one that does not take it lets us bid less."""
        for attempt in entry.attempts:
            if attempt.hash not in self._not_taken:
                self.send(entry, attempt)
        return any(attempt.hash not in self._not_taken for attempt in entry.attempts)

    def _bid(self, nonce: int, wish: Wish, fees: Fees, head: Block) -> bool:
        balance: int | None = self._aside.ask(
            "our balance", partial(self._balance, self._account.address), None
        )
        # Nodes refuse to estimate what cannot be paid, without saying so clearly.
        if not self._affords(wish, PLAIN_TRANSFER_GAS, fees, balance):
            return False
        gas = self._gas(wish, head)
        if gas is None:
            return False
        access = self._access(wish.call, gas)
        gas = min(gas + cost(access), MOST_GAS)  # all of it may turn out to be for nothing
        if self._nonces.get(nonce) is None:
            fees = self._within_means(wish, gas, fees, head, balance)
        if not self._affords(wish, gas, fees, balance):
            return False
        self.put_out(nonce, wish, fees, gas, head, access)
        return True

    def _access(self, call: Call, gas: int) -> tuple[Access, ...]:
        """What of the touched is cheaper to name."""
        if not calls_others(call):
            return ()
        sender = self._account.address
        nothing: tuple[Access, ...] = ()
        question = partial(self._node.touched, call, sender)
        touched = self._aside.ask("access lists", question, nothing)
        return worth_listing(call, sender, touched, gas=gas - call.reserve)

    def _balance(self, account: Address) -> int | None:
        return self._node.balance(account)

    def _gas(self, wish: Wish, head: Block) -> int | None:
        """An estimate; after a while without one more than it can be. None: wait."""
        question = partial(self._estimate, wish.call)
        gas = self._aside.ask("estimates", question, None, urgent=True)
        if isinstance(gas, Reverted):
            raise gas
        if gas is not None:
            self._unestimated.pop(wish.key, None)
            if not wish.call.data and gas > _MOST_OF_A_TRANSFER:
                raise RevertedWithReason(f"the receiver's code takes {gas} gas")
            return max(gas, PLAIN_TRANSFER_GAS)  # no transaction uses less, whatever a node says
        since = self._unestimated.setdefault(wish.key, head.number)
        if head.number - since < _UNESTIMATED:
            return None
        if not wish.call.data:
            return _MOST_OF_A_TRANSFER
        return min(_BASE_GAS + _GAS_PER_BYTE * len(wish.call.data) + wish.call.reserve, MOST_GAS)

    def _estimate(self, call: Call) -> int | Reverted | None:
        """What a contract refuses is an answer too."""
        try:
            return self._node.estimate(call, self._account.address)
        except Reverted as refusal:
            return refusal

    def _within_means(
        self, wish: Wish, gas: int, fees: Fees, head: Block, balance: int | None
    ) -> Fees:
        """Less than we would like to bid is better than no bid, if the next block may take it."""
        if balance is None:
            return fees
        most = (balance - wish.call.value) // gas
        left = most - head.base_fee
        if most >= fees.most or left < self.policy.least_tip:
            return fees
        return Fees(Wei(most), Wei(min(fees.tip, left)))

    def _affords(self, wish: Wish, gas: int, fees: Fees, balance: int | None) -> bool:
        needed = Wei(gas * fees.most + wish.call.value)
        if balance is not None and balance < needed:
            self._report(TooPoor(wish.key, Wei(balance), needed))
            return False
        return True

    # ------------------------------------------------------------------------------------ sending

    def put_out(
        self,
        nonce: int,
        wish: Wish,
        fees: Fees,
        gas: int,
        head: Block,
        access: tuple[Access, ...] = (),
    ) -> None:
        """Signs, journals, sends.

        Raises:
            StoreFault: the journal failed; nothing was sent.
        """
        entry = self._nonces.get(nonce) or Entry(nonce, wish, ())
        # Whatever holds this nonce now must be outbid, or nodes keep it.
        held = [item for item in entry.attempts if item.hash not in self._not_taken]
        if held:
            unbounded = replace(self.policy, greatest=Wei(2**62))
            least = higher_fees(unbounded, held[-1].fees, Wei(0), Wei(0))
            assert least is not None
            fees = Fees(Wei(max(fees.most, least.most)), Wei(max(fees.tip, least.tip)))
        params = transaction(
            wish.call,
            sender=self._account.address,
            chain_id=self._chain,
            nonce=nonce,
            gas=gas,
            fees=fees,
            access=access,
        )
        raw, hashed = self._account.sign_transaction(params)
        attempt = Attempt(hashed, raw, fees, wish.call)
        entry = Entry(nonce, wish, (*entry.attempts, attempt))
        self._nonces.put(entry)
        self._nonces.bid(nonce, head.number)
        self._report(Sent(wish.key, hashed, nonce, fees, len(entry.attempts)))
        self.send(entry, attempt)

    def send(self, entry: Entry, attempt: Attempt) -> None:
        """Hands it to the node. That it has it, or one like it, is no news, blocks will tell what
        became of the nonce; that it does not take it is, and is said once.

        Raises:
            ChainFault: it may or may not have arrived.
        """
        try:
            self._node.send(attempt.raw)
        except Reverted:
            return  # by a node that runs it at once
        except PoolRefused as refusal:
            if _says(refusal.reason, _AS_USUAL):
                return
            if attempt.hash not in self._not_taken:
                self._report(NotTaken(entry.wish.key, attempt.hash, refusal.reason))
            self._not_taken[attempt.hash] = refusal.reason
        else:
            self._not_taken.pop(attempt.hash, None)
