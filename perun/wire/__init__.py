"""Ways to carry bytes between nodes.

`names` are in `perun.encoding.addresses`: `NodeAddress.parse("perun1…@host:port")`, `node_id`,
`show_node_id`.

    noise      the handshake (BOLT 8)            pure
    parcels    what is inside a session          pure
    session    one session                       pure
    sessions   all sessions of one node          pure: packets in; packets, messages, news out
    packets    what a link carries               pure
    local      a wire within one process, for tests
    web        `WebWire`, the wire of a node; `Listener`, which others dial

A node takes any wire by `Assembly.join(network)`, where `network.join(peer, receive, meet, …)`
returns a `perun.ports.Wire`; `LocalNetwork` and `WebWire` both have it:

    listener = Listener("127.0.0.1", 7070, hosts={"hub.example.org"}, card=lambda: card_json)
    listener.app.router.add_post("/faucet", …)          # further routes, before start
    wire = WebWire(secret, hello, listener=listener)    # listener is optional
    assembly.join(wire)                                 # starts its own thread and loop
    wire.reach(peer, "hub.example.org:7070")            # a host where a peer is; stays attached
    wire.stop()

`send(peer, frames, via)` may be called from any thread; `receive` and `meet` are called from the
wire's thread. `via` names the hub whose host leads to an end.
"""

from perun.wire.local import LocalNetwork
from perun.wire.sealing import BoxSealer, Unsealable

__all__ = ["BoxSealer", "LocalNetwork", "Unsealable"]
