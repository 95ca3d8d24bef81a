"""A whole network on one machine, behind `perun up`: chain, hub, a shop and a patron.

place.py       the folder, and which ports are whose
leash.py       ends a process when the one that started it has ended
household.py   starts the processes, and starts them again
anvil.py       keeps the chain: anvil, whose blocks are made here and are on disk first
embedded.py    … or py-evm, where there is no anvil; `rpc.py` and `web.py` serve it
settling.py    makes the hub and the robots
robots.py      what the shop and the patron do
"""
