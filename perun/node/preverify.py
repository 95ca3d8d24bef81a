"""Checks the signatures of a whole batch beforehand, side by side.

What was found good is remembered until its step asks (`perun.core.signing`); whatever is not
foreseen is checked in its turn, so this changes no answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from perun.core.books import Books
from perun.core.inputs import Received
from perun.core.preverify import expected_of
from perun.core.signing import Expected
from perun.crypto.backend import each
from perun.crypto.jobs import Job

__all__ = ["preverify"]


def preverify(books: Books, inputs: Iterable[object]) -> None:
    """Checks what it can foresee; never raises for what a peer has sent."""
    signatures: list[Expected] = []
    checks: list[Job[bool]] = []
    for input in inputs:
        if isinstance(input, Received):
            for expected in expected_of(books, input):
                check = books.checker.prepare(expected)
                if check is not None:
                    signatures.append(expected)
                    checks.append(check)
    found = each(checks)
    books.checker.remember(one for one, good in zip(signatures, found, strict=True) if good)
