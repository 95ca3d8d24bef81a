"""`perun bet sign`: by which a reporter says a price, with a key and without any node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import click

from perun.app.bets import feed_bytes
from perun.cli.passwords import password_for
from perun.cli.times import second_of
from perun.crypto.interop import checksum
from perun.crypto.signatures import sign as sign_digest
from perun.encoding.price_bet import PRICE_DOMAIN, price_digest
from perun.types import Price, UnixTime, Wei
from perun.wallet import read_keyfile

__all__ = ["COMMANDS"]


@click.command("sign")
@click.argument("feed")
@click.argument("at")
@click.argument("price", type=int)
@click.option("--keyfile", required=True, help="As `perun keys new` makes it.",
              type=click.Path(exists=True, dir_okay=False, path_type=Path))  # fmt: skip
def sign(feed: str, at: str, price: int, keyfile: Path) -> None:
    """Sign that FEED costs PRICE at the second AT: for all bets on it, on any chain.

    Whoever signs two prices for one second gives back everybody's money, and proves it.
    """
    said = Price(feed_bytes(feed), UnixTime(second_of(at)), Wei(price))
    digest = price_digest(PRICE_DOMAIN, said)
    key = read_keyfile(keyfile, password_for(str(keyfile)))
    signature = sign_digest(digest, key)
    signed = {"reporter": checksum(key.address), "feed": feed, "time": said.time,
              "price": str(price), "signature": "0x" + signature.hex()}  # fmt: skip
    click.echo(json.dumps(signed))


COMMANDS: Final = (sign,)
