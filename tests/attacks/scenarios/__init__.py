"""Stories: attacks and accidents one by one, with real nodes on real bytecode.

Each is told on the simulation's stage, where every signature of an honest node is watched, and ends
with everybody honest leaving and their purses being counted.
"""
