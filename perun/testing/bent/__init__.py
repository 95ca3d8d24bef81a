"""A node that bends: real JSON-RPC over HTTP in front of a scripted chain, with the quirks of nodes
and providers in the field, each alone and in random company.

`node` speaks for a `ScriptedChain`, `double` lets quirks in between and serves it, the other files
are the quirks by what they bend; `catalogue` lists them all.
"""
