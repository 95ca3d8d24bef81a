(** Two secrets decide who pays: what [CoinFlip] and [RockPaperScissors] have in common (protocol,
    section 4), and these two.

    The first secret, by [validity], gives the other side [window] seconds.  Both known: done at
    once.  The other stays silent: it pays its whole lock.  Nobody speaks: never done. *)

From Perun Require Export Nanocontracts.

Module TwoSecrets.
Record Terms := {
  t_alice_lock : Z; t_bob_lock : Z; t_validity : Z; window : Z;
  decides : Z -> Z -> Z   (** Alice's secret, then Bob's: what moves from her to him *)
}.
(** What is stored: the secret of one side and until when the other may come, or who pays. *)
Inductive Revealed := one_ (by_bob : bool) (secret deadline : Z) | both (shift : Z).
Record Secret := { of_bob_ : bool; word : Z; right : bool }.

Definition submit (f : Terms) (t : Z) (e : Secret) (o : option Revealed) : option Revealed :=
  match o with
  | Some (both s) => o
  | Some (one_ b x d) =>
      if Bool.eqb b (of_bob_ e) then o
      else if d <? t then o
      else if negb (right e) then o
      else Some (both (if b then decides f (word e) x else decides f x (word e)))
  | None =>
      if t_validity f <? t then None
      else if negb (right e) then None
      else if (MAX_AMOUNT <? t_alice_lock f) || (MAX_AMOUNT <? t_bob_lock f) then None
      else if MAX_DEADLINE <? t_validity f + window f then None
      else Some (one_ (of_bob_ e) (word e) (t + window f))
  end.

(** Who stays silent pays its whole lock. *)
Definition outcome (f : Terms) (t : Z) (o : option Revealed) : option Z :=
  match o with
  | None => None
  | Some (both s) => Some s
  | Some (one_ b _ d) =>
      if t <=? d then None else Some (if b then t_alice_lock f else - t_bob_lock f)
  end.

Definition final_time (f : Terms) : Z := t_validity f + window f.

Definition begins (f : Terms) (o : option Revealed) : Prop :=
  match o with
  | None => True
  | Some r => t_alice_lock f <= MAX_AMOUNT /\ t_bob_lock f <= MAX_AMOUNT
              /\ match r with
                 | one_ _ _ d => d <= final_time f
                 | both s => - t_bob_lock f <= s <= t_alice_lock f
                 end
  end.

Definition within_locks (f : Terms) : Prop :=
  0 <= t_alice_lock f /\ 0 <= t_bob_lock f
  /\ forall x y, - t_bob_lock f <= decides f x y <= t_alice_lock f.

(** Nobody pays more than its lock, and the answer fits what the chain reads. *)
Theorem an_outcome_is_within_the_locks : forall f t o s, within_locks f -> begins f o ->
  outcome f t o = Some s -> - t_bob_lock f <= s <= t_alice_lock f /\ fits_int112 s.
Proof.
  intros f t o s (A & B & _) G O. destruct o as [[b x d|s']|]; [| | discriminate ];
    destruct G as (La & Lb & G); simpl in O; cases; try discriminate; injection O as <-;
    unfold fits_int112; change MAX_AMOUNT with (2 ^ 111 - 1) in *; lia.
Qed.

Theorem kept : forall f, 0 <= window f -> within_locks f ->
  Kept _ _ (submit f) (outcome f) (final_time f) (begins f).
Proof.
  intros f W Within. pose proof Within as (_ & _ & D). constructor.
  - intros t e o B. pose proof (D (word e)) as Dx.
    destruct o as [[b x d|s]|]; simpl in *; cases; auto; simpl; numbers; unfold final_time in *;
      repeat match goal with H : _ /\ _ |- _ => destruct H end; repeat split; auto; try lia;
      first [ apply Dx | apply D ].
  - intros t t' o s _ T A. destruct o as [[b x d|s']|]; simpl in *; cases; numbers;
      try discriminate; auto; exfalso; lia.
  - intros t e o s _ A. destruct o as [[b x d|s']|]; simpl in *; [| exact A | discriminate ].
    cases; numbers; try discriminate; simpl; cases; numbers; auto; exfalso; lia.
  - intros t t' o B L T A. destruct o as [[b x d|s']|]; simpl in *; cases; numbers;
      try discriminate; auto; exfalso; lia.
  - intros t e o B L A. destruct o as [[b x d|s']|]; simpl in *.
    + exfalso. cases; numbers; try discriminate; lia.
    + discriminate.
    + unfold final_time in L. cases; numbers; auto; exfalso; lia.
  - intros t o s B A. exact (proj2 (an_outcome_is_within_the_locks f t o s Within B A)).
Qed.

(** Speaking never costs more than silence: when one secret is there, the other side's silence
    costs its whole lock, which is the most that its secret could cost. *)
Theorem silence_is_never_worth_it : forall f b x d t t' e,
  within_locks f -> d < t -> t' <= d -> of_bob_ e = negb b -> right e = true ->
  match outcome f t (Some (one_ b x d)), outcome f t' (submit f t' e (Some (one_ b x d))) with
  | Some silent, Some spoken => if b then spoken <= silent else silent <= spoken
  | _, _ => False
  end.
Proof.
  intros f b x d t t' e (_ & _ & D) L L' Of R. cbn [submit outcome]. rewrite Of, R.
  rewrite (proj2 (Z.leb_gt _ _) L), (proj2 (Z.ltb_ge _ _) L').
  destruct b; simpl; apply D.
Qed.

(** A word that nobody has committed to changes nothing, and neither does a side's own word again:
    each side speaks once, and only by its own secret. *)
Theorem nothing_without_a_secret : forall f t b x o,
  submit f t {| of_bob_ := b; word := x; right := false |} o = o.
Proof. intros f t b x o. destruct o as [[b' x' d|s]|]; simpl; cases; reflexivity. Qed.

(** Whoever speaks in time is heard: the first by [validity], which gives the other exactly
    [window] seconds; the second until these are over, and then both secrets decide. *)
Theorem who_speaks_in_time_is_heard : forall f t t' b x y,
  t <= t_validity f -> t' <= t + window f ->
  t_alice_lock f <= MAX_AMOUNT -> t_bob_lock f <= MAX_AMOUNT -> final_time f <= MAX_DEADLINE ->
  let one := {| of_bob_ := b; word := x; right := true |} in
  let other := {| of_bob_ := negb b; word := y; right := true |} in
  submit f t one None = Some (one_ b x (t + window f))
  /\ submit f t' other (submit f t one None)
     = Some (both (if b then decides f y x else decides f x y)).
Proof.
  intros f t t' b x y T T' A B F one other.
  assert (E : submit f t one None = Some (one_ b x (t + window f))).
  { simpl. unfold final_time in F. rewrite (proj2 (Z.ltb_ge _ _) T), (proj2 (Z.ltb_ge _ _) A),
      (proj2 (Z.ltb_ge _ _) B), (proj2 (Z.ltb_ge _ _) F). reflexivity. }
  split; [ exact E |]. rewrite E. simpl. rewrite (proj2 (Z.ltb_ge _ _) T').
  destruct b; reflexivity.
Qed.
End TwoSecrets.

(** ** CoinFlip *)

Module CoinFlip.
Record Flip := {
  f_alice_lock : Z; f_bob_lock : Z; odds : Z; f_validity : Z; f_window : Z
}.

Definition shift_of (f : Flip) (x y : Z) : Z :=
  if (x + y) mod 2 ^ 16 <? odds f then f_alice_lock f else - f_bob_lock f.

Definition terms_of (f : Flip) : TwoSecrets.Terms := {|
  TwoSecrets.t_alice_lock := f_alice_lock f; TwoSecrets.t_bob_lock := f_bob_lock f;
  TwoSecrets.t_validity := f_validity f; TwoSecrets.window := f_window f;
  TwoSecrets.decides := shift_of f
|}.
Definition submit (f : Flip) := TwoSecrets.submit (terms_of f).
Definition outcome (f : Flip) := TwoSecrets.outcome (terms_of f).
Definition final_time (f : Flip) : Z := f_validity f + f_window f.

Lemma within_locks : forall f, 0 <= f_alice_lock f -> 0 <= f_bob_lock f ->
  TwoSecrets.within_locks (terms_of f).
Proof.
  intros f A B. split; [ exact A | split; [ exact B |] ]. intros x y. simpl. unfold shift_of.
  destruct (_ <? _); lia.
Qed.

Theorem kept : forall f, 0 <= f_window f -> 0 <= f_alice_lock f -> 0 <= f_bob_lock f ->
  Kept _ _ (submit f) (outcome f) (final_time f) (TwoSecrets.begins (terms_of f)).
Proof. intros f W A B. apply TwoSecrets.kept; [ exact W | apply within_locks; assumption ]. Qed.

(** Whoever chooses blindly is safe: whatever the other side's secret, each of the 65,536 values of
    its own gives another sum, so [odds] of them, and no others, let Alice pay. *)
Theorem a_blind_secret_is_uniform : forall f y k, 0 <= k < 2 ^ 16 ->
  exists x, 0 <= x < 2 ^ 16 /\ (x + y) mod 2 ^ 16 = k
  /\ (forall x', 0 <= x' < 2 ^ 16 -> (x' + y) mod 2 ^ 16 = k -> x' = x)
  /\ shift_of f x y = if k <? odds f then f_alice_lock f else - f_bob_lock f.
Proof.
  intros f y k K. change (2 ^ 16) with 65536 in *. exists ((k - y) mod 65536).
  pose proof (Z.mod_pos_bound (k - y) 65536 eq_refl) as P.
  assert (E : ((k - y) mod 65536 + y) mod 65536 = k).
  { rewrite Z.add_mod_idemp_l by lia. replace (k - y + y) with k by lia. apply Z.mod_small. lia. }
  split; [ exact P | split; [ exact E | split ] ].
  - intros x' X' E'. rewrite <- E'. rewrite Zminus_mod_idemp_l. replace (x' + y - y) with x' by lia.
    symmetry. apply Z.mod_small. lia.
  - unfold shift_of. change (2 ^ 16) with 65536. rewrite E. reflexivity.
Qed.
End CoinFlip.

(** ** RockPaperScissors *)

Module RockPaperScissors.
Record Hands := { h_alice_lock : Z; h_bob_lock : Z; h_validity : Z; h_window : Z }.

(** 0 rock, 1 paper, 2 scissors: the secret's last byte, modulo 3. *)
Definition hand (secret : Z) : Z := secret mod 2 ^ 8 mod 3.
(** Each hand beats the one below it, and rock beats scissors. *)
Definition beats (a b : Z) : bool := (a + 2) mod 3 =? b.

Definition shift_of (h : Hands) (x y : Z) : Z :=
  if hand x =? hand y then 0
  else if beats (hand x) (hand y) then - h_bob_lock h else h_alice_lock h.

Definition terms_of (h : Hands) : TwoSecrets.Terms := {|
  TwoSecrets.t_alice_lock := h_alice_lock h; TwoSecrets.t_bob_lock := h_bob_lock h;
  TwoSecrets.t_validity := h_validity h; TwoSecrets.window := h_window h;
  TwoSecrets.decides := shift_of h
|}.
Definition submit (h : Hands) := TwoSecrets.submit (terms_of h).
Definition outcome (h : Hands) := TwoSecrets.outcome (terms_of h).
Definition final_time (h : Hands) : Z := h_validity h + h_window h.

Lemma within_locks : forall h, 0 <= h_alice_lock h -> 0 <= h_bob_lock h ->
  TwoSecrets.within_locks (terms_of h).
Proof.
  intros h A B. split; [ exact A | split; [ exact B |] ]. intros x y. simpl. unfold shift_of.
  destruct (_ =? _); [ lia |]. destruct (beats _ _); lia.
Qed.

Theorem kept : forall h, 0 <= h_window h -> 0 <= h_alice_lock h -> 0 <= h_bob_lock h ->
  Kept _ _ (submit h) (outcome h) (final_time h) (TwoSecrets.begins (terms_of h)).
Proof. intros h W A B. apply TwoSecrets.kept; [ exact W | apply within_locks; assumption ]. Qed.

Lemma three_hands : forall x, hand x = 0 \/ hand x = 1 \/ hand x = 2.
Proof. intros x. unfold hand. pose proof (Z.mod_pos_bound (x mod 2 ^ 8) 3 eq_refl). lia. Qed.

(** Equal hands move nothing; of two that differ one wins, and the other pays its whole lock: rock
    beats scissors, paper rock, scissors paper. *)
Theorem the_loser_pays : forall h x y,
  shift_of h x y =
    match hand x, hand y with
    | 0, 2 | 1, 0 | 2, 1 => - h_bob_lock h
    | 0, 1 | 1, 2 | 2, 0 => h_alice_lock h
    | _, _ => 0
    end.
Proof.
  intros h x y. unfold shift_of, beats.
  destruct (three_hands x) as [->|[->| ->]], (three_hands y) as [->|[->| ->]]; reflexivity.
Qed.

(** Neither side is favoured: exchanged secrets and locks exchange who pays. *)
Theorem nobody_is_favoured : forall h g x y,
  h_alice_lock g = h_bob_lock h -> h_bob_lock g = h_alice_lock h ->
  shift_of g y x = - shift_of h x y.
Proof.
  intros h g x y A B. rewrite !the_loser_pays, A, B.
  destruct (three_hands x) as [->|[->| ->]], (three_hands y) as [->|[->| ->]]; lia.
Qed.
End RockPaperScissors.
