"""The protocol without input and output: state and what happened in, new state and effects out.

No socket, file, clock, random number, log or key: those are effects and inputs, and
`perun.node.runtime` deals with them. Alice, Bob and Ingrid run the same functions.

The map, from the door down; each line may use what stands below it, never above:

    step, table                           the one entrance; who takes up what, in which phase
    starting, clockwork                   what a store begins with; blocks and patience
    meeting, open_at_once                 a peer met again; an extension
    channel/                              two parties: join, fund, propose, answer, offer, dispute
    virtual/            hub/              the ends of an instance; who lets it cross
    states/                               the next state, and what all that is signed is worth
    nanocontracts/      preverify         a file a kind, payments; signatures checked beforehand
    rules/                                money, prices, keys, phases, who may join
    books, inputs, effects, state …       the seams: records, what comes in, what goes out

A name is imported from the file where it lives; no package here passes names on.
"""
