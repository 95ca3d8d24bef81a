"""`Gate`: an instance of another kind, that counts once every party of a path has signed (protocol,
section 4).

Until the end of the path all may open it or fix what moves; from the next second on an open one
answers what its inner instance does. Neither opened nor fixed: never done, and worth nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from eth_abi.abi import decode

from perun.encoding import GateDomain, final_digest, opening_digest, path_id
from perun.spec import consent
from perun.spec.nanocontract import MAX_TIME, Nanocontract, address_in
from perun.spec.reverts import (
    FinalTimeTooFar,
    MalformedEvidence,
    TooLate,
    WrongPartyCount,
)
from perun.types import (
    Address,
    Digest,
    Final,
    InstanceId,
    Opening,
    Path,
    PathId,
    Signature,
    Wei,
)

TERMS = "(address,bytes32,address[],uint40,bytes32)"


@dataclass(frozen=True, slots=True)
class Opened:
    """What is stored of a path once it is open."""

    app: Address
    instance: InstanceId
    end: int


@dataclass(frozen=True, slots=True)
class Fixed:
    """What is stored of a path once it is fixed."""

    shift: int
    end: int


@dataclass(slots=True)
class Gate(Nanocontract):
    domain_type: ClassVar = GateDomain

    def open(self, path: Path, signatures: Sequence[Signature]) -> None:
        """Show that every party has signed `Opening`; whoever calls."""
        identity = path_id(self.domain, path)
        if identity in self.records:
            return
        self._check_end(path)
        _signed(path, opening_digest(self.domain, Opening(identity)), signatures)
        self.records[identity] = Opened(path.app, path.instance, path.end)
        self.emit("PathOpened", identity, path.app, path.instance, path.end)

    def fix(self, path: Path, shift: Wei, signatures: Sequence[Signature]) -> None:
        """Show that every party has signed `Final`; whoever calls. The first stays."""
        identity = path_id(self.domain, path)
        if isinstance(self.records.get(identity), Fixed):
            return
        self._check_end(path)
        _signed(path, final_digest(self.domain, Final(identity, shift)), signatures)
        self.records[identity] = Fixed(shift, path.end)
        self.emit("PathFixed", identity, shift)

    def outcome(self, identity: bytes) -> tuple[bool, int]:
        """(done, shift): what all have agreed on, or after the end what the inner one says."""
        record: Opened | Fixed | None = self.records.get(PathId(InstanceId(identity)))
        if isinstance(record, Fixed):
            return True, record.shift
        if record is None or self.host.now <= record.end:
            return False, 0
        answer = self.host.ask(record.app, record.instance)
        if answer is None:
            return False, 0  # On the chain the whole call fails, which counts the same.
        return bool(int.from_bytes(answer[:32], "big")), int.from_bytes(answer[32:], signed=True)

    def decoded(self, evidence: bytes) -> tuple[Any, ...]:
        """Reads a word, the form, and the arguments of `open` (0) or `fix` (1)."""
        form, rest = int.from_bytes(evidence[:32], "big"), evidence[32:]
        if form > 1:
            raise MalformedEvidence(len(evidence))
        (app, instance, parties, *others), *shown = decode(
            [TERMS, *(["int112"] if form else []), "bytes[]"], rest
        )
        keys = tuple(map(address_in, parties))
        return Path(address_in(app), instance, keys, *others), *shown

    def take(self, evidence: bytes) -> None:
        path, *shown = self.read(evidence)
        if len(shown) == 1:
            self.open(path, *shown)
        else:
            self.fix(path, *shown)

    def about(self, evidence: bytes) -> tuple[PathId, int]:
        path = self.read(evidence)[0]
        return path_id(self.domain, path), path.end

    def _check_end(self, path: Path) -> None:
        """Terms that do not fit are never done."""
        if path.end > MAX_TIME:
            raise FinalTimeTooFar(path.end)
        if self.host.now > path.end:
            raise TooLate(path.end, self.host.now)


def _signed(path: Path, digest: Digest, signatures: Sequence[Signature]) -> None:
    if len(signatures) != len(path.parties):
        raise WrongPartyCount(len(path.parties), len(signatures))
    for party, signature in zip(path.parties, signatures, strict=True):
        consent.signed(party, digest, signature)
