"""What a wallet does, when that is done, and what became of all that was done."""

from __future__ import annotations

import itertools
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from perun.app.methods import Close, Leave, Open, Params, Pay
from perun.app.work import Ask
from perun.core.state import ChannelView, PeerId
from perun.encoding.addresses import show_node_id

if TYPE_CHECKING:
    from benchmarks.perun_load.wallets import LoadWallet

__all__ = ["ACTS", "Acting", "Done"]

ACTS: Final = ("pay", "open", "close", "leave", "reconnect")
DEPOSIT: Final = 10**15
_KEYS = itertools.count()


@dataclass(slots=True)
class Done:
    """What became of acts of one kind."""

    seconds: list[float] = field(default_factory=list)
    """Of those that were done."""
    errors: Counter[str] = field(default_factory=Counter)
    """The others, by why."""


@dataclass(slots=True)
class _Act:
    """One under way."""

    kind: str
    wallet: LoadWallet
    begun: float
    is_done: Callable[[], bool]


class Acting:
    """The wallets of one process, and what they are at."""

    def __init__(
        self,
        wallets: Sequence[LoadWallet],
        hub: PeerId,
        partners: Mapping[PeerId, Sequence[PeerId]],
        patience: float,
        dice: random.Random,
    ) -> None:
        self._wallets, self._hub, self._partners = list(wallets), hub, partners
        self._patience, self._dice = patience, dice
        self._busy: dict[int, _Act] = {}
        self.done = {kind: Done() for kind in ACTS}

    # ------------------------------------------------------------------------------- beginning

    def draw(self, mix: Mapping[str, float], at_once: int) -> None:
        """Begins acts until so many are under way, each of a kind drawn by its weight, by a wallet
        that can."""
        kinds, weights = tuple(mix), tuple(mix.values())
        for _ in range(2 * len(self._wallets)):
            if len(self._busy) >= at_once:
                return
            wallet = self._dice.choice(self._wallets)
            self.begin(self._dice.choices(kinds, weights)[0], wallet)

    def begin(self, kind: str, wallet: LoadWallet) -> bool:
        """Begins one; False: this wallet cannot now."""
        channel = wallet.channel()
        if id(wallet) in self._busy or (channel is None) != (kind == "open"):
            return False
        is_done = getattr(self, f"_{kind}")(wallet, channel)
        self._busy[id(wallet)] = _Act(kind, wallet, time.perf_counter(), is_done)
        return True

    def _ask(self, wallet: LoadWallet, method: str, params: Params) -> Callable[[], Any]:
        """Asks the program above; what it has answered, if it has."""
        answers: list[Any] = []
        wallet.node.ask(Ask(method, params, answers.append))
        return lambda: _checked(answers[0]) if answers else None

    def _pay(self, wallet: LoadWallet, _: Any) -> Callable[[], bool]:
        to = show_node_id(self._dice.choice(self._partners[wallet.peer]))
        wish = Pay(idempotency_key=_key(), to=to, amount="1", wait=int(self._patience))
        answer = self._ask(wallet, "pay", wish)

        def is_done() -> bool:
            found = answer()
            if found is None:
                return False
            if found.step != "done":
                raise Failed(found.why or found.step)
            return True

        return is_done

    def _open(self, wallet: LoadWallet, _: Any) -> Callable[[], bool]:
        wish = Open(
            idempotency_key=_key(),
            peer=show_node_id(self._hub),
            amount=str(DEPOSIT),
            # By a transaction of its own: who draws on a hub's credit cannot close for a while.
            peer_amount=str(DEPOSIT),
            consent=True,
        )
        answer = self._ask(wallet, "open", wish)
        return lambda: answer() is not None and wallet.channel() is not None

    def _close(self, wallet: LoadWallet, channel: ChannelView) -> Callable[[], bool]:
        wish = Close(idempotency_key=_key(), channel="0x" + channel.id.hex())
        answer = self._ask(wallet, "close", wish)
        return lambda: answer() is not None and wallet.view(channel.id).final.ended

    def _leave(self, wallet: LoadWallet, channel: ChannelView) -> Callable[[], bool]:
        wish = Leave(idempotency_key=_key(), channel="0x" + channel.id.hex())
        answer = self._ask(wallet, "leave", wish)

        def is_done() -> bool:
            final = wallet.view(channel.id).final
            return answer() is not None and (final.dispute is not None or final.ended)

        return is_done

    def _reconnect(self, wallet: LoadWallet, _: Any) -> Callable[[], bool]:
        before = wallet.line.links
        wallet.line.cut()
        sessions = wallet.exchange.sessions
        return lambda: wallet.line.links > before and sessions.is_open(self._hub)

    # ------------------------------------------------------------------------------- ending

    def look(self) -> int:
        """Takes note of what is done, or will not be; how many are under way still."""
        now = time.perf_counter()
        for place, act in list(self._busy.items()):
            done = self.done[act.kind]
            try:
                if act.is_done():
                    done.seconds.append(now - act.begun)
                elif now - act.begun < 2 * self._patience:
                    continue
                else:
                    done.errors["late"] += 1
            except Exception as error:
                done.errors[_words(error)] += 1
            del self._busy[place]
        return len(self._busy)


class Failed(Exception):
    """An answer says that it was not done."""


def _checked(answer: Any) -> Any:
    if isinstance(answer, Exception):
        raise answer
    return answer


def _words(error: Exception) -> str:
    """Why, in a few words and without what differs from wallet to wallet."""
    if not isinstance(error, Failed):
        return type(error).__name__
    return re.sub(r"perun1\w+", "somebody", str(error)).partition("; nothing was paid")[0]


def _key() -> str:
    return f"load {next(_KEYS)}"
