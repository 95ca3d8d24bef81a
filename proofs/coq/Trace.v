(** Histories: what may happen, and in which worlds one can find oneself.

    The adversary is everybody but the chain.  It chooses who calls what, when, in which order, how
    often; what tokens bring, which payouts arrive, what nanocontracts answer; how time passes; and
    who signs what, for any key.  What it cannot do is use a signature that was never given: the
    theorems say of an honest party that it lost nothing but by what stands in [given], and an
    honest party gives what it means to. *)

From Perun Require Export Contract.

Definition Given := list (Address * Message).

Definition has (g : Given) (s : Signature) : Prop :=
  match s with Signed k m => In (k, m) g | _ => True end.

Definition signatures_of (call : Call) : list Signature :=
  match call with
  | call_open_both _ _ _ _ s => [s]
  | call_close _ _ _ _ a b => [a; b]
  | call_withdraw _ _ _ _ _ a b => [a; b]
  | call_register _ _ _ _ a b _ => [a; b]
  | _ => []
  end.

Inductive Step (self : Address) : World * Given -> World * Given -> Prop :=
  | signs : forall w g k m, Step self (w, g) (w, (k, m) :: g)
  | passes : forall w g seconds, 0 <= seconds -> Step self (w, g) (with_now w (now w + seconds), g)
  | gift : forall w g a n, 0 <= n -> Step self (w, g) (with_balance w a (balance w a + n), g)
  | calls : forall w g o caller value call w',
      Forall (has g) (signatures_of call) ->
      run self w o caller value call = Done w' ->
      Step self (w, g) (w', g).

Inductive Steps (self : Address) : World * Given -> World * Given -> Prop :=
  | none : forall x, Steps self x x
  | more : forall x y z, Steps self x y -> Step self y z -> Steps self x z.

Definition reachable (self : Address) (w : World) (g : Given) : Prop :=
  Steps self (start, []) (w, g).

(** Somebody has said a message when its key has signed it, or when the message came with a
    transaction that its account or its key sent. *)
Definition said (w : World) (g : Given) (account key : Address) (m : Message) : Prop :=
  In (key, m) g \/ In (account, m) (sent w) \/ In (key, m) (sent w).

Definition both_said (w : World) (g : Given) (c : Channel) (m : Message) : Prop :=
  said w g (alice c) (alice_key c) m /\ said w g (bob c) (bob_key c) m.

(** A state that both said; or the start of every channel, which needs nobody's word. *)
Definition agreed (w : World) (g : Given) (c : Channel) (v net : Z) (nanos : list Nano) : Prop :=
  (v = 0 /\ net = 0 /\ nanos = []) \/ both_said w g c (State (id_of c) v net nanos).

(** Taking a call's result apart. *)
Ltac taken H :=
  repeat (
    first
      [ progress cbn [bind] in H
      | match type of H with
        | Refused _ = Done _ => discriminate H
        | Done _ = Done _ => injection H as H
        | context [bind ?r _] => let E := fresh "E" in destruct r eqn:E
        | context [match ?x with _ => _ end] => let E := fresh "E" in destruct x eqn:E
        end ]).

Ltac numbers :=
  repeat match goal with
  | H : (_ && _)%bool = true |- _ => apply andb_prop in H; destruct H
  | H : (_ || _)%bool = true |- _ => apply orb_prop in H
  | H : negb _ = true |- _ => apply negb_true_iff in H
  | H : negb _ = false |- _ => apply negb_false_iff in H
  | H : (_ <=? _) = true |- _ => apply Z.leb_le in H
  | H : (_ <=? _) = false |- _ => apply Z.leb_gt in H
  | H : (_ <? _) = true |- _ => apply Z.ltb_lt in H
  | H : (_ <? _) = false |- _ => apply Z.ltb_ge in H
  | H : (_ =? _) = true |- _ => apply Z.eqb_eq in H
  | H : (_ =? _) = false |- _ => apply Z.eqb_neq in H
  | H : (_ =? _)%nat = true |- _ => apply Nat.eqb_eq in H
  | H : (_ =? _)%nat = false |- _ => apply Nat.eqb_neq in H
  end.
