"""Reads the chain: what happened to our channels, in the newest block and in the newest final one.

Every round reads all logs after the last final block anew and folds them over what final blocks
have left; so a reorganisation needs no code of its own, it is simply another answer. Only final
blocks leave anything behind. Should even one of those disappear (fewer blocks were waited for than
the chain took back), everything is read again from the beginning and said in a `FinalityBroken`.

Danger is reported from the newest block, money from final ones: each report holds both, and the
core decides (protocol, section 5, Limits; [C8]).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from perun.bindings import abi, events, ms_contract_calls
from perun.bindings.logs import Event, Log, Table, Unreadable
from perun.chain.endpoint import Block, Inconsistent, Reading, fits
from perun.chain.fold import fold_channel, fold_instance
from perun.chain.reports import FinalityBroken, Report
from perun.core.config import Deployment
from perun.core.effects import Watch
from perun.core.inputs import (
    ChainAnnounced,
    ChainBlock,
    ChainChannel,
    ChainCredit,
    ChainInstance,
    Input,
)
from perun.core.state import EMPTY, UNTOUCHED, OnChain, OnChainInstance
from perun.types import ETH, Address, Asset, ChannelId, InstanceId, Wei

__all__ = ["Follower"]

_OPENED = abi.topic("Opened(bytes32,address,address," + abi.CHANNEL + ")")


@dataclass(slots=True)
class _Followed:
    """A channel: what final blocks left of it, and what was reported last."""

    asset: Asset
    final: OnChain = EMPTY
    head: OnChain = EMPTY
    sent: tuple[OnChain, OnChain] | None = None


@dataclass(slots=True)
class _FollowedInstance:
    final: OnChainInstance = UNTOUCHED
    head: OnChainInstance = UNTOUCHED
    sent: tuple[OnChainInstance, OnChainInstance] | None = None


@dataclass(slots=True)
class _Credits:
    """Which credits are followed, and what was reported of each."""

    accounts: tuple[Address, ...]
    assets: set[Asset] = field(default_factory=lambda: {ETH})
    sent: dict[tuple[Asset, Address], Wei] = field(default_factory=dict)
    known: bool = False
    """Whether all were asked for once."""


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
        price: Callable[[Block], Wei] = lambda block: block.base_fee,
    ) -> None:
        """Reads nothing yet.

        Args:
            accounts: whose announced channels and credits are reported.
            finality_blocks: after so many more blocks a block is final; None: the chain's tag.
            since: first block that can hold a log of the deployment.
            price: of gas at a block, in wei; asks nobody.
        """
        self._price = price
        self._reading = reading
        self._contract = deployment.contract.contract
        self._tables: dict[Address, Table[Event]] = {
            self._contract: events.MS_CONTRACT,
            deployment.vpm.contract: events.VPM,
            deployment.hash_time_lock.contract: events.HASH_TIME_LOCK,
        }
        self._finality_blocks = finality_blocks
        self._since = since
        self._report = report
        self._wishes: deque[Watch] = deque()
        self._channels: dict[ChannelId, _Followed] = {}
        self._instances: dict[InstanceId, _FollowedInstance] = {}
        self._announced: set[ChannelId] = set()
        self._credits = _Credits(tuple(dict.fromkeys(accounts)))
        self._past_read = False
        self.head: Block | None = None
        """Newest block of the last round."""
        self.final: Block | None = None
        """Newest final block of the last round; everything up to it is folded."""

    def watch(self, watch: Watch) -> None:
        """Follows a channel or instance from the next round on; or lets go of it."""
        self._wishes.append(watch)

    # ---------------------------------------------------------------------------------- one round

    def poll(self) -> tuple[Input, ...]:
        """What is new since the last round, in the order that the core wants.

        Raises:
            ChainFault: the node failed; nothing is lost, ask again.
        """
        head = self._reading.block()
        if head is None or (
            self.head is not None and head.hash == self.head.hash and not self._wishes
        ):
            return ()
        if self.final is not None and head.number < self.final.number:
            return ()  # one node of several, far behind the others; ours would seem gone to it
        if self.final is not None and self._block_changed(self.final):
            self._start_again(self.final)
        final = self._final_block(head)
        if self.final is None:
            self.final = final
        # First everything that may fail, then everything that changes what we know.
        live = self._logs(self.final.number + 1, head.number)
        self._take_wishes(self.final)
        past = self._past_announcements(self.final)
        channels, instances = self._folded(live, head, final)
        credits = self._asked_credits(live, final)
        # The folds above and the answers by number must be about this very block.
        if self._block_changed(head):
            return ()
        self._channels, self._instances = channels, instances
        self.head, self.final = head, final
        self._past_read = True
        return (
            ChainBlock(head.number, head.time, final.number, final.time, self._price(head)),
            *self._changed_channels(),
            *self._changed_instances(),
            *self._announcements((*past, *live)),
            *self._changed_credits(credits),
        )

    def _block_changed(self, block: Block) -> bool:
        found = self._reading.block(block.number)
        return found is None or found.hash != block.hash

    def _final_block(self, head: Block) -> Block:
        """Never goes back; the first block of the chain if none is final."""
        if self._finality_blocks is None:
            found = self._reading.finalized()
        else:
            found = self._reading.block(max(0, head.number - self._finality_blocks))
        if found is None:
            found = self._reading.block(0)
        if found is None or found.number > head.number:
            raise Inconsistent("it has no final block, or one above its newest")
        if self.final is not None and found.number <= self.final.number:
            return self.final
        return found

    def _start_again(self, gone: Block) -> None:
        self._report(FinalityBroken(gone.number, gone.hash))
        self.final = None
        for followed in self._channels.values():
            followed.final = EMPTY
        for instance in self._instances.values():
            instance.final = UNTOUCHED
        self._credits.known = False
        known = [Watch(channel=id, asset=item.asset) for id, item in self._channels.items()]
        known += [Watch(instance=id) for id in self._instances]
        self._wishes.extendleft(known)

    # ------------------------------------------------------------------------------------ folding

    def _take_wishes(self, known: Block) -> None:
        """Brings what is newly followed to where everything else is: the block `known`."""
        # What is over before we have looked is not even asked for: asking is what costs.
        wishes = self._wishes.copy()
        last = {(wish.channel, wish.instance): wish for wish in wishes}
        # Taken one by one: a node that fails in the middle must not make us forget the rest.
        for wish in wishes:
            if wish.over or last[wish.channel, wish.instance].over:
                self._channels.pop(wish.channel or ChannelId(b""), None)
                self._instances.pop(wish.instance or InstanceId(b""), None)
                self._wishes.popleft()
                continue
            if wish.channel is not None:
                assert wish.asset is not None
                followed = self._channels.get(wish.channel) or _Followed(wish.asset)
                if followed.final == EMPTY:
                    folded = fold_channel(EMPTY, wish.asset, self._past(wish.channel, known))
                    followed.final = self._with_drawn(wish.channel, wish.asset, folded, known)
                self._channels[wish.channel] = followed
                if wish.asset not in self._credits.assets:
                    self._credits.assets.add(wish.asset)
                    self._credits.known = False
            if wish.instance is not None:
                instance = self._instances.get(wish.instance) or _FollowedInstance()
                if instance.final == UNTOUCHED:
                    instance.final = fold_instance(UNTOUCHED, self._past(wish.instance, known))
                self._instances[wish.instance] = instance
            self._wishes.popleft()

    def _advanced(
        self, id: ChannelId, asset: Asset, on: OnChain, logs: Sequence[Log], at: Block
    ) -> OnChain:
        if not logs:
            return on
        return self._with_drawn(id, asset, fold_channel(on, asset, self._events(logs)), at)

    def _with_drawn(self, id: ChannelId, asset: Asset, on: OnChain, at: Block) -> OnChain:
        """The one bit that events do not show; the others show whether an event was kept back.

        Raises:
            Inconsistent: the contract's storage is not what its logs say.
        """
        if on == EMPTY or on.ended or on.drawn:
            return on
        query = ms_contract_calls.holdings(self._contract, asset, id)
        found = self._reading.ask(query, at.number)
        said = (on.alice, on.bob, on.withdrawals, on.dispute is not None)
        if said != (found.alice, found.bob, found.withdrawals, found.disputed):
            raise Inconsistent(f"logs and storage of a channel differ in block {at.number}")
        return replace(on, drawn=found.drawn)

    def _past(self, id: bytes, until: Block) -> Iterator[Event]:
        return self._events(self._logs(self._since, until.number, topics=(None, (id,))))

    def _logs(
        self,
        first: int,
        last: int,
        topics: Sequence[Sequence[bytes] | None] = (),
    ) -> list[Log]:
        """Our contracts' logs of these blocks, each once and older blocks first."""
        found = self._reading.logs(tuple(self._tables), first, last, topics)
        # By all they say: not every node counts logs through its blocks (eth-tester does not).
        each = dict.fromkeys(
            log
            for log in found
            if log.address in self._tables and first <= log.block <= last and fits(log, topics)
        )
        return sorted(each, key=lambda log: log.block)

    def _events(self, logs: Iterable[Log]) -> Iterator[Event]:
        """What these logs say; others' unreadable ones say nothing."""
        for log in logs:
            event = self._tables[log.address].read(log)
            if event is not None and not isinstance(event, Unreadable):
                yield event

    def _folded(
        self, live: Sequence[Log], head: Block, final: Block
    ) -> tuple[dict[ChannelId, _Followed], dict[InstanceId, _FollowedInstance]]:
        """Takes over what has become final, and shows the rest on top of it."""
        by_id: dict[bytes, list[Log]] = {}
        for log in live:
            if len(log.topics) > 1:
                by_id.setdefault(log.topics[1], []).append(log)
        channels: dict[ChannelId, _Followed] = {}
        for id, old in self._channels.items():
            settled, rest = _split(by_id.get(id, ()), final.number)
            now_final = self._advanced(id, old.asset, old.final, settled, final)
            now_head = self._advanced(id, old.asset, now_final, rest, head)
            channels[id] = _Followed(old.asset, now_final, now_head, old.sent)
        instances: dict[InstanceId, _FollowedInstance] = {}
        for instance_id, item in self._instances.items():
            settled, rest = _split(by_id.get(instance_id, ()), final.number)
            done = fold_instance(item.final, self._events(settled))
            shown = fold_instance(done, self._events(rest))
            instances[instance_id] = _FollowedInstance(done, shown, item.sent)
        return channels, instances

    # ---------------------------------------------------------------------------------- reporting

    def _changed_channels(self) -> Iterator[Input]:
        for id, followed in self._channels.items():
            if followed.sent != (followed.head, followed.final):
                followed.sent = (followed.head, followed.final)
                yield ChainChannel(id, followed.head, followed.final)

    def _changed_instances(self) -> Iterator[Input]:
        for id, instance in self._instances.items():
            if instance.sent != (instance.head, instance.final):
                instance.sent = (instance.head, instance.final)
                yield ChainInstance(id, instance.head, instance.final)

    def _past_announcements(self, final: Block) -> list[Log]:
        """Of channels that name one of our accounts, in final blocks; asked for once."""
        accounts = [bytes(12) + account for account in self._credits.accounts]
        if not accounts or self._past_read:
            return []
        places = ((_OPENED,), None, accounts), ((_OPENED,), None, None, accounts)
        found: list[Log] = []
        for topics in places:
            found += self._logs(self._since, final.number, topics)
        return found

    def _announcements(self, logs: Iterable[Log]) -> Iterator[Input]:
        for event in self._events(log for log in logs if log.topics[:1] == (_OPENED,)):
            if not isinstance(event, events.Opened) or event.id in self._announced:
                continue
            if event.alice in self._credits.accounts or event.bob in self._credits.accounts:
                self._announced.add(event.id)
                yield ChainAnnounced(event.id, event.channel)

    def _asked_credits(self, live: Iterable[Log], final: Block) -> dict[tuple[Asset, Address], Wei]:
        """Credits in the final block, asked for while an event says that one may have changed.

        An `openBoth` draws without saying so, but it announces a channel of the account drawn on.
        """
        credits = self._credits
        ours = {bytes(12) + account for account in credits.accounts}
        if credits.known and all(ours.isdisjoint(log.topics[2:]) for log in live):
            return {}
        return {
            (asset, account): self._reading.ask(
                ms_contract_calls.credit(self._contract, asset, account), final.number
            )
            for asset in sorted(credits.assets)
            for account in credits.accounts
        }

    def _changed_credits(self, asked: Mapping[tuple[Asset, Address], Wei]) -> Iterator[Input]:
        credits = self._credits
        credits.known = credits.known or bool(asked)
        for (asset, account), amount in asked.items():
            if credits.sent.get((asset, account)) != amount:
                credits.sent[asset, account] = amount
                yield ChainCredit(asset, account, amount)


def _split(logs: Sequence[Log], final: int) -> tuple[list[Log], list[Log]]:
    """Logs of final blocks, and the others."""
    return [log for log in logs if log.block <= final], [log for log in logs if log.block > final]
