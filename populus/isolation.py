"""Snapshots in step with pytest's scopes.

A stack of snapshots, the widest scope at the bottom. A fixture of a wide scope may be set up late,
when snapshots of narrower scopes already lie on the stack; going back to those would undo what the
fixture did while pytest still hands it out. So they are taken anew: nothing such a fixture built
is lost, and what the narrower scopes did before stays with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from populus.chain.tester import TesterChain

__all__ = ["Isolation"]

_WIDTH = {"function": 0, "class": 1, "module": 2, "package": 3, "session": 4}


@dataclass(slots=True)
class _Entry:
    scope: str
    state: Any = None  # None: the chain was not running yet


class Isolation:
    """Keeps what tests do to the chain from reaching other tests."""

    def __init__(self) -> None:
        self._chain: TesterChain | None = None
        self._stack: list[_Entry] = []

    def attach(self, chain: TesterChain) -> None:
        """The chain has just started: that is the state all open scopes began with."""
        self._chain = chain
        for entry in self._stack:
            entry.state = chain.save()

    def detach(self) -> None:
        """The chain ends."""
        self._chain = None

    def enter(self, scope: str) -> None:
        """Remember the state in which a scope begins."""
        self._stack.append(_Entry(scope, self._chain.save() if self._chain else None))

    def leave(self) -> None:
        """Go back to the state in which the innermost scope began."""
        entry = self._stack.pop()
        if self._chain is not None and entry.state is not None:
            self._chain.restore(entry.state)

    def mark(self) -> Any:
        """Something that changes whenever the chain or the registrar does."""
        return self._chain.fingerprint() if self._chain else None

    def fixture_done(self, scope: str, mark_before: Any) -> None:
        """A fixture of `scope` was set up; keep what it did to the chain."""
        if self._chain is None or mark_before in (None, self._chain.fingerprint()):
            return
        for entry in self._stack:
            if _WIDTH[entry.scope] < _WIDTH[scope]:
                entry.state = self._chain.save()
