"""Pays by a node of yours on this machine: python examples/pay.py perun1…@host "0.001 ether"."""

import sys

import perun

to, amount = sys.argv[1:]
with perun.connect() as node:
    # With an idempotency_key of your own order it happens once, however often this runs.
    paid = node.pay(to, amount, text="by Python")
    print(paid.step, paid.amount, paid.id)
    sys.exit(0 if paid.step in ("done", "delivered") else paid.why)
