"""Transactions that bring money in or take it out by agreement, and claims."""

from __future__ import annotations

from collections.abc import Sequence

from perun.spec.properties import (
    Role,
)
from perun.types import (
    ETH,
    Address,
    Close,
    Open,
    Signature,
    Wei,
    Withdraw,
)
from tests.games.stateful.arena import Call
from tests.games.stateful.cast import GREATEST
from tests.games.stateful.forgery import compact, spoiled
from tests.games.stateful.instances import NOTHING
from tests.games.stateful.rooms import Offer, Room
from tests.games.stateful.table import MOST, Table, other_role


class MoneyCalls(Table):
    def _open(self) -> Sequence[Call]:
        room, rng = self._room(), self.rng
        role = rng.choice(list(Role))
        caller = role.account(room.channel)
        if role in room.honest:
            offers = any(room.live(role, self.arena.now))
            if offers or room.ended or room.key in self.arena.world.ms_contract.disputes:
                return ()
        if rng.random() < 0.08:
            caller = self._outsider(room)
        amount = self._amount()
        value = self._value(room.channel.asset, amount)
        return [Call("MSContract", "open", (room.channel, amount, self._later(9)), caller, value)]

    def _deposit(self) -> Sequence[Call]:
        room, rng = self._room(), self.rng
        amount = self._amount()
        asset = room.channel.asset
        if rng.random() < 0.05:
            asset = rng.choice(self.arena.stage.assets)  # lost, and harms nobody [B2]
        args = (asset, room.key[1], rng.random() < 0.5, amount, self._later(9))
        caller = rng.choice(self.arena.stage.people)
        return [Call("MSContract", "deposit", args, caller, self._value(asset, amount))]

    def _open_both(self) -> Sequence[Call]:
        room, rng = self._room(), self.rng
        role = rng.choice(list(Role))
        caller, drawn_on = role.account(room.channel), other_role(role).account(room.channel)
        if other_role(role) in room.honest and (
            any(room.live(other_role(role), self.arena.now)) or room.ended
        ):
            return ()
        if role in room.honest and (any(room.live(role, self.arena.now)) or room.ended):
            return ()
        limit = self._later(rng.choice((5, room.channel.challenge, room.channel.challenge + 1)))
        asset = room.channel.asset
        has = self.arena.world.ms_contract.credit(asset, drawn_on)
        drawn = Wei(rng.choice((has, has // 2, min(has, 5), has + 1 if rng.random() < 0.2 else 0)))
        share = Wei(rng.choice((0, 5, 10, 20)))
        if drawn > MOST:
            return ()
        amounts = (share, drawn) if role is Role.ALICE else (drawn, share)
        offer = Open(room.key[1], *amounts, limit)
        signature = room.sign_open(drawn_on, offer, self.arena.world)
        if rng.random() < 0.08:
            signature = spoiled(signature, rng)
        room.opens.append((offer, signature))
        if room.opens and rng.random() < 0.2:
            offer, signature = rng.choice(room.opens)
        if rng.random() < 0.05:
            caller = self._outsider(room)
        args = (room.channel, offer.alice_amount, offer.bob_amount, offer.valid_until, signature)
        share = offer.alice_amount if role is Role.ALICE else offer.bob_amount
        call = Call("MSContract", "openBoth", args, caller, self._value(asset, share))
        return [call, call] if rng.random() < 0.2 else [call]

    def _fund(self) -> Sequence[Call]:
        rng, stage = self.rng, self.arena.stage
        asset = rng.choice((ETH, *stage.assets, self._room().channel.asset))
        party = rng.choice(list(Role)).account(self._room().channel)
        account = rng.choice((*stage.people, party, party, party))
        if rng.random() < 0.04:
            account = Address(bytes(20))
        amount = self._amount()
        args = (asset, account, amount)
        return [
            Call("MSContract", "fund", args, rng.choice(stage.people), self._value(asset, amount))
        ]

    def _close(self) -> Sequence[Call]:
        """Make an offer, or use one that was made."""
        room, rng, world = self._room(), self.rng, self.arena.world
        if not room.closes or rng.random() < 0.5:
            newest = room.newest(Role.ALICE)
            net = newest.state.net if newest else Wei(0)
            if rng.random() < 0.15:
                net = Wei(net + rng.randint(-5, 5))
            if not -MOST <= net <= MOST:
                return ()
            limit = self._later(room.channel.challenge)
            offer = Offer(Close(room.key[1], net, limit, rng.choice((0, 0, 1, 2, 3, 252))))
            close = offer.message
            assert isinstance(close, Close)
            willing = [role for role in Role if room.may_sign_close(role, close, world)]
            for role in willing:
                if role in room.honest or rng.random() < 0.85:
                    room.sign_offer(offer, role, world)
            room.closes.append(offer)
        else:
            offer = rng.choice(room.closes)
        close = offer.message
        assert isinstance(close, Close)
        caller, signatures = self._hand_over(room, offer.signatures)
        args = (room.channel, close.net, close.valid_until, close.to_credit, *signatures)
        return [Call("MSContract", "close", args, caller)]

    def _withdraw(self) -> Sequence[Call]:
        room, rng, world = self._room(), self.rng, self.arena.world
        funds = self._funds(room)
        if not room.withdraws or rng.random() < 0.7:
            index = funds.withdrawals + (rng.random() < 0.08)
            total = max(0, min(40, funds.alice + funds.bob))
            amounts = [
                Wei(rng.choice((0, 1, total // 2, total))),
                Wei(rng.choice((0, 0, 1, total // 2))),
            ]
            limit = self._later(max(0, room.channel.challenge))
            offer = Offer(Withdraw(room.key[1], index, amounts[0], amounts[1], limit))
            withdraw = offer.message
            assert isinstance(withdraw, Withdraw)
            willing = [role for role in Role if room.may_sign_withdraw(role, withdraw, world)]
            for role in willing:
                if role in room.honest or rng.random() < 0.9:
                    room.sign_offer(offer, role, world)
            room.withdraws.append(offer)
        else:
            offer = rng.choice(room.withdraws)
        w = offer.message
        assert isinstance(w, Withdraw)
        caller, signatures = self._hand_over(room, offer.signatures)
        args = (room.channel, w.index, w.alice_amount, w.bob_amount, w.valid_until, *signatures)
        return [Call("MSContract", "withdraw", args, caller)]

    def _claim(self) -> Sequence[Call]:
        rng, ms, stage = self.rng, self.arena.world.ms_contract, self.arena.stage
        rich = [key for key, credit in ms.credits.items() if credit]
        if rich and rng.random() < 0.85:
            asset, account = rng.choice(rich)
            has = ms.credit(asset, account)
            amount = rng.choice((has, has // 2, min(has + 1, GREATEST), 0))
        else:
            asset, account, amount = rng.choice(stage.assets), rng.choice(stage.people), 1
        if account not in (*stage.people, *stage.wallets):
            return ()
        to = rng.choice((account, account, *stage.people, *stage.wallets, *stage.wallets))
        if rng.random() < 0.08:
            to = rng.choice((Address(bytes(20)), ms.domain.contract))
        return [Call("MSContract", "claim", (asset, amount, to), account)]

    def _hand_over(
        self, room: Room, signatures: dict[Role, Signature]
    ) -> tuple[Address, list[Signature]]:
        """A sender and the signatures it brings: its own may be left out, all may be spoiled."""
        rng = self.rng
        caller = self._outsider(room)
        given = [signatures.get(role, NOTHING) for role in Role]
        for position, role in enumerate(Role):
            if role in signatures and rng.random() < 0.3:
                caller = rng.choice((role.account(room.channel), room.key_of(role)))
                if rng.random() < 0.7:
                    given[position] = NOTHING
                break
        given = [compact(one, rng) for one in given]
        if rng.random() < 0.08:
            position = rng.randrange(2)
            given[position] = spoiled(given[position], rng)
        if rng.random() < 0.03:
            given.reverse()
        return caller, given
