"""Signs by the node's key at once; what the account of a browser's wallet must sign, it is asked.

That is one thing, once: that our key speaks for the account (protocol, section 5, join-2). It is
asked at the beginning and kept; what the account signs says so for every channel of the key.
Payments and states are never signed by the account.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from perun.core.config import Deployment
from perun.core.effects import Sign, SignItem
from perun.core.inputs import Signed
from perun.core.rules.admission import proof_of, standing_proof_of
from perun.core.signing import digest
from perun.crypto.interop import checksum
from perun.crypto.signatures import canonical, verify
from perun.encoding.wallet_json import wallet_json
from perun.errors import BrokenInvariant
from perun.page.prompts import AskWallet
from perun.page.store import PageStore
from perun.ports import Inbox
from perun.types import Address, Digest, Open, Signature
from perun.wallet import LocalWallet

__all__ = ["PageSigner"]

_PROOF: Final = "proof of the key"
_HEX: Final = 132
"""Letters of a signature of 65 bytes."""


class PageSigner:
    """`perun.ports.BatchSigner`."""

    def __init__(
        self,
        keys: LocalWallet,
        deployment: Deployment,
        account: Address,
        ask: AskWallet,
        post: Inbox,
        store: PageStore,
        report: Callable[[str], None],
        key: Address,
    ) -> None:
        """Args:
        key: the address of our key.
        """
        self._keys, self._deployment, self._account = keys, deployment, account
        self._ask, self._post, self._report = ask, post, report
        self._store, self._key = store, key
        self._asking: dict[Sign, asyncio.Task[None]] = {}
        self._one = asyncio.Lock()
        """So that one question is open, however many wait for its answer."""

    async def begin(self) -> None:
        """Asks for what will be needed, unless it is there."""
        await self._standing_proof()

    def sign(self, sign: Sign) -> tuple[Signature, ...] | None:
        """See `perun.ports.Signer`."""
        return self.sign_all((sign,))[0]

    def sign_all(self, signs: Sequence[Sign]) -> list[tuple[Signature, ...] | None]:
        """See `perun.ports.BatchSigner`."""
        ours = [sign for sign in signs if not self._needs_wallet(sign)]
        made = dict(zip(map(id, ours), self._keys.sign_all(ours), strict=True))
        for sign in signs:
            if id(sign) not in made and sign not in self._asking:
                task = asyncio.get_running_loop().create_task(self._have_signed(sign))
                self._asking[sign] = task
                task.add_done_callback(partial(self._asked, sign))
        return [made.get(id(sign)) for sign in signs]

    def _asked(self, sign: Sign, _: object) -> None:
        del self._asking[sign]

    def _needs_wallet(self, sign: Sign) -> bool:
        return any(item.key == self._account for item in sign.items)

    async def _have_signed(self, sign: Sign) -> None:
        made: list[Signature] = []
        for item in sign.items:
            signature = (
                await self._by_wallet(item)
                if item.key == self._account
                else self._keys.sign(Sign((item,)))[0]
            )
            if signature is None:
                return
            made.append(signature)
        self._post((Signed(sign, tuple(made)),))

    async def _by_wallet(self, item: SignItem) -> Signature | None:
        """None: it is not wanted any more."""
        message = item.message
        if not isinstance(message, Open) or message != proof_of(message.channel):
            raise BrokenInvariant(f"the account is asked to sign {message!r}")
        return await self._standing_proof()

    async def _standing_proof(self) -> Signature | None:
        async with self._one:
            message = standing_proof_of(self._account, self._key)
            wanted, kept = digest(self._deployment, message), self._store.get(_PROOF)
            if kept is not None and verify(wanted, Signature(kept), self._account):
                return Signature(kept)
            made = await self._asked_for(message, wanted)
            if made is not None:
                self._store.put(_PROOF, made)
            return made

    async def _asked_for(self, message: Open, wanted: Digest) -> Signature | None:
        why = ""
        while True:
            answer = await self._ask(
                {
                    "kind": "sign",
                    "key": message.channel.hex(),
                    "title": "Open",
                    "chain": int(self._deployment.contract.chain_id),
                    "from": checksum(self._account),
                    "until": None,
                    "data": wallet_json(message, self._deployment.contract),
                    "why": why,
                }
            )
            text = answer.get("signature", "")
            if not text:
                return None
            signature = _signature(text)
            if signature is not None and verify(wanted, signature, self._account):
                return canonical(signature)
            why = "the wallet has signed by another account, or something else"
            self._report(f"wallet: {why}")


def _signature(text: object) -> Signature | None:
    try:
        return Signature(bytes.fromhex(str(text)[2:])) if len(str(text)) == _HEX else None
    except ValueError:
        return None
