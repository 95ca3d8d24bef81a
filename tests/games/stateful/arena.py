"""One chain, the model beside it, and one way to make a call: on both, compared.

`Arena.perform` makes a call on the model and on the chain and fails (`Disagreement`) unless both
did the same: the same error with the same arguments, or the same events; then the same balances,
credits and views of everything the call could reach. The properties of `perun.spec.properties`
that speak of every moment are checked there too. `Arena.compare_all` compares everything there is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from perun.spec import Contracts, Payout
from perun.spec.properties import Snapshot, conservation, isolation
from perun.spec.reverts import MalformedEvidence, Refused, TokenRefused
from perun.types import ETH, Address, ChainId, Channel, Settlement
from tests.games.stateful.cast import OPERATOR, PEOPLE, Stage
from tests.games.stateful.codec import plain
from tests.games.stateful.evm import CHAIN_ID, Log, Result, Revm

CORE = ("MSContract", "VPM", "HashTimeLock")
FULL_GAS = 16_000_000
"""Below the cap of a transaction (EIP-7825), so that whatever succeeds here can be mined."""

ANY_ERROR = (TokenRefused, MalformedEvidence)
"""Refusals that the contract passes on from somebody else, or whose data has no name."""


class Disagreement(AssertionError):
    """Model and contract differ."""


@dataclass(frozen=True, slots=True)
class Call:
    """A transaction to one of the three contracts, in values."""

    contract: str
    function: str
    args: tuple[Any, ...]
    caller: Address
    value: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What was sent, everything a chain needs to play it again, and what revm made of it."""

    now: int
    sender: Address
    to: str
    data: bytes
    value: int
    gas: int
    success: bool
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a call, on both sides alike."""

    error: str | None
    events: tuple[Any, ...]

    @property
    def success(self) -> bool:
        return self.error is None


class Arena:
    def __init__(self) -> None:
        self.chain = Revm([key.address for key in PEOPLE])
        self.stage = Stage(self.chain)
        at = self.stage.addresses
        ours = {name: at[name] for name in CORE}
        self.world = Contracts.at(ChainId(CHAIN_ID), ours)
        self.stage.furnish(self.world.host)
        self.names = {address: name for name, address in at.items()}
        self.trace: list[Step] = []
        self.succeeded: Counter[str] = Counter()
        self.raised: Counter[str] = Counter()
        self.checked: Counter[str] = Counter()
        self.on_payout: Callable[[Payout], None] = _ignore
        self._methods = self._model_methods()

    def calls(self) -> list[tuple[str, str]]:
        """(contract, function) of everything that changes state."""
        return list(self._methods)

    # ------------------------------------------------------------------------------------ the clock

    @property
    def now(self) -> int:
        return self.world.host.now

    def set_time(self, now: int) -> None:
        self.world.host.now = now
        self.chain.set_time(now)

    # -------------------------------------------------------------------------------------- calling

    def perform(self, call: Call) -> Done:
        """Make `call` on both; compare. Returns what both did."""
        before = Snapshot.of(self.world.ms_contract)
        payouts = len(self.world.ms_contract.payouts)
        expected = self.model(call)
        result = self._send(call, FULL_GAS)
        actual = self._read(call, result)
        self._agree(call, expected, actual, result)
        self._compare_reach(call)
        self._properties(call, before)
        done = Done(expected[0] and (actual[0][0] or "unnamed"), expected[1])
        if done.success:
            self.succeeded[f"{call.contract}.{call.function}"] += 1
            for payout in self.world.ms_contract.payouts[payouts:]:
                self.on_payout(payout)
        else:
            self.raised[f"{call.contract}.{done.error}"] += 1
        return done

    def model(self, call: Call) -> tuple[tuple[str, tuple[Any, ...]] | None, tuple[Any, ...]]:
        """((error, its arguments) or None, events) of the model; the model has changed."""
        method = self._methods[call.contract, call.function]
        host = self.world.host

        def run() -> None:
            if call.value and call.caller in self.stage.wallets:
                host.eth[OPERATOR] -= call.value  # the operator pays what a wallet sends on
                host.eth[call.caller] = host.eth.get(call.caller, 0) + call.value
            method(call)

        try:
            events = self.world.call(run)
        except Refused as refused:
            name = "any" if isinstance(refused, ANY_ERROR) else type(refused).__name__
            return (name, plain(refused.args)), ()
        return None, tuple((event.name, plain(event.args)) for event in events)

    def starve(self, call: Call, gas: int) -> bool:
        """Make `call` on the chain alone with little gas, and undo it: it may fail, but if it
        succeeds it has done exactly what it does with plenty. True if it succeeded."""
        with self.trial():
            result = self._send(call, gas)
            if not result.success:
                name = self._read(call, result)[0]
                if name and name[0] == "NotEnoughGas":
                    self.raised["MSContract.NotEnoughGas"] += 1
                return False
            self._agree(call, self.model(call), self._read(call, result), result)
            self._compare_reach(call)
            self.checked["starved calls that succeeded"] += 1
        return True

    @contextmanager
    def trial(self) -> Iterator[None]:
        """What happens inside is undone at the end, on both sides; payouts are not reported."""
        now, steps, report = self.now, len(self.trace), self.on_payout
        self.on_payout = _ignore
        with self.world.trial(), self.chain.trial():
            yield
        self.on_payout = report
        del self.trace[steps:]
        self.set_time(now)

    def switch(self, name: str, function: str, *args: object) -> None:
        """Turn a stranger's switch on the chain; the caller does the same in the model."""
        data = self.stage.codecs[name].call(function, args)
        self.stage.send(OPERATOR, name, function, *args)
        self.trace.append(Step(self.now, OPERATOR, name, data, 0, 3_000_000, True, ()))

    # ------------------------------------------------------------------------------------ the parts

    def _model_methods(self) -> dict[tuple[str, str], Callable[[Call], None]]:
        ms, vpm, lock = self.world.ms_contract, self.world.vpm, self.world.hash_time_lock
        methods: dict[tuple[str, str], Callable[[Call], None]] = {}
        for name, method in {
            "open": ms.open,
            "openBoth": ms.open_both,
            "deposit": ms.deposit,
            "fund": ms.fund,
        }.items():
            methods["MSContract", name] = lambda c, m=method: m(c.caller, c.value, *c.args)
        for name, method in {
            "close": ms.close,
            "withdraw": ms.withdraw,
            "claim": ms.claim,
            "register": ms.register,
        }.items():
            methods["MSContract", name] = lambda c, m=method: m(c.caller, *c.args)
        for contract, name, method in (
            ("MSContract", "settle", ms.settle),
            ("MSContract", "settleMany", ms.settle_many),
            ("VPM", "submitStatements", vpm.submit_statements),
            ("VPM", "submit", vpm.take),
            ("HashTimeLock", "reveal", lock.reveal),
            ("HashTimeLock", "submit", lock.take),
        ):
            methods[contract, name] = lambda c, m=method: m(*c.args)
        return methods

    def _send(self, call: Call, gas: int) -> Result:
        data = self.stage.codecs[call.contract].call(call.function, call.args)
        to = self.stage.addresses[call.contract]
        result = self.stage.transact(call.caller, to, data, call.value, gas)
        self.trace.append(
            Step(
                self.now,
                call.caller,
                call.contract,
                data,
                call.value,
                gas,
                result.success,
                result.logs,
            )
        )
        return result

    def _read(
        self, call: Call, result: Result
    ) -> tuple[tuple[str, tuple[Any, ...]] | None, tuple[Any, ...]]:
        """The chain's answer in the model's words. Logs of strangers are left out."""
        if result.success:
            return None, tuple(
                self.stage.codecs[name].event(log)
                for log in result.logs
                if (name := self.names.get(Address(log.address))) in CORE
            )
        output = result.output
        if call.caller in self.stage.wallets:
            wrapped = self.stage.codecs["Wallet"].error(output)
            output = wrapped[1][0] if wrapped[0] == "CallFailed" else output
        return self.stage.codecs[call.contract].error(output), ()

    def _agree(self, call: Call, expected: Any, actual: Any, result: Result) -> None:
        if expected[0] and expected[0][0] == "any" and actual[0] is not None:
            return
        if expected != actual:
            raise Disagreement(
                f"{call}\nmodel:    {expected}\ncontract: {actual}\nraw: {result.output.hex()}"
            )

    # ------------------------------------------------------------------------------------ comparing

    def view(self, contract: str, function: str, *args: object) -> tuple[Any, ...]:
        codec = self.stage.codecs[contract]
        output = self.chain.view(self.stage.addresses[contract], codec.call(function, args))
        return codec.returned(function, output)

    def _reach(self, call: Call) -> tuple[set[tuple[Any, Any]], set[Address], set[Any]]:
        """Channels, accounts and assets that a call is about."""
        ms = self.world.ms_contract
        channels = [arg for arg in call.args if isinstance(arg, Channel)]
        for arg in call.args:
            if isinstance(arg, (list, tuple)):
                channels += [item.channel for item in arg if isinstance(item, Settlement)]
        keys: set[tuple[Any, Any]] = {(c.asset, ms.channel_id(c)) for c in channels}
        accounts = {call.caller}
        for channel in channels:
            accounts |= {channel.alice, channel.bob}
        assets: set[Any] = {channel.asset for channel in channels}
        if call.function == "deposit":
            keys.add((call.args[0], call.args[1]))
            assets.add(call.args[0])
        if call.function == "fund":
            accounts.add(call.args[1])
            assets.add(call.args[0])
        if call.function == "claim":
            assets.add(call.args[0])
            accounts.add(call.args[2])
        return keys, accounts, assets

    def _compare_reach(self, call: Call) -> None:
        keys, accounts, assets = self._reach(call)
        self._compare(keys, accounts | {self.world.ms_contract.domain.contract}, assets)
        if call.contract == "VPM" or call.function == "register":
            for arg in self._machines(call):
                self._same("totals", self.world.vpm.totals(arg), ("VPM", "totals", arg))
                self._same("outcome", self.world.vpm.outcome(arg), ("VPM", "outcome", arg))

    def _machines(self, call: Call) -> list[Any]:
        return list(self.world.vpm.records)[-2:]

    def compare_all(self) -> None:
        """Every channel, account, credit, machine and lock that was ever used."""
        ms = self.world.ms_contract
        keys = set(ms.funds) | set(ms.deposited)
        accounts = {*self.stage.people, *self.stage.wallets, ms.domain.contract}
        self._compare(keys, accounts, set(self.stage.assets))
        for machine in self.world.vpm.records:
            self._same("totals", self.world.vpm.totals(machine), ("VPM", "totals", machine))
            self._same("outcome", self.world.vpm.outcome(machine), ("VPM", "outcome", machine))
        for lock in self.world.hash_time_lock.records:
            ours = self.world.hash_time_lock.outcome(lock)
            self._same("outcome", ours, ("HashTimeLock", "outcome", lock))
        self._no_hook_got_in()
        self.checked["full comparisons"] += 1

    def _compare(self, keys: set[Any], accounts: set[Address], assets: set[Any]) -> None:
        ms, host = self.world.ms_contract, self.world.host
        for asset, identity in keys:
            at = (asset, identity)
            self._same("holdings", ms.holdings(*at), ("MSContract", "holdings", *at))
            self._same("dispute", ms.dispute(*at), ("MSContract", "dispute", *at))
        for asset in assets:
            for account in accounts:
                self._same(
                    "credit", (ms.credit(asset, account),), ("MSContract", "credit", asset, account)
                )
                ours = host.balance(asset, account)
                if asset == ETH:
                    theirs = self.chain.balance(account)
                else:
                    theirs = self.view(self.names[asset], "balanceOf", account)[0]
                if ours != theirs:
                    raise Disagreement(f"balance of {account.hex()}: {ours} / {theirs}")

    def _same(self, what: str, ours: tuple[Any, ...], view: tuple[Any, ...]) -> None:
        theirs = self.view(*view)
        if plain(ours) != theirs:
            raise Disagreement(f"{what}{view[2:]}: model {plain(ours)}, contract {theirs}")

    def _no_hook_got_in(self) -> None:
        """Tokens, payees and nanocontracts that call back are always refused (the guard)."""
        for name in ("ReenteringToken", "ReenteringPayee", "ReenteringNanocontract"):
            (through,) = self.view(name, "succeeded")
            if through:
                raise Disagreement(f"{name} got through the guard")

    def hooks_tried(self) -> int:
        names = ("ReenteringToken", "ReenteringPayee", "ReenteringNanocontract")
        return sum(self.view(name, "tried")[0] for name in names)

    def _properties(self, call: Call, before: Snapshot) -> None:
        conservation(self.world, self.stage.assets)  # P1
        keys, accounts, assets = self._reach(call)
        touched = keys | {(asset, b"") for asset in assets}
        if call.function == "openBoth":
            channel = call.args[0]
            accounts |= {channel.alice, channel.bob}
        isolation(before, Snapshot.of(self.world.ms_contract), touched, accounts)  # P7


def _ignore(payout: Payout) -> None:
    """Nobody listens."""
