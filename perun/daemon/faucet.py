"""Asks a test network's faucet for a start."""

from __future__ import annotations

from typing import Final

import msgspec
import requests

from perun.daemon.cards import Unreachable, url_of
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
        answer = requests.post(
            url_of(host, FAUCET_PATH),
            json={"account": account},
            timeout=_SECONDS,
            allow_redirects=False,
            stream=True,
        )
        given = msgspec.json.decode(answer.raw.read(_MOST_BYTES), type=Given)
    except (requests.RequestException, OSError, msgspec.DecodeError) as error:
        raise Unreachable(host, f"no faucet: {type(error).__name__}") from None
    if answer.status_code != 200 or not given.wei.isascii() or not given.wei.isdigit():
        raise Unreachable(host, f"the faucet gives nothing: {given.reason[:200]}")
    return Wei(int(given.wei))
