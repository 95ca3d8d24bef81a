(** A reporter signs a price, and two locks are shared out by it (protocol, section 4). *)

From Perun Require Export Nanocontracts.

Module PriceBet.
Record Bet := {
  p_time : Z; strike : Z; slope : Z; scale : Z; p_alice_lock : Z; p_bob_lock : Z;
  p_validity : Z; p_challenge : Z
}.
Record Priced := { void : bool; priced : Z; deadline : Z }.
(** [signed_by_oracle]: over this price, of the bet's feed at the bet's time. *)
Record Price := { price : Z; signed_by_oracle : bool }.

(** Rounded towards zero, clamped to the locks. *)
Definition moved (b : Bet) (p : Z) : Z :=
  Z.max (- p_bob_lock b) (Z.min (p_alice_lock b) (Z.quot ((p - strike b) * slope b) (scale b))).

Definition takes (b : Bet) (t : Z) (o : option Priced) : bool :=
  negb ((MAX_AMOUNT <? p_alice_lock b) || (MAX_AMOUNT <? p_bob_lock b)
        || (MAX_DEADLINE <? p_validity b + p_challenge b) || (t <=? p_time b)
        || (match o with Some r => deadline r | None => p_validity b end <? t)).

Definition submit (b : Bet) (t : Z) (e : Price) (o : option Priced) : option Priced :=
  if scale b =? 0 then o
  else
    let s := moved b (price e) in
    if match o with Some r => void r || (priced r =? s) | None => false end then o
    else if negb (takes b t o) then o
    else if negb (signed_by_oracle e) then o
    else Some (match o with
               | Some r => {| void := true; priced := 0; deadline := deadline r |}
               | None => {| void := false; priced := s; deadline := t + p_challenge b |}
               end).

Definition outcome (t : Z) (o : option Priced) : option Z :=
  match o with
  | Some r => if t <=? deadline r then None else Some (priced r)
  | None => None
  end.

Definition final_time (b : Bet) : Z := p_validity b + p_challenge b.

Definition begins (b : Bet) (o : option Priced) : Prop :=
  match o with
  | None => True
  | Some r => deadline r <= final_time b /\ - p_bob_lock b <= priced r <= p_alice_lock b
              /\ p_alice_lock b <= MAX_AMOUNT /\ p_bob_lock b <= MAX_AMOUNT
  end.

Lemma takes_facts : forall b t o, takes b t o = true ->
  p_alice_lock b <= MAX_AMOUNT /\ p_bob_lock b <= MAX_AMOUNT /\ p_time b < t
  /\ t <= match o with Some r => deadline r | None => p_validity b end.
Proof.
  intros b t o T. unfold takes in T. apply negb_true_iff in T.
  apply orb_false_iff in T. destruct T as [T D]. apply orb_false_iff in T. destruct T as [T E].
  apply orb_false_iff in T. destruct T as [T _]. apply orb_false_iff in T. destruct T as [A B].
  apply Z.ltb_ge in A, B, D. apply Z.leb_gt in E. auto.
Qed.

(** Whatever is brought: the record stays, or there was time for it and the reporter's word. *)
Lemma submit_cases : forall b t e o, submit b t e o = o
  \/ takes b t o = true /\ signed_by_oracle e = true
     /\ submit b t e o =
        Some (match o with
              | Some r => {| void := true; priced := 0; deadline := deadline r |}
              | None => {| void := false; priced := moved b (price e);
                           deadline := t + p_challenge b |}
              end).
Proof.
  intros b t e o. unfold submit. destruct (scale b =? 0); [ left; reflexivity |].
  destruct (match o with Some r => _ | None => _ end); [ left; reflexivity |].
  destruct (takes b t o); [| left; reflexivity ].
  destruct (signed_by_oracle e); [ right; auto | left; reflexivity ].
Qed.

Lemma moved_within : forall b p, 0 <= p_alice_lock b -> 0 <= p_bob_lock b ->
  - p_bob_lock b <= moved b p <= p_alice_lock b.
Proof. intros. unfold moved. lia. Qed.

(** Nobody pays more than its lock, and the answer fits what the chain reads. *)
Theorem an_outcome_is_within_the_locks : forall b t o s, begins b o -> outcome t o = Some s ->
  - p_bob_lock b <= s <= p_alice_lock b /\ fits_int112 s.
Proof.
  intros b t o s B A. destruct o as [r|]; [| discriminate ].
  destruct B as (_ & W & La & Lb). simpl in A. destruct (t <=? deadline r); [ discriminate |].
  injection A as <-. split; [ exact W |]. unfold fits_int112.
  change MAX_AMOUNT with (2 ^ 111 - 1) in *. lia.
Qed.

Theorem kept : forall b, 0 <= p_alice_lock b -> 0 <= p_bob_lock b -> 0 <= p_challenge b ->
  Kept _ _ (submit b) outcome (final_time b) (begins b).
Proof.
  intros b La Lb Ch. constructor; intros.
  - destruct (submit_cases b t e r) as [->|(T & _ & ->)]; [ assumption |].
    destruct (takes_facts _ _ _ T) as (Ta & Tb & _ & Tt).
    pose proof (moved_within b (price e) La Lb). unfold begins, final_time in *.
    destruct r as [r|]; simpl; repeat split; lia.
  - unfold outcome in *. destruct r as [r|]; [| discriminate ].
    destruct (t <=? deadline r) eqn:E; [ discriminate |]. apply Z.leb_gt in E.
    rewrite (proj2 (Z.leb_gt _ _)) by lia. assumption.
  - destruct (submit_cases b t e r) as [->|(T & _)]; [ assumption |].
    destruct (takes_facts _ _ _ T) as (_ & _ & _ & Tt). destruct r as [r|]; [| discriminate ].
    simpl in H0. rewrite (proj2 (Z.leb_le _ _) Tt) in H0. discriminate.
  - destruct r as [r|]; [| reflexivity ]. simpl in *. destruct H as [U _].
    destruct (t <=? deadline r) eqn:E; [ apply Z.leb_le in E; lia | discriminate ].
  - destruct (submit_cases b t e r) as [->|(T & _)]; [ assumption |].
    destruct (takes_facts _ _ _ T) as (_ & _ & _ & Tt). exfalso. unfold final_time in *.
    destruct r as [r|]; [ destruct H as [U _]; unfold final_time in U; lia | lia ].
  - exact (proj2 (an_outcome_is_within_the_locks b t r s H H0)).
Qed.

(** Without the reporter's word nothing moves, and none counts before the time that it is of. *)
Theorem nothing_without_the_reporter : forall b t p o,
  submit b t {| price := p; signed_by_oracle := false |} o = o
  /\ forall e, t <= p_time b -> submit b t e o = o.
Proof.
  intros b t p o. split; [| intros e E ].
  - destruct (submit_cases b t {| price := p; signed_by_oracle := false |} o) as [X|(_ & X & _)];
      [ exact X | discriminate X ].
  - destruct (submit_cases b t e o) as [X|(T & _)]; [ exact X |].
    destruct (takes_facts _ _ _ T) as (_ & _ & L & _). lia.
Qed.

(** A price that was shown in time decides, and moves what both agreed that it should: by
    [slope / scale] of the difference to [strike], never more than that, cut at the locks. *)
Theorem a_price_decides : forall b t e, scale b <> 0 -> takes b t None = true ->
  signed_by_oracle e = true ->
  submit b t e None
    = Some {| void := false; priced := moved b (price e); deadline := t + p_challenge b |}.
Proof.
  intros b t e S T O. unfold submit. rewrite (proj2 (Z.eqb_neq _ _) S), T, O. reflexivity.
Qed.

Theorem a_price_moves_its_part : forall b p, 0 < scale b ->
  0 <= p_alice_lock b -> 0 <= p_bob_lock b ->
  let due := (p - strike b) * slope b in
  (0 <= due -> 0 <= moved b p /\ (moved b p = p_alice_lock b \/ due - scale b < moved b p * scale b)
               /\ moved b p * scale b <= due)
  /\ (due <= 0 -> moved b p <= 0 /\ (moved b p = - p_bob_lock b \/ moved b p * scale b < due + scale b)
                  /\ due <= moved b p * scale b).
Proof.
  intros b p S A B due. unfold moved. fold due.
  pose proof (Z.quot_rem' due (scale b)) as Q.
  pose proof (Z.rem_bound_abs due (scale b)) as R.
  split; intros D.
  - pose proof (Z.quot_pos due (scale b) D S). pose proof (Z.rem_nonneg due (scale b)).
    assert (Z.rem due (scale b) < scale b) by lia.
    destruct (Z.le_gt_cases (p_alice_lock b) (Z.quot due (scale b))) as [C|C].
    + rewrite Z.min_l, Z.max_r by lia. split; [ exact A | split; [ left; reflexivity |] ]. nia.
    + rewrite Z.min_r, Z.max_r by lia. split; [ lia | split; [ right |] ]; lia.
  - assert (Z.quot due (scale b) <= 0).
    { pose proof (Z.quot_pos (- due) (scale b)). rewrite Z.quot_opp_l in H by lia. lia. }
    pose proof (Z.rem_nonpos due (scale b)).
    destruct (Z.le_gt_cases (Z.quot due (scale b)) (- p_bob_lock b)) as [C|C].
    + rewrite Z.min_r, Z.max_l by lia. split; [ lia | split; [ left; reflexivity |] ]. nia.
    + rewrite Z.min_r, Z.max_r by lia. split; [ lia | split; [ right |] ]; lia.
Qed.

(** A reporter who contradicts itself gives everything back, whichever price comes first; who pays
    for a race gains nothing.  And no third price changes that. *)
Theorem two_prices_give_everything_back : forall b t t' p p',
  scale b <> 0 -> takes b t None = true -> moved b p <> moved b p' ->
  t <= t' <= t + p_challenge b ->
  let said p := {| price := p; signed_by_oracle := true |} in
  submit b t' (said p') (submit b t (said p) None)
    = Some {| void := true; priced := 0; deadline := t + p_challenge b |}
  /\ forall u e, submit b u e (submit b t' (said p') (submit b t (said p) None))
    = submit b t' (said p') (submit b t (said p) None).
Proof.
  intros b t t' p p' S T N [L U] said.
  assert (E : submit b t' (said p') (submit b t (said p) None)
    = Some {| void := true; priced := 0; deadline := t + p_challenge b |}).
  { rewrite (a_price_decides b t (said p) S T eq_refl). unfold submit.
    rewrite (proj2 (Z.eqb_neq _ _) S). cbn [void priced deadline orb said price signed_by_oracle].
    rewrite (proj2 (Z.eqb_neq _ _) N).
    assert (T' : takes b t' (Some {| void := false; priced := moved b p;
                                     deadline := t + p_challenge b |}) = true).
    { unfold takes in *. apply negb_true_iff in T. apply negb_true_iff.
      apply orb_false_iff in T. destruct T as [T _].
      apply orb_false_iff in T. destruct T as [T E]. rewrite T. cbn [orb deadline].
      apply Z.leb_gt in E. rewrite (proj2 (Z.leb_gt _ _)) by lia. cbn [orb].
      apply Z.ltb_ge. exact U. }
    rewrite T'. reflexivity. }
  split; [ exact E |]. intros u e. rewrite E. unfold submit.
  destruct (scale b =? 0); reflexivity.
Qed.
End PriceBet.
