from web3 import EthereumTesterProvider, Web3

import perun

web3 = Web3(EthereumTesterProvider())  # a chain in memory; any node does as well
ms, ether = perun.deploy(web3).ms_contract, perun.parse_ether
alice, bob = (perun.address(account) for account in web3.eth.accounts[:2])
keys = perun.new_key(), perun.new_key()  # session keys: no wallet asks at every payment
soon = perun.UnixTime(perun.now(web3) + 3600)

alice_key, bob_key = (perun.address(key) for key in keys)
terms = (perun.ETH, perun.Seconds(3600), perun.new_nonce())
channel = perun.Channel(alice, bob, alice_key, bob_key, *terms)
ms.open(channel, ether("1"), soon, sender=alice)
ms.open(channel, ether("1"), soon, sender=bob)

channel_id = perun.channel_id(ms.domain, channel)
for version, total in ((2, "0.1"), (4, "0.2"), (6, "0.3")):
    state = perun.State(channel_id, perun.Version(version), ether(total))  # paid so far
    signatures = [perun.sign(state, key, ms.domain) for key in keys]  # each can enforce it now

close = perun.Close(channel_id, state.net, soon)
ms.close(channel, close, *(perun.sign(close, key, ms.domain) for key in keys), sender=bob)
for name, account in (("Alice", alice), ("Bob", bob)):
    print(name, perun.format_ether(web3.eth.get_balance(account)), "ETH")
