"""What people want of a node, as methods and rows; the core knows commands, this knows intents.

It opens nothing and waits for nothing: the node's runtime hosts it, and what it writes is stored in
the transaction of the turn it belongs to (docs/app.md).
"""
