"""Brings transactions of one account to the chain, and keeps at it until their effect is final.

Rules, each for something that has cost others money:

- This is the only place that uses the account's nonces. A transaction is journalled under its nonce
  before it leaves, and a restarted process goes on with the same nonces.
- No clock ever makes a transaction "failed". It is sent again at every block, with higher fees when
  it is left lying, and is over only when a final block shows it or shows its nonce used up.
- All transactions under one nonce exclude each other; a wish is given a second nonce only when the
  first can carry nothing of it any more, or when doing it twice does no harm.
- What the chain would refuse is not sent, but tried again with every block, since refusals depend
  on what comes before; it is dropped when it has been refused for as long as finality takes. Only a
  contract's refusal counts: that a node is in trouble says nothing about a wish.
- One wish waits for no question about another. The newest block's count of our transactions is all
  that must be known: receipts, tips, balances, estimates may fail, for ever if need be.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec.structs import replace

from perun.bindings import erc20
from perun.bindings.calls import Call
from perun.bindings.reverts import Reverted
from perun.chain.aside import Aside
from perun.chain.bidder import PLAIN_TRANSFER_GAS, Account, Bidder, Node
from perun.chain.endpoint import Block, Mined
from perun.chain.fees import FeePolicy, first_fees
from perun.chain.journal import Attempt, Entry, Journal
from perun.chain.nonces import MOST_GAPS, Nonces
from perun.chain.reports import Dropped, LeftLying, NonceTaken, Paid, Refused, Report
from perun.chain.wishes import Wish
from perun.encoding.domains import (
    Domain,
)
from perun.errors import ChainFault
from perun.types import Address, Wei

__all__ = ["Account", "Submitter"]

_APPROVE: Final = "Approve"

_LONGEST_PAUSE: Final = 12
"""Blocks, as a power of two, between two tries of what keeps failing."""

_ECHO: Final = 2
"""Final blocks after the one that shows a wish done, in which it may still be asked for by somebody
who has not looked yet. Sending it again would be harmless, but would cost gas."""

_SURE: Final = 3
"""Blocks for which a node must have known nothing of a deposit whose nonce is used, and after which
it must still be asked for, before another is made: some find a transaction long after it was mined.
"""

_LEFT_LYING: Final = 8
"""Blocks after which it is told that none has taken a transaction, though its bid has risen."""

_UNKNOWN_TOO_LONG: Final = 3
"""Blocks after which something harmless that is still asked for is sent again, if the node does not
say what became of it."""


def _approval(wish: Wish) -> bytes:
    """Key of the wish that lets MSContract pull this token."""
    return b"approve" + wish.token


class _Unknown:
    """The node does not say what became of a transaction."""


_UNKNOWN: Final = _Unknown()


class Submitter:
    """One account's transactions. `submit` by any thread, `poll` by one."""

    def __init__(
        self,
        node: Node,
        account: Account,
        journal: Journal,
        *,
        contract: Domain,
        policy: FeePolicy | None = None,
        report: Callable[[Report], None] = lambda _: None,
        aside: Aside | None = None,
    ) -> None:
        """Takes up what the journal holds.

        Args:
            contract: MSContract, which pulls tokens; and its chain, for which is signed.
            aside: asks what may fail; shared with whoever else asks this node.
        """
        self._node = node
        self._account = account
        self._contract = contract.contract
        self._report = report
        self._aside = aside or Aside(report)
        self._asked: deque[Wish] = deque()
        self._wishes: dict[bytes, Wish] = {}
        self._nonces = Nonces(journal)
        self._bidder = Bidder(
            node, account, contract.chain_id, self._nonces, policy, self._say, self._aside
        )
        self.policy = self._bidder.policy
        for entry in self._nonces.all():
            if not entry.done:
                self._wishes[entry.wish.key] = entry.wish
        # Block number of the first refusal, by key.
        self._refused_at: dict[bytes, int] = {}
        # How often a key's transactions came to nothing, and until which block it waits.
        self._setbacks: dict[bytes, tuple[int, int]] = {}
        # Wishes done lately, with the final block that showed it.
        self._done: dict[bytes, tuple[Wish, int]] = {}
        # Block at which a key was asked for last.
        self._asked_at: dict[bytes, int] = {}
        # Block since which a nonce is used and nothing of ours is known to have used it.
        self._missed: dict[int, int] = {}
        # After how many blocks it is said again that no block takes a nonce.
        self._lying: dict[int, int] = {}

    def _say(self, report: Report) -> None:
        self._report(report)

    @property
    def address(self) -> Address:
        """The account that sends and pays."""
        return self._account.address

    @property
    def tip(self) -> Wei:
        """What builders are paid per gas, as last heard, in wei."""
        return self._bidder.tip

    @property
    def idle(self) -> bool:
        """Whether nothing is waited for."""
        return not self._asked and not self._wishes

    @property
    def asked(self) -> bool:
        """Whether wishes have come since the last round."""
        return bool(self._asked)

    def knows(self, key: bytes) -> bool:
        """Whether a wish is looked after already, or was done lately; for any thread."""
        return key in self._wishes or key in self._done

    def submit(self, wish: Wish) -> None:
        """Takes a wish; it is looked at in the next round."""
        self._asked.append(wish)

    # ---------------------------------------------------------------------------------- one round

    def poll(self, head: Block, final: Block) -> None:
        """Looks after everything, given the newest block and the newest final one.

        Raises:
            ChainFault: something could not be looked after; all else was. The next round tries.
            StoreFault: the journal failed; nothing more was sent.
        """
        self._bidder.see(head)
        while self._asked:
            self._take(self._asked.popleft(), head, final)
        self._done = {
            key: done for key, done in self._done.items() if final.number <= done[1] + _ECHO
        }
        mined = self._node.next_nonce(self.address, head.number)
        faults: list[ChainFault] = []
        for entry in self._nonces.all():
            self._try(faults, partial(self._tend, entry, head, final, mined))
        # What ends soonest goes first, in case there is not ETH for all.
        waiting = [wish for wish in self._wishes.values() if not self._nonces.serving(wish.key)]
        for wish in sorted(waiting, key=lambda wish: wish.until or 2**64):
            self._try(faults, partial(self._begin, wish, head, final, mined))
        self._try(faults, partial(self._fill_gaps, head, mined))
        self._bidder.hear_tip()
        if faults:
            raise faults[0]

    def _try(self, faults: list[ChainFault], step: Callable[[], None]) -> None:
        try:
            step()
        except ChainFault as fault:
            faults.append(fault)

    def _take(self, wish: Wish, head: Block, final: Block) -> None:
        entry = self._nonces.serving(wish.key)
        if entry is not None and entry.done:
            if entry.wish.call == wish.call:
                return
            self._nonces.release(wish.key)
        done = self._done.get(wish.key)
        if done is not None and done[0].call == wish.call and final.number <= done[1] + _ECHO:
            return
        self._wishes[wish.key] = wish
        self._asked_at[wish.key] = head.number

    # ------------------------------------------------------------------------ what is under way

    def _tend(self, entry: Entry, head: Block, final: Block, mined: int) -> None:
        key, serving = entry.wish.key, self._nonces.serves(entry)
        if entry.done:
            if entry.wish.until is None or final.time > entry.wish.until:
                self._nonces.forget(entry)
            elif mined <= entry.nonce:
                # A final block was taken back, or this node lags: the same once more, not another.
                self._bidder.send(entry, entry.attempts[-1])
            return
        if mined <= entry.nonce:
            self._missed.pop(entry.nonce, None)
            if serving and entry.wish.until is not None and final.time > entry.wish.until:
                self._nonces.release(key)
                self._drop(key, "too late")
            elif serving:
                self._push(entry, head)
                self._remark(entry, head)
            return
        self._lying.pop(entry.nonce, None)
        found = self._find(entry)
        if isinstance(found, _Unknown):
            self._wait(entry, head, serving=serving)
        elif found is not None:
            self._missed.pop(entry.nonce, None)
            attempt, receipt = found
            if receipt.block <= final.number:
                self._finish(entry, attempt, receipt, final)
            elif serving and not receipt.succeeded and not entry.wish.once:
                self._nonces.release(key)  # lost this time; it can be tried again
                self._set_back(key, receipt.block)
        else:
            self._miss(entry, head, final, serving=serving)

    def _find(self, entry: Entry) -> tuple[Attempt, Mined] | _Unknown | None:
        """The transaction of this nonce that is in a block."""
        unknown = False
        for attempt in reversed(entry.attempts):
            otherwise: Mined | _Unknown | None = _UNKNOWN
            receipt = self._aside.ask("receipts", partial(self._mined, attempt.hash), otherwise)
            if isinstance(receipt, Mined):
                return attempt, receipt
            unknown = unknown or receipt is not None
        return _UNKNOWN if unknown else None

    def _mined(self, hash: bytes) -> Mined | _Unknown | None:
        return self._node.mined(hash)

    def _wait(self, entry: Entry, head: Block, *, serving: bool) -> None:
        """Nobody says what became of it. If its effect is still missing, and asked for, and twice
        does no harm, it is sent again: a dispute does not wait for an index."""
        since = self._missed.setdefault(entry.nonce, head.number)
        asked = self._asked_at.get(entry.wish.key, 0) > since
        if serving and not entry.wish.once and asked and head.number - since >= _UNKNOWN_TOO_LONG:
            self._nonces.release(entry.wish.key)
            self._set_back(entry.wish.key, head.number)

    def _miss(self, entry: Entry, head: Block, final: Block, *, serving: bool) -> None:
        """Another's transaction, in a block that may yet be taken back together with it."""
        since = self._missed.setdefault(entry.nonce, head.number)
        if serving and not entry.wish.once:
            self._nonces.release(entry.wish.key)
            # A node that never finds a receipt must not have us pay at every block.
            self._set_back(entry.wish.key, head.number)
        if final.number >= since and (not entry.wish.once or self._is_lost(entry, head, final)):
            self._missed.pop(entry.nonce, None)
            self._report(NonceTaken(entry.wish.key, entry.nonce))
            self._nonces.forget(entry)

    def _is_lost(self, entry: Entry, head: Block, final: Block) -> bool:
        """Whether a deposit may be made under another nonce. Its money may be in a block all the
        same: whoever has seen it there asks no more, however late the receipt is."""
        since, until = self._missed[entry.nonce], entry.wish.until
        if until is not None and final.time > until:
            return True
        is_wanted = self._asked_at.get(entry.wish.key, 0) >= since + _SURE
        return is_wanted and head.number - since >= _SURE

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
        self._asked_at.pop(key, None)
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
        wish = self._wishes.get(entry.wish.key, entry.wish)
        try:
            if self._bidder.raised(entry, wish, head, self._behind(entry)):
                self._refused_at.pop(wish.key, None)
                return
        except Reverted as refusal:
            self._refuse(wish, str(refusal), head, None)
        self._bidder.send(entry, entry.attempts[-1])

    def _behind(self, entry: Entry) -> list[Wish]:
        """What waits for this nonce."""
        behind = self._nonces.behind(entry.nonce)
        return [self._wishes.get(other.wish.key, other.wish) for other in behind]

    def _remark(self, entry: Entry, head: Block) -> None:
        """A pool that takes what no block ever holds does not say so."""
        blocks = head.number - self._nonces.first_bid(entry.nonce, head.number)
        if blocks >= self._lying.get(entry.nonce, _LEFT_LYING):
            self._lying[entry.nonce] = 2 * blocks
            self._report(LeftLying(entry.wish.key, entry.attempts[-1].hash, blocks))

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
        nonce = self._nonces.free(mined, lambda: self._pool(mined))
        try:
            if self._bidder.bid(nonce, wish, head):
                self._refused_at.pop(wish.key, None)
        except Reverted as refusal:
            self._refuse(wish, str(refusal), head, final)

    def _pool(self, mined: int) -> int:
        """The first nonce that nothing waits under, as far as the node tells."""
        question = partial(self._node.next_nonce, self.address)
        found = self._aside.ask("what waits in the pool", question, mined)
        # More than any pool keeps is not so, and an answer must not wait until the node sees that.
        return found if found <= mined + MOST_GAPS else mined

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

    def _fill_gaps(self, head: Block, mined: int) -> None:
        """A nonce that carries no wish must not stop those behind it: spend it on nothing.

        A foreign transaction that waits like ours is left alone, unless it is left lying for long:
        then it may be too cheap for any builder, and whatever stands behind it would never move.
        """
        gaps = self._nonces.gaps(mined)
        if not gaps:
            return
        pool = self._pool(mined)
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
            fees = first_fees(self.policy, head.base_fee, self._bidder.hear_tip())
            self._bidder.put_out(nonce, nothing, fees, PLAIN_TRANSFER_GAS, head)

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
        self._asked_at.pop(key, None)
        self._report(Dropped(key, reason))
