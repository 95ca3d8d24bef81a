"""A card full of hostile text, signed as it must be: `… hostile_card CARD HOST`, as a line of JSON.

CARD is the URL of an honest hub's card, whose network and contracts it names.
"""

from __future__ import annotations

import json
import sys
import time
from urllib.request import urlopen

from msgspec.structs import replace

from perun.crypto import keccak
from perun.crypto.keys import SecretKey
from perun.encoding.addresses import show_node_id
from perun.encoding.cards import Card, read_card, signed_card
from perun.node.settings import peer_id
from perun.types import UnixTime

_SCRIPT = '<img src=x onerror="window.taken=1"><script>window.taken=1</script>'
_WIDE = "\u202e" + "W" * 400


def main() -> int:
    """Prints the card's text and the address to open with, as JSON."""
    url, host = sys.argv[1:]
    with urlopen(url) as answer:
        honest = read_card(answer.read(), UnixTime(int(time.time())))
    key = SecretKey(keccak(b"a hub that nobody should trust"))
    node = show_node_id(peer_id(key.public_key))
    print(json.dumps({"card": signed_card(_hostile(honest, node, host), key), "node": node}))
    return 0


def _hostile(honest: Card, node: str, host: str) -> Card:
    assets = tuple(replace(one, symbol=_SCRIPT + _WIDE, open_fee="9" * 40) for one in honest.assets)
    return replace(
        honest,
        node=node,
        host=host,
        serial=2**53 - 1,
        account="",
        software=_SCRIPT + _WIDE,
        assets=assets,
        offers=(*honest.offers, _SCRIPT),
        neighbours=(_SCRIPT + _WIDE,),
    )


if __name__ == "__main__":
    sys.exit(main())
