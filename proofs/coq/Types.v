(** What the contracts are about: money, time, who has said what (protocol, sections 2 and 3).

    Names and order are those of [perun.types] and [perun.spec], to be read beside them.  Two
    things are simpler here than on the chain, and nothing else is:

    - a hash is the thing that was hashed.  A channel's id is its channel, the hash of a state is
      the state: "hashes do not collide" is built in, not assumed somewhere;
    - a signature is a key together with the message that it signed.  Who may hold which signature
      is said in [Trace.v]: everybody has those that were given, and nobody has others. *)

From Coq Require Export ZArith List Bool Lia.
Export ListNotations.
Open Scope Z_scope.

Definition MAX_AMOUNT : Z := 2 ^ 111 - 1.
Definition MOST_CREDIT : Z := 2 ^ 256 - 1.
Definition MAX_DEADLINE : Z := 2 ^ 34 - 1.
Definition MOST_WITHDRAWALS : Z := 2 ^ 30 - 1.
Definition MAX_NANOS : nat := 64.

Definition Address := Z.
Definition Asset := Z.
Definition ETH : Asset := 0.
Definition ZERO_ADDRESS : Address := 0.

Record Channel := {
  alice : Address;
  bob : Address;
  alice_key : Address;
  bob_key : Address;
  asset : Asset;
  challenge : Z;
  nonce : Z
}.

(** The id of a channel, or 32 bytes that are the hash of none: a deposit may name those too. *)
Inductive ChannelId := id_of (channel : Channel) | no_channel (word : Z).

Record Nano := {
  app : Address;
  nano_id : Z;
  alice_lock : Z;
  bob_lock : Z;
  expiry : Z;
  swapped : bool
}.

(** What can be signed for [MSContract]. *)
Inductive Message :=
  | State (channel : ChannelId) (version net : Z) (nanos : list Nano)
  | Close (channel : ChannelId) (net valid_until to_credit : Z)
  | Withdraw (channel : ChannelId) (index alice_amount bob_amount valid_until : Z)
  | Open (channel : ChannelId) (alice_amount bob_amount valid_until : Z).

(** [Unsigned] stands for no bytes at all, [Garbage] for bytes that no key has made. *)
Inductive Signature := Unsigned | Garbage | Signed (key : Address) (message : Message).

Lemma Channel_eq_dec : forall a b : Channel, {a = b} + {a <> b}.
Proof. repeat decide equality. Defined.
Lemma ChannelId_eq_dec : forall a b : ChannelId, {a = b} + {a <> b}.
Proof. decide equality; [ apply Channel_eq_dec | apply Z.eq_dec ]. Defined.
Lemma Nano_eq_dec : forall a b : Nano, {a = b} + {a <> b}.
Proof. repeat decide equality. Defined.
Lemma Message_eq_dec : forall a b : Message, {a = b} + {a <> b}.
Proof.
  decide equality; try apply Z.eq_dec; try apply ChannelId_eq_dec.
  apply (list_eq_dec Nano_eq_dec).
Defined.

(** Where a channel's money is found: by asset and id together [B2]. *)
Definition Key := (Asset * ChannelId)%type.
Lemma Key_eq_dec : forall a b : Key, {a = b} + {a <> b}.
Proof. decide equality; [ apply ChannelId_eq_dec | apply Z.eq_dec ]. Defined.

Definition Purse := (Asset * Address)%type.
Lemma Purse_eq_dec : forall a b : Purse, {a = b} + {a <> b}.
Proof. decide equality; apply Z.eq_dec. Defined.

(** A channel's first slot: what each side has put in minus what it took out.  A side that took
    out what it had received stands below zero; never the sum. *)
(* Bytecode: check_sides_are_read_back, check_withdrawals_count, check_layout_covers_the_word. *)
Record Funds := { of_alice : Z; of_bob : Z; withdrawals : Z; drawn : bool }.
Definition nothing : Funds :=
  {| of_alice := 0; of_bob := 0; withdrawals := 0; drawn := false |}.

(** A channel's second slot: the state that counts unless a newer one comes by [deadline]. *)
(* Bytecode: check_dispute_is_read_back, check_settling_keeps_deadline_and_version. *)
Record Dispute := {
  version : Z;
  deadline : Z;
  registered_net : Z;
  registered_nanos : list Nano;
  settling : bool
}.

(** [shift] of the locked money of [nano] goes from the channel's Alice to its Bob. *)
Record Resolved := { nano : Nano; shift : Z }.
Definition to_alice (r : Resolved) : Z := alice_lock (nano r) - shift r.
Definition to_bob (r : Resolved) : Z := bob_lock (nano r) + shift r.

(** What ended a channel, or a part of it: for the theorems; the contract keeps none of it. *)
Record Payout := {
  of_channel : Channel;
  before : Funds;
  payout_net : Z;
  resolved : list Resolved;
  remaining : list Nano;
  alice_paid : Z;
  bob_paid : Z;
  payout_version : option Z;  (** None for a co-signed [Close] *)
  was_settling : bool
}.

Definition sum {A} (f : A -> Z) (l : list A) : Z := fold_right (fun x s => f x + s) 0 l.

Definition update {K V} (eq : forall a b : K, {a = b} + {a <> b}) (m : K -> V) (k : K) (v : V)
  : K -> V := fun k' => if eq k k' then v else m k'.

Lemma update_same : forall K V eq (m : K -> V) k v, update eq m k v k = v.
Proof. intros. unfold update. destruct (eq k k); congruence. Qed.
Lemma update_other : forall K V eq (m : K -> V) k v k', k <> k' -> update eq m k v k' = m k'.
Proof. intros. unfold update. destruct (eq k k'); congruence. Qed.

(** Powers of two are names to the provers, never written out. *)
Arguments Z.pow : simpl never.
Arguments Z.sub : simpl never.
Arguments Z.add : simpl never.
Arguments Z.min : simpl never.
Arguments Key_eq_dec : simpl never.
Arguments Purse_eq_dec : simpl never.
Arguments ChannelId_eq_dec : simpl never.
Arguments Message_eq_dec : simpl never.
Arguments MAX_AMOUNT : simpl never.
Arguments MOST_CREDIT : simpl never.
Global Opaque MAX_AMOUNT MOST_CREDIT MAX_DEADLINE MOST_WITHDRAWALS MAX_NANOS.
