"""The store on PostgreSQL (15 or later): the same rows, for a hub that another process takes over.

    writer ── one transaction a turn ──► database          (rows, and the writer's own row)
       └──── its number and hash ──────► witness           (another server)   ──► messages leave

Needs `pip install perun-channels[scale]`.
"""
