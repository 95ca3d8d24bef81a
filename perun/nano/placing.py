"""Puts rules on a chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from web3 import Web3

from perun.bindings import transport
from perun.bindings.calls import Call
from perun.bindings.translation import translated
from perun.crypto.interop import AddressLike, address, checksum
from perun.errors import ChainFault, Misuse
from perun.nano.code import Rules
from perun.referee import Referee
from perun.referee.here import run
from perun.types import Address

__all__ = ["NotDeployable", "OtherCode", "deploy"]


@dataclass(eq=False)
class NotDeployable(Misuse):
    """Only the code of these rules is known, or nobody pays for putting it there."""

    name: str
    reason: str

    template: ClassVar[str] = "{name}: {reason}"


@dataclass(eq=False)
class OtherCode(ChainFault):
    """What came to stand on the chain is not what was compiled."""

    where: str

    template: ClassVar[str] = "other code than was compiled stands at {where}"
    hint: ClassVar[str] = "do not play by it; ask another node of the chain"


def deploy(web3: Web3, rules: Rules, payer: AddressLike | None = None) -> Address:
    """Puts rules on a chain, in one transaction; those that nobody may play by are refused first.

    Args:
        payer: private key, or an account whose key the chain's node holds; the node's first one if
            not given.

    Raises:
        NotDeployable: nothing says how it is put there, or nobody can pay.
        NotAdmitted, RulesRefused: the code is none of rules.
        Reverted, NotMined, NodeUnreachable, NodeRefused: the chain or the node failed.
        OtherCode: what stands there now is not what was compiled.
    """
    if not rules.creation:
        raise NotDeployable(rules.name, "name a contract of a project: this is only its code")
    Referee(rules.code, run).limits()
    if payer is None:
        with translated():
            held = web3.eth.accounts
        if not held:
            raise NotDeployable(rules.name, "this node of the chain holds no account that pays")
        payer = held[0]
    mined = transport.submit(web3, Call(None, rules.creation), payer)
    where = address(str(mined["contractAddress"]))
    with translated():
        code = bytes(web3.eth.get_code(checksum(where)))
    if code != rules.code:
        raise OtherCode(checksum(where))
    return where
