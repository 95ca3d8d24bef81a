(** Calls that were made elsewhere, made here again: [proofs/calls.py] writes them down while the
    stateful games play them on [perun.spec] and on the bytecode, and asks here whether this model
    does the same: the same refusal, or the same money, disputes and credits everywhere. *)

From Perun Require Export Contract.

Lemma Refusal_eq_dec : forall a b : Refusal, {a = b} + {a <> b}.
Proof. decide equality. Defined.
Lemma Funds_eq_dec : forall a b : Funds, {a = b} + {a <> b}.
Proof. repeat decide equality. Defined.
Lemma Dispute_eq_dec : forall a b : Dispute, {a = b} + {a <> b}.
Proof. decide equality; try apply Z.eq_dec; try apply bool_dec. apply (list_eq_dec Nano_eq_dec). Defined.

(** What of a world a call can reach. *)
Record Seen := {
  balances : list (Asset * Z);
  channels : list (Key * Funds * option Dispute);
  purses : list (Purse * Z)
}.

Record Case := {
  at_ : Z;
  had : Seen;
  brings : option Z;                (** what a token's transfer brings, if it is not refused *)
  undelivered : list Address;       (** payees whose payout does not arrive *)
  outcomes : list (Nano * Z);       (** nanos whose app says "done" *)
  by_ : Address;
  with_ : Z;
  made : Call;
  expected : Refusal + Seen
}.

Definition world (c : Case) : World :=
  let w := with_now start (at_ c) in
  let w := fold_left (fun w '(a, n) => with_balance w a n) (balances (had c)) w in
  let w := fold_left (fun w '(k, f, d) => with_dispute (with_funds w k f) k d)
                     (channels (had c)) w in
  fold_left (fun w '(p, n) => with_credit w p n) (purses (had c)) w.

Definition answers_of (l : list (Nano * Z)) (n : Nano) : option Z :=
  match find (fun '(m, _) => if Nano_eq_dec m n then true else false) l with
  | Some (_, s) => Some s
  | None => None
  end.

Definition strangers (c : Case) : Strangers := {|
  arrives := fun _ => brings c;
  delivers := fun a => negb (existsb (Z.eqb a) (undelivered c));
  outcome := answers_of (outcomes c)
|}.

Definition is_so (w : World) (s : Seen) : bool :=
  forallb (fun '(a, n) => balance w a =? n) (balances s)
  && forallb (fun '(k, f, d) =>
       (if Funds_eq_dec (funds w k) f then true else false)
       && match disputes w k, d with
          | None, None => true
          | Some x, Some y => if Dispute_eq_dec x y then true else false
          | _, _ => false
          end) (channels s)
  && forallb (fun '(p, n) => credits w p =? n) (purses s).

Definition as_expected (self : Address) (c : Case) : bool :=
  match run self (world c) (strangers c) (by_ c) (with_ c) (made c), expected c with
  | Done w, inr s => is_so w s
  | Refused why, inl why' => if Refusal_eq_dec why why' then true else false
  | _, _ => false
  end.

(** The numbers of the cases in which this model does something else. *)
Definition disagreements (self : Address) (cases : list Case) : list nat :=
  map fst (filter (fun '(_, c) => negb (as_expected self c))
                  (combine (seq 0 (length cases)) cases)).

(** ** Nanocontracts *)

From Perun Require Export VPM HashTimeLock Secrets TurnGame Escrow HashChain PriceBet.

(** One thing that was brought to an instance: what was stored, what is stored now, what it answers
    now. *)
Record Brought (P E R : Type) := {
  terms : P; when : Z; piece : E; stored : option R; kept_ : option R; says_ : option Z
}.
Arguments terms {P E R}. Arguments when {P E R}. Arguments piece {P E R}.
Arguments stored {P E R}. Arguments kept_ {P E R}. Arguments says_ {P E R}.

Definition same_answer (a b : option Z) : bool :=
  match a, b with
  | None, None => true
  | Some x, Some y => x =? y
  | _, _ => false
  end.

Section Instances.
Variables P E R : Type.
Variable submit : P -> Z -> E -> option R -> option R.
Variable answer : P -> Z -> option R -> option Z.
Variable alike : R -> R -> bool.

Definition does_the_same (b : Brought P E R) : bool :=
  let after := submit (terms b) (when b) (piece b) (stored b) in
  match after, kept_ b with
  | None, None => true
  | Some x, Some y => alike x y
  | _, _ => false
  end && same_answer (answer (terms b) (when b) after) (says_ b).

Definition differing (l : list (Brought P E R)) : list nat :=
  map fst (filter (fun '(_, b) => negb (does_the_same b)) (combine (seq 0 (length l)) l)).
End Instances.

Definition of_machines := differing _ _ _ VPM.submit (fun _ => VPM.outcome) (fun x y =>
  (VPM.by_alice x =? VPM.by_alice y) && (VPM.by_bob x =? VPM.by_bob y)
  && (VPM.deadline x =? VPM.deadline y)).

Definition of_locks := differing _ _ _ HashTimeLock.submit (fun _ => HashTimeLock.outcome) Z.eqb.

Definition same_secrets (x y : TwoSecrets.Revealed) : bool :=
  match x, y with
  | TwoSecrets.one_ b x d, TwoSecrets.one_ b' x' d' => Bool.eqb b b' && (x =? x') && (d =? d')
  | TwoSecrets.both s, TwoSecrets.both s' => s =? s'
  | _, _ => false
  end.
Definition of_flips := differing _ _ _ CoinFlip.submit CoinFlip.outcome same_secrets.
Definition of_hands :=
  differing _ _ _ RockPaperScissors.submit RockPaperScissors.outcome same_secrets.

Definition of_streams := differing _ _ _ HashChain.submit HashChain.outcome (fun x y =>
  (HashChain.total x =? HashChain.total y) && (HashChain.deadline x =? HashChain.deadline y)).

Definition of_bets := differing _ _ _ PriceBet.submit (fun _ => PriceBet.outcome) (fun x y =>
  Bool.eqb (PriceBet.void x) (PriceBet.void y) && (PriceBet.priced x =? PriceBet.priced y)
  && (PriceBet.deadline x =? PriceBet.deadline y)).

Definition of_deals := differing _ _ _ Escrow.submit (fun _ => Escrow.outcome) (fun x y =>
  (Escrow.rank x =? Escrow.rank y) && (Escrow.decided_shift x =? Escrow.decided_shift y)
  && (Escrow.until x =? Escrow.until y)).

(** Banks of a finished game are kept by nobody. *)
Definition of_games := differing _ _ _ TurnGame.submit (fun _ => TurnGame.outcome) (fun x y =>
  (TurnGame.turn x =? TurnGame.turn y) && Bool.eqb (TurnGame.live x) (TurnGame.live y)
  && (TurnGame.start x =? TurnGame.start y) && (TurnGame.number x =? TurnGame.number y)
  && if TurnGame.turn x =? 0 then TurnGame.ends_with x =? TurnGame.ends_with y
     else (TurnGame.left_alice x =? TurnGame.left_alice y)
          && (TurnGame.left_bob x =? TurnGame.left_bob y)).
