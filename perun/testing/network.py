"""A wire that a test can lose, hold, repeat, reorder and scramble messages on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from perun.core.state import PeerId
from perun.encoding.messages import Message, Over, decode, encode
from perun.wire.local import LocalNetwork

__all__ = ["Letter", "Rule", "ScriptedNetwork", "losing", "meant"]

Letter = tuple[PeerId, PeerId, bytes]
"""Sender, receiver and bytes of one message."""

Rule = Callable[[Letter], Iterable[Letter]]
"""What becomes of a letter: nothing, itself, or several."""


def meant(frame: bytes) -> Message:
    """What a letter says to the one it is for: of a message over a hub, the one inside."""
    message: Message = decode(frame)
    return decode(message.message) if isinstance(message, Over) else message


def losing(*kinds: type, by: PeerId | None = None) -> Rule:
    """A rule that loses messages of these kinds, said directly or over a hub, by one or by all.

    `Over` stands for all that is said over a hub.
    """

    def rule(letter: Letter) -> Iterable[Letter]:
        layers = decode(letter[2]), meant(letter[2])
        silent = any(isinstance(layer, kinds) for layer in layers) and by in (None, letter[0])
        return () if silent else (letter,)

    return rule


class ScriptedNetwork(LocalNetwork):
    """Delivers at once, unless `rule` says otherwise or `held` is a list that collects."""

    def __init__(self) -> None:
        super().__init__()
        self.rule: Rule | None = None
        self.held: list[Letter] | None = None
        self.seen: list[Letter] = []
        """Everything that was ever sent, in order."""

    def deliver(self, sender: PeerId, receiver: PeerId, frames: Sequence[bytes]) -> None:
        """See `LocalNetwork`."""
        for frame in frames:
            letter = (sender, receiver, frame)
            self.seen.append(letter)
            for one in [letter] if self.rule is None else self.rule(letter):
                if self.held is not None:
                    self.held.append(one)
                else:
                    super().deliver(one[0], one[1], (one[2],))

    def release(self, *indices: int) -> None:
        """Delivers held letters, all or those at these places, in the order given."""
        held, self.held = self.held or [], None
        chosen = indices or range(len(held))
        rest = [letter for index, letter in enumerate(held) if index not in chosen]
        for index in chosen:
            sender, receiver, frame = held[index]
            super().deliver(sender, receiver, (frame,))
        self.held = rest if indices else None

    def hand_over(self, index: int) -> None:
        """Delivers one held letter and keeps holding the others."""
        assert self.held is not None, "nothing is held"
        sender, receiver, frame = self.held.pop(index)
        super().deliver(sender, receiver, (frame,))

    def hand_over_all(self) -> int:
        """Delivers what is held now, oldest first, each pair in the order it was sent; how many."""
        assert self.held is not None, "nothing is held"
        count = len(self.held)
        for _ in range(count):
            self.hand_over(0)
        return count

    def replace_held(self, index: int, *letters: Letter) -> None:
        """Puts other letters, or none, in the place of a held one."""
        assert self.held is not None, "nothing is held"
        self.held[index : index + 1] = letters

    def lose(self, *kinds: type, by: PeerId | None = None) -> None:
        """From now on loses messages of these kinds, as `losing` says; of none, to end it."""
        self.rule = losing(*kinds, by=by) if kinds else None

    def said(self, kind: type[Message]) -> list[Message]:
        """All messages of one kind that were sent in the open."""
        messages = (decode(frame) for _, _, frame in self.seen)
        return [message for message in messages if isinstance(message, kind)]

    def inject(self, sender: PeerId, receiver: PeerId, message: Message) -> None:
        """A message from somebody who does not run our node."""
        super().deliver(sender, receiver, (encode(message),))
