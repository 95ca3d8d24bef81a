(** Escrow: an arbiter, both parties or a clock share out two locks (protocol, section 4). *)

From Perun Require Export Nanocontracts.

Module Escrow.
Record Deal := {
  e_alice_lock : Z; e_bob_lock : Z; late_shift : Z; due : Z; e_validity : Z; e_challenge : Z
}.
(** [rank]: 0 the late rule, 1 an award, 2 two awards that differ, 3 an agreement. *)
Record Decision := { rank : Z; decided_shift : Z; until : Z }.
Inductive Brought :=
  | award (shift : Z) (signed_by_arbiter : bool)
  | agree (shift : Z) (signed_by_both : bool)
  | late.

Definition takes (d : Deal) (t : Z) (o : option Decision) : bool :=
  negb ((MAX_AMOUNT <? e_alice_lock d) || (MAX_AMOUNT <? e_bob_lock d)
        || (MAX_DEADLINE <? e_validity d + e_challenge d)
        || (match o with Some r => until r | None => e_validity d end <? t)).
Definition ends (d : Deal) (t : Z) (o : option Decision) : Z :=
  match o with Some r => until r | None => t + e_challenge d end.
Definition within (d : Deal) (s : Z) : bool := (- e_bob_lock d <=? s) && (s <=? e_alice_lock d).

Definition submit (d : Deal) (t : Z) (e : Brought) (o : option Decision) : option Decision :=
  match e with
  | award s good =>
      if match o with
         | Some r => (1 <? rank r) || ((rank r =? 1) && (decided_shift r =? s))
         | None => false
         end then o
      else if takes d t o && within d s && good
      then Some (match o with
                 | Some r => if rank r =? 1
                             then {| rank := 2; decided_shift := 0; until := ends d t o |}
                             else {| rank := 1; decided_shift := s; until := ends d t o |}
                 | None => {| rank := 1; decided_shift := s; until := ends d t o |}
                 end)
      else o
  | agree s good =>
      if match o with Some r => rank r =? 3 | None => false end then o
      else if takes d t o && within d s && good
      then Some {| rank := 3; decided_shift := s; until := ends d t o |}
      else o
  | late =>
      match o with
      | Some _ => o
      | None =>
          if (late_shift d =? 0) || negb (takes d t o) || (t <=? due d)
             || negb (within d (late_shift d)) then o
          else Some {| rank := 0; decided_shift := late_shift d; until := ends d t o |}
      end
  end.

Definition outcome (t : Z) (o : option Decision) : option Z :=
  match o with
  | Some r => if t <=? until r then None else Some (decided_shift r)
  | None => None
  end.

Definition final_time (d : Deal) : Z := e_validity d + e_challenge d.

Definition begins (d : Deal) (o : option Decision) : Prop :=
  match o with
  | None => True
  | Some r => until r <= final_time d /\ - e_bob_lock d <= decided_shift r <= e_alice_lock d
              /\ e_alice_lock d <= MAX_AMOUNT /\ e_bob_lock d <= MAX_AMOUNT
  end.

(** Whatever is brought: the record stays, or there was time for it and it is as bounded as any. *)
Lemma submit_cases : forall d t e o, submit d t e o = o
  \/ exists r, submit d t e o = Some r /\ takes d t o = true /\ until r = ends d t o
     /\ (within d (decided_shift r) = true \/ decided_shift r = 0).
Proof.
  intros d t e o. destruct e as [s good|s good|]; simpl.
  - destruct (match o with Some r => _ | None => _ end); [ left; reflexivity |].
    destruct (takes d t o && within d s && good) eqn:E; [ right | left; reflexivity ].
    apply andb_prop in E. destruct E as [E _]. apply andb_prop in E. destruct E as [T W].
    destruct o as [r|]; [ destruct (rank r =? 1) |]; eexists; (split; [ reflexivity |]); auto.
  - destruct (match o with Some r => _ | None => _ end); [ left; reflexivity |].
    destruct (takes d t o && within d s && good) eqn:E; [ right | left; reflexivity ].
    apply andb_prop in E. destruct E as [E _]. apply andb_prop in E. destruct E as [T W].
    eexists. split; [ reflexivity |]. auto.
  - destruct o as [r|]; [ left; reflexivity |].
    destruct ((late_shift d =? 0) || negb (takes d t None) || (t <=? due d)
              || negb (within d (late_shift d))) eqn:E; [ left; reflexivity | right ].
    apply orb_false_iff in E. destruct E as [E W]. apply orb_false_iff in E. destruct E as [E _].
    apply orb_false_iff in E. destruct E as [_ T]. apply negb_false_iff in T, W.
    eexists. split; [ reflexivity |]. auto.
Qed.

Lemma takes_facts : forall d t o, takes d t o = true ->
  e_alice_lock d <= MAX_AMOUNT /\ e_bob_lock d <= MAX_AMOUNT
  /\ t <= match o with Some r => until r | None => e_validity d end.
Proof.
  intros d t o T. unfold takes in T. apply negb_true_iff in T.
  apply orb_false_iff in T. destruct T as [T D]. apply orb_false_iff in T. destruct T as [T _].
  apply orb_false_iff in T. destruct T as [A B]. apply Z.ltb_ge in A, B, D. auto.
Qed.

(** Nobody pays more than its lock, and the answer fits what the chain reads. *)
Theorem an_outcome_is_within_the_locks : forall d t o s, begins d o -> outcome t o = Some s ->
  - e_bob_lock d <= s <= e_alice_lock d /\ fits_int112 s.
Proof.
  intros d t o s B A. destruct o as [r|]; [| discriminate ].
  destruct B as (_ & W & La & Lb). simpl in A. destruct (t <=? until r); [ discriminate |].
  injection A as <-. split; [ exact W |]. unfold fits_int112.
  change MAX_AMOUNT with (2 ^ 111 - 1) in *. lia.
Qed.

Theorem kept : forall d, 0 <= e_alice_lock d -> 0 <= e_bob_lock d -> 0 <= e_challenge d ->
  Kept _ _ (submit d) outcome (final_time d) (begins d).
Proof.
  intros d La Lb Ch. constructor; intros.
  - destruct (submit_cases d t e r) as [->|(r' & -> & T & U & W)]; [ assumption |].
    destruct (takes_facts _ _ _ T) as (Ta & Tb & Tt). simpl. rewrite U. unfold ends, final_time.
    split; [ destruct r as [r|]; [ apply H | lia ] |].
    split; [| split; assumption ].
    destruct W as [W|W]; [| lia ]. unfold within in W. apply andb_prop in W. destruct W as [A B].
    apply Z.leb_le in A, B. lia.
  - unfold outcome in *. destruct r as [r|]; [| discriminate ].
    destruct (t <=? until r) eqn:E; [ discriminate |]. apply Z.leb_gt in E.
    rewrite (proj2 (Z.leb_gt _ _)) by lia. assumption.
  - destruct (submit_cases d t e r) as [->|(r' & _ & T & _)]; [ assumption |].
    destruct (takes_facts _ _ _ T) as (_ & _ & Tt). destruct r as [r|]; [| discriminate ].
    simpl in H0. rewrite (proj2 (Z.leb_le _ _) Tt) in H0. discriminate.
  - destruct r as [r|]; [| reflexivity ]. simpl in *. destruct H as [U _].
    destruct (t <=? until r) eqn:E; [ apply Z.leb_le in E; lia | discriminate ].
  - destruct (submit_cases d t e r) as [->|(r' & _ & T & _)]; [ assumption |].
    destruct (takes_facts _ _ _ T) as (_ & _ & Tt). exfalso. unfold final_time in *.
    destruct r as [r|]; [ destruct H as [U _]; unfold final_time in U; lia | lia ].
  - exact (proj2 (an_outcome_is_within_the_locks d t r s H H0)).
Qed.

(** Nothing changes without the arbiter's word, the word of both, or the clock that both agreed
    to. *)
Theorem nothing_without_a_word : forall d t o s,
  submit d t (award s false) o = o /\ submit d t (agree s false) o = o
  /\ (t <= due d -> submit d t late o = o) /\ (late_shift d = 0 -> submit d t late o = o).
Proof.
  intros d t o s. simpl. rewrite !andb_false_r. repeat split; intros.
  - destruct (match o with Some r => _ | None => _ end); reflexivity.
  - destruct (match o with Some r => _ | None => _ end); reflexivity.
  - destruct o; [ reflexivity |]. rewrite (proj2 (Z.leb_le _ _) H), orb_true_r. reflexivity.
  - destruct o; [ reflexivity |]. rewrite H. reflexivity.
Qed.

(** Two awards that differ give everything back, whichever comes first: who pays for a race gains
    nothing. *)
Theorem two_awards_give_everything_back : forall d t t' s s',
  takes d t None = true -> within d s = true -> within d s' = true -> s <> s' ->
  t <= t' <= t + e_challenge d ->
  submit d t' (award s' true) (submit d t (award s true) None)
  = Some {| rank := 2; decided_shift := 0; until := t + e_challenge d |}.
Proof.
  intros d t t' s s' T W W' Ne [L U]. cbn [submit]. rewrite T, W. cbn [andb rank decided_shift ends].
  change (1 <? 1) with false. change (1 =? 1) with true. cbn [orb andb].
  rewrite (proj2 (Z.eqb_neq _ _) Ne), W'.
  assert (T' : takes d t' (Some {| rank := 1; decided_shift := s; until := t + e_challenge d |})
               = true).
  { unfold takes in *. apply negb_true_iff in T. apply negb_true_iff.
    apply orb_false_iff in T. destruct T as [T _]. rewrite T. cbn [orb until].
    apply Z.ltb_ge. exact U. }
  rewrite T'. reflexivity.
Qed.

(** What comes in time counts, and by its rank: an award decides where nobody has agreed or awarded;
    what both have signed takes the place of all else; the late rule that of silence. *)
Theorem what_comes_in_time_counts : forall d t o s, takes d t o = true ->
  (within d s = true -> match o with Some r => rank r = 0 | None => True end ->
   submit d t (award s true) o = Some {| rank := 1; decided_shift := s; until := ends d t o |})
  /\ (within d s = true -> match o with Some r => rank r <> 3 | None => True end ->
      submit d t (agree s true) o = Some {| rank := 3; decided_shift := s; until := ends d t o |})
  /\ (due d < t -> late_shift d <> 0 -> within d (late_shift d) = true -> o = None ->
      submit d t late o
      = Some {| rank := 0; decided_shift := late_shift d; until := t + e_challenge d |}).
Proof.
  intros d t o s T. split; [| split ].
  - intros W R. cbn [submit]. rewrite T, W. destruct o as [r|]; [ rewrite R |]; reflexivity.
  - intros W R. cbn [submit]. rewrite T, W.
    destruct o as [r|]; [ rewrite (proj2 (Z.eqb_neq _ _) R) |]; reflexivity.
  - intros L N W ->. cbn [submit ends]. rewrite T, W, (proj2 (Z.eqb_neq _ _) N).
    rewrite (proj2 (Z.leb_gt _ _) L). reflexivity.
Qed.

(** What both have agreed on is the last word, whatever the arbiter says and when. *)
Theorem an_agreement_stays : forall d t e s u,
  submit d t e (Some {| rank := 3; decided_shift := s; until := u |})
  = Some {| rank := 3; decided_shift := s; until := u |}.
Proof. intros d t [s' g|s' g|] s u; reflexivity. Qed.
End Escrow.
