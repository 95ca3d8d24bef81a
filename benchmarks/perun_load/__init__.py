"""`perun-load`: many wallets, real sockets, a mix of what wallets do, and an audit to the wei."""
