"""Every reason for which a contract refuses a call, as an exception with the error's own name.

`decode` finds the class by the selector in the revert data. Amounts are in the asset's smallest
unit, times in Unix seconds, ids 32 and addresses 20 raw bytes. The errors are documented in
`contracts/interfaces`; a test compares names, types and fields with the compiler's ABI. A chain's
error travels up through the contracts that call each other, so one table serves them all.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import ClassVar

from perun.bindings import abi
from perun.errors import ChainFault, show
from perun.types import Address, Asset, ChannelId, GameId, Seconds, UnixTime, Version, Wei


@dataclass(eq=False)
class Reverted(ChainFault):
    """A contract refused a call: nothing has changed, but a mined transaction's gas is paid."""

    data: bytes = field(default=b"", kw_only=True)
    """What the contract answered: selector and arguments."""
    transaction: bytes | None = field(default=None, kw_only=True)
    """Hash of the transaction, if one was mined."""

    signature: ClassVar[str] = ""
    """Solidity's name and types of the error, whose hash begins with the selector."""

    def _said(self) -> str:
        values = (f"{f.name}={show(getattr(self, f.name))}" for f in fields(self) if not f.kw_only)
        mined = f" in transaction {show(self.transaction)}" if self.transaction else ""
        name = self.signature.partition("(")[0] or type(self).__name__
        return f"{name}({', '.join(values)}){mined}"


@dataclass(eq=False)
class RevertedWithReason(Reverted):
    """A contract refused with a text: a token, or another contract of somebody else's."""

    reason: str

    signature = "Error(string)"


@dataclass(eq=False)
class Panicked(Reverted):
    """A contract ran into a check of the compiler, such as an overflow (Solidity's panic codes)."""

    code: int

    signature = "Panic(uint256)"


@dataclass(eq=False)
class OutOfGas(Reverted):
    """A mined transaction used all the gas it was given (`limit`)."""

    limit: int

    hint = "send it with a higher gas limit, or without one"
    retry = True


@dataclass(eq=False)
class UnknownRevert(Reverted):
    """A contract refused with data that no known error has, or with none."""

    answer: bytes

    hint = "without data it ran out of gas, has no such function, or is not there at all"


# --------------------------------------------------------------------------------- limits of time


@dataclass(eq=False)
class TooLate(Reverted):
    """The time limit (a `valid_until`, a deadline, a validity) is over."""

    limit: UnixTime
    timestamp: UnixTime

    signature = "TooLate(uint256,uint256)"
    hint = "the limit's last second was still in time"


@dataclass(eq=False)
class DisputeStillOpen(Reverted):
    """The dispute waits for newer states until `deadline`, included."""

    id: ChannelId
    deadline: UnixTime
    timestamp: UnixTime

    signature = "DisputeStillOpen(bytes32,uint256,uint256)"
    retry = True
    hint = "settle once a block is later than the deadline"


@dataclass(eq=False)
class ValidUntilTooFar(Reverted):
    """`valid_until` lies further ahead than the channel's challenge allows."""

    valid_until: UnixTime
    limit: UnixTime

    signature = "ValidUntilTooFar(uint256,uint256)"


@dataclass(eq=False)
class DeadlineTooFar(Reverted):
    """A dispute opened now would end beyond the 34 bits that store its deadline."""

    deadline: UnixTime

    signature = "DeadlineTooFar(uint256)"


@dataclass(eq=False)
class FinalTimeTooFar(Reverted):
    """An instance's final time does not fit the 34 bits that store its times."""

    final_time: UnixTime

    signature = "FinalTimeTooFar(uint256)"


# ------------------------------------------------------------------------------------------ money


@dataclass(eq=False)
class WrongValue(Reverted):
    """The ETH sent differs from the ETH due, which is 0 for tokens."""

    due: Wei
    sent: Wei

    signature = "WrongValue(uint256,uint256)"


@dataclass(eq=False)
class AmountTooLarge(Reverted):
    """An amount, or the side it would raise, exceeds 2**111 − 1."""

    side: Wei
    amount: Wei

    signature = "AmountTooLarge(int256,uint256)"


@dataclass(eq=False)
class ShareTooSmall(Reverted):
    """Less than the caller's share of an `open_both` arrived."""

    arrived: Wei
    share: Wei

    signature = "ShareTooSmall(uint256,uint256)"


@dataclass(eq=False)
class Insolvent(Reverted):
    """A party's free money would be negative."""

    id: ChannelId
    alice_free: Wei
    bob_free: Wei

    signature = "Insolvent(bytes32,int256,int256)"


@dataclass(eq=False)
class InsufficientCredit(Reverted):
    """The account's credit is smaller than the amount."""

    asset: Asset
    account: Address
    credit: Wei
    amount: Wei

    signature = "InsufficientCredit(address,address,uint256,uint256)"


@dataclass(eq=False)
class ZeroAddress(Reverted):
    """Money would be sent to the zero address."""

    signature = "ZeroAddress()"


@dataclass(eq=False)
class ClaimFailed(Reverted):
    """The receiver refused the ETH that was claimed for it."""

    to: Address

    signature = "ClaimFailed(address)"
    hint = "claim to another address"


@dataclass(eq=False)
class NotEnoughGas(Reverted):
    """A call failed that may have failed for want of gas."""

    gas_before: int
    allowance: int

    signature = "NotEnoughGas(uint256,uint256)"
    retry = True
    hint = "send the transaction with a higher gas limit"


# ----------------------------------------------------------------------------------- who and what


@dataclass(eq=False)
class NotAParty(Reverted):
    """The caller stands in no role that may do this."""

    id: ChannelId
    caller: Address

    signature = "NotAParty(bytes32,address)"


@dataclass(eq=False)
class WrongSigner(Reverted):
    """A signature is malformed (`recovered` is zero) or by another key."""

    expected: Address
    recovered: Address

    signature = "WrongSigner(address,address)"
    hint = "compare the message's channel, chain and fields with what was signed"


@dataclass(eq=False)
class EmptyChannel(Reverted):
    """The channel holds nothing."""

    id: ChannelId

    signature = "EmptyChannel(bytes32)"


@dataclass(eq=False)
class InDispute(Reverted):
    """The channel is in dispute: only `register`, `close` and `settle` touch it."""

    id: ChannelId

    signature = "InDispute(bytes32)"


@dataclass(eq=False)
class NotInDispute(Reverted):
    """The channel is not in dispute."""

    id: ChannelId

    signature = "NotInDispute(bytes32)"


@dataclass(eq=False)
class StateMismatch(Reverted):
    """What was given is not the registered state (low 173 bits of both hashes)."""

    id: ChannelId
    given: int
    registered: int

    signature = "StateMismatch(bytes32,uint256,uint256)"
    hint = "rebuild the state from the last Registered or Settled event"


@dataclass(eq=False)
class VersionZeroNotEmpty(Reverted):
    """Version 0 means that nothing was ever signed: net 0 and no nanos."""

    net: Wei
    nanos: int

    signature = "VersionZeroNotEmpty(int112,uint256)"


@dataclass(eq=False)
class TooManyNanos(Reverted):
    """A state lists more than 64 nanos."""

    count: int

    signature = "TooManyNanos(uint256)"


@dataclass(eq=False)
class NanosNotAscending(Reverted):
    """The list is not strictly ascending by (id, app) at `index`."""

    index: int

    signature = "NanosNotAscending(uint256)"


@dataclass(eq=False)
class TooMuchEvidence(Reverted):
    """More pieces of evidence than nanos."""

    evidence: int
    nanos: int

    signature = "TooMuchEvidence(uint256,uint256)"


@dataclass(eq=False)
class AlreadyDrawn(Reverted):
    """This life of the channel was already funded by `open_both`."""

    id: ChannelId

    signature = "AlreadyDrawn(bytes32)"


@dataclass(eq=False)
class WrongIndex(Reverted):
    """A `Withdraw` must carry the count of withdrawals so far."""

    given: int
    expected: int

    signature = "WrongIndex(uint256,uint256)"


# ------------------------------------------------------------------- nanocontracts and signatures


@dataclass(eq=False)
class TotalTooLarge(Reverted):
    """A total exceeds 2**111 − 1."""

    paid: Wei

    signature = "TotalTooLarge(uint256)"


@dataclass(eq=False)
class MalformedEvidence(Reverted):
    """Evidence is not what `submit` of this nanocontract takes."""

    length: int

    signature = "MalformedEvidence(uint256)"


@dataclass(eq=False)
class WrongPreimage(Reverted):
    """The hash of the preimage is not the lock's."""

    expected: bytes
    hash: bytes

    signature = "WrongPreimage(bytes32,bytes32)"


@dataclass(eq=False)
class WrongSecret(Reverted):
    """The secret is not the one that this side of a coin flip has committed to."""

    expected: bytes
    hash: bytes

    signature = "WrongSecret(bytes32,bytes32)"
    hint = "a commitment says whose it is: look whether it is Alice's or Bob's"


@dataclass(eq=False)
class BankTooLong(Reverted):
    """A player's time bank exceeds 2**20 − 1 seconds."""

    bank: Seconds

    signature = "BankTooLong(uint256)"


@dataclass(eq=False)
class TooEarly(Reverted):
    """It counts from the second after `limit`: a move of a game, while newer positions may still
    come; the late rule of a deal; the price of a bet."""

    limit: UnixTime
    timestamp: UnixTime

    signature = "TooEarly(uint256,uint256)"
    retry = True


@dataclass(eq=False)
class VersionTooHigh(Reverted):
    """A co-signed version exceeds 2**18 − 1, or a game has had all moves that can be counted."""

    version: Version

    signature = "VersionTooHigh(uint256)"


@dataclass(eq=False)
class BadTurn(Reverted):
    """A position's turn is neither 0 (finished), 1 (Alice) nor 2 (Bob)."""

    turn: int

    signature = "BadTurn(uint256)"


@dataclass(eq=False)
class NotBegun(Reverted):
    """Nobody has submitted a position of this game, so no move counts."""

    id: GameId

    signature = "NotBegun(bytes32)"
    hint = "submit the newest position that both have signed, then move when its challenge is over"


@dataclass(eq=False)
class Finished(Reverted):
    """The game is over: no move counts."""

    id: GameId

    signature = "Finished(bytes32)"


@dataclass(eq=False)
class WrongPosition(Reverted):
    """The move was made from another position (its hash) than the one that stands."""

    id: GameId
    position: bytes

    signature = "WrongPosition(bytes32,bytes32)"


@dataclass(eq=False)
class WrongRules(Reverted):
    """Another code stands at the address of the rules than the one agreed on (hashes of code)."""

    expected: bytes
    found: bytes

    signature = "WrongRules(bytes32,bytes32)"


@dataclass(eq=False)
class RulesFailed(Reverted):
    """The rules refused the move, ran out of gas, or answered nonsense of `size` bytes."""

    size: int

    signature = "RulesFailed(uint256)"


@dataclass(eq=False)
class ShiftTooLarge(Reverted):
    """A deal in escrow cannot move more than the side that pays has locked."""

    shift: Wei

    signature = "ShiftTooLarge(int112)"


@dataclass(eq=False)
class TooManyTicks(Reverted):
    """No chain of hashes of a stream has that many ticks."""

    ticks: int

    signature = "TooManyTicks(uint256)"


@dataclass(eq=False)
class WrongRoot(Reverted):
    """The value hashed that many times is not the root that the stream's payer has signed."""

    expected: bytes
    hash: bytes

    signature = "WrongRoot(bytes32,bytes32)"


@dataclass(eq=False)
class ScaleIsZero(Reverted):
    """The terms of a bet divide by zero: it is never done."""

    signature = "ScaleIsZero()"


@dataclass(eq=False)
class WrongPartyCount(Reverted):
    """A path has 3 to 8 parties, and a signature of each."""

    parties: int
    signatures: int

    signature = "WrongPartyCount(uint256,uint256)"


@dataclass(eq=False)
class UnknownForm(Reverted):
    """Evidence begins with a form that this nanocontract does not know."""

    form: int

    signature = "UnknownForm(uint256)"


@dataclass(eq=False)
class IllegalMove(Reverted):
    """The rules of a game refuse a move; `reason` is a short word in ASCII, padded with zeros."""

    reason: bytes

    signature = "IllegalMove(bytes32)"


@dataclass(eq=False)
class LockAmountTooLarge(Reverted):
    """A nanocontract's lock exceeds 2**111 − 1. Solidity's name is `AmountTooLarge`, too."""

    amount: Wei

    signature = "AmountTooLarge(uint256)"


@dataclass(eq=False)
class InvalidSignature(Reverted):
    """`LibSignatures.recover` was given a signature that belongs to no key."""

    length: int

    signature = "InvalidSignature(uint256)"


# --------------------------------------------------------------------------- libraries and tokens


@dataclass(eq=False)
class ReentrancyGuardReentrantCall(Reverted):
    """A contract that was called by MSContract has called back into it (OpenZeppelin)."""

    signature = "ReentrancyGuardReentrantCall()"


@dataclass(eq=False)
class SafeERC20FailedOperation(Reverted):
    """A token refused a transfer, or is no contract (OpenZeppelin)."""

    token: Address

    signature = "SafeERC20FailedOperation(address)"
    hint = "check balance and allowance of the token"


@dataclass(eq=False)
class ERC20InsufficientBalance(Reverted):
    """The token account holds less than it should send (EIP-6093)."""

    sender: Address
    balance: Wei
    needed: Wei

    signature = "ERC20InsufficientBalance(address,uint256,uint256)"


@dataclass(eq=False)
class ERC20InvalidSender(Reverted):
    """The token does not move from this account (EIP-6093)."""

    sender: Address

    signature = "ERC20InvalidSender(address)"


@dataclass(eq=False)
class ERC20InvalidReceiver(Reverted):
    """The token does not move to this account (EIP-6093)."""

    receiver: Address

    signature = "ERC20InvalidReceiver(address)"


@dataclass(eq=False)
class ERC20InsufficientAllowance(Reverted):
    """The owner's allowance for the spender is too small (EIP-6093)."""

    spender: Address
    allowance: Wei
    needed: Wei

    signature = "ERC20InsufficientAllowance(address,uint256,uint256)"
    hint = "approve the contract first"


@dataclass(eq=False)
class ERC20InvalidApprover(Reverted):
    """This account cannot approve spending (EIP-6093)."""

    approver: Address

    signature = "ERC20InvalidApprover(address)"


@dataclass(eq=False)
class ERC20InvalidSpender(Reverted):
    """This account cannot be allowed to spend (EIP-6093)."""

    spender: Address

    signature = "ERC20InvalidSpender(address)"


def _subclasses() -> dict[bytes, type[Reverted]]:
    return {
        abi.selector(kind.signature): kind for kind in Reverted.__subclasses__() if kind.signature
    }


_BY_SELECTOR = _subclasses()


def decode(data: bytes, transaction: bytes | None = None) -> Reverted:
    """The exception that revert data stands for; `UnknownRevert` for anything else."""
    kind = _BY_SELECTOR.get(data[:4])
    if kind is not None:
        try:
            values = abi.decode_arguments(kind.signature, data[4:])
        except abi.BadAnswer:
            # Any contract may revert with any bytes, half an error of ours included.
            pass
        else:
            return kind(*values, data=data, transaction=transaction)
    return UnknownRevert(data, data=data, transaction=transaction)
