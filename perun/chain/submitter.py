"""Brings transactions of one account to the chain, and keeps at it until their effect is final.

Rules, each for something that has cost others money:

- This is the only place that uses the account's nonces. A transaction is journalled under its nonce
  before it leaves, and a restarted process goes on with the same nonces.
- No clock ever makes a transaction "failed". It is sent again at every block, with higher fees when
  it is left lying, and is over only when a final block shows it or shows its nonce used up.
- All transactions under one nonce exclude each other; a wish is given a second nonce only when the
  first can carry nothing of it any more, or when doing it twice does no harm.
- What the chain would refuse is not sent, but tried again with every block, since refusals depend
  on what comes before; it is dropped when it has been refused for as long as finality takes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace
from web3.types import TxParams

from perun.bindings import erc20
from perun.bindings.calls import Call, Fees, transaction
from perun.bindings.failures import NodeRefused
from perun.bindings.reverts import Reverted
from perun.chain.endpoint import Block, Mined, Reading, Sending
from perun.chain.fees import FeePolicy, first_fees, higher_fees
from perun.chain.journal import Attempt, Entry, Journal
from perun.chain.nonces import MOST_GAPS, Nonces
from perun.chain.reports import Dropped, NonceTaken, Paid, Refused, Report, Sent, TooPoor
from perun.chain.wishes import Wish
from perun.types import Address, Wei

__all__ = ["Account", "Submitter"]

_PLAIN_TRANSFER_GAS = 21_000

_APPROVE = "Approve"

_LONGEST_PAUSE = 12
"""Blocks, as a power of two, between two tries of what keeps failing."""

_ECHO = 2
"""Final blocks after the one that shows a wish done, in which it may still be asked for by somebody
who has not looked yet. Sending it again would be harmless, but would cost gas."""


def _approval(wish: Wish) -> bytes:
    """Key of the wish that lets MSContract pull this token."""
    return b"approve" + wish.token


class Account(Protocol):
    """Signs transactions of one account; the wallets of `perun.wallet` do."""

    @property
    def address(self) -> Address:
        """The account."""

    def sign_transaction(self, params: TxParams) -> tuple[bytes, bytes]:
        """The signed transaction as nodes take it, and its hash."""


class _Node(Reading, Sending, Protocol):
    pass


class Submitter:
    """One account's transactions. `submit` by any thread, `poll` by one."""

    def __init__(
        self,
        node: _Node,
        account: Account,
        journal: Journal,
        *,
        contract: Address,
        policy: FeePolicy | None = None,
        report: Callable[[Report], None] = lambda _: None,
    ) -> None:
        """Takes up what the journal holds.

        Args:
            contract: MSContract, which pulls tokens.
        """
        self._node = node
        self._account = account
        self._contract = contract
        self.policy = policy or FeePolicy()
        self.tip = self.policy.least_tip
        """What builders are paid per gas, as last heard, in wei."""
        self._report = report
        self._asked: deque[Wish] = deque()
        self._wishes: dict[bytes, Wish] = {}
        self._nonces = Nonces(journal)
        for entry in self._nonces.all():
            if not entry.done:
                self._wishes[entry.wish.key] = entry.wish
        # Block number of the first refusal, by key.
        self._refused_at: dict[bytes, int] = {}
        # How often a key's transactions came to nothing, and until which block it waits.
        self._setbacks: dict[bytes, tuple[int, int]] = {}
        # Wishes done lately, with the final block that showed it.
        self._done: dict[bytes, tuple[Wish, int]] = {}

    @property
    def address(self) -> Address:
        """The account that sends and pays."""
        return self._account.address

    @property
    def idle(self) -> bool:
        """Whether nothing is waited for."""
        return not self._asked and not self._wishes

    @property
    def asked(self) -> bool:
        """Whether wishes have come since the last round."""
        return bool(self._asked)

    def submit(self, wish: Wish) -> None:
        """Takes a wish; it is looked at in the next round."""
        self._asked.append(wish)

    # ---------------------------------------------------------------------------------- one round

    def poll(self, head: Block, final: Block) -> None:
        """Looks after everything, given the newest block and the newest final one.

        Raises:
            ChainFault: the node failed; everything is looked after again in the next round.
            StoreFault: the journal failed; nothing more was sent.
        """
        while self._asked:
            self._take(self._asked.popleft(), final)
        self._done = {
            key: done for key, done in self._done.items() if final.number <= done[1] + _ECHO
        }
        mined = self._node.next_nonce(self.address, head.number)
        settled = self._node.next_nonce(self.address, final.number)
        for entry in self._nonces.all():
            self._tend(entry, head, final, mined, settled)
        # What ends soonest goes first, in case there is not ETH for all.
        waiting = [wish for wish in self._wishes.values() if not self._nonces.serving(wish.key)]
        for wish in sorted(waiting, key=lambda wish: wish.until or 2**64):
            self._begin(wish, head, final, mined)
        self._fill_gaps(head, mined)
        self._tip()

    def _tip(self) -> Wei:
        self.tip = self._node.tip()
        return self.tip

    def _take(self, wish: Wish, final: Block) -> None:
        entry = self._nonces.serving(wish.key)
        if entry is not None and entry.done:
            if entry.wish.call == wish.call:
                return
            self._nonces.release(wish.key)
        done = self._done.get(wish.key)
        if done is not None and done[0].call == wish.call and final.number <= done[1] + _ECHO:
            return
        self._wishes[wish.key] = wish

    # ------------------------------------------------------------------------ what is under way

    def _tend(self, entry: Entry, head: Block, final: Block, mined: int, settled: int) -> None:
        key, serving = entry.wish.key, self._nonces.serves(entry)
        if entry.done:
            if entry.wish.until is None or final.time > entry.wish.until:
                self._nonces.forget(entry)
            return
        found = self._find(entry)
        if found is not None:
            attempt, receipt = found
            if receipt.block <= final.number:
                self._finish(entry, attempt, receipt, final)
            elif serving and not receipt.succeeded and not entry.wish.once:
                self._nonces.release(key)  # lost this time; it can be tried again
                self._set_back(key, receipt.block)
            return
        if settled > entry.nonce:
            self._report(NonceTaken(key, entry.nonce))
            self._nonces.forget(entry)
        elif mined > entry.nonce:
            # Another's transaction, in a block that may yet be taken back together with it.
            if serving and not entry.wish.once:
                self._nonces.release(key)
        elif serving and entry.wish.until is not None and final.time > entry.wish.until:
            self._nonces.release(key)
            self._drop(key, "too late")
        elif serving:
            self._push(entry, head)

    def _find(self, entry: Entry) -> tuple[Attempt, Mined] | None:
        """The transaction of this nonce that is in a block."""
        for attempt in reversed(entry.attempts):
            receipt = self._node.mined(attempt.hash)
            if receipt is not None:
                return attempt, receipt
        return None

    def _finish(self, entry: Entry, attempt: Attempt, receipt: Mined, final: Block) -> None:
        key = entry.wish.key
        self._report(
            Paid(
                key,
                attempt.hash,
                receipt.block,
                receipt.succeeded,
                receipt.gas_used,
                receipt.paid,
                entry.wish.kind,
            )
        )
        wish = self._wishes.get(key)
        if wish is None or wish.call != attempt.call or not receipt.succeeded:
            # An earlier wish of this key was mined, or nothing happened: go on with another nonce.
            if not receipt.succeeded and self._nonces.serves(entry):
                self._set_back(key, receipt.block)
            self._nonces.forget(entry)
            return
        if wish.kind == _APPROVE:
            self._set_back(key, receipt.block)  # a token may forget what it has allowed
        else:
            self._setbacks.pop(key, None)
        if wish.pulls:
            self._setbacks.pop(_approval(wish), None)
        del self._wishes[key]
        self._done[key] = (wish, final.number)
        if wish.once and wish.until is not None:
            self._nonces.put(replace(entry, wish=wish, done=True))
        else:
            self._nonces.forget(entry)

    def _set_back(self, key: bytes, block: int) -> None:
        """A transaction was paid for nothing. The second goes at once, then the pauses double: an
        estimate that always promises success (a token's trick, a node's lie) must not cost gas at
        every block, for ever."""
        times = self._setbacks.get(key, (0, 0))[0] + 1
        self._setbacks[key] = times, block + 2 ** min(times - 1, _LONGEST_PAUSE) - 1

    def _push(self, entry: Entry, head: Block) -> None:
        """Sends again what no block holds, in exchange for a higher fee if it was left lying."""
        wish = self._wishes[entry.wish.key]
        newest = entry.attempts[-1]
        left = self._nonces.waits_since(entry.nonce, head.number)
        hurried = wish.until is not None and wish.until - head.time < self.policy.hurry
        patience = 1 if hurried else self.policy.patience
        if newest.call != wish.call or head.number - left >= patience:
            fees = higher_fees(self.policy, newest.fees, head.base_fee, self._tip())
            if fees is not None and self._bid(entry.nonce, wish, fees, head):
                return
        self._send(newest.raw)

    # -------------------------------------------------------------------------------- what is new

    def _begin(self, wish: Wish, head: Block, final: Block, mined: int) -> None:
        if wish.until is not None and head.time >= wish.until:
            # No block to come can take it; unless the newest ones are taken back.
            if final.time > wish.until:
                self._drop(wish.key, "too late")
            return
        if head.number < self._setbacks.get(wish.key, (0, 0))[1]:
            return
        if wish.pulls and not self._allowed(wish, head):
            return
        fees = first_fees(self.policy, head.base_fee, self._tip())
        nonce = self._nonces.free(mined, lambda: self._node.next_nonce(self.address))
        if nonce > mined + MOST_GAPS + len(self._wishes):
            return  # behind more than any pool keeps: what this node says is not so
        self._bid(nonce, wish, fees, head, final)

    def _allowed(self, wish: Wish, head: Block) -> bool:
        """Whether MSContract may pull the tokens; asks the token to allow it if not (EIP-20)."""
        query = erc20.allowance(wish.token, self.address, self._contract)
        allowed = self._node.ask(query, head.number)
        others = sum(
            other.pulls
            for other in self._wishes.values()
            if other.token == wish.token and self._nonces.serving(other.key)
        )
        key = _approval(wish)
        if allowed >= wish.pulls + others:
            return True
        # Some tokens refuse to change an allowance that is not zero: one deposit after another.
        if not others and key not in self._wishes:
            amount = Wei(0) if allowed else wish.pulls
            call = erc20.approve(wish.token, self._contract, amount)
            self._wishes[key] = Wish(key, _APPROVE, call, wish.until)
            self._done.pop(key, None)
        return False

    def _bid(
        self, nonce: int, wish: Wish, fees: Fees, head: Block, final: Block | None = None
    ) -> bool:
        """Signs, journals and sends one transaction; False if there is no point now."""
        # Nodes refuse to estimate what cannot be paid, without saying so clearly.
        if not self._affords(wish, _PLAIN_TRANSFER_GAS, fees):
            return False
        try:
            gas = self._node.estimate(wish.call, self.address)
        except (Reverted, NodeRefused) as refusal:
            self._refuse(wish, str(refusal), head, final)
            return False
        self._refused_at.pop(wish.key, None)
        if self._nonces.get(nonce) is None:
            fees = self._within_means(wish, gas, fees, head)
        if not self._affords(wish, gas, fees):
            return False
        self._put_out(nonce, wish, fees, gas, head)
        return True

    def _within_means(self, wish: Wish, gas: int, fees: Fees, head: Block) -> Fees:
        """Less than we would like to bid is better than no bid, if the next block may take it."""
        most = (self._node.balance(self.address) - wish.call.value) // gas
        left = most - head.base_fee
        if most >= fees.most or left < self.policy.least_tip:
            return fees
        return Fees(Wei(most), Wei(min(fees.tip, left)))

    def _affords(self, wish: Wish, gas: int, fees: Fees) -> bool:
        needed = Wei(gas * fees.most + wish.call.value)
        balance = self._node.balance(self.address)
        if balance < needed:
            self._report(TooPoor(wish.key, balance, needed))
        return balance >= needed

    def _put_out(self, nonce: int, wish: Wish, fees: Fees, gas: int, head: Block) -> None:
        entry = self._nonces.get(nonce) or Entry(nonce, wish, ())
        if entry.attempts:
            # Whatever holds this nonce now must be outbid, or nodes keep it.
            least = higher_fees(
                replace(self.policy, greatest=Wei(2**62)),
                entry.attempts[-1].fees,
                Wei(0),
                Wei(0),
            )
            assert least is not None
            fees = Fees(Wei(max(fees.most, least.most)), Wei(max(fees.tip, least.tip)))
        params = transaction(
            wish.call,
            sender=self.address,
            chain_id=self._node.chain_id,
            nonce=nonce,
            gas=gas,
            fees=fees,
        )
        raw, hashed = self._account.sign_transaction(params)
        attempt = Attempt(hashed, raw, fees, wish.call)
        self._nonces.put(Entry(nonce, wish, (*entry.attempts, attempt)))
        self._nonces.bid(nonce, head.number)
        self._report(Sent(wish.key, hashed, nonce, fees, len(entry.attempts) + 1))
        self._send(raw)

    def _send(self, raw: bytes) -> None:
        """Hands it to the node. A refusal is no news: blocks will tell what became of the nonce."""
        try:
            self._node.send(raw)
        except (NodeRefused, Reverted):
            # Known already, nonce used, fee too low, or reverted by a node that runs it at once.
            return

    def _fill_gaps(self, head: Block, mined: int) -> None:
        """A nonce that carries no wish must not stop those behind it: spend it on nothing.

        A foreign transaction that waits like ours is left alone, unless it is left lying for long:
        then it may be too cheap for any builder, and whatever stands behind it would never move.
        """
        gaps = self._nonces.gaps(mined)
        if not gaps:
            return
        pool = self._node.next_nonce(self.address)
        if len(gaps) > MOST_GAPS:
            if pool <= mined:
                self._come_back(mined)
            return
        for nonce in gaps:
            waited = head.number - self._nonces.held_up_since(nonce, head.number)
            patient = waited < 2 * self.policy.patience
            if self._nonces.get(nonce) is None and nonce < pool and patient:
                continue
            nothing = Wish(b"nothing%d" % nonce, "Nothing", Call(self.address, b""))
            self._wishes[nothing.key] = nothing
            fees = first_fees(self.policy, head.base_fee, self._tip())
            self._put_out(nonce, nothing, fees, _PLAIN_TRANSFER_GAS, head)

    def _come_back(self, mined: int) -> None:
        """A node had made up how many transactions this account has sent. Filling all the nonces
        below would cost all its ETH; what moves no money twice is sent again under the true one."""
        for entry in self._nonces.all():
            far = entry.nonce > mined + MOST_GAPS and not entry.done
            if far and self._nonces.serves(entry) and not entry.wish.once:
                self._nonces.release(entry.wish.key)

    # ------------------------------------------------------------------------------------ records

    def _refuse(self, wish: Wish, reason: str, head: Block, final: Block | None) -> None:
        if wish.key not in self._refused_at:
            self._refused_at[wish.key] = head.number
            self._report(Refused(wish.key, reason))
        elif final is not None and final.number >= self._refused_at[wish.key]:
            self._drop(wish.key, reason)

    def _drop(self, key: bytes, reason: str) -> None:
        self._wishes.pop(key, None)
        self._refused_at.pop(key, None)
        self._report(Dropped(key, reason))
