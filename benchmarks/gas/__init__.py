"""Gas of every function and of whole lives of channels, measured the same to the unit everywhere.

`python -m benchmarks.gas --write` measures and writes `gas.json`, `spread.json`, `docs/gas.md` and
`docs/gas.svg`; `--check` measures and compares. Nothing is drawn at random and no clock is read:
private keys, nonces and salts are hashes of fixed words, every block has a time of its own that is
counted from a fixed date, every row starts from one prepared chain, and the chain id is the same on
each kind of node. All of it stands in calldata, where a zero byte is cheaper than another.
"""
