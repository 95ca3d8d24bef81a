"""All that is around the core: encoding, keys, store, chain, wire, bindings, app, services.

`processes` starts real processes and waits for real blocks, so it runs in one process (`-n 0`).
"""
