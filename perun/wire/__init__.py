"""Ways to carry bytes between nodes.

`names` are in `perun.encoding.addresses`: `NodeAddress.parse("perun1…@host:port")`, `node_id`,
`show_node_id`.

    noise      the handshake (BOLT 8)                                   no I/O
    parcels    what is inside a session                                 no I/O
    session    one session                                              no I/O
    sessions   all sessions of a node: packets, messages, news          no I/O
    packets    what a link carries                                      no I/O
    relay      passes packets between attached nodes                    no I/O
    door       who may come in                                          no I/O
    listener   links that others dial, card, further pages
    dialer     a link that we dial, over a socket that another opens
    sockets    what a link is made of; `web_sockets` by aiohttp
    exchange   which peer is called when and how
    web        `WebWire`: the wire of a node, in a thread of its own
    local      a wire within one process, for tests

A node takes any wire by `Assembly.join(network)`; `LocalNetwork` and `WebWire` are networks.

    hello = Hello((1,), "eip155:31337", genesis, contracts)
    listener = Listener("127.0.0.1", 7070, hosts={"hub.example.org"}, card=lambda: card_text)
    listener.app.router.add_post("/faucet", …)          # further pages, before it is joined
    wire = WebWire(key, hello, listener=listener, admits=lambda peer, token: …, report=print)
    assembly.join(wire)                                 # listens; port 0 is in listener.port now
    wire.reach(peer, "hub.example.org:7070")            # a host where a peer is: attached for good
    wire.peers(), wire.links(), wire.backlog()
    wire.stop()

`admits` decides about peers whom the node does not know (no channel, no instance) and whom `reach`
was not called for; without it they hear that nobody is there. `report` is told `LinkUp`,
`LinkDown`, `SessionUp`, `SessionDown` in the wire's thread, where pages of `listener.app` run too.
"""

from perun.wire.local import LocalNetwork

__all__ = ["LocalNetwork"]
