"""What people want of a node, as methods and rows; the core knows commands, this knows intents.

It opens nothing and waits for nothing: the node's runtime hosts it as its guest, and what it writes
is stored in the transaction of the turn it belongs to (docs/app.md).

    methods, values     what can be asked, and what is answered
    app                 the guest: who is told what, and which part answers
    rows, shelf, indexes, work      what is remembered, and what a turn works with
    wanting, paying, ways, openings, following, waiting     payments of ours, till the payee's word
    requesting, incomes, receipts   money that we ask for, and get
    channels, errands, tending      channels and machines
    overview, exposing, looking, contacts, eventing, telling    what there is to see
    spending, errors, settings, texts, show     keys and limits, refusals, sizes, text
"""
