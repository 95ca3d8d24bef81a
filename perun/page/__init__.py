"""The ports of a node in a browser: the same node, in a worker of the page.

files      the files that the page lends us
log        a file of transactions, each whole or not there
store      the store, in two such files
journal    sent transactions, in the same store
rpc        JSON-RPC to a chain's node, over what the page lends us
endpoint   the chain's node, for `perun.chain`
nodes      … or two of them, compared
network    which contracts, proved by code and domain
sockets    WebSockets of the browser
wire       the wire, in the worker's one event loop
session    the application interface, by messages between page and worker
household  all of it put together
worker     what the page's JavaScript calls

What the page lends is small protocols, so that all of this also runs, and is tested, outside.
"""
