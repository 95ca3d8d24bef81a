"""Views: ids, holdings, disputes, credit, the domain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perun.types import ETH, Channel
from tests.support import plain
from tests.support.channels import NO_DISPUTE, BasicChannel, Holdings, new_channel
from tests.support.reverts import reverts_without_data
from tests.support.stage import Stage

addresses = st.binary(min_size=20, max_size=20)
channels = st.builds(
    Channel,
    addresses,
    addresses,
    addresses,
    addresses,
    addresses,
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**64 - 1),
)


def test_domain_is_that_of_this_chain_and_contract(stage: Stage) -> None:
    expected = plain.domain_separator("Perun MSContract", stage.chain_id, stage.ms.address)
    assert stage.ms.ask("DOMAIN_SEPARATOR") == expected


def test_deployments_have_different_domains(stage: Stage) -> None:
    other = stage.deploy("MSContract")
    assert other.ask("DOMAIN_SEPARATOR") != stage.ms.ask("DOMAIN_SEPARATOR")


@given(terms=channels)
def test_channel_id_is_the_hash_of_domain_and_terms(stage: Stage, terms: Channel) -> None:
    assert stage.ms.ask("channelId", terms) == plain.record_id(stage.ms_separator, terms)


@given(field=st.integers(0, 6), dirt=st.integers(1, 2**64))
def test_channel_id_refuses_terms_out_of_their_types(stage: Stage, field: int, dirt: int) -> None:
    width = (160, 160, 160, 160, 160, 32, 64)[field]
    data = bytearray(stage.ms.call_data("channelId", new_channel(stage).terms))
    start = 4 + 32 * field
    data[start : start + 32] = (dirt << width).to_bytes(32, "big")
    with reverts_without_data():
        stage.ms.ask_raw(bytes(data))


def test_views_of_an_unknown_channel_are_zero(stage: Stage, channel: BasicChannel) -> None:
    assert channel.holdings() == Holdings(0, 0)
    assert channel.dispute() == NO_DISPUTE
    assert stage.credit(ETH, stage.alice) == 0


def test_holdings_are_found_by_asset_and_id(stage: Stage, funded: BasicChannel) -> None:
    assert stage.ms.ask("holdings", stage.token.address, funded.id) == (0, 0, 0, False, False)


def test_views_answer_during_a_payout(stage: Stage) -> None:
    """The guard does not close them: a payee sees the channel as it is after the payout."""
    payee = stage.deploy("ReenteringPayee")
    bob = stage.party_at(payee.address, stage.bob)
    channel = new_channel(stage, bob=bob).fund(10, 10)
    data = stage.ms.call_data("holdings", channel.asset, channel.id)
    payee.send(stage.carol, "setHook", stage.ms.address, data)
    channel.close(stage.carol)
    assert (payee.ask("tried"), payee.ask("succeeded")) == (1, 1)


@pytest.mark.parametrize("data", [b"", b"\x12\x34\x56\x78", b"\x12\x34\x56"])
def test_unknown_calls_and_plain_ether_are_refused(stage: Stage, data: bytes) -> None:
    with reverts_without_data():
        stage.ms.send_raw(stage.carol, data, value=1)
