"""A tower: answers on chain for clients who are asleep (protocol, section 13).

    client's turn ──► push ──► tower: checks, keeps, acknowledges ──► one look at the chain for all

It holds no key of a client and signs nothing; its own account pays for the answers.
"""
