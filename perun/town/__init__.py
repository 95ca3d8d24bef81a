"""A whole network on one machine, behind `perun up`: a chain, a hub, a shop and a patron.

`place` is the folder, and which ports are whose. `household` starts the processes and starts them
again; `leash` ends each when the one that started it has ended. `pace` says when the chain's next
block is due: `anvil` keeps a chain that anvil makes, `serving` one of our own where there is no
anvil (`embedded` is py-evm, `block_file` its file, `rpc` and `show` its JSON-RPC). `settling` makes
the hub and the robots, `robots` is what these do, `asking` where the patron is asked.
"""
