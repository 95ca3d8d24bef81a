"""What a store says about itself, so that its money can be got out with nothing but it.

Two small values beside the rows: which contracts and account the store is about, and the account's
encrypted key. A backup carries both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import msgspec

from perun.core.config import Deployment
from perun.core.limits import Limits, limits_for
from perun.errors import Misuse, StoreFault
from perun.node.settings import deployment_of
from perun.store.kept import KeptStore
from perun.types import Address, ChainId, Record

__all__ = [
    "NoProfile",
    "Profile",
    "profile_of",
    "read_keyfile_text",
    "read_profile",
    "write_profile",
]

_PROFILE: Final = "profile"
_KEYFILE: Final = "keyfile"


@dataclass(eq=False)
class NoProfile(StoreFault):
    """The file is a store, but does not say which chain and account it is about."""

    path: str

    template: ClassVar[str] = "{path} does not say which chain and account it belongs to"
    hint: ClassVar[str] = "it was never opened by a node; look for the one that was"


class Profile(Record, frozen=True, gc=False):
    """Which chain, contracts and account a store is about."""

    chain_id: ChainId
    contracts: dict[str, Address]
    """Addresses by the contracts' names, of those that the node knows."""
    account: Address
    """Owns the money and pays for transactions."""
    key: bytes
    """64 bytes `x‖y` of the public key that signs states and statements."""
    seed: bytes
    """See `perun.core.config.Config.seed`."""
    since: int = 0
    """Block of the deployment."""
    limits: Limits | None = None
    """The node's own, finality among them: whoever leaves or watches for it goes by the same. None
    in stores of before they were kept."""

    def __post_init__(self) -> None:
        """Raises `UnknownDeployment`, `WrongLength` unless there are contracts to work with."""
        deployment_of(self.chain_id, self.contracts)

    def __repr__(self) -> str:
        """Without the seed: logs and tracebacks show what they are given."""
        return f"Profile(chain {self.chain_id}, account 0x{self.account.hex()})"

    @property
    def own_limits(self) -> Limits:
        """What the node goes by; the chain's usual limits if it did not say."""
        return self.limits or limits_for(self.chain_id)

    @property
    def deployment(self) -> Deployment:
        """The contracts, with their domains."""
        return deployment_of(self.chain_id, self.contracts)


def write_profile(store: KeptStore, profile: Profile, keyfile: str | None = None) -> None:
    """Keeps a profile in its store.

    Args:
        keyfile: text of the account's encrypted key, without which exits need it from elsewhere.
    """
    store.put(_PROFILE, msgspec.json.encode(profile))
    if keyfile is not None:
        store.put(_KEYFILE, keyfile.encode())


def read_profile(store: KeptStore) -> Profile:
    """The profile of a store.

    Raises:
        NoProfile: it has none, or one that cannot be read.
    """
    found = store.get(_PROFILE)
    if found is None:
        raise NoProfile(str(store.path))
    try:
        return profile_of(msgspec.json.decode(found))
    except (msgspec.MsgspecError, Misuse) as error:
        raise NoProfile(str(store.path)) from error


def profile_of(written: object) -> Profile:
    """The profile in what a store, a backup or an export has, read as JSON.

    Earlier ones had a field for each of four contracts, the coin flip's as the last.

    Raises:
        msgspec.ValidationError, Misuse: it is none.
    """
    if isinstance(written, list) and len(written) >= 8 and not isinstance(written[1], dict):
        chain, money, vpm, lock, *rest = written
        flip = rest.pop() if len(rest) == 6 else None
        named = {"MSContract": money, "VPM": vpm, "HashTimeLock": lock, "CoinFlip": flip}
        written = [chain, {name: at for name, at in named.items() if at is not None}, *rest]
    return msgspec.convert(written, Profile)


def read_keyfile_text(store: KeptStore) -> str | None:
    """Text of the account's encrypted key, if the store has it."""
    found = store.get(_KEYFILE)
    # What a damaged store holds is no keyfile, as `perun.wallet.decrypt` will say.
    return None if found is None else found.decode(errors="replace")
