"""Every way a call to the contracts is refused, by the name and the arguments of the interface.

A call that raises one of these has changed nothing. `args` are the arguments of the Solidity
error in order, so that model and contract can be compared value by value.
"""

from __future__ import annotations

__all__ = [
    "AlreadyDrawn",
    "AmountTooLarge",
    "BadTurn",
    "BankTooLong",
    "ClaimFailed",
    "DeadlineTooFar",
    "DisputeStillOpen",
    "EmptyChannel",
    "FinalTimeTooFar",
    "Finished",
    "InDispute",
    "Insolvent",
    "InsufficientCredit",
    "MalformedEvidence",
    "NanosNotAscending",
    "NotAParty",
    "NotBegun",
    "NotInDispute",
    "Refused",
    "RulesFailed",
    "ScaleIsZero",
    "ShareTooSmall",
    "ShiftTooLarge",
    "StateMismatch",
    "TokenRefused",
    "TooEarly",
    "TooLate",
    "TooManyNanos",
    "TooManyTicks",
    "TooMuchEvidence",
    "TotalTooLarge",
    "ValidUntilTooFar",
    "VersionTooHigh",
    "VersionZeroNotEmpty",
    "WrongIndex",
    "WrongPartyCount",
    "WrongPosition",
    "WrongPreimage",
    "WrongRoot",
    "WrongRules",
    "WrongSecret",
    "WrongSigner",
    "WrongValue",
    "ZeroAddress",
]


class Refused(Exception):
    """A call was refused and changed nothing."""

    def __str__(self) -> str:
        return f"{type(self).__name__}{self.args}"


class TooLate(Refused):
    """(limit, timestamp): a time limit is over; its last second was still in time [B5]."""


class DisputeStillOpen(Refused):
    """(id, deadline, timestamp): newer states may still come."""


class ValidUntilTooFar(Refused):
    """(validUntil, limit): an `Open` may live one challenge at most."""


class DeadlineTooFar(Refused):
    """(deadline): does not fit the 34 bits that store it [B6]."""


class WrongValue(Refused):
    """(due, sent): the ETH that came with the call is not what is due."""


class AmountTooLarge(Refused):
    """(side, amount): an amount, or the side it would raise, exceeds 2**111 - 1 [A3].

    Nanocontracts have an error of the same name: (amount).
    """


class ShareTooSmall(Refused):
    """(arrived, share): `openBoth` must fund what the drawn account signed for."""


class NotAParty(Refused):
    """(id, caller)."""


class WrongSigner(Refused):
    """(expected, recovered): zero stands for a malformed signature."""


class EmptyChannel(Refused):
    """(id): both sides are zero."""


class InDispute(Refused):
    """(id)."""


class NotInDispute(Refused):
    """(id)."""


class StateMismatch(Refused):
    """(id, given, registered): low 173 bits of both state hashes."""


class Insolvent(Refused):
    """(id, aliceFree, bobFree): a side would pay more than it holds."""


class VersionZeroNotEmpty(Refused):
    """(net, count): version 0 means that nothing was ever signed."""


class TooManyNanos(Refused):
    """(count)."""


class NanosNotAscending(Refused):
    """(index): out of order by (id, app), or twice [A9]."""


class TooMuchEvidence(Refused):
    """(evidence, nanos)."""


class AlreadyDrawn(Refused):
    """(id): this life of the channel was funded from credit once [C5]."""


class WrongIndex(Refused):
    """(given, expected): a `Withdraw` carries the count of withdrawals before it."""


class InsufficientCredit(Refused):
    """(asset, account, credit, amount)."""


class ZeroAddress(Refused):
    """(): money would go to nobody."""


class ClaimFailed(Refused):
    """(to): the receiver refused the ETH that was claimed for it."""


class TokenRefused(Refused):
    """A token did not move what it was asked to; the contract passes on what the token said."""


class TotalTooLarge(Refused):
    """(paid): above 2**111 - 1 [A3]."""


class FinalTimeTooFar(Refused):
    """(finalTime): does not fit the 34 bits that store times [B6]."""


class MalformedEvidence(Refused):
    """(length): the bytes given to `submit` are no arguments; `HashTimeLock` does not name it."""


class WrongPreimage(Refused):
    """(expected, hash)."""


class WrongSecret(Refused):
    """(expected, hash): not what that side of a coin flip has committed to."""


class BankTooLong(Refused):
    """(bank): does not fit the 20 bits that store it."""


class TooEarly(Refused):
    """(limit, timestamp): moves count later, or a deal's late rule, or a price."""


class VersionTooHigh(Refused):
    """(version): does not fit the bits that store it."""


class ShiftTooLarge(Refused):
    """(shift): more than the side of a deal that pays has locked."""


class TooManyTicks(Refused):
    """(ticks): no chain of hashes is so long."""


class WrongRoot(Refused):
    """(expected, hash): the value is not so many ticks from the root."""


class ScaleIsZero(Refused):
    """The terms of a bet divide by zero."""


class WrongPartyCount(Refused):
    """(parties, signatures): a path has 3 to 8 parties, and a signature for each."""


class BadTurn(Refused):
    """(turn): neither 0, 1 nor 2."""


class NotBegun(Refused):
    """(id): nobody has submitted a position of this game."""


class Finished(Refused):
    """(id): no move counts any more."""


class WrongPosition(Refused):
    """(id, position): the move was made from another position than the one that stands."""


class WrongRules(Refused):
    """(expected, found): other code stands at the address of the rules."""


class RulesFailed(Refused):
    """(size): the rules refused the move or answered nonsense; so many bytes came back."""
