"""What the clients can call, as `python -m perun.api.generate` writes it.

Amounts are integers or digits in the asset's smallest unit, or decimals of a unit: ether, gwei, a
token by the node's name for it. With the unit the asset is said, too.
"""

from __future__ import annotations

from typing import Any, Literal

from perun.app.values import (
    Answered,
    Backup,
    Bet,
    Channel,
    Contact,
    Deal,
    Done,
    Event,
    Exposures,
    Game,
    HashLock,
    Network,
    Offer,
    Opening,
    Payment,
    Proofs,
    Request,
    Rules,
    Status,
    Stream,
    Tower,
)

__all__ = ["AsyncCalls", "Calls", "Units"]

Units = str | int
"""An amount: `5`, `"5"` in the smallest unit, `"0.1 ether"`, `"3 gwei"`, `"5 USDC"`."""


class Calls:
    """Every method; how a call is carried out is the client's."""

    def _call(self, method: str, result: Any, fields: dict[str, Any]) -> Any:
        raise NotImplementedError

    def status(self) -> Status:
        """Who am I, where, what is mine, what is wrong, what to do about it."""
        answer: Status = self._call("status", Status, {})
        return answer

    def networks(self) -> tuple[Network, ...]:
        """The networks that this program knows, and which one this node is on."""
        answer: tuple[Network, ...] = self._call("networks", tuple[Network, ...], {})
        return answer

    def contacts(self) -> tuple[Contact, ...]:
        """Everybody whom we gave a name."""
        answer: tuple[Contact, ...] = self._call("contacts", tuple[Contact, ...], {})
        return answer

    def add_contact(self, name: str, node: str, account: str | None = None) -> Contact:
        """Gives a node a name, or changes what is known of it."""
        answer: Contact = self._call(
            "addContact", Contact, {"name": name, "node": node, "account": account}
        )
        return answer

    def remove_contact(self, name: str) -> Done:
        """Forgets a name."""
        answer: Done = self._call("removeContact", Done, {"name": name})
        return answer

    def channels(self, ended: bool = False) -> tuple[Channel, ...]:
        """Every channel that has not ended; or all."""
        answer: tuple[Channel, ...] = self._call("channels", tuple[Channel, ...], {"ended": ended})
        return answer

    def exposure(self) -> Exposures:
        """For every channel: what is yours, and what of it if everybody else vanished now."""
        answer: Exposures = self._call("exposure", Exposures, {})
        return answer

    def proofs(self, channel: str) -> Proofs:
        """The newest state of a channel, with both signatures and all statements."""
        answer: Proofs = self._call("proofs", Proofs, {"channel": channel})
        return answer

    def towers(self) -> tuple[Tower, ...]:
        """Who watches for us while we are offline, and how far it sees."""
        answer: tuple[Tower, ...] = self._call("towers", tuple[Tower, ...], {})
        return answer

    def backups(self) -> tuple[Backup, ...]:
        """Where this store is backed up, and how far."""
        answer: tuple[Backup, ...] = self._call("backups", tuple[Backup, ...], {})
        return answer

    def payments(
        self,
        direction: Literal["out", "in", "both"] = "both",
        limit: int = 100,
        before: int | None = None,
    ) -> tuple[Payment, ...]:
        """Payments, the newest first."""
        answer: tuple[Payment, ...] = self._call(
            "payments",
            tuple[Payment, ...],
            {"direction": direction, "limit": limit, "before": before},
        )
        return answer

    def payment(self, id: str | None = None, *, idempotency_key: str | None = None) -> Payment:
        """One payment, by its id or by the key it was made with."""
        answer: Payment = self._call(
            "payment", Payment, {"id": id, "idempotencyKey": idempotency_key}
        )
        return answer

    def requests(self, limit: int = 100) -> tuple[Request, ...]:
        """Requests of ours, the newest first."""
        answer: tuple[Request, ...] = self._call("requests", tuple[Request, ...], {"limit": limit})
        return answer

    def offers(self) -> tuple[Offer, ...]:
        """What peers want that waits for our word."""
        answer: tuple[Offer, ...] = self._call("offers", tuple[Offer, ...], {})
        return answer

    def events(self, since: int, limit: int = 1000, wait: int = 0) -> tuple[Event, ...]:
        """Events after a number."""
        answer: tuple[Event, ...] = self._call(
            "events", tuple[Event, ...], {"since": since, "limit": limit, "wait": wait}
        )
        return answer

    def request(
        self,
        amount: Units = "0",
        asset: str | None = None,
        memo: str = "",
        seconds: int = 3600,
        relay: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Request:
        """Asks for money, by a signed `perun:` URI that can be paid once."""
        answer: Request = self._call(
            "request",
            Request,
            {
                "amount": amount,
                "asset": asset,
                "memo": memo,
                "seconds": seconds,
                "relay": relay,
                "idempotencyKey": idempotency_key,
            },
        )
        return answer

    def cancel_request(self, id: str) -> Request:
        """Takes no more money for a request."""
        answer: Request = self._call("cancelRequest", Request, {"id": id})
        return answer

    def pay(
        self,
        to: str,
        amount: Units | None = None,
        text: str = "",
        asset: str | None = None,
        wait: int = 30,
        *,
        idempotency_key: str | None = None,
    ) -> Payment:
        """Pays somebody, or a request: finds the way, pays, waits for the receiver's word."""
        answer: Payment = self._call(
            "pay",
            Payment,
            {
                "idempotencyKey": idempotency_key,
                "to": to,
                "amount": amount,
                "text": text,
                "asset": asset,
                "wait": wait,
            },
        )
        return answer

    def refund(
        self,
        payment: str,
        amount: Units | None = None,
        text: str = "",
        wait: int = 30,
        *,
        idempotency_key: str | None = None,
    ) -> Payment:
        """Gives back a payment that we received, whole or in part."""
        answer: Payment = self._call(
            "refund",
            Payment,
            {
                "idempotencyKey": idempotency_key,
                "payment": payment,
                "amount": amount,
                "text": text,
                "wait": wait,
            },
        )
        return answer

    def games(self, id: str | None = None) -> tuple[Game, ...]:
        """Games and flips: invitations, what is played, what has ended lately; or one of them."""
        answer: tuple[Game, ...] = self._call("games", tuple[Game, ...], {"id": id})
        return answer

    def rules(self) -> tuple[Rules, ...]:
        """Every game that can be played, also by rules named since the start."""
        answer: tuple[Rules, ...] = self._call("rules", tuple[Rules, ...], {})
        return answer

    def play(
        self,
        to: str,
        game: str,
        amount: Units,
        peer_amount: Units | None = None,
        begin: bool = True,
        asset: str | None = None,
        seconds: int = 3600,
        bank: int | None = None,
        invitation: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Game:
        """Invites somebody to a game for money; nothing is locked before they agree (`answer`)."""
        answer: Game = self._call(
            "play",
            Game,
            {
                "idempotencyKey": idempotency_key,
                "to": to,
                "game": game,
                "amount": amount,
                "peerAmount": peer_amount,
                "begin": begin,
                "asset": asset,
                "seconds": seconds,
                "bank": bank,
                "invitation": invitation,
            },
        )
        return answer

    def move(self, id: str, move: str, *, idempotency_key: str | None = None) -> Game:
        """Makes a move in a game; off chain, or on chain if it is played there."""
        answer: Game = self._call(
            "move", Game, {"idempotencyKey": idempotency_key, "id": id, "move": move}
        )
        return answer

    def resign(self, id: str, *, idempotency_key: str | None = None) -> Game:
        """Gives a game up: our stake is lost."""
        answer: Game = self._call("resign", Game, {"idempotencyKey": idempotency_key, "id": id})
        return answer

    def draw(self, id: str, *, idempotency_key: str | None = None) -> Game:
        """Takes the draw that they offer in a game, or offers one, in our turn by our next move."""
        answer: Game = self._call("draw", Game, {"idempotencyKey": idempotency_key, "id": id})
        return answer

    def call_clock(self, id: str, *, idempotency_key: str | None = None) -> Game:
        """Takes a game to the chain, where the other side has to move in time."""
        answer: Game = self._call("callClock", Game, {"idempotencyKey": idempotency_key, "id": id})
        return answer

    def flip(
        self,
        to: str,
        amount: Units,
        peer_amount: Units | None = None,
        asset: str | None = None,
        seconds: int = 3600,
        invitation: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Game:
        """Flips a coin with somebody whose policy allows it, at fair odds."""
        answer: Game = self._call(
            "flip",
            Game,
            {
                "idempotencyKey": idempotency_key,
                "to": to,
                "amount": amount,
                "peerAmount": peer_amount,
                "asset": asset,
                "seconds": seconds,
                "invitation": invitation,
            },
        )
        return answer

    def throw(
        self,
        to: str,
        hand: Literal["rock", "paper", "scissors"],
        amount: Units,
        peer_amount: Units | None = None,
        asset: str | None = None,
        seconds: int = 3600,
        invitation: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Game:
        """Invites somebody to rock, paper, scissors; they see your hand once theirs is fixed."""
        answer: Game = self._call(
            "throw",
            Game,
            {
                "idempotencyKey": idempotency_key,
                "to": to,
                "hand": hand,
                "amount": amount,
                "peerAmount": peer_amount,
                "asset": asset,
                "seconds": seconds,
                "invitation": invitation,
            },
        )
        return answer

    def deals(self, id: str | None = None) -> tuple[Deal, ...]:
        """Deals in escrow: invitations, what is locked, what has ended lately; or one of them."""
        answer: tuple[Deal, ...] = self._call("deals", tuple[Deal, ...], {"id": id})
        return answer

    def escrow(
        self,
        to: str,
        amount: Units,
        arbiter: str,
        peer_amount: Units | None = "0",
        asset: str | None = None,
        seconds: int = 604800,
        due: int = 259200,
        late_gain: str = "0",
        *,
        idempotency_key: str | None = None,
    ) -> Deal:
        """Invites somebody to a deal in escrow; nothing is locked before they agree (`answer`)."""
        answer: Deal = self._call(
            "escrow",
            Deal,
            {
                "idempotencyKey": idempotency_key,
                "to": to,
                "amount": amount,
                "arbiter": arbiter,
                "peerAmount": peer_amount,
                "asset": asset,
                "seconds": seconds,
                "due": due,
                "lateGain": late_gain,
            },
        )
        return answer

    def bring_award(
        self, id: str, shift: str, signature: str, *, idempotency_key: str | None = None
    ) -> Deal:
        """Brings the arbiter's word about a deal."""
        answer: Deal = self._call(
            "bringAward",
            Deal,
            {"idempotencyKey": idempotency_key, "id": id, "shift": shift, "signature": signature},
        )
        return answer

    def let_go(self, id: str, gain: str, *, idempotency_key: str | None = None) -> Deal:
        """Lets a deal go at this gain of ours, once they say the same or it gives them all."""
        answer: Deal = self._call(
            "letGo", Deal, {"idempotencyKey": idempotency_key, "id": id, "gain": gain}
        )
        return answer

    def bets(self, id: str | None = None) -> tuple[Bet, ...]:
        """Bets on a price: invitations, what is locked, what has ended lately; or one of them."""
        answer: tuple[Bet, ...] = self._call("bets", tuple[Bet, ...], {"id": id})
        return answer

    def bet(
        self,
        to: str,
        amount: Units,
        reporter: str,
        feed: str,
        time: int,
        strike: str,
        slope: str,
        scale: str = "1",
        peer_amount: Units | None = None,
        asset: str | None = None,
        seconds: int = 86400,
        invitation: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Bet:
        """Invites somebody to a bet on a price; nothing is locked before they agree (`answer`)."""
        answer: Bet = self._call(
            "bet",
            Bet,
            {
                "idempotencyKey": idempotency_key,
                "to": to,
                "amount": amount,
                "reporter": reporter,
                "feed": feed,
                "time": time,
                "strike": strike,
                "slope": slope,
                "scale": scale,
                "peerAmount": peer_amount,
                "asset": asset,
                "seconds": seconds,
                "invitation": invitation,
            },
        )
        return answer

    def bring_price(
        self, id: str, price: str, signature: str, *, idempotency_key: str | None = None
    ) -> Bet:
        """Brings a price that the reporter has signed for a bet's feed and second."""
        answer: Bet = self._call(
            "bringPrice",
            Bet,
            {"idempotencyKey": idempotency_key, "id": id, "price": price, "signature": signature},
        )
        return answer

    def streams(self, id: str | None = None) -> tuple[Stream, ...]:
        """Streams: invitations, what flows to or from us, what has ended lately; or one."""
        answer: tuple[Stream, ...] = self._call("streams", tuple[Stream, ...], {"id": id})
        return answer

    def stream(
        self,
        to: str,
        amount: Units,
        tick_amount: Units,
        every: int = 0,
        ticks: int = 1,
        asset: str | None = None,
        seconds: int = 86400,
        invitation: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Stream:
        """Invites somebody to be paid by us tick by tick; locked as soon as their node agrees."""
        answer: Stream = self._call(
            "stream",
            Stream,
            {
                "idempotencyKey": idempotency_key,
                "to": to,
                "amount": amount,
                "tickAmount": tick_amount,
                "every": every,
                "ticks": ticks,
                "asset": asset,
                "seconds": seconds,
                "invitation": invitation,
            },
        )
        return answer

    def tick(self, id: str, ticks: int = 1, *, idempotency_key: str | None = None) -> Stream:
        """Pays so many ticks of a stream now, at once for all that come together."""
        answer: Stream = self._call(
            "tick", Stream, {"idempotencyKey": idempotency_key, "id": id, "ticks": ticks}
        )
        return answer

    def run_stream(
        self, id: str, every: int, ticks: int = 1, *, idempotency_key: str | None = None
    ) -> Stream:
        """From now on our node pays in a stream by itself; `every` 0: no longer."""
        answer: Stream = self._call(
            "runStream",
            Stream,
            {"idempotencyKey": idempotency_key, "id": id, "every": every, "ticks": ticks},
        )
        return answer

    def stop_stream(self, id: str, *, idempotency_key: str | None = None) -> Stream:
        """Ends a stream at what was paid; either side may. The rest is free again."""
        answer: Stream = self._call(
            "stopStream", Stream, {"idempotencyKey": idempotency_key, "id": id}
        )
        return answer

    def locks(self, id: str | None = None) -> tuple[HashLock, ...]:
        """Hash locks: invitations, what is locked, what has ended lately; or one."""
        answer: tuple[HashLock, ...] = self._call("locks", tuple[HashLock, ...], {"id": id})
        return answer

    def lock(
        self,
        to: str,
        amount: Units,
        hash: str,
        until: int,
        asset: str | None = None,
        invitation: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> HashLock:
        """Pays somebody if the secret of a hash is shown in time; until then it counts as paid."""
        answer: HashLock = self._call(
            "lock",
            HashLock,
            {
                "idempotencyKey": idempotency_key,
                "to": to,
                "amount": amount,
                "hash": hash,
                "until": until,
                "asset": asset,
                "invitation": invitation,
            },
        )
        return answer

    def show_secret(self, id: str, secret: str, *, idempotency_key: str | None = None) -> HashLock:
        """Takes a lock that pays us by its secret: off chain, or on chain if they are silent."""
        answer: HashLock = self._call(
            "showSecret", HashLock, {"idempotencyKey": idempotency_key, "id": id, "secret": secret}
        )
        return answer

    def open(
        self,
        peer: str,
        amount: Units,
        asset: str | None = None,
        peer_amount: Units = "0",
        draw: bool = False,
        fee: Units = "0",
        account: str | None = None,
        challenge: int | None = None,
        invitation: str | None = None,
        consent: bool = False,
        *,
        idempotency_key: str | None = None,
    ) -> Opening:
        """A channel with a hub or a person. Without `consent` it only says what that means."""
        answer: Opening = self._call(
            "open",
            Opening,
            {
                "idempotencyKey": idempotency_key,
                "peer": peer,
                "amount": amount,
                "asset": asset,
                "peerAmount": peer_amount,
                "draw": draw,
                "fee": fee,
                "account": account,
                "challenge": challenge,
                "invitation": invitation,
                "consent": consent,
            },
        )
        return answer

    def top_up(self, channel: str, amount: Units, *, idempotency_key: str | None = None) -> Done:
        """More money of ours into a channel, by a transaction."""
        answer: Done = self._call(
            "topUp", Done, {"idempotencyKey": idempotency_key, "channel": channel, "amount": amount}
        )
        return answer

    def withdraw(self, channel: str, amount: Units, *, idempotency_key: str | None = None) -> Done:
        """Money out of an open channel to our account, with the peer's consent."""
        answer: Done = self._call(
            "withdraw",
            Done,
            {"idempotencyKey": idempotency_key, "channel": channel, "amount": amount},
        )
        return answer

    def close(self, channel: str, *, idempotency_key: str | None = None) -> Done:
        """Ends a channel by agreement: machines are taken out first, then one transaction pays."""
        answer: Done = self._call(
            "close", Done, {"idempotencyKey": idempotency_key, "channel": channel}
        )
        return answer

    def leave(self, channel: str, *, idempotency_key: str | None = None) -> Done:
        """Ends a channel through the chain, alone against everybody."""
        answer: Done = self._call(
            "leave", Done, {"idempotencyKey": idempotency_key, "channel": channel}
        )
        return answer

    def claim(
        self,
        asset: str | None = None,
        amount: Units | None = None,
        to: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Done:
        """Takes credit out of the contract."""
        answer: Done = self._call(
            "claim",
            Done,
            {"idempotencyKey": idempotency_key, "asset": asset, "amount": amount, "to": to},
        )
        return answer

    def answer(
        self,
        offer: str,
        accept: bool,
        hand: Literal["rock", "paper", "scissors"] | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Answered:
        """Yes or no to an offer."""
        answer: Answered = self._call(
            "answer",
            Answered,
            {"offer": offer, "accept": accept, "idempotencyKey": idempotency_key, "hand": hand},
        )
        return answer


class AsyncCalls:
    """Every method; how a call is carried out is the client's."""

    async def _call(self, method: str, result: Any, fields: dict[str, Any]) -> Any:
        raise NotImplementedError

    async def status(self) -> Status:
        """Who am I, where, what is mine, what is wrong, what to do about it."""
        answer: Status = await self._call("status", Status, {})
        return answer

    async def networks(self) -> tuple[Network, ...]:
        """The networks that this program knows, and which one this node is on."""
        answer: tuple[Network, ...] = await self._call("networks", tuple[Network, ...], {})
        return answer

    async def contacts(self) -> tuple[Contact, ...]:
        """Everybody whom we gave a name."""
        answer: tuple[Contact, ...] = await self._call("contacts", tuple[Contact, ...], {})
        return answer

    async def add_contact(self, name: str, node: str, account: str | None = None) -> Contact:
        """Gives a node a name, or changes what is known of it."""
        answer: Contact = await self._call(
            "addContact", Contact, {"name": name, "node": node, "account": account}
        )
        return answer

    async def remove_contact(self, name: str) -> Done:
        """Forgets a name."""
        answer: Done = await self._call("removeContact", Done, {"name": name})
        return answer

    async def channels(self, ended: bool = False) -> tuple[Channel, ...]:
        """Every channel that has not ended; or all."""
        answer: tuple[Channel, ...] = await self._call(
            "channels", tuple[Channel, ...], {"ended": ended}
        )
        return answer

    async def exposure(self) -> Exposures:
        """For every channel: what is yours, and what of it if everybody else vanished now."""
        answer: Exposures = await self._call("exposure", Exposures, {})
        return answer

    async def proofs(self, channel: str) -> Proofs:
        """The newest state of a channel, with both signatures and all statements."""
        answer: Proofs = await self._call("proofs", Proofs, {"channel": channel})
        return answer

    async def towers(self) -> tuple[Tower, ...]:
        """Who watches for us while we are offline, and how far it sees."""
        answer: tuple[Tower, ...] = await self._call("towers", tuple[Tower, ...], {})
        return answer

    async def backups(self) -> tuple[Backup, ...]:
        """Where this store is backed up, and how far."""
        answer: tuple[Backup, ...] = await self._call("backups", tuple[Backup, ...], {})
        return answer

    async def payments(
        self,
        direction: Literal["out", "in", "both"] = "both",
        limit: int = 100,
        before: int | None = None,
    ) -> tuple[Payment, ...]:
        """Payments, the newest first."""
        answer: tuple[Payment, ...] = await self._call(
            "payments",
            tuple[Payment, ...],
            {"direction": direction, "limit": limit, "before": before},
        )
        return answer

    async def payment(
        self, id: str | None = None, *, idempotency_key: str | None = None
    ) -> Payment:
        """One payment, by its id or by the key it was made with."""
        answer: Payment = await self._call(
            "payment", Payment, {"id": id, "idempotencyKey": idempotency_key}
        )
        return answer

    async def requests(self, limit: int = 100) -> tuple[Request, ...]:
        """Requests of ours, the newest first."""
        answer: tuple[Request, ...] = await self._call(
            "requests", tuple[Request, ...], {"limit": limit}
        )
        return answer

    async def offers(self) -> tuple[Offer, ...]:
        """What peers want that waits for our word."""
        answer: tuple[Offer, ...] = await self._call("offers", tuple[Offer, ...], {})
        return answer

    async def events(self, since: int, limit: int = 1000, wait: int = 0) -> tuple[Event, ...]:
        """Events after a number."""
        answer: tuple[Event, ...] = await self._call(
            "events", tuple[Event, ...], {"since": since, "limit": limit, "wait": wait}
        )
        return answer

    async def request(
        self,
        amount: Units = "0",
        asset: str | None = None,
        memo: str = "",
        seconds: int = 3600,
        relay: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Request:
        """Asks for money, by a signed `perun:` URI that can be paid once."""
        answer: Request = await self._call(
            "request",
            Request,
            {
                "amount": amount,
                "asset": asset,
                "memo": memo,
                "seconds": seconds,
                "relay": relay,
                "idempotencyKey": idempotency_key,
            },
        )
        return answer

    async def cancel_request(self, id: str) -> Request:
        """Takes no more money for a request."""
        answer: Request = await self._call("cancelRequest", Request, {"id": id})
        return answer

    async def pay(
        self,
        to: str,
        amount: Units | None = None,
        text: str = "",
        asset: str | None = None,
        wait: int = 30,
        *,
        idempotency_key: str | None = None,
    ) -> Payment:
        """Pays somebody, or a request: finds the way, pays, waits for the receiver's word."""
        answer: Payment = await self._call(
            "pay",
            Payment,
            {
                "idempotencyKey": idempotency_key,
                "to": to,
                "amount": amount,
                "text": text,
                "asset": asset,
                "wait": wait,
            },
        )
        return answer

    async def refund(
        self,
        payment: str,
        amount: Units | None = None,
        text: str = "",
        wait: int = 30,
        *,
        idempotency_key: str | None = None,
    ) -> Payment:
        """Gives back a payment that we received, whole or in part."""
        answer: Payment = await self._call(
            "refund",
            Payment,
            {
                "idempotencyKey": idempotency_key,
                "payment": payment,
                "amount": amount,
                "text": text,
                "wait": wait,
            },
        )
        return answer

    async def games(self, id: str | None = None) -> tuple[Game, ...]:
        """Games and flips: invitations, what is played, what has ended lately; or one of them."""
        answer: tuple[Game, ...] = await self._call("games", tuple[Game, ...], {"id": id})
        return answer

    async def rules(self) -> tuple[Rules, ...]:
        """Every game that can be played, also by rules named since the start."""
        answer: tuple[Rules, ...] = await self._call("rules", tuple[Rules, ...], {})
        return answer

    async def play(
        self,
        to: str,
        game: str,
        amount: Units,
        peer_amount: Units | None = None,
        begin: bool = True,
        asset: str | None = None,
        seconds: int = 3600,
        bank: int | None = None,
        invitation: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Game:
        """Invites somebody to a game for money; nothing is locked before they agree (`answer`)."""
        answer: Game = await self._call(
            "play",
            Game,
            {
                "idempotencyKey": idempotency_key,
                "to": to,
                "game": game,
                "amount": amount,
                "peerAmount": peer_amount,
                "begin": begin,
                "asset": asset,
                "seconds": seconds,
                "bank": bank,
                "invitation": invitation,
            },
        )
        return answer

    async def move(self, id: str, move: str, *, idempotency_key: str | None = None) -> Game:
        """Makes a move in a game; off chain, or on chain if it is played there."""
        answer: Game = await self._call(
            "move", Game, {"idempotencyKey": idempotency_key, "id": id, "move": move}
        )
        return answer

    async def resign(self, id: str, *, idempotency_key: str | None = None) -> Game:
        """Gives a game up: our stake is lost."""
        answer: Game = await self._call(
            "resign", Game, {"idempotencyKey": idempotency_key, "id": id}
        )
        return answer

    async def draw(self, id: str, *, idempotency_key: str | None = None) -> Game:
        """Takes the draw that they offer in a game, or offers one, in our turn by our next move."""
        answer: Game = await self._call("draw", Game, {"idempotencyKey": idempotency_key, "id": id})
        return answer

    async def call_clock(self, id: str, *, idempotency_key: str | None = None) -> Game:
        """Takes a game to the chain, where the other side has to move in time."""
        answer: Game = await self._call(
            "callClock", Game, {"idempotencyKey": idempotency_key, "id": id}
        )
        return answer

    async def flip(
        self,
        to: str,
        amount: Units,
        peer_amount: Units | None = None,
        asset: str | None = None,
        seconds: int = 3600,
        invitation: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Game:
        """Flips a coin with somebody whose policy allows it, at fair odds."""
        answer: Game = await self._call(
            "flip",
            Game,
            {
                "idempotencyKey": idempotency_key,
                "to": to,
                "amount": amount,
                "peerAmount": peer_amount,
                "asset": asset,
                "seconds": seconds,
                "invitation": invitation,
            },
        )
        return answer

    async def throw(
        self,
        to: str,
        hand: Literal["rock", "paper", "scissors"],
        amount: Units,
        peer_amount: Units | None = None,
        asset: str | None = None,
        seconds: int = 3600,
        invitation: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Game:
        """Invites somebody to rock, paper, scissors; they see your hand once theirs is fixed."""
        answer: Game = await self._call(
            "throw",
            Game,
            {
                "idempotencyKey": idempotency_key,
                "to": to,
                "hand": hand,
                "amount": amount,
                "peerAmount": peer_amount,
                "asset": asset,
                "seconds": seconds,
                "invitation": invitation,
            },
        )
        return answer

    async def deals(self, id: str | None = None) -> tuple[Deal, ...]:
        """Deals in escrow: invitations, what is locked, what has ended lately; or one of them."""
        answer: tuple[Deal, ...] = await self._call("deals", tuple[Deal, ...], {"id": id})
        return answer

    async def escrow(
        self,
        to: str,
        amount: Units,
        arbiter: str,
        peer_amount: Units | None = "0",
        asset: str | None = None,
        seconds: int = 604800,
        due: int = 259200,
        late_gain: str = "0",
        *,
        idempotency_key: str | None = None,
    ) -> Deal:
        """Invites somebody to a deal in escrow; nothing is locked before they agree (`answer`)."""
        answer: Deal = await self._call(
            "escrow",
            Deal,
            {
                "idempotencyKey": idempotency_key,
                "to": to,
                "amount": amount,
                "arbiter": arbiter,
                "peerAmount": peer_amount,
                "asset": asset,
                "seconds": seconds,
                "due": due,
                "lateGain": late_gain,
            },
        )
        return answer

    async def bring_award(
        self, id: str, shift: str, signature: str, *, idempotency_key: str | None = None
    ) -> Deal:
        """Brings the arbiter's word about a deal."""
        answer: Deal = await self._call(
            "bringAward",
            Deal,
            {"idempotencyKey": idempotency_key, "id": id, "shift": shift, "signature": signature},
        )
        return answer

    async def let_go(self, id: str, gain: str, *, idempotency_key: str | None = None) -> Deal:
        """Lets a deal go at this gain of ours, once they say the same or it gives them all."""
        answer: Deal = await self._call(
            "letGo", Deal, {"idempotencyKey": idempotency_key, "id": id, "gain": gain}
        )
        return answer

    async def bets(self, id: str | None = None) -> tuple[Bet, ...]:
        """Bets on a price: invitations, what is locked, what has ended lately; or one of them."""
        answer: tuple[Bet, ...] = await self._call("bets", tuple[Bet, ...], {"id": id})
        return answer

    async def bet(
        self,
        to: str,
        amount: Units,
        reporter: str,
        feed: str,
        time: int,
        strike: str,
        slope: str,
        scale: str = "1",
        peer_amount: Units | None = None,
        asset: str | None = None,
        seconds: int = 86400,
        invitation: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Bet:
        """Invites somebody to a bet on a price; nothing is locked before they agree (`answer`)."""
        answer: Bet = await self._call(
            "bet",
            Bet,
            {
                "idempotencyKey": idempotency_key,
                "to": to,
                "amount": amount,
                "reporter": reporter,
                "feed": feed,
                "time": time,
                "strike": strike,
                "slope": slope,
                "scale": scale,
                "peerAmount": peer_amount,
                "asset": asset,
                "seconds": seconds,
                "invitation": invitation,
            },
        )
        return answer

    async def bring_price(
        self, id: str, price: str, signature: str, *, idempotency_key: str | None = None
    ) -> Bet:
        """Brings a price that the reporter has signed for a bet's feed and second."""
        answer: Bet = await self._call(
            "bringPrice",
            Bet,
            {"idempotencyKey": idempotency_key, "id": id, "price": price, "signature": signature},
        )
        return answer

    async def streams(self, id: str | None = None) -> tuple[Stream, ...]:
        """Streams: invitations, what flows to or from us, what has ended lately; or one."""
        answer: tuple[Stream, ...] = await self._call("streams", tuple[Stream, ...], {"id": id})
        return answer

    async def stream(
        self,
        to: str,
        amount: Units,
        tick_amount: Units,
        every: int = 0,
        ticks: int = 1,
        asset: str | None = None,
        seconds: int = 86400,
        invitation: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Stream:
        """Invites somebody to be paid by us tick by tick; locked as soon as their node agrees."""
        answer: Stream = await self._call(
            "stream",
            Stream,
            {
                "idempotencyKey": idempotency_key,
                "to": to,
                "amount": amount,
                "tickAmount": tick_amount,
                "every": every,
                "ticks": ticks,
                "asset": asset,
                "seconds": seconds,
                "invitation": invitation,
            },
        )
        return answer

    async def tick(self, id: str, ticks: int = 1, *, idempotency_key: str | None = None) -> Stream:
        """Pays so many ticks of a stream now, at once for all that come together."""
        answer: Stream = await self._call(
            "tick", Stream, {"idempotencyKey": idempotency_key, "id": id, "ticks": ticks}
        )
        return answer

    async def run_stream(
        self, id: str, every: int, ticks: int = 1, *, idempotency_key: str | None = None
    ) -> Stream:
        """From now on our node pays in a stream by itself; `every` 0: no longer."""
        answer: Stream = await self._call(
            "runStream",
            Stream,
            {"idempotencyKey": idempotency_key, "id": id, "every": every, "ticks": ticks},
        )
        return answer

    async def stop_stream(self, id: str, *, idempotency_key: str | None = None) -> Stream:
        """Ends a stream at what was paid; either side may. The rest is free again."""
        answer: Stream = await self._call(
            "stopStream", Stream, {"idempotencyKey": idempotency_key, "id": id}
        )
        return answer

    async def locks(self, id: str | None = None) -> tuple[HashLock, ...]:
        """Hash locks: invitations, what is locked, what has ended lately; or one."""
        answer: tuple[HashLock, ...] = await self._call("locks", tuple[HashLock, ...], {"id": id})
        return answer

    async def lock(
        self,
        to: str,
        amount: Units,
        hash: str,
        until: int,
        asset: str | None = None,
        invitation: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> HashLock:
        """Pays somebody if the secret of a hash is shown in time; until then it counts as paid."""
        answer: HashLock = await self._call(
            "lock",
            HashLock,
            {
                "idempotencyKey": idempotency_key,
                "to": to,
                "amount": amount,
                "hash": hash,
                "until": until,
                "asset": asset,
                "invitation": invitation,
            },
        )
        return answer

    async def show_secret(
        self, id: str, secret: str, *, idempotency_key: str | None = None
    ) -> HashLock:
        """Takes a lock that pays us by its secret: off chain, or on chain if they are silent."""
        answer: HashLock = await self._call(
            "showSecret", HashLock, {"idempotencyKey": idempotency_key, "id": id, "secret": secret}
        )
        return answer

    async def open(
        self,
        peer: str,
        amount: Units,
        asset: str | None = None,
        peer_amount: Units = "0",
        draw: bool = False,
        fee: Units = "0",
        account: str | None = None,
        challenge: int | None = None,
        invitation: str | None = None,
        consent: bool = False,
        *,
        idempotency_key: str | None = None,
    ) -> Opening:
        """A channel with a hub or a person. Without `consent` it only says what that means."""
        answer: Opening = await self._call(
            "open",
            Opening,
            {
                "idempotencyKey": idempotency_key,
                "peer": peer,
                "amount": amount,
                "asset": asset,
                "peerAmount": peer_amount,
                "draw": draw,
                "fee": fee,
                "account": account,
                "challenge": challenge,
                "invitation": invitation,
                "consent": consent,
            },
        )
        return answer

    async def top_up(
        self, channel: str, amount: Units, *, idempotency_key: str | None = None
    ) -> Done:
        """More money of ours into a channel, by a transaction."""
        answer: Done = await self._call(
            "topUp", Done, {"idempotencyKey": idempotency_key, "channel": channel, "amount": amount}
        )
        return answer

    async def withdraw(
        self, channel: str, amount: Units, *, idempotency_key: str | None = None
    ) -> Done:
        """Money out of an open channel to our account, with the peer's consent."""
        answer: Done = await self._call(
            "withdraw",
            Done,
            {"idempotencyKey": idempotency_key, "channel": channel, "amount": amount},
        )
        return answer

    async def close(self, channel: str, *, idempotency_key: str | None = None) -> Done:
        """Ends a channel by agreement: machines are taken out first, then one transaction pays."""
        answer: Done = await self._call(
            "close", Done, {"idempotencyKey": idempotency_key, "channel": channel}
        )
        return answer

    async def leave(self, channel: str, *, idempotency_key: str | None = None) -> Done:
        """Ends a channel through the chain, alone against everybody."""
        answer: Done = await self._call(
            "leave", Done, {"idempotencyKey": idempotency_key, "channel": channel}
        )
        return answer

    async def claim(
        self,
        asset: str | None = None,
        amount: Units | None = None,
        to: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Done:
        """Takes credit out of the contract."""
        answer: Done = await self._call(
            "claim",
            Done,
            {"idempotencyKey": idempotency_key, "asset": asset, "amount": amount, "to": to},
        )
        return answer

    async def answer(
        self,
        offer: str,
        accept: bool,
        hand: Literal["rock", "paper", "scissors"] | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Answered:
        """Yes or no to an offer."""
        answer: Answered = await self._call(
            "answer",
            Answered,
            {"offer": offer, "accept": accept, "idempotencyKey": idempotency_key, "hand": hand},
        )
        return answer
