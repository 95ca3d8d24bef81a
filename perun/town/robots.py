"""Two inhabitants who are always there: a shop that sells, and a patron who pays.

They are ordinary nodes; what they do, any program can do by `perun.connect()`. They remember
nothing: what was answered is told by the keys that their payments were made with.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from perun.api.client import CallRefused, Node
from perun.app.values import Channel, Payment
from perun.encoding.links import BadLink, parse_link
from perun.units import format_ether

__all__ = ["PRICE", "Patron", "Shop", "join"]

_ETHER: Final = 10**18
PRICE: Final = _ETHER // 1_000
"""Of a coffee."""
_BACK: Final = PRICE // 100
"""Given back with each coffee: money cannot go without words, nor words without money."""
MOST: Final = _ETHER // 20
"""What the patron pays at most at a time."""
_STAKE: Final = "50 ether"
"""Both sides of a robot's channel."""
_LOW: Final = 5 * _ETHER
_LOOK: Final = 0.5

_COFFEES: Final = (
    "an espresso, short as a good proof",
    "a cappuccino, with a channel drawn in the foam",
    "a filter coffee, final after two drops",
    "a flat white, both sides in balance",
    "a mocha, sweet as a receipt that is signed",
    "a ristretto: all that counts, nothing else",
    "an americano, topped up while you waited",
)


def join(node: Node, hub: str, say: Callable[[str], None]) -> Channel:
    """The channel with the hub, once its money counts; opened if there is none."""
    refused = ""
    while True:
        found = node.channels()
        for one in found:
            if one.phase == "open":
                return one
        if not found:
            try:
                node.open(hub, _STAKE, peer_amount=_STAKE, draw=True, consent=True)
            except CallRefused as error:
                if str(error) != refused:
                    refused = str(error)
                    say(f"no channel yet: {refused}")
        time.sleep(_LOOK)


class Shop:
    """Sells a coffee to whoever pays for one, and tells which in the words that come with a
    hundredth of its price. Too little is given back, and so is what is too much."""

    def __init__(self, node: Node, say: Callable[[str], None]) -> None:
        self._node, self._say = node, say

    def run(self) -> None:
        """For ever."""
        since = self._node.status().event
        for payment in reversed(self._node.payments("in")):
            self.serve(payment)
        for event in self._node.watch(since, ("received",)):
            self.serve(self._node.payment(event.about))

    def serve(self, payment: Payment) -> None:
        """Answers a payment; again does nothing."""
        if payment.refunds is not None or payment.refunded != "0":
            return
        paid = int(payment.amount)
        sold = paid >= PRICE
        back = paid - PRICE + _BACK if sold else paid
        coffee = _COFFEES[int(payment.id, 16) % len(_COFFEES)]
        price = format_ether(PRICE)
        text = (
            f"Your coffee: {coffee}. A hundredth of its price is back."
            if sold
            else f"A coffee costs {price} ETH. Here is your money back."
        )
        try:
            self._node.refund(payment.id, back, text, idempotency_key=f"served {payment.id}")
        except CallRefused as error:
            self._say(f"cannot answer {payment.peer[:14]}…: {error}")
            return
        self._say(
            f"{'a coffee' if sold else 'too little, given back,'} for {payment.peer[:14]}… "
            f"({format_ether(paid)} ETH)"
        )


class Patron:
    """Pays whoever asks with a payment request, within bounds."""

    def __init__(self, node: Node, hub: str, say: Callable[[str], None]) -> None:
        self._node, self._hub, self._say = node, hub, say
        self._lock = threading.Lock()

    def asked(self, text: str) -> tuple[bool, str]:
        """Pays the first `perun:` link in a text; whether it did, and what it has to say."""
        link = next((word for word in text.split() if word.startswith("perun:")), "")
        try:
            request = parse_link(link).request
        except BadLink as error:
            return False, f"{error}"
        if request is None or not request.amount:
            return False, "Ask for an amount: perun request 0.01ether"
        if request.amount > MOST:
            asked, most = format_ether(request.amount), format_ether(MOST)
            return False, f"You ask for {asked} ETH; I pay at most {most} at a time."
        with self._lock:
            return self._pay(link)

    def _pay(self, link: str) -> tuple[bool, str]:
        try:
            self._tend()
            paid = self._node.pay(link, text="With compliments of the patron")
        except CallRefused as error:
            return False, str(error)
        amount = format_ether(int(paid.amount))
        if paid.step == "failed":
            return False, f"I could not pay: {paid.why}"
        if paid.step in ("finding", "opening"):
            return False, f"Not yet: {paid.why}. Ask again with the same link."
        self._say(f"{amount} ETH for {paid.peer[:14]}…")
        return True, f"Paid {amount} ETH, with compliments. See it: perun payments"

    def _tend(self) -> None:
        channel = join(self._node, self._hub, self._say)
        if int(channel.free) < _LOW and not channel.busy:
            self._node.top_up(channel.id, _STAKE)
