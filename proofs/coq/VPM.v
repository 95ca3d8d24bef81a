(** Payments: each side says what it has paid in total (protocol, section 4). *)

From Perun Require Export Nanocontracts.

Module VPM.
(** [says k paid]: the key [k] has signed "paid so much in total" for this machine. *)
Record Machine := {
  m_alice : Address; m_bob : Address; m_alice_lock : Z; m_bob_lock : Z;
  validity : Z; m_challenge : Z
}.
Record Totals := { by_alice : Z; by_bob : Z; deadline : Z }.
Record Statements := {
  paid_by_alice : Z; paid_by_bob : Z;
  alice_signed : bool;   (** a valid signature of Alice's key over [paid_by_alice] came with it *)
  bob_signed : bool
}.
Definition amount (o : option Totals) (f : Totals -> Z) : Z :=
  match o with Some r => f r | None => 0 end.

(* Bytecode: check_totals_only_rise, check_isolation. *)
Definition submit (m : Machine) (t : Z) (e : Statements) (o : option Totals) : option Totals :=
  let old_a := amount o by_alice in
  let old_b := amount o by_bob in
  if (MAX_AMOUNT <? paid_by_alice e) || (MAX_AMOUNT <? paid_by_bob e) then o
  else if MAX_DEADLINE <? validity m + m_challenge m then o
  else
    let a := (0 <? m_alice_lock m) && (old_a <? paid_by_alice e) in
    let b := (0 <? m_bob_lock m) && (old_b <? paid_by_bob e) in
    if negb a && negb b then o
    else
      let limit := match o with Some r => deadline r | None => validity m end in
      if limit <? t then o
      else if (a && negb (alice_signed e)) || (b && negb (bob_signed e)) then o
      else Some {| by_alice := if a then paid_by_alice e else old_a;
                   by_bob := if b then paid_by_bob e else old_b;
                   deadline := match o with Some r => deadline r | None => t + m_challenge m end |}.

(* Bytecode: check_outcome. *)
Definition outcome (t : Z) (o : option Totals) : option Z :=
  match o with
  | Some r => if t <=? deadline r then None else Some (by_alice r - by_bob r)
  | None => None
  end.

Definition final_time (m : Machine) : Z := validity m + m_challenge m.

Definition begins (m : Machine) (o : option Totals) : Prop :=
  match o with
  | None => True
  | Some r => deadline r <= final_time m
              /\ 0 <= by_alice r <= MAX_AMOUNT /\ 0 <= by_bob r <= MAX_AMOUNT
              /\ (m_alice_lock m <= 0 -> by_alice r = 0) /\ (m_bob_lock m <= 0 -> by_bob r = 0)
  end.

(** Any answer is a number that [MSContract] reads. *)
Lemma answers_fit : forall m t o s, begins m o -> outcome t o = Some s -> fits_int112 s.
Proof.
  intros m t o s B A. destruct o as [r|]; [| discriminate ]. destruct B as (_ & A1 & A2 & _).
  unfold outcome in A. cases; [ discriminate |]. injection A as <-.
  unfold fits_int112. change MAX_AMOUNT with (2 ^ 111 - 1) in *. lia.
Qed.

(** Final, and its final time is [validity + challenge], whatever anybody brings. *)
Theorem kept : forall m, 0 <= m_challenge m ->
  Kept _ _ (submit m) outcome (final_time m) (begins m).
Proof.
  intros m Ch. constructor.
  - intros t e o B. unfold submit, amount. destruct o as [r|]; cases; auto; numbers;
      unfold begins, final_time in *; simpl in *;
      repeat match goal with H : _ /\ _ |- _ => destruct H end;
      repeat match goal with |- _ /\ _ => split end; intros;
      try (exfalso; lia); lia || auto.
  - intros t t' o s _ T A. unfold outcome in *. destruct o as [r|]; [| discriminate ].
    cases; numbers; try discriminate; try lia; exact A.
  - intros t e o s _ A. destruct o as [r|]; [| discriminate ].
    assert (D : deadline r < t) by (unfold outcome in A; cases; numbers; [ discriminate | lia ]).
    unfold submit. cases; try exact A; numbers; exfalso; lia.
  - intros t t' o B L T A. destruct o as [r|]; [| reflexivity ]. exfalso.
    destruct B as (B & _). unfold outcome in A. cases; numbers; [| discriminate ]. lia.
  - intros t e o B L A. destruct o as [r|].
    + exfalso. destruct B as (B & _). unfold outcome in A. cases; numbers; [| discriminate ]. lia.
    + unfold submit. cases; try reflexivity; numbers; exfalso; unfold final_time in L; lia.
  - intros t o s. apply answers_fit.
Qed.

(** Nobody submits: nothing has moved. *)
Lemma untouched : forall t, outcome t None = None.
Proof. reflexivity. Qed.

(** What a machine takes from a side is a total that this side has signed; and it takes nothing
    from a side whose lock is nothing.  [says] is whatever its key ever signed for this machine. *)
Section Signed.
Variable m : Machine.
Variable alice_says bob_says : Z -> Prop.

(** Nobody has a valid signature that was not given. *)
Definition honest (e : Statements) : Prop :=
  (alice_signed e = true -> alice_says (paid_by_alice e))
  /\ (bob_signed e = true -> bob_says (paid_by_bob e)).

Definition by_word (o : option Totals) : Prop :=
  match o with
  | None => True
  | Some r => (by_alice r = 0 \/ (0 < m_alice_lock m /\ alice_says (by_alice r)))
              /\ (by_bob r = 0 \/ (0 < m_bob_lock m /\ bob_says (by_bob r)))
  end.

(** Time passes, and anybody brings what it likes, with no signature that was not given. *)
Inductive Later : Z * option Totals -> Z * option Totals -> Prop :=
  | same_ : forall x, Later x x
  | waits_ : forall x t t' o, Later x (t, o) -> t <= t' -> Later x (t', o)
  | brings_ : forall x t o e, Later x (t, o) -> honest e -> Later x (t, submit m t e o).

Theorem nothing_unsigned : forall t e o, honest e -> by_word o -> by_word (submit m t e o).
Proof.
  intros t e o [Ha Hb] B. unfold submit, amount.
  destruct o as [r|]; cases; auto; unfold by_word in *; simpl in *; numbers;
    repeat match goal with H : _ /\ _ |- _ => destruct H end; split; auto;
    right; split; auto; (apply Ha || apply Hb);
    match goal with
    | H : (true && negb ?x)%bool = false |- ?x = true => destruct x; [ reflexivity | discriminate ]
    | |- ?x = true => destruct x; [ reflexivity | cbn in *; congruence ]
    end.
Qed.

(** Totals only rise, and the deadline never moves. *)
Theorem totals_only_rise : forall t e r, exists r', submit m t e (Some r) = Some r'
  /\ by_alice r <= by_alice r' /\ by_bob r <= by_bob r' /\ deadline r' = deadline r.
Proof.
  intros t e r. unfold submit, amount.
  cases; numbers; eexists; (split; [ reflexivity |]); simpl; repeat split; lia.
Qed.

(** What a payee can show it gets: a statement that is shown in time is the least that counts for
    its payer, whatever anybody brings afterwards.  Against it stands only what the payee itself has
    said that it paid back. *)
Theorem what_is_shown_is_paid : forall t e o t' o',
  honest e -> by_word o -> begins m o ->
  t <= match o with Some r => deadline r | None => validity m end ->
  paid_by_alice e <= MAX_AMOUNT -> paid_by_bob e <= MAX_AMOUNT -> final_time m <= MAX_DEADLINE ->
  alice_signed e = true -> bob_signed e = true -> 0 < m_alice_lock m -> 0 < paid_by_alice e ->
  Later (t, submit m t e o) (t', o') ->
  exists r, o' = Some r /\ paid_by_alice e <= by_alice r
  /\ (by_bob r = 0 \/ bob_says (by_bob r))
  /\ (deadline r < t' -> outcome t' o' = Some (by_alice r - by_bob r)).
Proof.
  intros t e o t' o' H W B T Ma Mb F Sa Sb L P K.
  assert (E : exists r, submit m t e o = Some r /\ paid_by_alice e <= by_alice r).
  { unfold submit, amount. unfold final_time in F.
    rewrite (proj2 (Z.ltb_ge _ _) Ma), (proj2 (Z.ltb_ge _ _) Mb), (proj2 (Z.ltb_ge _ _) F),
      (proj2 (Z.ltb_ge _ _) T), (proj2 (Z.ltb_lt _ _) L), Sa, Sb. cbn [negb orb andb].
    rewrite !andb_false_r. cbn [orb].
    destruct ((match o with Some r => by_alice r | None => 0 end) <? paid_by_alice e) eqn:X;
      cbn [negb andb]; numbers.
    - eexists. split; [ reflexivity |]. simpl. lia.
    - destruct o as [r|]; [| lia ]. destruct (negb _); eexists; (split; [ reflexivity |]); simpl; lia. }
  assert (Q : exists r, o' = Some r /\ paid_by_alice e <= by_alice r /\ by_word o').
  { pose proof (nothing_unsigned t e o H W) as W'. remember (t, submit m t e o) as x.
    remember (t', o') as y. revert t' o' Heqy.
    induction K as [x|x u u' r K IH U|x u r i K IH I]; intros; subst.
    - injection Heqy as <- <-. destruct E as (r & R & Q). exists r. auto.
    - injection Heqy as <- <-. eapply IH; reflexivity.
    - injection Heqy as <- <-. destruct (IH eq_refl u r eq_refl) as (p & -> & Q & R).
      destruct (totals_only_rise u i p) as (q & Z & Y & _). exists q.
      split; [ exact Z | split; [ lia |] ]. apply nothing_unsigned; assumption. }
  destruct Q as (r & -> & Q & R). exists r. split; [ reflexivity | split; [ exact Q |] ].
  split; [ destruct R as [_ [R|[_ R]]]; auto |].
  intros D. simpl. rewrite (proj2 (Z.leb_gt _ _) D). reflexivity.
Qed.
End Signed.
End VPM.
