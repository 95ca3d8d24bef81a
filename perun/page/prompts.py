"""What the account of a browser's wallet must send: asked for in the wallet, and followed.

The account's key is in the wallet, which chooses nonce and price; so what goes out has no raw
bytes here, only a hash once our user has agreed. Rules:

- A wish is asked for once, and what is asked is on disk first: who reloads the page is not asked
  twice for the same money. Only if the account has sent nothing since is it asked for again.
- What the chain would refuse is not asked for.
- What the core wants no more, or what is too late, is taken off the screen.
- What protects money (`register`, `settle`, evidence, `close`, `withdraw`) is sent by our key
  instead, without a prompt, as long as that has ether for gas.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from perun.bindings import erc20
from perun.bindings.calls import Call
from perun.bindings.reverts import Reverted
from perun.chain.endpoint import Block, Endpoint
from perun.chain.service import ChainService
from perun.chain.wishes import Wish, wish_of
from perun.core.config import Deployment
from perun.core.effects import ClaimCredit, DepositMoney, OpenBoth, OpenChannel, Submit, Watch
from perun.crypto.interop import checksum
from perun.page.store import PageStore
from perun.types import Address, Record, Wei

__all__ = ["AskWallet", "Prompts"]

AskWallet = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""Shows our user a question of the wallet's, and returns what came of it: `hash`, `signature`, or
`over` if it is not wanted any more. Whatever the wallet refuses stays on the screen, to be asked
again; `{"kind": "over", "key": …}` takes a question back."""

_OWN: Final = OpenChannel | OpenBoth | DepositMoney | ClaimCredit
"""Only the account itself can do these, or it is its money that they bring."""
_FORGOTTEN: Final = 5
"""Blocks after which something counts as not wanted that the core has not asked for again."""
_PURSE_GAS: Final = 1_000_000
"""Gas that our key's ether must pay for at the present price before it is relied on."""
_PREFIX: Final = "prompt "


class Prompt(Record, frozen=True, gc=False, array_like=True):
    """A question as it is kept: a wish, and what is known of the answer."""

    wish: Wish
    sent_before: int
    """How many transactions of the account there were when it was asked, with those that wait."""
    hash: bytes = b""
    """The transaction; empty until the wallet has said it."""


class Prompts:
    """The Chain port for an account of a browser's wallet."""

    def __init__(
        self,
        chain: ChainService,
        endpoint: Endpoint,
        deployment: Deployment,
        account: Address,
        purse: Address,
        store: PageStore,
        ask: AskWallet,
        report: Callable[[str], None],
    ) -> None:
        """Args:
        chain: follows; and sends, by our key, whatever needs not be sent by the account.
        purse: the address of that key.
        """
        self._chain, self._endpoint, self._deployment = chain, endpoint, deployment
        self._account, self._purse = account, purse
        self._store, self._ask, self._report = store, ask, report
        self._wanted: dict[bytes, tuple[Wish, int]] = {}
        """What the core wants, and at which block it last said so."""
        kept = store.values(_PREFIX).values()
        self._asked = {
            prompt.wish.key: prompt
            for prompt in (msgspec.msgpack.decode(row, type=Prompt) for row in kept)
        }
        self._open: dict[bytes, asyncio.Task[None]] = {}
        """Questions that our user sees at present."""
        self._purse_pays = False

    # ----------------------------------------------------------------------------------- the port

    def watch(self, watch: Watch) -> None:
        """See `perun.ports.Chain`."""
        self._chain.watch(watch)

    def submit(self, submit: Submit) -> None:
        """See `perun.ports.Chain`."""
        if not isinstance(submit.transaction, _OWN) and self._purse_pays:
            self._chain.submit(submit)
            return
        wish = wish_of(submit, self._deployment, self._account)
        self._wanted[wish.key] = wish, self._number

    @property
    def _number(self) -> int:
        head = self._chain.follower.head
        return 0 if head is None else head.number

    # --------------------------------------------------------------------------------- its rounds

    def poll(self) -> None:
        """Once for each look at the chain, after it.

        Raises:
            ChainFault: the node does not answer.
            StoreFault: the store has failed.
        """
        head, final = self._chain.follower.head, self._chain.follower.final
        if head is None:
            return
        least = 2 * head.base_fee * _PURSE_GAS
        self._purse_pays = self._endpoint.balance(self._purse) > least
        for key, (wish, since) in tuple(self._wanted.items()):
            late = wish.until is not None and head.time >= wish.until
            if late or head.number > since + _FORGOTTEN:
                self._forget(key)
            elif key not in self._open and not self._under_way(wish, final):
                self._begin(wish, head)
        for key, prompt in tuple(self._asked.items()):
            until = prompt.wish.until
            if key not in self._wanted and (until is None or head.time > until):
                self._drop(key)

    def _under_way(self, wish: Wish, final: Block | None) -> bool:
        """Whether a transaction of this wish may still do it."""
        prompt = self._asked.get(wish.key)
        if prompt is None or prompt.wish.call != wish.call:
            return False
        if not prompt.hash:
            # The page was closed while the wallet asked: it may have been sent.
            return self._endpoint.next_nonce(self._account) != prompt.sent_before
        mined = self._endpoint.mined(prompt.hash)
        if mined is None or mined.succeeded:
            return True
        self._drop(wish.key)
        return final is None or mined.block > final.number

    def _begin(self, wish: Wish, head: Block) -> None:
        try:
            calls = self._calls(wish, head)
        except Reverted as refusal:
            self._report(f"wallet: {wish.kind} would be refused: {refusal}")
            return
        prompt = Prompt(wish, self._endpoint.next_nonce(self._account))
        self._keep(prompt)
        question = {
            "kind": "send",
            "key": wish.key.hex(),
            "title": wish.kind,
            "chain": int(self._deployment.contract.chain_id),
            "from": checksum(self._account),
            "until": None if wish.until is None else int(wish.until),
            "calls": calls,
            "asset": checksum(wish.token),
            "pulls": str(wish.pulls),
        }
        task = asyncio.get_running_loop().create_task(self._show(prompt, question))
        self._open[wish.key] = task
        task.add_done_callback(lambda _: self._open.pop(wish.key, None))

    async def _show(self, prompt: Prompt, question: dict[str, Any]) -> None:
        answer = await self._ask(question)
        found = answer.get("hash", "")
        if isinstance(found, str) and len(found) == 66:
            self._keep(Prompt(prompt.wish, prompt.sent_before, bytes.fromhex(found[2:])))
        elif answer.get("over"):
            self._drop(prompt.wish.key)

    def _calls(self, wish: Wish, head: Block) -> list[dict[str, str]]:
        """The call, after what lets the contract pull its tokens (EIP-20)."""
        if not wish.pulls:
            gas = self._endpoint.estimate(wish.call, self._account)
            return [{**_shown(wish.call), "gas": hex(gas)}]
        contract = self._deployment.contract.contract
        query = erc20.allowance(wish.token, self._account, contract)
        allowed = self._endpoint.ask(query, head.number)
        if allowed >= wish.pulls:
            return [_shown(wish.call)]
        # Some tokens refuse to change an allowance that is not zero.
        amounts = [Wei(0), wish.pulls] if allowed else [wish.pulls]
        approvals = [erc20.approve(wish.token, contract, amount) for amount in amounts]
        return [_shown(call) for call in (*approvals, wish.call)]

    # ------------------------------------------------------------------------------------ records

    def _keep(self, prompt: Prompt) -> None:
        self._asked[prompt.wish.key] = prompt
        self._store.put(_PREFIX + prompt.wish.key.hex(), msgspec.msgpack.encode(prompt))

    def _drop(self, key: bytes) -> None:
        if self._asked.pop(key, None) is not None:
            self._store.put(_PREFIX + key.hex(), None)

    def _forget(self, key: bytes) -> None:
        """Not wanted any more, or too late; a transaction that is out stays known until then."""
        del self._wanted[key]
        if key in self._open:
            asyncio.get_running_loop().create_task(self._take_back(key))

    async def _take_back(self, key: bytes) -> None:
        await self._ask({"kind": "over", "key": key.hex()})


def _shown(call: Call) -> dict[str, str]:
    assert call.to is not None
    return {"to": checksum(call.to), "data": "0x" + call.data.hex(), "value": hex(call.value)}
