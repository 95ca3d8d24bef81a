(** Calls that were made elsewhere, made here again: [proofs/traces.py] writes them down while the
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
