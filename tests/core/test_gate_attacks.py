"""What cheats can make of a path over several hubs, and what comes of it on the chain."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.effects import Sign, SubmitEvidence
from perun.core.faults import BadProposal, InstanceRejected
from perun.core.hub.judge import judge
from perun.core.inputs import CommandDispute, CommandRemove
from perun.core.nanocontracts import gate
from perun.core.nanocontracts.gate import GATE, PATHS
from perun.core.nanocontracts.plays import CommandClock
from perun.core.nanocontracts.turn_game import TURN_GAME
from perun.core.notices import InstanceRefused, ProposalRefused
from perun.core.signing import digest
from perun.core.state import Intent, LegStatus, Purpose, Totals
from perun.core.states.proposing import want
from perun.core.states.valuation import alone, balance
from perun.core.states.verdict import Decision
from perun.crypto.signatures import verify
from perun.encoding.gate import GateDomain, open_evidence
from perun.encoding.messages import (
    Gathered,
    MalformedMessage,
    Play,
    Propose,
    RefuseInstance,
    RequestInstance,
    decode,
    encode,
)
from perun.errors import BadSignature
from perun.testing.ledger import DEPLOYMENT
from perun.testing.network import Letter, meant
from perun.testing.parties import Party
from perun.types import (
    ZERO_ADDRESS,
    Address,
    Final,
    Flip,
    Game,
    GameRecord,
    Gated,
    InstanceId,
    Opening,
    PathId,
    PathRecord,
    Seconds,
    Signature,
    Terms,
    UnixTime,
    Version,
    Wei,
)

from .crafted import carry_out
from .test_gates import (
    ALICE_WINS,
    ALICES,
    BOB_WINS,
    BOBS,
    begin,
    game,
    invitation,
    let_time_pass,
    path,
    play,
)
from .test_kinds import EACH
from .test_paths import FUNDS, LIFE, Row, new_row

NOBODY = Signature(b"")


@pytest.fixture
def row() -> Row:
    return new_row(2)


def wealth(row: Row) -> list[int]:
    """What each has won, in its channels or out of them."""
    won = [row.world.ledger.paid.get(party.account.address, 0) for party in row.parties]
    for number, id in enumerate(row.channels):
        view = row.parties[number].node.books.channels[id]
        net = 0 if view.agreed is None else int(view.agreed.state.net)
        moved = net if view.role == 0 else -net
        for other, gain in ((number, -moved), (number + 1, moved)):
            won[other] += -FUNDS if view.final.ended else gain
    return won


def wait(row: Row, seconds: int = LIFE + 2_500) -> None:
    """Nobody's user is there."""
    for _ in range(seconds // 30):
        row.world.advance(30)


def silence(row: Row, *parties: Party) -> None:
    silent = {party.peer for party in parties}
    row.world.network.rule = lambda letter: () if silent & set(letter[:2]) else (letter,)


def without(*parts: Callable[[Gathered], bool]) -> Callable[[Letter], tuple[Letter, ...]]:
    """Loses what is gathered, if it is so."""

    def rule(letter: Letter) -> tuple[Letter, ...]:
        said = meant(letter[2])
        lost = isinstance(said, Gathered) and any(part(said) for part in parts)
        return () if lost else (letter,)

    return rule


def openings(said: Gathered) -> bool:
    return any(said.openings)


def finals(said: Gathered) -> bool:
    return any(said.finals)


def end_of(row: Row) -> int:
    """Of the path."""
    terms = path(row.alice).terms
    assert isinstance(terms, Gated)
    return GATE.end_time(terms)


def on_chain(row: Row, id: InstanceId) -> PathRecord | None:
    on = row.world.ledger.instances.get(id)
    assert on is None or isinstance(on, PathRecord)
    return on


# ------------------------------------------------------------------------------- before it is open


def test_nobody_plays_before_it_holds_every_opening(row: Row) -> None:
    row.world.network.rule = without(lambda said: all(said.openings) and len(said.openings) == 4)
    begin(row)
    # Alice signs last, and nobody hears of it: she has the whole certificate, Bob has not.
    assert gate.is_open(path(row.alice))
    assert not gate.is_open(path(row.bob))
    assert row.world.network.said(Play) == []  # in the open: it goes in the ends' session
    theirs = game(row.bob)
    assert theirs is not None
    assert theirs.game is None or theirs.game.signed < 0
    assert balance(row.bob.node.books, row.bob.channel(row.hubs[1])).guaranteed == FUNDS

    # However late she opens it, Bob has signed nothing that could be brought there.
    row.world.network.rule = None
    silence(row, *row.parties)
    opened(row)
    wait(row)
    row.world.network.rule = None
    let_time_pass(row)
    assert row.gains() == [0, 0, 0, 0]


def opened(row: Row) -> None:
    """Alice brings the openings to the chain by a program of her own."""
    known = path(row.alice)
    terms = known.terms
    assert isinstance(terms, Gated)
    evidence = open_evidence(gate.path_of(DEPLOYMENT, terms), PATHS.of(known).openings)
    sent = SubmitEvidence(GATE.app(DEPLOYMENT), known.id, evidence)
    assert row.world.ledger.apply(sent, ZERO_ADDRESS)


def test_a_leg_removed_for_nothing_opens_no_others(row: Row) -> None:
    """Attack 19: the first hub lets Alice go at 0, and would sign for the others then."""
    first, second = row.hubs
    between = (second.peer, first.peer)
    row.world.network.rule = lambda letter: (
        () if letter[:2] == between and isinstance(meant(letter[2]), Gathered) else (letter,)
    )
    begin(row)
    assert PATHS.of(path(row.bob)).opening
    row.alice.do(CommandRemove(path(row.alice).id))
    row.world.settle()
    assert row.listed() == [0, 1, 1]
    row.world.network.rule = None
    row.world.advance(12, 3)
    # Bob and the second hub have signed; an honest first one never does.
    assert PATHS.of(path(second)).opening
    assert not PATHS.of(path(first)).opening

    # One that cheats has its own signature, and Alice's would be missing for ever.
    id = path(second).id
    own = row.world.sign(first.key.address, Opening(PathId(id)))
    row.world.network.inject(first.peer, row.alice.peer, Gathered(id, (NOBODY, own)))
    row.world.settle()
    assert not PATHS.of(path(row.alice)).opening
    let_time_pass(row)
    assert row.listed() == [0, 0, 0]
    assert row.gains() == [0, 0, 0, 0]


def removes_at_nothing(row: Row, party: Party, number: int) -> None:
    """`party` proposes the removal at 0 in a channel, whatever it has signed."""
    id = path(party).id
    books = party.node.books
    books.load(
        PATHS.into(books.instances[id], replace(PATHS.of(books.instances[id]), opening=False))
    )
    draft = Draft(books)
    want(draft, row.channels[number], Intent(Purpose.REMOVE, removes=id))
    carry_out(party, draft)
    row.world.settle()


def test_a_loser_gets_no_leg_back_once_it_is_open(row: Row) -> None:
    begin(row)
    row.world.network.rule = without(finals)
    play(row, ALICE_WINS)
    removes_at_nothing(row, row.bob, 2)
    assert row.listed() == [1, 1, 1]
    assert "opening is signed" in str(row.bob.told(ProposalRefused))


@pytest.mark.parametrize("who", range(4))
def test_an_opening_that_is_not_its_partys_is_not_taken(row: Row, who: int) -> None:
    row.world.network.rule = without(openings)
    begin(row)
    row.world.network.rule = None
    id, second = path(row.bob).id, row.hubs[1]
    forged = [NOBODY] * 4
    forged[who] = row.world.sign(row.hubs[0].key.address, Opening(PathId(InstanceId(bytes(32)))))
    row.world.network.inject(row.bob.peer, second.peer, Gathered(id, tuple(forged)))
    row.world.settle()
    assert not PATHS.of(path(second)).openings
    assert any(isinstance(fault, BadSignature) for _, fault in second.faults)


# ------------------------------------------------------------------------------------- its result


def test_a_party_signs_one_final_whatever_bob_signs(row: Row) -> None:
    """Attack 18: Bob, and the second hub, would give each leg another result."""
    first, second = row.hubs
    begin(row)
    row.world.network.rule = without(finals)
    play(row, ALICE_WINS)
    row.world.network.rule = None
    id = path(row.bob).id

    def signed(shift: int) -> Gathered:
        keys = (second.key.address, row.bob.key.address)
        by = [row.world.sign(key, Final(PathId(id), Wei(shift))) for key in keys]
        return Gathered(id, PATHS.of(path(first)).openings, (NOBODY, NOBODY, *by), Wei(shift))

    silence(row, row.bob, second)
    before = first.signer.asked
    for shift in (ALICES, 0, -BOBS):
        row.world.network.inject(second.peer, first.peer, signed(shift))
        row.world.settle()
    assert first.signer.asked == before + 1
    assert PATHS.of(path(first)).shift == ALICES
    # And Alice signs none that she has not won: it stays open, and the chain decides.
    row.world.network.rule = None
    assert not PATHS.of(path(row.alice)).final
    let_time_pass(row)
    assert row.listed() == [0, 0, 0]
    assert row.gains() == [BOBS, 0, 0, -BOBS]


def test_a_hub_alone_cannot_say_what_moves(row: Row) -> None:
    """Whoever signs before Bob has is not believed, and holds nothing up."""
    first, second = row.hubs
    begin(row)
    id = path(row.bob).id
    own = row.world.sign(second.key.address, Final(PathId(id), ALICES))
    row.world.network.inject(
        second.peer,
        first.peer,
        Gathered(id, PATHS.of(path(first)).openings, (NOBODY, NOBODY, own), ALICES),
    )
    row.world.settle()
    assert not PATHS.of(path(first)).final
    play(row, ALICE_WINS)
    assert row.gains() == [BOBS, 0, 0, -BOBS]


def test_a_whole_final_too_late_for_the_chain_moves_nothing_by_itself(row: Row) -> None:
    begin(row)
    row.world.network.rule = without(finals)
    play(row, ALICE_WINS)
    for party in row.parties:
        party.chain.mining = False
    end = end_of(row)
    wait(row, end - row.world.ledger.time - 90)
    row.world.network.rule = None
    row.world.advance(60)
    # Half a margin before the end.
    assert not any(PATHS.of(path(party)).final for party in (row.alice, *row.hubs))
    assert row.listed() == [1, 1, 1]


# ----------------------------------------------------------------------------------- on the chain


@pytest.mark.parametrize("gone", [0, 3])
@pytest.mark.parametrize("plies", [1, 2, 3])
def test_who_leaves_a_game_loses_it_by_the_clock(row: Row, gone: int, plies: int) -> None:
    """An end falls silent for good; its hub, too."""
    begin(row)
    play(row, ALICE_WINS[:plies])
    id = path(row.alice).id
    silence(row, row.parties[gone])
    wait(row)
    assert on_chain(row, id) == PathRecord(False, Wei(0))
    row.world.network.rule = None
    let_nobody_play(row)
    turn = plies % 2  # whose move it was
    moved = ALICES if turn == 0 else -BOBS
    assert row.listed() == [0, 0, 0]
    assert row.gains() == [-moved, 0, 0, moved]


def test_a_game_that_its_user_takes_to_the_chain_is_opened_there(row: Row) -> None:
    begin(row)
    play(row, ALICE_WINS[:1])
    known = game(row.alice)
    assert known is not None
    row.alice.do(CommandClock(known.id))
    row.world.advance(12, 2)
    # Its clocks run, and long before its validity the outcome is known; the path can wait.
    assert known.id in row.world.ledger.instances
    wait(row, 1_500)
    assert on_chain(row, path(row.alice).id) is None
    wait(row)
    let_nobody_play(row)
    assert row.gains() == [BOBS, 0, 0, -BOBS]


def let_nobody_play(row: Row) -> None:
    for _ in range(20):
        row.world.advance(30)


@pytest.mark.parametrize("leaving", range(4))
@pytest.mark.parametrize("cells", [ALICE_WINS, BOB_WINS, ALICE_WINS[:3]])
def test_whoever_leaves_through_the_chain_a_hub_is_where_it_was(
    row: Row, leaving: int, cells: tuple[int, ...]
) -> None:
    """Its leg is settled long before, or after, the others go off chain."""
    begin(row)
    row.world.network.rule = without(finals)
    play(row, cells)
    row.world.network.rule = None
    number = min(leaving, 2)
    row.parties[leaving].do(CommandDispute(row.channels[number]))
    row.world.settle()
    wait(row)
    moved = {ALICE_WINS: -BOBS, BOB_WINS: ALICES}.get(cells, -BOBS)
    assert wealth(row) == [-moved, 0, 0, moved]


def test_an_opening_in_the_last_second_is_heard_by_every_leg(row: Row) -> None:
    """Attack 16: what settles before, and what settles after, hears the same."""
    begin(row)
    row.world.network.rule = without(finals)
    play(row, ALICE_WINS)
    silence(row, *row.parties)
    theirs = game(row.alice)
    assert theirs is not None
    end = end_of(row)
    hubs = row.hubs
    hubs[0].do(CommandDispute(row.channels[1]))
    for party in (row.alice, row.bob):
        party.chain.mining = False
    row.world.advance(int(theirs.terms.validity - row.world.ledger.time))  # type: ignore[union-attr]
    due = TURN_GAME.due(Draft(row.alice.node.books), theirs)
    assert due is not None
    sent = SubmitEvidence(TURN_GAME.app(DEPLOYMENT), theirs.id, due.evidence)
    assert row.world.ledger.apply(sent, ZERO_ADDRESS)
    row.world.advance(int(end - row.world.ledger.time))
    assert on_chain(row, path(row.alice).id) is None
    opened(row)
    for party in (row.alice, row.bob):
        party.chain.mining = True
    row.world.network.rule = None
    let_nobody_play(row)
    assert wealth(row) == [BOBS, 0, 0, -BOBS]


def test_a_leg_that_stays_makes_whoever_holds_the_final_bring_it(row: Row) -> None:
    """A hub pays Alice by the final, and the one before Bob is gone: the chain hears it."""
    begin(row)
    play(row, ALICE_WINS[:4])
    second = row.hubs[1]

    def rule(letter: Letter) -> tuple[Letter, ...]:
        gathered = isinstance(meant(letter[2]), Gathered)
        return (letter,) if gathered or second.peer not in letter[:2] else ()

    row.world.network.rule = rule
    play(row, ALICE_WINS)
    assert row.listed() == [0, 1, 1]
    wait(row, LIFE + 30)
    assert on_chain(row, path(row.alice).id) == PathRecord(True, Wei(-BOBS))
    row.world.network.rule = None
    let_nobody_play(row)
    assert row.listed() == [0, 0, 0]
    assert row.gains() == [BOBS, 0, 0, -BOBS]


# ------------------------------------------------------------------------------------- signers


@pytest.mark.parametrize("who", range(4))
def test_what_a_slow_signer_had_not_signed_before_a_start_is_asked_again(
    row: Row, who: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the moment it is asked it counts as signed; and it is asked for nothing else."""
    party = row.parties[who]
    sign = party.signer.sign

    def slow(wish: Sign) -> tuple[Signature, ...] | None:
        waits = isinstance(wish.items[0].message, Opening | Final)
        return None if waits else sign(wish)

    monkeypatch.setattr(party.signer, "sign", slow)
    begin(row)
    assert PATHS.of(path(party)).opening
    assert not gate.is_open(path(party))
    assert GATE.known(terms_in(party), path(party), Totals(path(party).id)) is None
    monkeypatch.setattr(party.signer, "sign", sign)
    started_again(row, party)
    assert all(gate.is_open(path(one)) for one in row.parties)

    monkeypatch.setattr(party.signer, "sign", slow)
    play(row, ALICE_WINS)
    assert PATHS.of(path(party)).final
    assert row.listed() == [1, 1, 1]
    monkeypatch.setattr(party.signer, "sign", sign)
    started_again(row, party)
    assert row.listed() == [0, 0, 0]
    assert row.gains() == [BOBS, 0, 0, -BOBS]


def terms_in(party: Party) -> Gated:
    terms = path(party).terms
    assert isinstance(terms, Gated)
    return terms


def started_again(row: Row, party: Party) -> None:
    party.restart()
    row.world.settle()
    row.world.advance(12, 2)
    row.world.advance(12, 2)


# ------------------------------------------------------------------------------------- refusals


def asked(row: Row, terms: Terms, onward: tuple[bytes, ...]) -> list[str]:
    """What the first hub answers to Alice."""
    network = row.world.network
    message = RequestInstance(row.channels[0], terms, True, onward=onward)
    network.inject(row.alice.peer, row.hubs[0].peer, message)
    row.world.settle()
    assert not row.hubs[0].node.books.hub_instances
    return [one.reason for one in network.said(RefuseInstance) if isinstance(one, RefuseInstance)]


def terms_of(row: Row) -> Gated:
    """What Alice's node would invite to."""
    row.alice.do(invitation(row))
    (known,) = row.alice.node.books.invitations.values()
    assert isinstance(known.terms, Gated)
    return known.terms


STRANGER = Address(b"\x77" * 20)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda it: replace(it, parties=(*it.parties[:3], STRANGER)), "begins and ends"),
        (lambda it: replace(it, parties=(it.parties[0], *it.parties)), "each one once"),
        (lambda it: replace(it, parties=(*it.parties[:2], *it.parties[3:])), "two hubs or more"),
    ],
)
def test_a_wrong_list_of_parties_is_refused_in_words(
    row: Row, change: Callable[[Gated], Gated], why: str
) -> None:
    """Attack 20; an invited end checks the same."""
    onward = (row.hubs[1].peer, row.bob.peer)
    assert any(why in reason for reason in asked(row, change(terms_of(row)), onward))


def test_a_hub_that_is_no_party_takes_no_leg(row: Row) -> None:
    """Attack 20: a list without it, or with a false key."""
    terms = terms_of(row)
    parties = (terms.parties[0], STRANGER, *terms.parties[2:])
    onward = (row.hubs[1].peer, row.bob.peer)
    (why,) = asked(row, replace(terms, parties=parties), onward)
    assert "not among its parties" in why


def test_a_path_over_one_hub_is_refused_in_words(row: Row) -> None:
    (why,) = asked(row, terms_of(row), ())
    assert "paths over several hubs" in why


def test_nothing_goes_behind_a_gate_that_one_end_alone_could_decide(row: Row) -> None:
    """Attack 41: with all the openings in hand it would wait for the other's secret, or a price."""
    flip = next(terms for terms in EACH if isinstance(terms, Flip))
    view = row.alice.node.books.channels[row.channels[0]]
    with pytest.raises(InstanceRejected, match="only the inviter can pay"):
        gate.behind(view, flip, (row.hubs[1].peer,))
    forged = replace(terms_of(row), inside=flip)  # type: ignore[type-var]
    message = RequestInstance(row.channels[0], forged, True)
    with pytest.raises(MalformedMessage):
        decode(encode(message))


def test_an_end_that_knows_no_gate_refuses_in_words(row: Row) -> None:
    books = row.bob.node.books
    others = tuple(one for one in DEPLOYMENT.others if not isinstance(one, GateDomain))
    books.config = replace(books.config, deployment=replace(DEPLOYMENT, others=others))
    row.alice.do(invitation(row))
    row.world.settle()
    (refused,) = row.alice.told(InstanceRefused)
    assert isinstance(refused, InstanceRefused)
    assert "no such contract is known" in refused.reason
    assert not books.invitations


def test_a_whole_final_counts_as_long_as_it_can_be_brought_to_the_chain(row: Row) -> None:
    begin(row)
    play(row, ALICE_WINS[:4])
    row.world.network.rule = without_states
    play(row, ALICE_WINS)
    hub = row.hubs[0]
    known, chain = path(hub), hub.node.books.chain
    until = UnixTime(end_of(row) - hub.limits.margin)
    assert PATHS.of(known).until == until
    shown = GATE.decided(known, replace(chain, head_time=until))
    assert shown == -BOBS
    assert GATE.decided(known, replace(chain, head_time=UnixTime(until + 1))) is None
    # What is mined by then is final before it is believed.
    fixed = replace(known, final=PathRecord(True, Wei(-BOBS)))
    assert GATE.decided(fixed, replace(chain, head_time=UnixTime(until + 1))) == -BOBS


def test_what_nobody_has_opened_is_nothing_whatever_was_played(row: Row) -> None:
    begin(row)
    play(row, ALICE_WINS[:2])
    hub = row.hubs[0]
    known, end = path(hub), UnixTime(end_of(row) + 1)
    on = GameRecord(Version(3), 0, Wei(-BOBS), False, UnixTime(1), Seconds(0), Seconds(0))
    known = PATHS.into(known, replace(PATHS.of(known), settled=on, told=known.told))
    chain = replace(hub.node.books.chain, head_time=end, final_time=end, earlier_final=end)
    assert GATE.decided(known, chain) == 0
    opened = replace(known, final=PathRecord(False, Wei(0)))
    assert GATE.decided(opened, chain) == -BOBS


def test_no_leg_that_is_not_open_goes_at_a_price(row: Row) -> None:
    row.world.network.rule = without(openings)
    begin(row)
    hub = row.hubs[0]
    view = hub.node.books.channels[row.channels[0]]
    assert view.agreed is not None
    state = view.agreed.state
    (nano,) = state.nanos
    asks = Propose(replace(state, nanos=()), NOBODY, int(Purpose.REMOVE), removes=nano.id)
    draft = Draft(hub.node.books)
    assert judge(draft, view, asks, (nano,), (), 0).decision is Decision.ACCEPT
    for moved in (-1, 1):
        with pytest.raises(BadProposal, match="nothing moves"):
            judge(draft, view, asks, (nano,), (), moved)


def test_a_game_that_runs_counts_as_lost(row: Row) -> None:
    begin(row)
    play(row, ALICE_WINS[:1])
    view = row.alice.node.books.channels[row.channels[0]]
    assert balance(row.alice.node.books, view).guaranteed == FUNDS - ALICES
    assert alone(row.alice.node.books, view) == FUNDS - ALICES
    play(row, ALICE_WINS)
    view = row.alice.node.books.channels[row.channels[0]]
    assert balance(row.alice.node.books, view).guaranteed == FUNDS + BOBS


def without_states(letter: Letter) -> tuple[Letter, ...]:
    """Nobody hears a proposal: so all legs stay."""
    return () if isinstance(meant(letter[2]), Propose) else (letter,)


def test_a_game_that_stands_for_something_else_is_never_opened(row: Row) -> None:
    """Two ends have a hub carry their game by itself, and behind a gate, too."""
    first = row.hubs[0]
    begin_without_openings(row)
    books = first.node.books
    (inside,) = [one for one in books.instances.values() if isinstance(one.terms, Game)]
    books.load(replace(inside, gate=None))
    row.world.network.rule = None
    row.world.advance(12, 3)
    assert not PATHS.of(path(first)).opening


def begin_without_openings(row: Row) -> None:
    row.world.network.rule = without(openings)
    begin(row)


def test_an_invited_end_gives_another_half_than_for_the_game_alone(row: Row) -> None:
    terms, seed = terms_of(row), bytes(32)
    assert GATE.half(seed, terms)[0] != TURN_GAME.half(seed, terms.inside)[0]


def test_seven_hubs_are_too_many(row: Row) -> None:
    command = replace(invitation(row), route=7 * (row.hubs[1].peer,))
    with pytest.raises(InstanceRejected, match="two to 6 hubs"):
        row.alice.do(command)


def test_what_is_signed_the_contract_takes(row: Row) -> None:
    begin(row)
    kept, terms = PATHS.of(path(row.bob)), path(row.bob).terms
    assert isinstance(terms, Gated)
    hashed = digest(DEPLOYMENT, Opening(PathId(path(row.bob).id)))
    assert all(map(verify, 4 * [hashed], kept.openings, terms.parties))
    assert [leg.status for leg in path(row.alice).legs] == [LegStatus.LISTED]
