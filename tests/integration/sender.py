"""A process that sends one deposit and then hangs, to be killed: `sender.py URL FILE JSON`."""

from __future__ import annotations

import json
import sys
import time

from perun.chain import ChainService, SqliteJournal, connect
from perun.chain.memory import rich_key
from perun.core.effects import DepositMoney, Submit
from perun.core.limits import limits_for
from perun.node.settings import deployment_of
from perun.types import ETH, Address, ChainId, ChannelId, UnixTime, Wei
from perun.wallet import KeyAccount


def main(url: str, file: str, text: str) -> None:
    told = json.loads(text)
    account = KeyAccount(rich_key(told["account"]))
    places = [Address(bytes.fromhex(place)) for place in told["contracts"]]
    deployment = deployment_of(ChainId(told["chain"]), *places)
    port = ChainService(
        connect(url),
        deployment,
        account,
        lambda _: None,
        limits=limits_for(ChainId(told["chain"])),
        journal=SqliteJournal(file, account.address),
    )
    id = ChannelId(bytes.fromhex(told["id"]))
    deposit = DepositMoney(ETH, id, False, Wei(told["amount"]), UnixTime(told["until"]))
    port.submit(Submit(b"d" + id, deposit))
    port.poll()
    print("sent", flush=True)
    while True:
        time.sleep(0.1)
        port.poll()


if __name__ == "__main__":
    main(*sys.argv[1:])
