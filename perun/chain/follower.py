"""Reads the chain: what happened to our channels, in the newest block and in the newest final one.

Danger is reported from the newest block, money from final ones: each report holds both, and the
core decides (protocol, section 5, Limits; [C8]). Four rules:

- What is dangerous in the newest block waits for no other question. Which block is final, what old
  state was, what credits hold is asked beside (`aside`), and may fail for ever.
- No news is not good news. What is followed is compared with storage when it changes, and in turn
  every few blocks; the last blocks are read again whatever counts as final.
- A disagreement is held against the node and reported. What either side warns of is believed.
- Nothing is folded for good before it is final; a reorganisation is simply another answer. Should a
  final block disappear, everything is read again and said in a `FinalityBroken`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final

from perun.bindings import abi, events
from perun.bindings.logs import Log, Unreadable
from perun.chain.aside import Aside
from perun.chain.credits import Credits
from perun.chain.endpoint import Agreeing, Block, Inconsistent, Reading, WrongChain, fits
from perun.chain.followed import Doubt, Followed, FollowedChannel, FollowedInstance, Tables
from perun.chain.history import Chapter, History, Topics
from perun.chain.kinds import known_apps
from perun.chain.reports import Disagreement, FinalityBroken, Report
from perun.chain.timeline import DEPTH, OLD_BLOCKS, Timeline
from perun.core.config import Deployment
from perun.core.effects import Watch
from perun.core.inputs import ChainAnnounced, ChainBlock, Input
from perun.errors import ChainFault
from perun.types import Address, ChainId, ChannelId, InstanceId, UnixTime, Wei

__all__ = ["NOTHING_FINAL", "Follower"]

_OPENED = abi.topic("Opened(bytes32,address,address," + abi.CHANNEL + ")")

NOTHING_FINAL: Final = Block(0, b"", UnixTime(0), Wei(0))
"""Where the chain does not say what is final, nothing is: no money counts, dangers do."""

_STORAGE: Final = "storage in the newest block"

_BATCH: Final = 64
"""Ids whose past is asked for at once."""

_TURNS: Final = 4
"""Blocks in which everything followed has its turn to be compared with storage …"""

_MOST_COMPARED: Final = 64
"""… unless that is more a block than this."""

_BEHIND: Final = 60
"""Rounds after which a node whose newest block lies below a final one is believed all the same."""

_TRIES: Final = 3
"""Rounds in which one and the same block is looked at again because of a disagreement."""


class Follower:
    """Turns a chain into inputs for the core. `poll` by one thread, `watch` by any."""

    def __init__(
        self,
        reading: Reading,
        deployment: Deployment,
        *,
        accounts: Sequence[Address] = (),
        finality_blocks: int | None = None,
        since: int = 0,
        report: Callable[[Report], None] = lambda _: None,
        chain: ChainId | None = None,
        price: Callable[[Block], Wei] = lambda block: block.base_fee,
        aside: Aside | None = None,
    ) -> None:
        """Reads nothing yet.

        Args:
            accounts: whose announced channels and credits are reported.
            finality_blocks: after so many more blocks a block is final; None: the chain's tag.
            since: first block that can hold a log of the deployment.
            chain: which it must be; None: the one that the node names first.
            price: of gas at a block, in wei; asks nobody.
            aside: asks what may fail; shared with whoever else asks this node.
        """
        self._price = price
        self._reading = reading
        self._deployment = deployment
        self._apps = known_apps(deployment)
        self._tables: Tables = {
            deployment.contract.contract: events.MS_CONTRACT,
            **{app: known.reader.table for app, known in self._apps.items()},
        }
        self._finality_blocks = finality_blocks
        self._since = since
        self._report = report
        self._aside = aside or Aside(report)
        self._chain = chain
        self._watches: deque[Watch] = deque()
        self._followed: dict[bytes, Followed[Any, Any]] = {}
        self._unread: list[bytes] = []
        """What is followed, and whose past nobody has begun to read."""
        self._timeline = Timeline(reading, self._aside, since)
        self._history = History()
        self._announced: set[ChannelId] = set()
        self._new: list[ChainAnnounced] = []
        self._credits = Credits(deployment.contract.contract, accounts)
        self._turn = 0
        self._behind = 0
        self._again = 0
        self._changes = 0
        self.trouble: ChainFault | None = None
        """What the last round could not find out about the newest block, though it went on."""
        self.head: Block | None = None
        """Newest block of the last round."""
        self.final: Block | None = None
        """Newest final block of the last round; None: nothing is final."""

    def watch(self, watch: Watch) -> None:
        """Follows a channel or instance from the next round on; or lets go of it."""
        self._watches.append(watch)

    @property
    def doubts(self) -> int:
        """Of how much that is followed logs and storage say different things."""
        return sum(item.doubt is not None for item in tuple(self._followed.values()))

    # ---------------------------------------------------------------------------------- one round

    def poll(self) -> tuple[Input, ...]:
        """What is new since the last round, in the order that the core wants.

        What it could not find out stands in `trouble`.

        Raises:
            ChainFault: not even the newest block is known; nothing is lost, ask again.
        """
        head = self._reading.block()
        if head is None:
            raise Inconsistent("it has no newest block")
        if self.head is not None and head.hash == self.head.hash and not self._unfinished():
            return ()
        self.trouble = None
        self._same_chain()
        if self._is_behind(head):
            return ()
        final = self._final_block(head)
        start = self._timeline.start(head)
        if start is None:
            start = self._start_again(head)
        live = self._live(start, head)
        self._take_watches()
        if live is not None:
            self._read_past(self._unread, start)
            self._unread = []
            self._spread(start, live)
        self._trouble(self._history.read(self._reading, self._logs))
        self._compare(head, everything=live is None)
        asked = self._credits.ask(self._reading, self._aside, head, final)
        # The logs and the answers by number must be about this very block.
        if self._changed(head):
            self._changes += 1
            if self._changes >= _TRIES:
                self._trouble(Inconsistent(f"it has another block {head.number} at every look"))
            return ()
        self._changes = 0
        self._again = 0 if self.head is None or self.head.hash != head.hash else self._again + 1
        self.head, self.final = head, final
        if live is not None:
            self._timeline.add(head)
        return (self._block(head, final), *self._told(final, start), *self._rest(asked))

    def _unfinished(self) -> bool:
        """Whether the same block is worth another look."""
        if self._watches or self._history or self._unread:
            return True
        return self.trouble is not None and self._again < _TRIES

    def _trouble(self, fault: ChainFault | None) -> None:
        """The first one is told."""
        if self.trouble is None:
            self.trouble = fault

    def _same_chain(self) -> None:
        found = self._aside.ask("the id of the chain", self._reading.chain_now, None)
        if self._chain is None:
            self._chain = found
        if found is not None and found != self._chain:
            raise WrongChain(self._chain, found)

    def _is_behind(self, head: Block) -> bool:
        """One node of several, far behind the others: our blocks would seem gone to it."""
        final = self.final
        if final is None or head.number >= final.number:
            self._behind = 0
            if final is not None and self._changed(final):
                self._break(final)
            return False
        self._behind += 1
        if self._behind < _BEHIND:
            if self._behind >= _TRIES:
                self._trouble(Inconsistent(f"its newest block {head.number} is below a final one"))
            return True
        self._break(final)
        return False

    def _break(self, final: Block) -> None:
        """A final block is gone; nothing that was believed of it counts."""
        self._report(FinalityBroken(final.number, final.hash))
        self.final = None
        self._behind = 0
        self._timeline.clear()

    def _changed(self, block: Block) -> bool:
        """Whether the chain has another block there now. Unanswered, it has not."""
        otherwise: Block | None = block
        found = self._aside.ask(OLD_BLOCKS, partial(self._reading.block, block.number), otherwise)
        return found is None or found.hash != block.hash

    def _final_block(self, head: Block) -> Block | None:
        """Never goes back."""
        if self._finality_blocks is None:
            question = self._reading.finalized
        else:
            number = max(0, head.number - self._finality_blocks)
            reading = self._reading
            ask = reading.agreed if isinstance(reading, Agreeing) else reading.block
            question = partial(ask, number)
        found = self._aside.ask("which block is final", question, None)
        if found is None or found.number > head.number:
            return self.final
        if found.time > head.time:
            self._trouble(Inconsistent(f"its final block {found.number} is of a later time"))
            return self.final
        if self.final is not None and found.number <= self.final.number:
            return self.final
        return found

    def _start_again(self, head: Block) -> int:
        """Nothing is known of the blocks before; every past is read again."""
        start = self._timeline.begin(head)
        self._history.clear()
        self._unread = []
        for item in self._followed.values():
            item.forget()
        self._read_past(tuple(self._followed), start)
        self._credits.forget(start)
        words = [bytes(12) + account for account in self._credits.accounts]
        if words:
            for topics in ((_OPENED,), None, words), ((_OPENED,), None, None, words):
                self._history.add(Chapter(topics, self._since, start, self._announced_before))
        return start

    def _read_past(self, ids: Iterable[bytes], until: int) -> None:
        items = {id: self._followed[id] for id in ids if id in self._followed}
        every = list(items)
        for first in range(0, len(every), _BATCH):
            batch = every[first : first + _BATCH]
            read = partial(self._filled, items)
            self._history.add(Chapter((None, batch), self._since, until, read, batch), first=True)

    def _filled(
        self, items: dict[bytes, Followed[Any, Any]], ids: Sequence[bytes], logs: Sequence[Log]
    ) -> None:
        try:
            self._timeline.check(logs)
        except ChainFault as fault:
            self._trouble(fault)
            self._unread += ids
            return
        by_id = _by_id(logs)
        for id in ids:
            item = items[id]
            # Let go and taken up again meanwhile, it is another, with a chapter of its own.
            if self._followed.get(id) is item and not item.complete:
                item.prepend(by_id.get(id, ()))

    # --------------------------------------------------------------------------------------- logs

    def _logs(self, first: int, last: int, topics: Topics = ()) -> list[Log]:
        """Our contracts' logs of these blocks, each once, in the order in which they were made."""
        found = self._reading.logs(tuple(self._tables), first, last, topics)
        return _ordered(
            log
            for log in found
            if log.address in self._tables and first <= log.block <= last and fits(log, topics)
        )

    def _live(self, start: int, head: Block) -> list[Log] | None:
        """All logs after a block; None if they cannot be told, which is a trouble, but no reason
        not to look at storage."""
        try:
            found = self._logs(start + 1, head.number)
            self._timeline.check(self._ours(found), head)
        except ChainFault as fault:
            self._trouble(fault)
            return None
        return found

    def _ours(self, logs: Iterable[Log]) -> list[Log]:
        """Those that we may act on."""
        return [
            log
            for log in logs
            if log.topics[:1] == (_OPENED,)
            or (len(log.topics) > 1 and log.topics[1] in self._followed)
        ]

    def _spread(self, start: int, live: Sequence[Log]) -> None:
        by_id = _by_id(live)
        for id, item in self._followed.items():
            item.take(start, by_id.get(id, ()))
        self._credits.see(live)
        self._announce(live)

    def _announced_before(self, _: Sequence[bytes], logs: list[Log]) -> None:
        self._announce(logs)

    def _announce(self, logs: Iterable[Log]) -> None:
        ours = self._credits.accounts
        for log in logs:
            if log.topics[:1] != (_OPENED,):
                continue
            try:
                event = self._tables[log.address].read(log)
            except ChainFault as fault:
                self._trouble(fault)
                continue
            if isinstance(event, Unreadable) or not isinstance(event, events.Opened):
                continue
            if event.id not in self._announced and (event.alice in ours or event.bob in ours):
                self._announced.add(event.id)
                self._new.append(ChainAnnounced(event.id, event.channel))

    # ------------------------------------------------------------------------------------- watches

    def _take_watches(self) -> None:
        """Begins to follow, or lets go."""
        # What is over before we have looked is not even asked for: asking is what costs.
        watches = [self._watches.popleft() for _ in range(len(self._watches))]
        last = {watch.channel or watch.instance: watch for watch in watches}
        for watch in watches:
            id = watch.channel or watch.instance
            assert id is not None
            if watch.over or last[id].over:
                self._followed.pop(id, None)
                continue
            if id not in self._followed:
                self._followed[id] = self._item(watch)
                self._unread.append(id)
            if watch.asset is not None:
                self._credits.follow(watch.asset)

    def _item(self, watch: Watch) -> Followed[Any, Any]:
        if watch.channel is not None:
            assert watch.asset is not None
            return FollowedChannel(watch.channel, watch.asset, self._deployment, self._tables)
        assert watch.instance is not None
        assert watch.app is not None
        known = self._apps[watch.app]
        return FollowedInstance(InstanceId(watch.instance), watch.app, known, self._tables)

    # ------------------------------------------------------------------------------------ storage

    def _compare(self, head: Block, *, everything: bool) -> None:
        """Holds logs against storage: what has changed, what is in doubt, and some in turn."""
        items = [item for item in self._followed.values() if not item.over]
        turns = set()
        if items and (self.head is None or head.hash != self.head.hash):
            count = min(-(-len(items) // _TURNS), _MOST_COMPARED)
            if everything:
                count = min(len(items), _TURNS * _MOST_COMPARED)
            turns = {(self._turn + place) % len(items) for place in range(count)}
            self._turn = (self._turn + count) % len(items)
        for place, item in enumerate(items):
            if place in turns or self._is_due(item):
                self._compare_one(item, head)

    def _is_due(self, item: Followed[Any, Any]) -> bool:
        if not item.complete or item.doubt is not None:
            return True
        try:
            return item.checked != (item.head(),)
        except ChainFault:
            return True

    def _compare_one(self, item: Followed[Any, Any], head: Block) -> None:
        nothing: Sequence[Any] = ()
        question = partial(self._stored, item, head.number)
        stored = self._aside.ask(_STORAGE, question, nothing, urgent=True)
        if not stored:
            self._trouble(self._aside.unanswered.get(_STORAGE))
            return
        item.stored = stored
        if not item.complete:
            return
        reason = self._why_not(item, stored)
        if reason and (item.doubt is None or head.number >= item.doubt.again_at):
            self._read_anew(item, head)
            reason = self._why_not(item, stored)
        if not reason:
            item.doubt = None
            item.checked = (item.head(),)
            return
        if item.doubt is None:
            item.doubt = Doubt(reason)
            self._report(Disagreement(item.id, head.number, reason))
        item.doubt.reason = reason
        self._trouble(
            Inconsistent(f"logs and storage say different things in block {head.number}: {reason}")
        )

    def _stored(self, item: Followed[Any, Any], number: int) -> Sequence[Any]:
        """What each node says of storage."""
        if isinstance(self._reading, Agreeing):
            return self._reading.each(lambda node: item.ask(node, number))
        return (item.ask(self._reading, number),)

    def _why_not(self, item: Followed[Any, Any], stored: Sequence[Any]) -> str:
        if any(one != stored[0] for one in stored):
            return "of storage two nodes do"
        try:
            return item.differs(item.head(), stored[0])
        except ChainFault as fault:
            return str(fault)

    def _read_anew(self, item: Followed[Any, Any], head: Block) -> None:
        """All logs of one id once more, those of the newest block by its hash: a node that is
        behind then says so, instead of that there are none."""
        doubt = item.doubt
        if doubt is not None:
            doubt.tries += 1
            doubt.again_at = head.number + min(2**doubt.tries, DEPTH)
        try:
            logs = self._logs(self._since, head.number - 1, (None, (item.id,)))
            newest = self._reading.logs_of(tuple(self._tables), head)
            logs += _ordered(
                log
                for log in newest
                if log.address in self._tables
                and log.topics[1:2] == (item.id,)
                and (log.block, log.block_hash) == (head.number, head.hash)
            )
            self._timeline.check(logs, head)
        except ChainFault as fault:
            self._trouble(fault)
            return
        item.replace(logs)

    # ---------------------------------------------------------------------------------- reporting

    def _block(self, head: Block, final: Block | None) -> ChainBlock:
        known = final or NOTHING_FINAL
        price = self._price(head)
        return ChainBlock(head.number, head.time, known.number, known.time, price)

    def _told(self, final: Block | None, start: int) -> Iterator[Input]:
        for item in self._followed.values():
            every = self._views(item, -1 if final is None else final.number)
            for views in every:
                if views != item.sent or len(every) > 1:
                    item.sent = views
                    yield item.input(*views)
            if final is not None and item.complete and item.doubt is None:
                item.settle(min(final.number, start))

    def _views(self, item: Followed[Any, Any], final: int) -> Sequence[tuple[Any, Any]]:
        """As the newest and the newest final block have it; none if that is as it was, or not known
        yet, and several if it is not known which: the core is to be ready for each."""
        stored, item.stored = item.stored, ()
        if item.complete and item.doubt is None:
            try:
                return [item.shown(head, item.final(final)) for head in self._heads(item)]
            except ChainFault as fault:
                self._trouble(fault)
                return ()
        # Money counts as it last did; danger as either side tells it.
        if not stored or not (item.doubt is not None or any(map(item.dangerous, stored))):
            return ()
        before = item.sent or (item.empty, item.empty)
        try:
            logged = self._heads(item)
        except ChainFault:
            logged = [before[0]]
        heads = (head for each in logged for head in item.warned(each, stored))
        return [item.shown(head, before[1]) for head in dict.fromkeys(heads)]

    def _heads(self, item: Followed[Any, Any]) -> list[Any]:
        """As the newest block has it. Of one that a single node of several has, dangers alone are
        believed: it may be made up."""
        newest = item.head()
        if not isinstance(self._reading, Agreeing):
            return [newest]
        shared = item.final(self._reading.shared)
        return [newest] if shared == newest else item.ahead(shared, newest)

    def _rest(self, asked: Any) -> Iterator[Input]:
        new, self._new = self._new, []
        yield from new
        yield from self._credits.changed(asked)


def _ordered(logs: Iterable[Log]) -> list[Log]:
    # By all they say: not every node counts logs through its blocks (eth-tester does not).
    return sorted(dict.fromkeys(logs), key=lambda log: log.place)


def _by_id(logs: Iterable[Log]) -> dict[bytes, list[Log]]:
    found: dict[bytes, list[Log]] = {}
    for log in logs:
        if len(log.topics) > 1:
            found.setdefault(log.topics[1], []).append(log)
    return found
