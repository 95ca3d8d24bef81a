"""Gas limits cover calls that fail (protocol, section 5, *Gas*): an estimate alone does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from web3 import Web3

import perun
from perun import Wei, crypto, events, reverts
from perun.bindings import allowances, transport
from perun.bindings import gas as gas_of
from perun.bindings import ms_contract_calls as calls
from perun.crypto import interop
from perun.types import Machine
from tests.node.bindings.conftest import HOUR, Pair

SOURCE = Path(__file__).parents[3] / "contracts" / "libraries" / "GasAllowance.sol"


def test_allowances_are_the_contracts() -> None:
    found = re.findall(r"constant (\w+) = ([\d_]+);", SOURCE.read_text(encoding="utf-8"))
    assert {name: int(number) for name, number in found} == {
        name: getattr(allowances, name)
        for name in ("OUTCOME", "ETH_PAYOUT", "TOKEN_PAYOUT", "SUBMIT")
    }


@pytest.mark.parametrize("covered", [True, False])
def test_answer_outlives_evidence_that_comes_to_fail(pair: Pair, web3: Web3, covered: bool) -> None:
    """The machine's clock runs out between the estimate and the block."""
    suite, secret = pair.suite, crypto.SecretKey(b"\x01" * 32)
    vpm, ms = suite.vpm, suite.ms_contract
    payer = perun.address(secret.address)
    machine = Machine(
        payer, pair.bob, Wei(50), Wei(0), perun.UnixTime(pair.now + HOUR), perun.Seconds(60),
        perun.new_salt(),
    )  # fmt: skip
    id = perun.machine_id(vpm.domain, machine)

    def evidence(paid: int) -> bytes:
        said = perun.sign(
            perun.Statement(id, Wei(paid)), interop.eth_private_key(secret), vpm.domain
        )
        signature = crypto.canonical(said.to_bytes())
        return perun.statements_evidence(machine, Wei(paid), signature, Wei(0), b"")

    pair.open()
    vpm.submit(evidence(1), sender=pair.alice)
    state = perun.State(pair.id, perun.Version(2), Wei(0), (vpm.nano(machine),))
    signatures = [crypto.canonical(one.to_bytes()) for one in pair.signed(state)]
    call = calls.register(ms.address, pair.channel, state, *signatures, [evidence(9)])
    estimate = web3.eth.estimate_gas(transport.request(call, pair.alice))
    pair.wait(61)

    gas = gas_of.limit(call, estimate) if covered else int(estimate * gas_of.GAS_MARGIN)
    if not covered:
        with pytest.raises(reverts.NotEnoughGas):
            transport.send(web3, call, pair.alice, events=ms.table, gas=gas)
        assert not ms.holdings(pair.channel).disputed
        return
    receipt = transport.send(web3, call, pair.alice, events=ms.table, gas=gas)
    assert receipt.only(events.EvidenceFailed) == events.EvidenceFailed(pair.id, 0)
    assert ms.holdings(pair.channel).disputed
