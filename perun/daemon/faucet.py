"""Asks a test network's faucet for a start."""

from __future__ import annotations

from typing import Final

import msgspec

from perun.chain.provider import fetch
from perun.daemon.cards import Unreachable
from perun.encoding.addresses import url_of
from perun.errors import ChainFault
from perun.nesting import read_json
from perun.types import Wei

__all__ = ["FAUCET_PATH", "Given", "ask_faucet"]

FAUCET_PATH: Final = "/faucet"
_SECONDS: Final = 30.0
_MOST_BYTES: Final = 4_096


class Given(msgspec.Struct, frozen=True):
    """What a faucet answers."""

    wei: str = ""
    """Sent, and mined."""
    reason: str = ""
    """Why not."""


def ask_faucet(host: str, account: str) -> Wei:
    """What the faucet at a host has sent to an account, in wei, once it is mined.

    Raises:
        Unreachable: it sends nothing; says why.
    """
    try:
        status, body = fetch(
            "POST",
            url_of(host, FAUCET_PATH),
            seconds=_SECONDS,
            most=_MOST_BYTES,
            json={"account": account},
        )
        given = read_json(body, Given)
    except (ChainFault, ValueError) as error:
        raise Unreachable(host, f"no faucet: {type(error).__name__}") from None
    if status != 200 or not given.wei.isascii() or not given.wei.isdigit():
        raise Unreachable(host, f"the faucet gives nothing: {given.reason[:200]}")
    return Wei(int(given.wei))
