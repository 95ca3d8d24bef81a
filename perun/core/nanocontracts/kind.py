"""What the core asks of a kind of nanocontract; all it must know to carry one more.

A kind is one object without state, in a file of its own, named in `kinds`. What it needs of an
instance is its row and the payments in it (`Totals`); and the draft, where evidence comes or is
due. Times are Unix seconds of blocks; shifts go from the instance's Alice to its Bob.

All that the core knows of a kind stands in that file: the commands by which our user invites to one
and plays in it, what its ends say and sign, what proves it. What else a new one brings is said in
`docs/guides/add-a-kind.md`, which a test compares with those that are there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Final, Generic, TypeVar

from msgspec.structs import replace

from perun.core.books import Books, Draft
from perun.core.chain_view import ChainView
from perun.core.config import Deployment
from perun.core.faults import InstanceRejected, UnexpectedMessage
from perun.core.limits import Limits
from perun.core.state import InstanceView, PeerId, Role, Totals
from perun.crypto.hashing import keccak
from perun.encoding.domains import (
    Domain,
)
from perun.encoding.messages import OfInstance, Propose
from perun.types import Address, InstanceId, Record, Salt, Signature, UnixTime, Wei

__all__ = ["Due", "Kind", "domain_in"]

T = TypeVar("T")
R = TypeVar("R")
D = TypeVar("D", bound=Domain)


class Due(Record, frozen=True, gc=False):
    """Evidence that we gain by if the chain gets it."""

    evidence: bytes
    """As the kind's `submit` takes it, alone or along with a register."""
    before: UnixTime
    """The last second at which it counts."""
    answers: bool = False
    """Somebody has submitted what is worse for us: it cannot wait."""
    rides: bool = True
    """Whether a register may bring it along: it gives evidence only so much gas."""
    tag: bytes = b""
    """Tells it from other evidence of the same instance, so that it does not wait until that is
    final."""


def domain_in(deployment: Deployment, kind: type[D]) -> D:
    """What binds a kind's ids to this chain; raises `InstanceRejected` where it has no contract."""
    found = deployment.find(kind)
    if found is None:
        raise InstanceRejected("no such contract is known on this chain")
    return found


_NOTHING: Final[Mapping[type, Any]] = MappingProxyType({})


class Kind(ABC, Generic[T, R]):
    """A kind whose parameters are a `T`, and of which the chain records an `R`."""

    terms: ClassVar[type]
    """Of its parameters: what it is found by."""
    domain: ClassVar[type[Domain]]
    """Of the contract that decides it: what it is found by in a deployment."""
    talks: ClassVar[bool]
    """Whether its ends go on signing for it once it is listed: over a hub they say `Ready` before
    the first signature, and `Leave` with the last."""
    readies: ClassVar[bool]
    """Whether its ends, over a hub, say `Ready` before anything that counts."""
    rises: ClassVar[bool] = False
    """Whether what one side alone can lose by it only rises with evidence, whoever submits: so it
    may cross several hubs, from that side on (section 6)."""
    near: ClassVar[bool] = True
    """Whether it is locked between two, or over one hub."""
    submissions: ClassVar[int] = 1
    """What it takes to enforce one, in ordinary submissions: its locks are worth as much."""
    asks: ClassVar[bool] = False
    """Whether only our user can agree to an invitation: somebody has to be there for it."""

    # ------------------------------------------------------------------------------------ our user

    # Any: of each command and message only its kind knows what is in it.
    invites: ClassVar[Mapping[type, Callable[[Draft, Any, Address, Address], Any]]] = _NOTHING
    """Commands by which our user invites somebody to one, each with the terms that it stands for:
    of the draft, itself, our key and the other end's. It names a `channel` and an `end`."""
    orders: ClassVar[Mapping[type, Callable[[Draft, Any], None]]] = _NOTHING
    """Commands about one that is there, each with what it changes. It names its `instance`; what
    follows from it the ends do unasked."""
    signed: ClassVar[Mapping[type, Callable[[Draft, Any, Signature], InstanceId | None]]] = _NOTHING
    """What our signer signs for one, each with what takes the signature up: the instance, if its
    ends now have something to do."""

    joins: ClassVar[Mapping[type, Callable[[Books, Sequence[Any]], Sequence[Any]]]] = _NOTHING
    """Orders of one instance that come together, each kind of them with what makes fewer of them:
    nothing is refused by it that would have been done."""

    def secret(self, command: Any) -> bytes:
        """What an inviting command commits us to, in a kind where both ends do."""
        return b""

    def route(self, command: Any) -> tuple[PeerId, ...]:
        """The hubs after our own that an inviting command names, in a kind that crosses several."""
        return ()

    # ------------------------------------------------------------------------ agreeing on its terms

    # Rule path-1.
    def crosses(self, terms: T) -> bool:
        """Whether it may cross several hubs: by itself if only its Alice can lose by it."""
        return self.rises and self.locks(terms)[Role.BOB] == 0

    def exists(self, deployment: Deployment) -> bool:
        """Whether this chain has its contract, as far as we were told."""
        return deployment.find(self.domain) is not None

    def half(self, seed: bytes, terms: T, word: bytes = b"") -> tuple[Salt, bytes]:
        """The invited end's part of the terms, and the secret behind it if there is one.

        The same for the same invitation and word, and for no other one.

        Args:
            word: what our user has chosen, in a kind that asks for more than yes or no.
        """
        return Salt(keccak(seed + self.salt(terms))), b""

    def whole(self, terms: T, half: Salt) -> T:
        """The terms with both ends' parts."""
        # Any: all kinds are records with a salt.
        changed: Any = replace(terms, salt=Salt(keccak(self.salt(terms) + half)))  # type: ignore[type-var]
        return changed  # type: ignore[no-any-return]

    def salt(self, terms: T) -> Salt:
        """What keeps its id apart from all others."""
        # Any: all kinds are records with a salt.
        record: Any = terms
        return record.salt  # type: ignore[no-any-return]

    def check_invited(self, books: Books, terms: T) -> None:
        """Raises `InstanceRejected` for what its Bob is not to agree to, whatever its limits."""

    # ------------------------------------------------------------------------ what its terms say

    @abstractmethod
    def id(self, deployment: Deployment, terms: T) -> InstanceId:
        """The hash of all parameters."""

    def app(self, deployment: Deployment) -> Address:
        """The contract that decides it.

        Raises:
            InstanceRejected: this chain has none that we know.
        """
        return domain_in(deployment, self.domain).contract

    @abstractmethod
    def locks(self, terms: T) -> tuple[Wei, Wei]:
        """What the instance's Alice and Bob may lose."""

    @abstractmethod
    def signers(self, terms: T) -> tuple[Address | None, Address | None] | None:
        """The keys that sign for its Alice and Bob, None for who does not; None: nobody signs."""

    @abstractmethod
    def last_time(self, terms: T) -> UnixTime:
        """Last second for first evidence."""

    @abstractmethod
    def end_time(self, terms: T) -> UnixTime:
        """What is not done then never will be; equals the nano's `expiry`."""

    @abstractmethod
    def check(self, limits: Limits, terms: T) -> None:
        """Raises `InstanceRejected` for what an honest party does not lock, beside its times."""

    @abstractmethod
    def taken(self, terms: T, role: Role) -> Wei:
        """What `role` loses by locking it, whatever it does afterwards."""

    # -------------------------------------------------------------------------------- what it does

    @abstractmethod
    def outcome(self, terms: T, on: R | None, time: UnixTime) -> Wei | None:
        """The shift that its record shows in a block of this time; None: none yet, or never."""

    # Rules view-3, view-4.
    def decided(self, instance: InstanceView, chain: ChainView) -> Wei | None:
        """The shift that a final block shows: what may be believed off chain [C8]; None: open.

        Rules (a), (b) of section 6.
        """
        # Any: the chain records of an instance what its kind says.
        final: Any = instance.final
        return self.decided_in(instance, final, chain.final_of(instance.told))

    def decided_in(self, instance: InstanceView, on: R | None, time: UnixTime) -> Wei | None:
        """The outcome in a block of this time, 0 once it is too late for any; None: open."""
        terms: Any = instance.terms
        shift = None if on is None else self.outcome(terms, on, time)
        if shift is not None:
            return shift
        return Wei(0) if time > self.end_time(terms) else None

    @abstractmethod
    def known(self, terms: T, instance: InstanceView, totals: Totals) -> Wei | None:
        """The shift at which an end lets it go now, by what both know; None: not known."""

    def void(self, instance: InstanceView) -> bool:
        """Whether nothing can come of it as long as we sign nothing for it."""
        return False

    @abstractmethod
    def enforceable(self, terms: T, instance: InstanceView, totals: Totals, time: UnixTime) -> Wei:
        """The shift that comes out if each side submits all that it holds from `time` on."""

    @abstractmethod
    def worst(self, terms: T, instance: InstanceView, totals: Totals) -> Wei:
        """The shift that is the worst for us, by all we have signed and hold evidence for."""

    @abstractmethod
    def may_sign(self, books: Books, instance: InstanceView) -> str | None:
        """Why nothing that its ends sign in it counts now, either way; None: it counts."""

    # ------------------------------------------------------------------- what its ends do unasked

    def acts(self, draft: Draft, instance: InstanceView) -> bool:
        """What an end does by itself once it is listed: it tells the other end what it owes it.

        Asked only while we may sign in its channel, so by a fresh view of the chain.

        Returns:
            Whether all is known by which it lets the instance go, and it is for us to say so.
        """
        return False

    def ask_again(self, draft: Draft, instance: InstanceView) -> None:
        """After a start: asks our signer again for what it has not signed."""

    def hear(self, draft: Draft, instance: InstanceView, message: OfInstance) -> bool:
        """Takes up what the other end says of one. False: nothing follows from it, or it is known.

        Raises:
            UnexpectedMessage: no end of such an instance says this.
        """
        raise UnexpectedMessage(type(message).__name__, "nothing that is said of such an instance")

    # ------------------------------------------------------------------------ what the chain says

    def fold(self, on: R | None, announced: R) -> R:
        """What is recorded after an event that says `announced`; if it says all, just that."""
        return announced

    def learn(self, draft: Draft, instance: InstanceView) -> None:
        """Keeps what its newest record makes public, beside the record."""

    def prepare(self, draft: Draft, instance: InstanceView) -> None:
        """Has signed what `due` may want to submit; at every block."""

    # --------------------------------------------------------------- what a tower is given of one

    def defending(self, instance: InstanceView) -> InstanceView:
        """Its row without what defends nothing."""
        return instance

    def why_unwatched(self, deployment: Deployment, instance: InstanceView) -> str | None:
        """Why the chain would refuse what a tower had to submit; None: it would not."""
        return None

    def height(self, instance: InstanceView) -> int | None:
        """How new what is kept of it is: it only rises; None: nothing is, or it never changes. By
        itself the number of secrets that are known."""
        return sum(map(bool, (instance.preimage, *instance.secrets))) or None

    def laid_over(self, row: InstanceView, seen: InstanceView) -> InstanceView:
        """A newer row of its owner's, with what the chain has shown us of it meanwhile."""
        alice, bob = seen.secrets
        secrets = (row.secrets[0] or alice, row.secrets[1] or bob)
        return replace(row, preimage=row.preimage or seen.preimage, secrets=secrets)

    # ------------------------------------------------------------------------------- what proves it

    @abstractmethod
    def show(self, draft: Draft, instance: InstanceView, message: Propose) -> Propose:
        """Adds to a removal what proves its shift."""

    @abstractmethod
    def believe(self, draft: Draft, instance: InstanceView, message: Propose) -> None:
        """Keeps what a peer's removal proves, before it is judged."""

    @abstractmethod
    def named(
        self, terms: T, instance: InstanceView, message: Propose, peer: Role
    ) -> tuple[Wei, tuple[Wei, Wei]]:
        """Hub: the shift that a removal by its `peer` names, and by which totals.

        Raises:
            BadProposal: nothing proves a shift.
        """

    @abstractmethod
    def keep(self, draft: Draft, instance: InstanceView, message: Propose, peer: Role) -> None:
        """Hub: keeps what proves the shift in the other channel too; rule (c) rests on it."""

    @abstractmethod
    def forces(self, draft: Draft, instance: InstanceView, totals: tuple[Wei, Wei]) -> bool:
        """Rule (c): whether we can force the shift of these totals, or a better one, in time,
        whatever anybody else submits."""

    @abstractmethod
    def due(self, draft: Draft, instance: InstanceView) -> Due | None:
        """What we hold, if it is of use and in time; None: nothing."""
