"""Checks the signatures of a whole batch beforehand, side by side.

What was found good is remembered until its step asks (`perun.core.signing`); whatever is not
foreseen is checked in its turn, so this changes no answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from perun.core.books import Books
from perun.core.inputs import Received
from perun.core.preverify import claims_of
from perun.core.signing import Claim
from perun.crypto.backend import each
from perun.crypto.jobs import Job

__all__ = ["check_ahead"]


def check_ahead(books: Books, inputs: Iterable[object]) -> None:
    """Checks what it can foresee; never raises for what a peer has sent."""
    claims: list[Claim] = []
    checks: list[Job[bool]] = []
    for input in inputs:
        if isinstance(input, Received):
            for claim in claims_of(books, input):
                check = books.checker.prepare(claim)
                if check is not None:
                    claims.append(claim)
                    checks.append(check)
    found = each(checks)
    books.checker.remember(claim for claim, good in zip(claims, found, strict=True) if good)
