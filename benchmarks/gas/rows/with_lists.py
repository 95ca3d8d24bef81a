"""The same calls with and without an access list (EIP-2930), which our client sends along."""

from __future__ import annotations

from benchmarks.gas.bench import ETHER
from benchmarks.gas.rows.agreement import BOTH_ASSETS, NET
from benchmarks.gas.rows.dispute import AFTER
from benchmarks.gas.rows.machines import MOST_NANOS
from benchmarks.gas.rows.registry import row
from benchmarks.gas.scene import Basic, Payments, Scene, in_order
from perun.bindings.calls import Access
from perun.crypto import keccak
from perun.testing.owners import Owner
from perun.types import ETH, Address

LISTS = "Access lists (EIP-2930)"
LOCK = ETHER // 100
PAID = 3 * 10**15, 10**15
_BALANCES, _ALLOWANCES = 0, 1
"""Places of the token's two mappings (OpenZeppelin's ERC20)."""


def _word(key: bytes, place: bytes) -> bytes:
    """Where a mapping keeps the value of `key`."""
    return keccak(key.rjust(32, b"\0") + place)


def _balance(account: Address) -> bytes:
    return _word(account, _BALANCES.to_bytes(32, "big"))


def _allowance(owner: Address, spender: Address) -> bytes:
    return _word(spender, _word(owner, _ALLOWANCES.to_bytes(32, "big")))


def _paid(scene: Scene, *payees: Owner) -> tuple[Access, ...]:
    """What payouts touch: the payees, or their balances and the contract's."""
    if scene.asset == ETH:
        return tuple(Access(party.account) for party in payees)
    accounts = (scene.bench.addresses["MSContract"], *(party.account for party in payees))
    return (Access(scene.asset, tuple(map(_balance, accounts))),)


def _machines(scene: Scene, *machines: Payments) -> Access:
    """A machine's record is the word at its id."""
    return Access(scene.bench.addresses["VPM"], tuple(machine.id for machine in machines))


@row("list-deposit", LISTS, "deposit", "Into a new slot.", BOTH_ASSETS)
def list_deposit(scene: Scene) -> None:
    alice, contract = scene.bench.alice, scene.bench.addresses["MSContract"]
    touched: tuple[Access, ...] = ()
    if scene.asset != ETH:
        words = (_balance(contract), _balance(alice.account), _allowance(alice.account, contract))
        touched = (Access(scene.asset, words),)
    plain, with_list = (scene.channel().deposit(alice) for _ in range(2))
    scene.measure("by Alice", plain, alice)
    scene.measure("by Alice, with a list", with_list.touching(*touched), alice)


@row("list-close", LISTS, "close", "One signature, pays both.", BOTH_ASSETS)
def list_close(scene: Scene) -> None:
    alice, bob = scene.bench.alice, scene.bench.bob
    plain, with_list = (scene.open_channel().close(NET, (bob,)) for _ in range(2))
    scene.measure("by Alice", plain, alice)
    scene.measure("by Alice, with a list", with_list.touching(*_paid(scene, alice, bob)), alice)


def _registered(scene: Scene, count: int) -> tuple[Basic, list[Payments]]:
    """A channel whose dispute over machines is over, and both have submitted to each."""
    channel = scene.open_channel()
    machines = in_order([scene.machine(lock=LOCK) for _ in range(count)])
    nanos = tuple(machine.nano for machine in machines)
    evidence = tuple(machine.evidence(*PAID) for machine in machines)
    channel.register(4, NET, (channel.bob,), nanos, evidence)(channel.alice)
    scene.bench.later(AFTER)
    return channel, machines


def _settle(scene: Scene, label: str, count: int) -> None:
    alice, bob = scene.bench.alice, scene.bench.bob
    for words, listed in ((label, False), (f"{label}, with a list", True)):
        channel, machines = _registered(scene, count)
        call = channel.settle(NET, tuple(machine.nano for machine in machines))
        touched = (*_paid(scene, alice, bob), _machines(scene, *machines)) if listed else ()
        scene.measure(words, call.touching(*touched), alice)


@row(
    "list-settle", LISTS, "settle", "Machines to which both have submitted; pays both.", BOTH_ASSETS
)
def list_settle(scene: Scene) -> None:
    _settle(scene, "one machine", 1)
    _settle(scene, f"{MOST_NANOS} machines", MOST_NANOS)


@row("list-register", LISTS, "register", "One machine, both statements carried.")
def list_register(scene: Scene) -> None:
    alice, bob = scene.bench.alice, scene.bench.bob
    for label, listed in (("by Alice", False), ("by Alice, with a list", True)):
        channel, machine = scene.open_channel(), scene.machine(lock=LOCK)
        evidence = (machine.evidence(*PAID),)
        call = channel.register(4, NET, (bob,), (machine.nano,), evidence)
        touched = (_machines(scene, machine),) if listed else ()
        scene.measure(label, call.touching(*touched), alice)
