"""Real processes, real sockets, real blocks: run with `-n 0`."""
