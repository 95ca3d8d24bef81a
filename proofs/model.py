"""The model in Coq: prove what is claimed of it, compare it with what runs, and break it.

`coq` compiles every file in a copy below `build/proofs/coq` and wants each claim to rest on no
axiom. `traces` has the model make the calls of the stateful games again. `mutants` changes a rule
of the model at a time: a proof, or a call of the games, must then fail.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from proofs.rows import Row

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "proofs" / "coq"
BUILD = ROOT / "build" / "proofs" / "coq"
CLOSED = "Closed under the global context"
CALLS = 2_000
"""Calls of the games that a short comparison makes; `--calls 100000` for a long one."""


class NoCoq(SystemExit):
    """Coq is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "coqc is not on PATH. Install Coq 8.16 (Debian: apt-get install coq), "
            "or name it by the variable COQC."
        )


def coqc(file: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Compile one file of the theory `Perun` that lies in `folder`."""
    command = [compiler(), "-q", "-Q", str(folder), "Perun", str(file)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def compiler() -> str:
    found = shutil.which(os.environ.get("COQC", "coqc"))
    if found is None:
        raise NoCoq
    return found


def files() -> list[str]:
    """The theory's files, each after those that it needs."""
    lines = (SOURCE / "_CoqProject").read_text().split()
    return [word for word in lines if word.endswith(".v")]


def needed(file: str) -> list[str]:
    """The file and all that it is built on, in the order of `files`."""
    wanted = {file}
    for name in reversed(files()):
        if name in wanted:
            text = (SOURCE / name).read_text()
            for line in re.findall(r"^From Perun Require \w+ (.*?)\.$", text, re.M):
                wanted |= {f"{word}.v" for word in line.split()}
    return [name for name in files() if name in wanted]


def copy(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SOURCE, folder)


def claims() -> list[str]:
    """What `Claims.v` asks about, in its order."""
    text = (SOURCE / "Claims.v").read_text()
    return re.findall(r"^  ([\w.]+),?$", text, re.M)


def proved_in() -> dict[str, str]:
    """The file that proves each claim."""
    found: dict[str, str] = {}
    for claim in claims():
        theorem = re.compile(rf"^Theorem {claim.rpartition('.')[2]}\b", re.M)
        module = claim.rpartition(".")[0]
        for name in files():
            text = (SOURCE / name).read_text()
            if theorem.search(text) and (not module or f"Module {module}." in text):
                found.setdefault(claim, name)
    return found


def coq() -> list[Row]:
    """Compile all; every claim must rest on nothing."""
    copy(BUILD)
    taken: dict[str, float] = {}
    closed = False
    for name in files():
        started = time.monotonic()
        done = coqc(BUILD / name, BUILD)
        taken[name] = time.monotonic() - started
        print(f"{'WRONG' if done.returncode else 'ok   '} {name:24} {taken[name]:6.1f} s")
        if done.returncode:
            print(done.stdout + done.stderr)
            break
        if name == "Claims.v":
            closed = done.stdout.strip() == CLOSED
            print(done.stdout.strip())
    return [
        Row(claim, "theorem, every history", closed, taken.get(name), name)
        for claim, name in proved_in().items()
    ]


def traces(calls: int = CALLS, seed: int = 0, folder: Path = BUILD) -> list[Row]:
    """Have the models make `calls` calls of the games, and be brought what nanocontracts were.

    The games themselves compare `perun.spec` with the contracts' bytecode at every step, so a
    contract that does anything else is noticed here as well.
    """
    if not (folder / "Replay.vo").exists():
        copy(folder)
        for name in needed("Replay.v"):
            coqc(folder / name, folder).check_returncode()
    rows = []
    for first in range(0, calls, 2000):
        count = min(2000, calls - first)
        for what, write in _written(seed + first, count):
            started = time.monotonic()
            wrong = _differs(write, folder)
            if wrong:
                print(wrong)
            kind, seconds = "replayed: bytecode, spec, model", time.monotonic() - started
            rows.append(Row(f"{what}, from {first + 1:,}", kind, not wrong, seconds))
            print(f"{'WRONG' if wrong else 'ok   '} {rows[-1].claim}", flush=True)
    return rows


def _differs(write: Callable[[], str], folder: Path) -> str:
    """What differs, if anything: bytecode from `perun.spec` in the game, or the model from it."""
    try:
        text = write()
    except AssertionError as difference:
        return f"the contract is not what perun.spec says: {difference}"
    (folder / "Cases.v").write_text(text)
    done = coqc(folder / "Cases.v", folder)
    return (done.stdout[-2000:] + done.stderr[-2000:]) if done.returncode else ""


def _written(seed: int, count: int) -> Iterator[tuple[str, Callable[[], str]]]:
    """What is made again, and what writes the file that Coq takes only if it does the same."""
    from proofs import calls, instances

    yield f"{count:,} calls of MSContract", lambda: calls.as_coq(*calls.record(seed, count))
    pieces = count // 5
    yield (
        f"{pieces:,} times evidence for each nanocontract",
        lambda: instances.as_coq(instances.record(seed, pieces)),
    )


# ----------------------------------------------------------------------------------------- mutants


@dataclass(frozen=True, slots=True)
class Mutant:
    """One rule of the model, changed."""

    what: str
    file: str
    old: str
    new: str


MUTANTS: Sequence[Mutant] = (
    Mutant(
        "settle pays on the deadline, not after it",
        "Contract.v",
        "check deadline d <? now w else DisputeStillOpen",
        "check deadline d <=? now w else DisputeStillOpen",
    ),
    Mutant(
        "an outcome is cut to the wrong side's lock",
        "Contract.v",
        "Z.max (- bob_lock n) (Z.min (if swapped n then - s else s) (alice_lock n))",
        "Z.max (- alice_lock n) (Z.min (if swapped n then - s else s) (bob_lock n))",
    ),
    Mutant(
        "swapped is forgotten",
        "Contract.v",
        "(Z.min (if swapped n then - s else s) (alice_lock n))",
        "(Z.min s (alice_lock n))",
    ),
    Mutant(
        "claim does not lower the credit",
        "Contract.v",
        "Done (with_credit w (a, account) (has - amount)).",
        "Done w.",
    ),
    Mutant(
        "a close leaves the money in the slot",
        "Contract.v",
        "let w := with_dispute (with_funds w k nothing) k None in\n  Done (pay_out",
        "let w := with_dispute w k None in\n  Done (pay_out",
    ),
    Mutant(
        "a newer state starts the clock again",
        "Contract.v",
        "| Some d => check now w <=? deadline d else TooLate; Done (deadline d)",
        "| Some d => check now w <=? deadline d else TooLate; Done (now w + challenge c)",
    ),
    Mutant(
        "a version that is not higher makes register fail",
        "Contract.v",
        "if v <=? version d then Done w",
        "if v <=? version d then Refused StateMismatch",
    ),
    Mutant(
        "Bob's word is not asked for",
        "Contract.v",
        "check agrees caller (bob c) (bob_key c) m by_bob else WrongSigner;",
        "",
    ),
    Mutant(
        "whoever sends the call counts as Alice",
        "Contract.v",
        "if given s || negb ((caller =? account) || (caller =? k)) then signed k m s else true.",
        "if given s then signed k m s else true.",
    ),
    Mutant(
        "a deposit is taken in the middle of a dispute",
        "Contract.v",
        "| Some _ => Refused InDispute\n  | None => raise_sides w k",
        "| Some _ | None => raise_sides w k",
    ),
    Mutant(
        "insolvent states are registered",
        "Contract.v",
        "check solvent (funds w (key c)) net nanos else Insolvent;\n  Done w.",
        "Done w.",
    ),
    Mutant(
        "a withdrawal lowers Alice's side alone",
        "Contract.v",
        "let b := of_bob f - bob_amount in",
        "let b := of_bob f in",
    ),
    Mutant(
        "locked money never comes free",
        "Contract.v",
        "| None => if expiry n <? t then Some {| nano := n; shift := 0 |} else None",
        "| None => None",
    ),
    Mutant(
        "openBoth draws without taking from the credit",
        "Contract.v",
        "do w <- debit w (asset c) drawn_on draws;",
        "",
    ),
    Mutant(
        "a withdrawal may be repeated",
        "Contract.v",
        "withdrawals := index + 1;",
        "withdrawals := index;",
    ),
    Mutant(
        "a party signs a version twice",
        "Parties.v",
        "may_rise : highest s < number t;",
        "may_rise : highest s <= number t;",
    ),
    Mutant(
        "a signature leaves before it is on disk",
        "Parties.v",
        "| leaves : forall m, Kept (disk x) m ->",
        "| leaves : forall m, Kept (memory x) m ->",
    ),
    Mutant(
        "a start forgets what is unresolved",
        "Parties.v",
        "disk := disk x; memory := disk x;\n                view := None;",
        "disk := disk x; memory := fresh_store (owed (disk x));\n                view := None;",
    ),
    Mutant(
        "a party counts on a state whose dispute it sees",
        "Parties.v",
        "| completes : forall t, seen_dispute v = false -> In t (unresolved s) ->",
        "| completes : forall t, In t (unresolved s) ->",
    ),
    Mutant(
        "a party signs what a live Withdraw makes insolvent",
        "Parties.v",
        "covers f t /\\ forall y, x = Some y -> covers (after f y) t.",
        "covers f t.",
    ),
    Mutant(
        "a Withdraw is signed whatever is unresolved",
        "Parties.v",
        "(forall t, In t (newest s :: unresolved s) -> covers (after (seen_funds v) x) t) ->",
        "covers (after (seen_funds v) x) (newest s) ->",
    ),
    Mutant(
        "two Withdraws are alive at once",
        "Parties.v",
        "| offers_withdraw : forall x, taking s = None ->",
        "| offers_withdraw : forall x,",
    ),
    Mutant(
        "an offer counts as lapsed in its last second",
        "Parties.v",
        "closes := filter (fun o => now w <=? close_until o) (closes s);",
        "closes := filter (fun o => now w <? close_until o) (closes s);",
    ),
    Mutant(
        "a Close moves other money than the newest state",
        "Parties.v",
        "| offers_close : forall o, listed (newest s) = [] -> close_net o = net_of (newest s) ->",
        "| offers_close : forall o, listed (newest s) = [] ->",
    ),
    Mutant(
        "a Close is signed while instances are listed",
        "Parties.v",
        "| offers_close : forall o, listed (newest s) = [] -> close_net o = net_of (newest s) ->",
        "| offers_close : forall o, close_net o = net_of (newest s) ->",
    ),
    Mutant(
        "what is higher than a completed state is forgotten",
        "Parties.v",
        "unresolved := filter (fun u => number t <? number u) (unresolved s);",
        "unresolved := [];",
    ),
    Mutant(
        "a user counts by the newest state alone",
        "Parties.v",
        "| reckons : forall n, (forall e, In e (ways s) -> n <= worth e) ->",
        "| reckons : forall n, n <= worth (way (newest s)) ->",
    ),
    Mutant(
        "a challenge is as short as looking and answering take",
        "Parties.v",
        "freshness + margin < challenge c.",
        "freshness <= challenge c.",
    ),
    Mutant(
        "an account's transaction gives a word that no disk knows",
        "Parties.v",
        "(if as_bob then sb else sa) <> Unsigned.",
        "True.",
    ),
    Mutant(
        "a hub signs one half first",
        "Hub.v",
        "| adds_first : lock_b = 0 -> newest_leg",
        "| adds_first : newest_leg",
    ),
    Mutant(
        "a hub writes its two channels one after the other",
        "Hub.v",
        "| writes_ : Step_ h {| time := time h; record := record h; on_disk := in_memory h;",
        "| writes_ : Step_ h {| time := time h; record := record h;\n"
        "      on_disk := with_first (on_disk h) (first (in_memory h));",
    ),
    Mutant(
        "a hub removes from one channel what nobody has decided",
        "Hub.v",
        "| removes_first : forall f, decided (time h) (record h) f ->"
        "                  (* (a), (b) *)\n      newest_leg",
        "| removes_first : forall f, newest_leg",
    ),
    Mutant(
        "a hub pays by evidence that comes too late",
        "Hub.v",
        "Forces e s -> in_time e (time h) (record h) ->       (* (c) *)",
        "Forces e s ->",
    ),
    Mutant(
        "a hub does not bring the evidence that it relies on",
        "Hub.v",
        "      relies (in_memory h) (counted h) t (record h) ->\n",
        "",
    ),
    Mutant(
        "a hub lets itself be paid less than it paid",
        "Hub.v",
        "In (removed s) (second l) -> s <= s' ->",
        "In (removed s) (second l) ->",
    ),
    Mutant(
        "a hub removes a pair at two shifts",
        "Hub.v",
        "{| first := [removed s]; second := [removed s]; evidence := evidence l |}",
        "{| first := [removed s]; second := [removed (s + 1)]; evidence := evidence l |}",
    ),
    Mutant(
        "the first of two awards that differ stays",
        "Escrow.v",
        "then {| rank := 2; decided_shift := 0; until := ends d t o |}",
        "then {| rank := 2; decided_shift := decided_shift r; until := ends d t o |}",
    ),
    Mutant(
        "better evidence gives a deal more time",
        "Escrow.v",
        "match o with Some r => until r | None => t + e_challenge d end.",
        "match o with Some _ => t + e_challenge d | None => t + e_challenge d end.",
    ),
    Mutant(
        "an award may be more than a lock",
        "Escrow.v",
        "(- e_bob_lock d <=? s) && (s <=? e_alice_lock d).",
        "(- e_bob_lock d <=? s).",
    ),
    Mutant(
        "a machine's first statements may come late",
        "VPM.v",
        "| None => validity m end in\n      if limit <? t then o",
        "| None => t end in\n      if limit <? t then o",
    ),
    Mutant(
        "a lock's secret counts after its deadline",
        "HashTimeLock.v",
        "else if last l <? t then None",
        "",
    ),
    Mutant(
        "a silent player of a coin flip pays nothing",
        "Secrets.v",
        "Some (if b then t_alice_lock f else - t_bob_lock f)",
        "Some 0",
    ),
    Mutant(
        "a move on chain costs no time",
        "TurnGame.v",
        "if turn r =? 1 then left_alice r - used else left_alice r;",
        "left_alice r;",
    ),
    Mutant(
        "a signed position counts after a move on chain",
        "TurnGame.v",
        "Some r => live r || (v <=? number r)",
        "Some r => v <=? number r",
    ),
)


def mutants() -> list[Row]:
    """Each change of a rule must be noticed."""
    rows = []
    for mutant in MUTANTS:
        started = time.monotonic()
        noticed = notices(mutant)
        note = f"breaks {noticed}" if noticed else "not noticed"
        seconds = time.monotonic() - started
        rows.append(
            Row(mutant.what, "changed rule of the model", noticed is not None, seconds, note)
        )
        print(f"{'ok   ' if noticed else 'WRONG'} {mutant.what:56} {note}", flush=True)
    return rows


def notices(mutant: Mutant) -> str | None:
    """Which file no longer holds, or "a replayed trace"; None if all is as before."""
    folder = BUILD.with_name("mutant")
    copy(folder)
    order = files()
    first = order.index(mutant.file)
    for name in order[:first]:
        compiled = BUILD / Path(name).with_suffix(".vo").name
        if compiled.exists() and (BUILD / name).read_bytes() == (SOURCE / name).read_bytes():
            shutil.copy2(compiled, folder)
        else:
            coqc(folder / name, folder).check_returncode()
    path = folder / mutant.file
    text = path.read_text()
    if text.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.what}: found {text.count(mutant.old)} times, wanted once")
    path.write_text(text.replace(mutant.old, mutant.new))
    for name in order[first:]:
        if coqc(folder / name, folder).returncode:
            return name
    return None if all(row.good for row in traces(300, folder=folder)) else "a replayed trace"
