"""The protocol without input and output: state and what happened in, new state and effects out.

No socket, file, clock, random number, log or key: those are effects and inputs, and
`perun.node.runtime` deals with them. Alice, Bob and Ingrid run the same functions.
"""
