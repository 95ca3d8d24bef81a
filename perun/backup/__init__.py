"""Backups: what a store has signed, sealed by a key of the twelve words, kept by places that cannot
read it (protocol, section 12).

    turn ──► feed ──► entry ──► place (a hub, a folder)        twelve words ──► places ──► stores

The newest entry is no promise: a place may be behind, or lie. So a store that comes of it is exit
only, for ever; and a store that finds a later entry of itself at a place knows that it is old.
"""
